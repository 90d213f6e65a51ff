"""The ledger against PostgreSQL: every difference, with station, transaction and message. Pure but for its readers."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from loadtests.audit.acknowledged import Event
from loadtests.audit.ledger import Ledger, Moment, Sum
from loadtests.audit.stored import StoredTransaction
from loadtests.wording import stamp

STATIONS_AT_ONCE = 100
DIFFERENCES_MAX = 10_000
"""Kept with their words; more are only counted."""

StoredTransactions = Callable[[Sequence[str]], Mapping[tuple[str, str], StoredTransaction]]
StoredSamples = Callable[[Sequence[str]], Mapping[Moment, Sum]]


@dataclass(frozen=True)
class Difference:
    """Something is not as it was acknowledged.

    Attributes:
        kind: A few words, the same for all of a kind.
        station: Empty: it is of no station.
        transaction_id: None: it is of none.
        message: What is acknowledged, what is found.
    """

    kind: str
    station: str
    transaction_id: str | None
    message: str


@dataclass
class Differences:
    """All of them, and what was compared."""

    found: list[Difference] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    compared: Counter[str] = field(default_factory=Counter)

    def add(self, differences: Iterable[Difference]) -> None:
        """Counts each and keeps the first `DIFFERENCES_MAX`."""
        for difference in differences:
            self.kinds[difference.kind] += 1
            if len(self.found) < DIFFERENCES_MAX:
                self.found.append(difference)

    @property
    def total(self) -> int:
        """How many."""
        return self.kinds.total()


@dataclass
class Told:
    """All that was acknowledged of one transaction."""

    starts: list[Event] = field(default_factory=list)
    stops: list[Event] = field(default_factory=list)
    messages: int = 0
    last_sequence: int | None = None

    def add(self, event: Event) -> None:
        """One more message."""
        self.messages += 1
        if event.stage == "start":
            self.starts.append(event)
        elif event.stage == "stop":
            self.stops.append(event)
        if event.sequence is not None:
            self.last_sequence = max(event.sequence, self.last_sequence or 0)


def compare(
    ledger: Ledger,
    transactions: StoredTransactions,
    samples: StoredSamples,
    stations: Sequence[str],
    *,
    unfinished: frozenset[str] = frozenset(),
    step: Callable[[int], None] = lambda _: None,
) -> Differences:
    """Compares all, some stations at a time.

    Args:
        ledger: Finished.
        transactions: Reads those of some stations from PostgreSQL.
        samples: Reads their sampled values.
        stations: Who was there.
        unfinished: Stations that still had something to tell at the end: more than was acknowledged may be stored.
        step: Is told how many stations were compared.
    """
    differences = Differences()
    differences.add(
        Difference("one number for several starts", ", ".join(sorted(set(who))), number, f"given {len(who)} times")
        for number, who in ledger.numbers_given_twice()
    )
    left = iter(stations)
    while some := list(islice(left, STATIONS_AT_ONCE)):
        told = _told(ledger, some)
        stored = transactions(some)
        differences.compared["transactions"] += len(told)
        differences.compared["transaction messages"] += sum(each.messages for each in told.values())
        differences.add(_of_transactions(told, stored, unfinished))
        acknowledged, found = ledger.samples(some), samples(some)
        differences.compared["meter values"] += len(acknowledged)
        differences.compared["sampled values"] += sum(each.amount for each in acknowledged.values())
        differences.add(_of_samples(acknowledged, found, unfinished))
        differences.compared["stations"] += len(some)
        step(differences.compared["stations"])
    return differences


def _told(ledger: Ledger, stations: Sequence[str]) -> dict[tuple[str, str], Told]:
    told: dict[tuple[str, str], Told] = {}
    for station, event in ledger.events(stations):
        told.setdefault((station, event.transaction_id), Told()).add(event)
    return told


def _of_transactions(
    told: Mapping[tuple[str, str], Told],
    stored: Mapping[tuple[str, str], StoredTransaction],
    unfinished: frozenset[str],
) -> Iterator[Difference]:
    for key, each in told.items():
        row = stored.get(key)
        if row is None:
            words = f"{each.messages} of its messages were acknowledged, PostgreSQL does not know it"
            yield Difference("transaction lost", *key, words)
        else:
            yield from _of_transaction(each, row, unfinished)
    for key, row in stored.items():
        if key not in told and row.station not in unfinished:
            words = (
                f"started {_at(row.started_ms)} with {row.meter_start_wh} Wh; no message of it was ever acknowledged"
            )
            yield Difference("transaction that nobody was told of", *key, words)


def _of_transaction(told: Told, row: StoredTransaction, unfinished: frozenset[str]) -> Iterator[Difference]:
    key = (row.station, row.transaction_id)
    for kind, acknowledged, found in _expectations(told, row, unfinished):
        if acknowledged != found:
            yield Difference(kind, *key, f"acknowledged {acknowledged}, stored {found}")
    if told.stops and row.ended_ms is None:
        yield Difference("transaction left open", *key, f"its stop at {_at(told.stops[0].at_ms)} was acknowledged")
    if not told.stops and row.ended_ms is not None and row.station not in unfinished:
        yield Difference("transaction closed by nobody", *key, f"ended {_at(row.ended_ms)}, no stop was acknowledged")
    if not told.stops and row.ended_ms is None and row.station not in unfinished:
        yield Difference("transaction never stopped", *key, "its station has nothing more to tell, and told no stop")
    if row.flags:
        yield Difference("transaction flagged", *key, f"{', '.join(row.flags)}: its station told all, in order, once")


def _expectations(
    told: Told, row: StoredTransaction, unfinished: frozenset[str]
) -> Iterator[tuple[str, object, object]]:
    """Kind of difference, what was acknowledged, what is stored."""
    start = told.starts[0] if told.starts else None
    stop = told.stops[0] if told.stops else None
    if start is not None:
        yield "start at another time", _at(start.at_ms), _at(row.started_ms)
        yield "start with another register", start.meter_wh, row.meter_start_wh
        yield "start with another token", start.token, row.token
        yield "start at another connector", start.evse, row.evse
    if stop is not None and row.ended_ms is not None:
        yield "stop at another time", _at(stop.at_ms), _at(row.ended_ms)
        yield "stop with another register", stop.meter_wh, row.meter_stop_wh
        yield "stop for another reason", stop.reason, row.stop_reason
    if start is not None and stop is not None and start.meter_wh is not None and stop.meter_wh is not None:
        yield "other energy", stop.meter_wh - start.meter_wh, row.energy_wh
    if row.station not in unfinished:
        yield "other last sequence number", told.last_sequence, row.last_sequence


def _of_samples(
    acknowledged: Mapping[Moment, Sum], found: Mapping[Moment, Sum], unfinished: frozenset[str]
) -> Iterator[Difference]:
    nothing = Sum(0, 0)
    for moment in acknowledged.keys() | found.keys():
        told, stored = acknowledged.get(moment, nothing), found.get(moment, nothing)
        if told == stored or (stored.amount > told.amount and moment.station in unfinished):
            continue
        words = f"{moment.context} of {_at(moment.at_ms)}: {told.amount} values acknowledged, {stored.amount} stored"
        yield Difference(_kind_of_samples(told, stored), moment.station, moment.transaction_id, words)


def _kind_of_samples(told: Sum, stored: Sum) -> str:
    if told.amount == stored.amount:
        return "meter values changed"
    if told.amount == 0:
        return "meter values that nobody was told of"
    if stored.amount == 0:
        return "meter values lost"
    return "meter values doubled" if stored.amount > told.amount else "meter values lost in part"


def _at(at_ms: int | None) -> str:
    return "never" if at_ms is None else stamp(datetime.fromtimestamp(at_ms / 1000, UTC))
