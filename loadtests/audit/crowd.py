"""The fleet of an audit: its load, and its end, when each station tells what is left and proves that it is alive."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from time import monotonic

from loadtests.audit.ledger import Ledger
from loadtests.audit.options import AuditError, AuditOptions
from loadtests.fleet import Fleet, FleetError, FleetOptions
from loadtests.link import Patience, Refused
from loadtests.station import Habits, Station

TOKEN = "AUDIT-DRIVER"  # noqa: S105 (what a driver presents)
CONNECTS_PER_S = 250
POLL_S = 0.25
ASKED_AT_ONCE = 200
TIMEOUT = ": timeout"
_PATIENCE = Patience(answer_s_max=20.0, backoff_s_min=0.5, backoff_s_max=10.0)


def options_of(options: AuditOptions, url: str, prefix: str) -> FleetOptions:
    """The fleet that an audit wants: short charges, so that each kill meets starts and stops.

    Raises:
        AuditError: It cannot be met, e.g. too many stations for the open files.
    """
    habits = Habits(
        meter_interval_s=options.meter_interval_s,
        charge_s=(2 * options.meter_interval_s, 12 * options.meter_interval_s),
        idle_s=(1.0, 10.0),
        speed=30.0,
        first_charge_s_max=max(options.meter_interval_s, options.stations / CONNECTS_PER_S),
        patience=_PATIENCE,
    )
    try:
        return FleetOptions(
            stations=options.stations,
            versions=options.versions,
            url=url,
            tokens=(TOKEN,),
            seed=options.seed,
            prefix=prefix,
            connect_s=options.stations / CONNECTS_PER_S,
            connect_s_max=60.0,
            habits=habits,
        )
    except FleetError as error:
        raise AuditError(str(error)) from None


@dataclass(frozen=True)
class Farewell:
    """How the stations ended.

    Attributes:
        unfinished: By station, how many messages were never answered.
        dead: Stations whose last heartbeat was not answered, and why.
    """

    unfinished: dict[str, int]
    dead: dict[str, str]


class Crowd:
    """Stations that keep a ledger."""

    def __init__(self, options: FleetOptions, ledger: Ledger) -> None:
        self.fleet = Fleet(options, ledger)
        self._running: asyncio.Task[None] | None = None

    @property
    def stations(self) -> list[Station]:
        """All of them."""
        return self.fleet.stations

    @property
    def identities(self) -> list[str]:
        """Their names."""
        return [station.identity for station in self.fleet.stations]

    async def start(self) -> None:
        """Returns when all are registered.

        Raises:
            AuditError: They are not, in time.
        """
        self._running = asyncio.create_task(self.fleet.run())
        ends = monotonic() + self.fleet.options.connect_s + self.fleet.options.connect_s_max
        while not all(station.registered for station in self.stations):
            self.check()
            if monotonic() > ends:
                missing = [station.identity for station in self.stations if not station.registered]
                raise AuditError(
                    f"before anything was killed, {len(missing)} of {len(self.stations)} stations could not boot "
                    f"({missing[0]} and so on): try fewer, --stations {max(1, len(self.stations) // 2)}"
                )
            await asyncio.sleep(POLL_S)

    def check(self) -> None:
        """Raises what ended the fleet, if anything did.

        Raises:
            AuditError: It ended.
        """
        if self._running is not None and self._running.done():
            error = None if self._running.cancelled() else self._running.exception()
            raise AuditError(f"the fleet ended: {error!r}") from error

    async def finish(self, seconds_max: float) -> Farewell:
        """No car comes any more, charges end, all is told; then each station asks one last time."""
        ends = monotonic() + seconds_max
        while busy := [station for station in self.stations if not _came_to_rest(station)]:
            self.check()
            if monotonic() > ends:
                break
            await asyncio.sleep(POLL_S)
        dead = await self._dead(max(ends, monotonic() + _PATIENCE.answer_s_max))
        return Farewell({station.identity: len(station.outbox) for station in busy}, dead)

    async def _dead(self, ends: float) -> dict[str, str]:
        slots = asyncio.Semaphore(ASKED_AT_ONCE)
        dead: dict[str, str] = {}

        async def ask(station: Station) -> None:
            async with slots:
                problem = await _last_words(station, ends)
                if problem is not None:
                    dead[station.identity] = problem

        await asyncio.gather(*map(ask, self.stations))
        return dead

    async def leave(self) -> None:
        """All connections end in good order."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)  # what ended it before was told by `check`

    def refusals(self) -> dict[str, int]:
        """CALLERRORs by action and words; what had no answer in time is none."""
        failures = self.fleet.statistics.failures
        return {name: count for name, count in failures.items() if not name.endswith(TIMEOUT)}

    def stray_replies(self) -> int:
        """Replies to no call of their station, beyond those that came too late to a call that had been given up."""
        statistics = self.fleet.statistics
        late = sum(count for name, count in statistics.failures.items() if name.endswith(TIMEOUT))
        return max(0, statistics.events["replies to nothing"] - late)

    def events(self, names: Collection[str]) -> dict[str, int]:
        """How often some things happened."""
        return {name: self.fleet.statistics.events[name] for name in names}


def _came_to_rest(station: Station) -> bool:
    """Ends what goes on at a station; whether nothing does any more and all is told."""
    at_rest = True
    for connector in station.connectors:
        connector.operative = False
        if connector.charge is not None:
            connector.end(connector.charge, "Local")
        at_rest = at_rest and connector.idle
    return at_rest and len(station.outbox) == 0


async def _last_words(station: Station, ends: float) -> str | None:
    """A heartbeat that is answered; None: it was, else why not."""
    while True:
        try:
            async with asyncio.timeout(max(0.0, ends - monotonic())):
                await station.link.up()
                await station.link.ask("Heartbeat", {})
        except (OSError, Refused) as error:
            if monotonic() >= ends:
                return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            await asyncio.sleep(POLL_S)
        else:
            return None
