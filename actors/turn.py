"""One turn of a station actor: everything that waited is decided and committed together.

The steps, for all stations of the turn at once:

1. own       units that a batch names in a higher epoch than ours are claimed; units we do not own are sent back (MOVED)
2. fetch     states that are not in memory, and the answers to all questions: one round trip
3. decide    in the order of arrival; facts are applied to the state in memory as they are recorded
4. commit    all facts and new states, one atomic fenced script per unit, one round trip
5. verdicts  only now: a reply never precedes its record

When a unit's commit fails, its stations are forgotten and all of the unit's items of this turn are sent back undecided.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from time import perf_counter

import msgspec
import structlog

from actors import metrics
from actors.hosted_station import HostedStation
from actors.transaction_numbers import TransactionNumbers
from engine.model.authorization import TransactionUse
from engine.model.commands import CommandCancel, CommandRequest, CommandSettled, Outcome
from engine.model.envelopes import (
    Answered,
    Done,
    Downlink,
    Event,
    Failed,
    Refused,
    Reported,
    Retry,
    RetryReason,
    Superseded,
    Verdict,
)
from engine.model.facts import Fact, StationFacts
from engine.model.ids import Unit
from engine.model.security import SecurityEventRecorded
from engine.model.smart_charging import NeedsReported
from engine.model.tariff_and_cost import TariffBook
from engine.model.transactions import Stage, TransactionEnded, TransactionOpened, TransactionReported
from engine.ports import Fenced, Fetched, Journal, JournalUnavailable, UnitCommit
from engine.station.authorization import transactions_max, use_key
from engine.station.context import Context
from engine.station.decider import Tick, decide, questions, resend
from engine.station.effects import Deny, Effect, Record, Reply, Send, Settle, Supersede
from engine.station.policy import Policy
from engine.station.state import StationState, evolve, fresh

log = structlog.get_logger()

NUMBERS_PER_START = 2
"""A start takes a second number where the station still uses the first one, from an earlier CSMS."""

Uses = Mapping[str, tuple[TransactionUse, ...]]
"""Open transactions of tokens and groups over all stations, by `use_key`."""

TARIFFS_S = timedelta(seconds=5)
"""How old the operator's tariffs may be."""

MOVED = Retry(RetryReason.MOVED)
UNAVAILABLE = Retry(RetryReason.UNAVAILABLE)
_REMEMBERED = (Answered, Refused, Done)
_DONE = Done()
_BUG = Failed("internal error; the message was logged")


class Item(msgspec.Struct):
    """Something to decide about one station, and what came of it."""

    station: str
    unit: Unit
    epoch: int
    what: Event | CommandRequest | CommandCancel | Tick
    received_at: datetime
    verdict: Verdict | None = None


class TurnResult(msgspec.Struct):
    """What leaves the actor after the commit."""

    downlinks: list[tuple[str, Downlink]]
    settled: list[tuple[str, Outcome]]


class Turns:
    """Takes turns. Holds the stations in memory and the units owned.

    Args:
        journal: The durable record.
        policy: The rules of the domain.
        stations_max: Stations kept in memory; the least recently used are let go above it.
    """

    def __init__(self, journal: Journal, policy: Policy, numbers: TransactionNumbers, *, stations_max: int) -> None:
        self._journal = journal
        self._policy = policy
        self._numbers = numbers
        self._stations_max = stations_max
        self._stations: dict[str, HostedStation] = {}
        self._epochs: dict[Unit, int] = {}
        self._tariffs: TariffBook | None = None
        self._tariffs_at: datetime | None = None

    @property
    def stations(self) -> dict[str, HostedStation]:
        """The stations in memory, least recently used first."""
        return self._stations

    @property
    def units(self) -> dict[Unit, int]:
        """The units owned, with the epoch of each."""
        return self._epochs

    async def take(self, items: Sequence[Item], now: datetime) -> TurnResult:
        """Decides all items; sets the verdict of each."""
        started = perf_counter()
        ours = await self._own(items)
        result = TurnResult([], [])
        try:
            fetched, recovered = await self._fetch(ours)
            uses = await self._uses(fetched)
            planned = await self._planned(ours)
            await self._read_tariffs(now)
            await self._numbers.reserve(NUMBERS_PER_START * sum(map(_needs_number, ours)))
        except JournalUnavailable as error:
            self._send_back(ours, UNAVAILABLE, str(error))
            return result
        ours = self._readable(ours)
        decided = perf_counter()
        looked_up = _LookedUp(fetched, uses, self._tariffs, planned)
        deciding = _Deciding(self._stations, looked_up, self._policy, self._numbers, now)
        for station in recovered:
            deciding.resume(station)
        for item in ours:
            deciding.decide(item)
        committing = perf_counter()
        failed = await self._commit(deciding, ours, now)
        deciding.collect(result, failed)
        self._let_go()
        done = perf_counter()
        metrics.STAGES["fetch"].observe(decided - started)
        metrics.STAGES["decide"].observe(committing - decided)
        metrics.STAGES["commit"].observe(done - committing)
        metrics.STAGES["whole"].observe(done - started)
        return result

    async def _own(self, items: Sequence[Item]) -> list[Item]:
        """The items of units that we own, claiming what is newly ours; the others get their verdict."""
        wanted: dict[Unit, int] = {}
        for item in items:
            if item.epoch > wanted.get(item.unit, -1):
                wanted[item.unit] = item.epoch
        verdicts: dict[Unit, Retry] = {}
        for unit, epoch in wanted.items():
            if unit not in self._epochs or epoch > self._epochs[unit]:
                verdict = await self._claim(unit, epoch)
                if verdict is not None:
                    verdicts[unit] = verdict
        for item in items:
            item.verdict = verdicts.get(item.unit)
        for verdict in verdicts.values():
            metrics.retries.labels(verdict.reason.value).inc()
        return [item for item in items if item.verdict is None]

    async def _claim(self, unit: Unit, epoch: int) -> Retry | None:
        self._forget_unit(unit)
        try:
            await self._journal.claim(unit, epoch)
        except Fenced:
            return MOVED
        except JournalUnavailable as error:
            log.warning("a unit could not be claimed", unit=unit.name, error=str(error))
            return MOVED
        self._epochs[unit] = epoch
        return None

    async def _fetch(self, items: Sequence[Item]) -> tuple[Fetched, list[str]]:
        """Brings states and answers; returns the latter and the stations that were not in memory."""
        missing = {item.station: item.unit for item in items if item.station not in self._stations}
        tokens: dict[str, None] = {}
        records: dict[str, None] = {}
        for item in items:
            known = self._stations.get(item.station)
            asked = questions(fresh(item.station) if known is None else known.state, item.what)
            if asked.tokens:
                tokens.update(dict.fromkeys(asked.tokens))
            if asked.record:
                records[item.station] = None
        if not (missing or tokens or records):
            return Fetched(states={}, tokens={}, stations={}), []
        fetched = await self._journal.fetch([(unit, name) for name, unit in missing.items()], [*tokens], [*records])
        for name, unit in missing.items():
            try:
                self._stations[name] = HostedStation.from_rest(unit, name, fetched.states.get(name))
            except msgspec.MsgspecError as error:
                log.critical("the state of a station in Redis cannot be read", station=name, error=str(error))
        return fetched, [name for name in missing if name in fetched.states and name in self._stations]

    async def _read_tariffs(self, now: datetime) -> None:
        """The operator's tariffs, as of TARIFFS_S ago at most."""
        if self._tariffs_at is None or now >= self._tariffs_at + TARIFFS_S:
            book = await self._journal.tariffs()
            self._tariffs = book if book.tariffs else None
            self._tariffs_at = now

    async def _uses(self, fetched: Fetched) -> Uses:
        """Where the tokens of this turn charge, of those that may do so only so often at once."""
        limited = [record for record in fetched.tokens.values() if transactions_max(record, self._policy)]
        return await self._journal.uses([*{use_key(record, self._policy) for record in limited}]) if limited else {}

    async def _planned(self, items: Sequence[Item]) -> frozenset[str]:
        """Whose cars are told that a profile follows: of the stations that tell a car's needs, those of sites."""
        if self._policy.charging.planned_needs is None:
            return frozenset()
        asking = {item.station for item in items if _tells_needs(item)}
        return await self._journal.planned([*asking]) if asking else frozenset()

    def _readable(self, items: list[Item]) -> list[Item]:
        """Without the items of stations whose state cannot be read: those are sent back and lose nothing."""
        unreadable = [item for item in items if item.station not in self._stations]
        if not unreadable:
            return items
        self._send_back(unreadable, UNAVAILABLE, "the state in Redis cannot be read: written by a newer Narke?")
        return [item for item in items if item.station in self._stations]

    async def _commit(self, deciding: "_Deciding", items: Sequence[Item], now: datetime) -> set[Unit]:
        """Commits what was decided; returns the units for which that failed."""
        unit_of = {item.station: item.unit for item in items}
        by_unit: dict[Unit, list[StationFacts]] = {}
        for station, facts in deciding.facts.items():
            by_unit.setdefault(unit_of[station], []).append(StationFacts(station, tuple(facts)))
        if not by_unit:
            return set()
        commits = [
            UnitCommit(
                unit=unit,
                epoch=self._epochs[unit],
                records=tuple(records),
                states={record.station: deciding.states[record.station] for record in records},
            )
            for unit, records in by_unit.items()
        ]
        failed = set()
        made_true: list[StationFacts] = []
        for commit, refusal in zip(commits, await self._journal.commit(commits, now), strict=True):
            if refusal is None:
                made_true += commit.records
                continue
            failed.add(commit.unit)
            verdict = MOVED if isinstance(refusal, Fenced) else UNAVAILABLE
            self._forget_unit(commit.unit, keep_epoch=verdict is UNAVAILABLE)
            self._send_back([item for item in items if item.unit == commit.unit], verdict, str(refusal))
        _count(made_true)
        return failed

    def _send_back(self, items: Iterable[Item], verdict: Retry, why: str) -> None:
        count = 0
        for item in items:
            item.verdict = verdict
            self._stations.pop(item.station, None)
            count += 1
        metrics.retries.labels(verdict.reason.value).inc(count)
        log.warning("deliveries sent back", reason=verdict.reason.value, deliveries=count, why=why)

    def release(self, unit: Unit, epoch: int) -> bool:
        """Forgets a unit that is somebody else's in that epoch; False: it is not, or not any more. Between turns."""
        lost = self._epochs.get(unit, epoch) < epoch
        if lost:
            self._forget_unit(unit)
            metrics.stations_hosted.set(len(self._stations))
        return lost

    def _forget_unit(self, unit: Unit, *, keep_epoch: bool = False) -> None:
        """Forgets what memory believes of the unit's stations."""
        if not keep_epoch:
            self._epochs.pop(unit, None)
        for station in [name for name, hosted in self._stations.items() if hosted.unit == unit]:
            del self._stations[station]

    def forget_all(self) -> None:
        """Forgets every state in memory; Redis has them."""
        self._stations.clear()

    def _let_go(self) -> None:
        while len(self._stations) > self._stations_max:
            del self._stations[next(iter(self._stations))]
        metrics.stations_hosted.set(len(self._stations))


class _LookedUp(msgspec.Struct, frozen=True):
    """The answers to all questions of a turn. `planned`: stations whose cars are planned for."""

    fetched: Fetched
    uses: Uses
    tariffs: TariffBook | None
    planned: frozenset[str]


class _Deciding:
    """The deciding part of a turn. It changes states in memory; the commit makes them true or they are forgotten."""

    def __init__(
        self,
        stations: dict[str, HostedStation],
        looked_up: _LookedUp,
        policy: Policy,
        numbers: TransactionNumbers,
        now: datetime,
    ) -> None:
        self.facts: dict[str, list[Fact]] = {}
        self.states: dict[str, bytes] = {}
        """Packed as soon as decided, while the processor has them at hand: at the end of a turn that takes thrice."""
        self._stations = stations
        self._looked_up = looked_up
        self._policy = policy
        self._numbers = numbers
        self._now = now
        self._effects: list[tuple[Item | None, str, Effect]] = []
        self._put_off: set[str] = set()

    def resume(self, station: str) -> None:
        """A station is back in memory: its open commands may never have left."""
        for effect in resend(self._stations[station].state):
            self._effects.append((None, station, effect))

    def decide(self, item: Item) -> None:
        """Decides one item and applies its facts to the state in memory."""
        if item.station in self._put_off:
            item.verdict = UNAVAILABLE
            return
        hosted = self._stations.pop(item.station)
        self._stations[item.station] = hosted
        what = item.what
        if isinstance(what, Reported) and (known := hosted.recorded(what)) is not None:
            metrics.repeats.inc()
            item.verdict = known
            return
        try:
            state, facts, verdict, leaving = _applied(hosted.state, decide(hosted.state, what, self._context(item)))
        except JournalUnavailable:  # no transaction number is left; what follows of this station must wait, too
            self._put_off.add(item.station)
            item.verdict = UNAVAILABLE
            return
        except Exception:  # one station's bug must not stop the others
            metrics.bugs.inc()
            log.exception("a decision failed", station=item.station, about=type(what).__name__)
            item.verdict = _BUG
            return
        item.verdict = verdict
        self._effects.extend([(item, item.station, effect) for effect in leaving])
        if facts:
            hosted.state = state
            self.facts.setdefault(item.station, []).extend(facts)
            if isinstance(what, Reported) and isinstance(verdict, _REMEMBERED):
                hosted.remember(what, verdict)
            self.states[item.station] = hosted.to_rest()

    def collect(self, result: TurnResult, failed: set[Unit]) -> None:
        """What may leave now: everything but what a failed unit's items wanted."""
        for item, station, effect in self._effects:
            if (item is not None and item.unit in failed) or station not in self._stations:
                continue
            if isinstance(effect, Send):
                result.downlinks.append((effect.ingress, effect.downlink))
            elif isinstance(effect, Settle):
                result.settled.append((effect.command_id, effect.outcome))

    def _context(self, item: Item) -> Context:
        known = self._looked_up
        return Context(
            now=self._now,
            received_at=item.received_at,
            ids=self._numbers,
            tokens=known.fetched.tokens,
            record=known.fetched.stations.get(item.station),
            uses=known.uses,
            tariffs=known.tariffs,
            planned=item.station in known.planned,
            policy=self._policy,
        )


def _applied(
    state: StationState, effects: Iterable[Effect]
) -> tuple[StationState, list[Fact], Verdict, list[Send | Settle]]:
    """The state after the facts, the facts, what the sender is told, and what leaves for others."""
    facts: list[Fact] = []
    verdict: Verdict = _DONE
    leaving: list[Send | Settle] = []
    for effect in effects:
        if isinstance(effect, Record):
            state = evolve(state, effect.fact)
            facts.append(effect.fact)
        elif isinstance(effect, Reply):
            verdict = Answered(effect.answer)
        elif isinstance(effect, Deny):
            verdict = Refused(effect.reason)
        elif isinstance(effect, Supersede):
            verdict = Superseded()
        else:
            leaving.append(effect)
    return state, facts, verdict, leaving


def _tells_needs(item: Item) -> bool:
    what = item.what
    return isinstance(what, Reported) and isinstance(what.report, NeedsReported)


def _needs_number(item: Item) -> bool:
    what = item.what
    return (
        isinstance(what, Reported)
        and isinstance(what.report, TransactionReported)
        and what.report.stage is Stage.STARTED
        and what.report.transaction_id is None
    )


def _count(records: Sequence[StationFacts]) -> None:
    """Counts what became true."""
    kinds = Counter(map(type, chain.from_iterable([record.facts for record in records])))
    if TransactionEnded in kinds or CommandSettled in kinds:
        _count_ends(records)
    if SecurityEventRecorded in kinds:
        _count_security_events(records)
    for kind, count in kinds.items():
        metrics.facts.labels(kind.__name__).inc(count)
    metrics.transactions_opened.inc(kinds[TransactionOpened])
    metrics.transactions_ended.inc(kinds[TransactionEnded])


def _count_security_events(records: Sequence[StationFacts]) -> None:
    """Counts what stations tell of attempts on them; vendors' own names are no labels."""
    for record in records:
        for fact in record.facts:
            if isinstance(fact, SecurityEventRecorded):
                known = fact.critical is not None
                metrics.security_events.labels(
                    fact.report.type if known else "vendor", str(fact.critical).lower() if known else "unknown"
                ).inc()


def _count_ends(records: Sequence[StationFacts]) -> None:
    """Counts what transactions and commands came to."""
    for record in records:
        for fact in record.facts:
            if isinstance(fact, TransactionEnded):
                metrics.energy_wh.inc(fact.energy_wh or 0.0)
            elif isinstance(fact, CommandSettled):
                metrics.commands_settled.labels(fact.outcome.result.value).inc()
