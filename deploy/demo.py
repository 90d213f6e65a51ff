"""The demo fleet of `narke up --fleet N`: tokens for its drivers, its stations, a live table."""

import asyncio
from collections.abc import Awaitable, Callable

from rich.console import Console
from rich.live import Live

from deploy.settings import Settings
from deploy.wiring.parts import SystemClock, book_of
from engine.model.authorization import Token, TokenRecord
from loadtests.fleet import Fleet, FleetOptions
from loadtests.station import Habits
from loadtests.table import table_of
from storage.redis_client import redis_client

TOKENS = tuple(f"DEMO-TOKEN-{number:02}" for number in range(1, 13))
LINE_S = 10.0
HABITS = Habits(meter_interval_s=5.0, charge_s=(40.0, 180.0), idle_s=(3.0, 20.0), speed=30.0, first_charge_s_max=8.0)


async def save_tokens(settings: Settings) -> None:
    """Registers the drivers of the demo."""
    records = [TokenRecord(Token(value), note="demo fleet") for value in TOKENS]
    client = redis_client(settings.redis)
    try:
        await book_of(settings, client).save_tokens(records, SystemClock().now())
    finally:
        await client.aclose()


async def run_demo(url: str, stations: int, console: Console, until: Callable[[], Awaitable[object]]) -> None:
    """Runs the fleet until `until` returns; shows it as a table, or a line now and then where there is no terminal."""
    fleet = Fleet(FleetOptions(stations=stations, url=url, tokens=TOKENS, habits=HABITS))
    running = asyncio.create_task(fleet.run())
    stopped = asyncio.ensure_future(until())
    try:
        if console.is_terminal:
            await _show_table(fleet, console, running, stopped)
        else:
            await _print_lines(fleet, console, running, stopped)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _show_table(
    fleet: Fleet, console: Console, running: asyncio.Task[None], stopped: "asyncio.Future[object]"
) -> None:
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while not (running.done() or stopped.done()):
            live.update(table_of(fleet), refresh=True)
            await asyncio.wait((running, stopped), timeout=0.5, return_when=asyncio.FIRST_COMPLETED)


async def _print_lines(
    fleet: Fleet, console: Console, running: asyncio.Task[None], stopped: "asyncio.Future[object]"
) -> None:
    while not (running.done() or stopped.done()):
        await asyncio.wait((running, stopped), timeout=LINE_S, return_when=asyncio.FIRST_COMPLETED)
        result = fleet.result()
        console.print(
            f"fleet: {result.connected}/{result.stations} connected, {fleet.statistics.charging} charging, "
            f"{result.transactions} transactions, {result.energy_wh / 1000:.2f} kWh, {result.messages} messages, "
            f"p99 {result.p99_ms:.1f} ms",
            highlight=False,
        )
