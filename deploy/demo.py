"""The demo fleet of `narke up --fleet N`: tokens for its drivers, its stations, the site they hang in, a live table."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from rich.console import Console
from rich.live import Live

from deploy.settings import Settings
from deploy.wiring.parts import SystemClock, book_of, site_book_of
from engine.model.authorization import Token, TokenRecord
from engine.model.sites import NodeKind, Outlet, Site, SiteNode
from engine.ports import SeamError
from loadtests.fleet import Fleet, FleetOptions
from loadtests.station import Habits
from loadtests.table import table_of
from storage.redis_client import redis_client

log = structlog.get_logger()

SITE = "demo"
SITE_STATIONS_MAX = 48
BOARD_STATIONS = 8
BOARD_LIMIT_A_EACH = 10.0
SITE_LIMIT_A_EACH = 7.5
"""A for each station of a board and of the site: all cars can have 6 A, and few of them 32 A."""
LEAST_A = 32.0
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


async def save_site(settings: Settings, stations: int) -> None:
    """Hangs the first stations in a site with limits, so that there is something to plan; one that is there stays."""
    client = redis_client(settings.redis)
    try:
        book = site_book_of(settings, client)
        if await book.site(SITE) is None:
            await book.save_site(demo_site(stations), "demo", SystemClock().now())
    except (ValueError, SeamError) as error:  # another site has them; or Redis is busy: the demo goes on without
        log.warning("the demo has no site", why=str(error))
    finally:
        await client.aclose()


def demo_site(stations: int) -> Site:
    """A car park: its grid connection, boards of eight stations, limits per phase that not all cars fit into."""
    count = min(stations, SITE_STATIONS_MAX)
    top = _limit(SITE_LIMIT_A_EACH * count)
    nodes = [SiteNode(node="grid", kind=NodeKind.GRID, limit_a=top)]
    for begin in range(0, count, BOARD_STATIONS):
        board = f"board-{begin // BOARD_STATIONS + 1}"
        those = range(begin, min(begin + BOARD_STATIONS, count))
        limit = min(top, _limit(BOARD_LIMIT_A_EACH * len(those)))
        nodes.append(SiteNode(node=board, kind=NodeKind.BOARD, parent="grid", limit_a=limit))
        for number in those:
            station = f"DEMO-{number + 1:04}"
            outlet = Outlet(station=station, evse=1, rotation=("123", "231", "312")[number % 3])
            nodes.append(SiteNode(node=station, kind=NodeKind.EVSE, parent=board, outlet=outlet))
    # Cars at thirty times their speed leave before any hour that a horizon could plan for: all share what there is now.
    return Site(site=SITE, name="Demo car park", nodes=tuple(nodes), allocator="max-min")


def _limit(current_a: float) -> tuple[float, float, float]:
    return (max(LEAST_A, current_a),) * 3


async def run_demo(url: str, stations: int, console: Console, until: Callable[[], Awaitable[object]]) -> None:
    """Runs the fleet until `until` returns; shows it as a table, or a line now and then where there is no terminal."""
    console.print(f"its stations are planned as site {SITE}: narke plan show {SITE}", highlight=False)
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
