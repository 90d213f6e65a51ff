"""An audit from beginning to end: load, kills, rest, comparison.

Narke starts -> stations boot -> load and kills -> all is back -> stations tell what is left, prove that they live,
leave -> PostgreSQL has caught up -> ledger and PostgreSQL are compared
"""

import asyncio
import contextlib
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

import psycopg
import uvloop

from loadtests.audit import meter_values, stored
from loadtests.audit.comparison import Difference, Differences, compare
from loadtests.audit.crowd import TOKEN, Crowd, Farewell, options_of
from loadtests.audit.house import OwnNarke, Programs, narke_of
from loadtests.audit.killer import Kill, Killer
from loadtests.audit.ledger import Ledger
from loadtests.audit.options import AuditError, AuditOptions
from loadtests.audit.plan import planned
from loadtests.audit.probe import Probe
from loadtests.audit.report import Report
from loadtests.audit.running import RunningNarke

LOOK_S = 1.0
AFTER_S = 2.0
"""What stations feel is looked at until so long after a part is back."""
PREFIX = "AUDIT"
EVENTS = ("connections opened", "messages repeated", "messages given up", "heartbeats missed", "replies to nothing")


@dataclass(frozen=True)
class Progress:
    """Where an audit is. `phase`: in words; the rest: see `Report`, so far. `away`: what is not back yet."""

    phase: str
    seconds: float = 0.0
    connected: int = 0
    answers: int = 0
    kills: int = 0
    away: tuple[str, ...] = ()


Show = Callable[[Progress], None]


def check(options: AuditOptions) -> None:
    """Looks at what only the fleet knows, before anything is started.

    Raises:
        AuditError: There is no such OCPP version, or there are too many stations for the open files.
    """
    options_of(options, "ws://127.0.0.1:9000/ocpp", PREFIX)


def run_audit(options: AuditOptions, programs: Programs, show: Show) -> Report:
    """Makes an audit in this process and children of it. Blocks.

    Raises:
        AuditError: It could not be brought to its end.
    """
    folder = Path(tempfile.mkdtemp(prefix="narke-audit-"))
    keep = True
    try:
        report = _run(options, programs, show, folder)
        keep = not report.is_good
        return replace(report, kept=folder) if keep else report
    except AuditError as error:
        raise AuditError(f"{error}\nLogs are kept in {folder}") from error
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _run(options: AuditOptions, programs: Programs, show: Show, folder: Path) -> Report:
    own = options.data_dir is None
    # Names of an own Narke are the seed's; a running one may know those of the audit before.
    prefix = PREFIX if own else f"{PREFIX}-{secrets.token_hex(3)}"
    show(Progress("starting Narke" if own else "looking at Narke"))
    with narke_of(options, programs, folder) as narke:
        narke.command("tokens", "add", TOKEN)
        fleet_options = options_of(options, narke.ocpp_url, prefix)
        version_of: dict[str, str] = {}
        ledger = Ledger(folder / "ledger.sqlite", version_of)
        try:
            crowd = Crowd(fleet_options, ledger)
            version_of.update((station.identity, station.version) for station in crowd.stations)
            return uvloop.run(_Audit(options, narke, crowd, ledger, show).run())
        except (psycopg.Error, LookupError) as error:
            raise AuditError(f"PostgreSQL cannot be compared: {str(error).strip()}") from error
        finally:
            ledger.close()


def compared(
    ledger: Ledger,
    postgres_url: str,
    identities: Sequence[str],
    *,
    unfinished: frozenset[str] = frozenset(),
    step: Callable[[int], None] = lambda _: None,
) -> Differences:
    """The ledger against a PostgreSQL that has caught up; see `comparison.compare`. Blocks.

    Raises:
        psycopg.Error: PostgreSQL cannot be read.
        LookupError: It knows none of the stations.
    """
    ledger.finish()
    with contextlib.closing(stored.open_postgres(postgres_url)) as connection:
        tenant = stored.tenant_of(connection, identities)
        differences = compare(
            ledger,
            lambda some: stored.transactions(connection, tenant, some),
            lambda some: meter_values.stored_samples(connection, tenant, some),
            identities,
            unfinished=unfinished,
            step=step,
        )
        differences.add(
            Difference("entry of the journal put aside", "", None, f"{stream} {entry}: {reason}")
            for stream, entry, reason in stored.bad_entries(connection, tenant)
        )
    return differences


class _Audit:
    """One audit of a Narke that runs."""

    def __init__(self, options: AuditOptions, narke: RunningNarke, crowd: Crowd, ledger: Ledger, show: Show) -> None:
        self._options = options
        self._narke = narke
        self._crowd = crowd
        self._ledger = ledger
        self._show = show
        self._phase = "stations boot"
        self._began = monotonic()
        nodes = narke.nodes if isinstance(narke, OwnNarke) else None
        self._killer = Killer(narke, nodes, options.back_s_max, self._began)

    async def run(self) -> Report:
        """The report."""
        showing = asyncio.create_task(self._keep_showing())
        try:
            await self._crowd.start()
            seconds = await self._load()
            self._phase = "stations tell what is left"
            farewell = await self._crowd.finish(self._options.settle_s_max)
            found = await self._of_stations(farewell)
            self._phase = "stations leave"
            await self._crowd.leave()
            found += await self._of_the_end()
        finally:
            showing.cancel()
            await self._crowd.leave()
        differences = await asyncio.to_thread(self._compare, farewell)
        differences.add(found)
        return Report(
            command=self._options.command,
            seconds=seconds,
            stations=len(self._crowd.stations),
            answers=self._ledger.answers,
            kills=tuple(self._killer.kills),
            differences=differences,
            events=self._crowd.events(EVENTS),
        )

    async def _keep_showing(self) -> None:
        while True:
            self._tell()
            await asyncio.sleep(LOOK_S)

    def _tell(self) -> None:
        kills = self._killer.kills
        self._show(
            Progress(
                self._phase,
                monotonic() - self._began,
                self._crowd.fleet.statistics.connections.total(),
                self._ledger.answers,
                sum(bool(kill.pid) for kill in kills),
                tuple(self._killer.away),
            )
        )

    async def _load(self) -> float:
        """Load and kills; returns how long there was load, in s."""
        options = self._options
        began = monotonic()
        self._phase = "load and kills"
        self._killer = Killer(self._narke, self._killer.nodes, options.back_s_max, began)
        self._began = began
        probe = Probe(self._crowd.stations, lambda: self._ledger.answers, began)
        probing = asyncio.create_task(probe.run())
        plan = planned(options.seed, options.duration_s, options.kill_every_s, options.victims)
        killing = asyncio.create_task(self._killer.carry_out(plan))
        try:
            while monotonic() - began < options.duration_s or not killing.done():
                self._crowd.check()
                if killing.done():
                    killing.result()
                await asyncio.sleep(LOOK_S)
            await asyncio.sleep(AFTER_S)
        finally:
            for task in (killing, probing):
                task.cancel()
            await asyncio.gather(killing, probing, return_exceptions=True)
        for kill in self._killer.kills:
            if kill.pid:
                until_s = kill.at_s + (options.back_s_max if kill.back_s is None else kill.back_s)
                kill.felt = probe.felt(kill.at_s, until_s + AFTER_S)
        return monotonic() - began

    async def _of_stations(self, farewell: Farewell) -> list[Difference]:
        """What is wrong while all are still connected."""
        found = [*_of_farewell(farewell), *_of_replies(self._crowd, self._ledger), *_of_kills(self._killer.kills)]
        identities = self._crowd.identities
        await self._until(lambda connection, tenant: _count(connection, tenant, identities) == len(identities))
        return found + await asyncio.to_thread(self._of_sessions, frozenset(farewell.dead))

    def _of_sessions(self, dead: frozenset[str]) -> list[Difference]:
        """Each that lives has one connection, and nobody else's."""
        identities = self._crowd.identities
        with self._postgres() as connection:
            rows = stored.stations_of(connection, stored.tenant_of(connection, identities), identities)
        found = []
        owner_of: dict[str, str] = {}
        for identity in identities:
            row = rows.get(identity)
            if row is None:
                found.append(Difference("station unknown", identity, None, "it booted, PostgreSQL does not know it"))
            elif not row.connected and identity not in dead:
                words = "it is connected and answered, PostgreSQL says that it is not"
                found.append(Difference("station not connected", identity, None, words))
            elif row.session is not None and (other := owner_of.setdefault(row.session, identity)) != identity:
                found.append(Difference("session of two stations", identity, None, f"{row.session} is {other}'s too"))
        return found

    async def _of_the_end(self) -> list[Difference]:
        """All have left: when the journal's last word on each has arrived, so has everything before it."""
        self._phase = "PostgreSQL catches up"
        identities = self._crowd.identities
        if await self._until(lambda connection, tenant: _count(connection, tenant, identities) == 0):
            return []
        with self._postgres() as connection:
            left = stored.stations_of(connection, stored.tenant_of(connection, identities), identities).values()
        words = f"it left more than {self._options.settle_s_max:g} s ago, PostgreSQL says that it is connected"
        return [Difference("connected for ever", row.station, None, words) for row in left if row.connected]

    async def _until(self, condition: Callable[["psycopg.Connection[tuple[object, ...]]", str], bool]) -> bool:
        """Whether it came true in time."""

        def look() -> bool:
            with contextlib.suppress(psycopg.Error, LookupError), self._postgres() as connection:
                return condition(connection, stored.tenant_of(connection, self._crowd.identities))
            return False

        ends = monotonic() + self._options.settle_s_max
        while not await asyncio.to_thread(look):
            if monotonic() > ends:
                return False
            await asyncio.sleep(LOOK_S)
        return True

    def _compare(self, farewell: Farewell) -> Differences:
        identities = self._crowd.identities

        def step(done: int) -> None:
            self._phase = f"comparing: {done} of {len(identities)} stations"
            self._tell()

        unfinished = frozenset(farewell.unfinished)
        return compared(self._ledger, self._narke.postgres_url, identities, unfinished=unfinished, step=step)

    @contextlib.contextmanager
    def _postgres(self) -> "Iterator[psycopg.Connection[tuple[object, ...]]]":
        with contextlib.closing(stored.open_postgres(self._narke.postgres_url)) as connection:
            yield connection


def _count(connection: "psycopg.Connection[tuple[object, ...]]", tenant: str, identities: list[str]) -> int:
    return stored.connected_count(connection, tenant, identities)


def _of_farewell(farewell: Farewell) -> Iterator[Difference]:
    for station, count in farewell.unfinished.items():
        yield Difference("messages never answered", station, None, f"{count} of its messages still wait")
    for station, why in farewell.dead.items():
        yield Difference("station dead", station, None, f"its last heartbeat was not answered: {why}")


def _of_replies(crowd: Crowd, ledger: Ledger) -> Iterator[Difference]:
    for each in ledger.unsound:
        yield Difference("reply to another call", each.station, None, each.problem)
    if ledger.unsound_more:
        yield Difference("reply to another call", "", None, f"{ledger.unsound_more} more")
    stray = crowd.stray_replies()
    if stray:
        yield Difference("reply to no call", "", None, f"{stray}, beyond those that came too late")
    for name, count in crowd.refusals().items():
        yield Difference("CALLERROR to a sound call", "", None, f"{name}, {count} times")


def _of_kills(kills: list[Kill]) -> Iterator[Difference]:
    for kill in kills:
        if kill.problem is not None:
            yield Difference("part not back", "", None, f"killed after {kill.at_s:.1f} s: {kill.problem}")
