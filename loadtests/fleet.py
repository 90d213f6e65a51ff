"""A fleet of virtual stations: the door. Options in, figures out, in this process or shared out over several."""

import asyncio
from collections.abc import Callable

import uvloop

from loadtests.fleet_in_process import Fleet, rare_collections
from loadtests.fleet_of_processes import Crew
from loadtests.fleet_options import FILES_SPARE, FleetError, FleetOptions
from loadtests.fleet_result import FleetResult
from loadtests.link import Observer

__all__ = ["FILES_SPARE", "Crew", "Fleet", "FleetError", "FleetOptions", "FleetResult", "live", "run_fleet"]

SHOWS_PER_S = 2


async def live(
    options: FleetOptions, show: Callable[[Fleet], None] | None = None, observer: Observer | None = None
) -> FleetResult:
    """Runs a fleet in this process; calls `show` twice a second.

    Raises:
        FleetError: Not one station could connect, or the options say more than one process.
    """
    if options.processes != 1:
        raise FleetError("a fleet of several processes is run by run_fleet, and nobody can observe it")
    fleet = Fleet(options, observer)
    running = asyncio.create_task(fleet.run())
    try:
        while not running.done():
            if show is not None:
                show(fleet)
            await asyncio.wait([running], timeout=1 / SHOWS_PER_S)
        running.result()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return fleet.result()


def run_fleet(options: FleetOptions, show: Callable[[Fleet | Crew], None] | None = None) -> FleetResult:
    """Runs a fleet until its duration is over, in as many processes as the options say.

    Raises:
        FleetError: The options cannot be met, or not one station could connect.
    """
    if options.processes > 1:
        return Crew(options).run(show)
    with rare_collections():
        return uvloop.run(live(options, show))
