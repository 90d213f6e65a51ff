"""The ledger: all that Narke acknowledged, in a file, so that hours of thousands of stations fit into little memory.

Of sampled values it keeps, for each moment and context of a transaction, how many there were and the sum of their
digests: enough to tell that one is missing, doubled or other, and in which message.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from loadtests.audit.acknowledged import Acknowledged, Event, Value, acknowledged
from loadtests.audit.soundness import problem_of
from loadtests.wording import Payload

ROWS_MAX = 2_000
"""In memory before they go to the file."""
UNSOUND_MAX = 1_000
"""Replies that cannot be right, kept with their words; more are only counted."""

_SCHEMA = """
CREATE TABLE events (
    station TEXT NOT NULL, transaction_id TEXT NOT NULL, stage TEXT NOT NULL, at_ms INTEGER, sequence INTEGER,
    meter_wh REAL, token TEXT, evse INTEGER, reason TEXT
);
CREATE TABLE samples (
    station TEXT NOT NULL, transaction_id TEXT, at_ms INTEGER NOT NULL, context TEXT NOT NULL,
    amount INTEGER NOT NULL, digest INTEGER NOT NULL
);
"""
_INDEXES = """
CREATE INDEX IF NOT EXISTS events_station ON events (station);
CREATE INDEX IF NOT EXISTS samples_station ON samples (station);
"""


class Moment(NamedTuple):
    """Which sampled values: of a transaction (None: of none), sampled at a time, in a context."""

    station: str
    transaction_id: str | None
    at_ms: int
    context: str


class Sum(NamedTuple):
    """How many values, and the sum of their digests."""

    amount: int
    digest: int

    def plus(self, other: "Sum") -> "Sum":
        """Both."""
        return Sum(self.amount + other.amount, self.digest + other.digest)


class Unsound(NamedTuple):
    """A reply that cannot be the one to its call."""

    station: str
    action: str
    problem: str


class Ledger:
    """Keeps the book while the fleet lives (a `loadtests.link.Observer`), and gives it out after.

    Args:
        file: Where; it must not exist.
        version_of: OCPP version by station.
    """

    def __init__(self, file: Path, version_of: Mapping[str, str]) -> None:
        self.answers = 0
        self.unsound: list[Unsound] = []
        self.unsound_more = 0
        self._version_of = version_of
        self._events: list[tuple[object, ...]] = []
        self._samples: list[tuple[object, ...]] = []
        # Kept in one thread, compared in another, never at once.
        self._file = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._file.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;")
        self._file.executescript(_SCHEMA)

    def on_answered(self, identity: str, action: str, payload: Payload, reply: Payload) -> None:
        """A call of the station got its CALLRESULT."""
        self.answers += 1
        problem = problem_of(self._version_of[identity], action, payload, reply)
        if problem is None:
            self.enter(identity, acknowledged(action, payload, reply))
        elif len(self.unsound) < UNSOUND_MAX:
            self.unsound.append(Unsound(identity, action, problem))
        else:
            self.unsound_more += 1

    def enter(self, station: str, entry: Acknowledged) -> None:
        """Writes down what was acknowledged."""
        event = entry.event
        if event is not None:
            self._events.append(
                (
                    station,
                    event.transaction_id,
                    event.stage,
                    event.at_ms,
                    event.sequence,
                    event.meter_wh,
                    event.token,
                    event.evse,
                    event.reason,
                )
            )
        if entry.values:
            of = None if event is None else event.transaction_id
            sums = summed((Moment(station, of, value.at_ms, value.context), value) for value in entry.values)
            self._samples += [(*moment, *amount) for moment, amount in sums.items()]
        if len(self._events) + len(self._samples) >= ROWS_MAX:
            self.flush()

    def flush(self) -> None:
        """Everything to the file."""
        self._file.execute("BEGIN")
        self._file.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", self._events)
        self._file.executemany("INSERT INTO samples VALUES (?, ?, ?, ?, ?, ?)", self._samples)
        self._file.execute("COMMIT")
        self._events.clear()
        self._samples.clear()

    def finish(self) -> None:
        """No more is entered: it can be asked now."""
        self.flush()
        self._file.executescript(_INDEXES)

    def close(self) -> None:
        """Done with."""
        self._file.close()

    def events(self, stations: Sequence[str]) -> Iterator[tuple[str, Event]]:
        """Acknowledged messages of transactions, by station, in the order of their replies."""
        rows = self._file.execute(
            "SELECT station, transaction_id, stage, at_ms, sequence, meter_wh, token, evse, reason FROM events "  # noqa: S608 (marks only)
            f"WHERE station IN ({_marks(stations)}) ORDER BY station, rowid",
            stations,
        )
        return ((row[0], Event(*row[1:])) for row in rows)

    def samples(self, stations: Sequence[str]) -> dict[Moment, Sum]:
        """Acknowledged sampled values."""
        rows = self._file.execute(
            "SELECT station, transaction_id, at_ms, context, SUM(amount), SUM(digest) FROM samples "  # noqa: S608 (marks only)
            f"WHERE station IN ({_marks(stations)}) GROUP BY 1, 2, 3, 4",
            stations,
        )
        return {Moment(*row[:4]): Sum(*row[4:]) for row in rows}

    def numbers_given_twice(self) -> list[tuple[str, list[str]]]:
        """Transactions that several starts, of any stations, were answered with; and those stations."""
        rows = self._file.execute(
            "SELECT transaction_id, GROUP_CONCAT(station) FROM events WHERE stage = 'start' "
            "GROUP BY transaction_id HAVING COUNT(*) > 1 ORDER BY transaction_id"
        )
        return [(transaction_id, sorted(stations.split(","))) for transaction_id, stations in rows]


def summed(values: Iterable[tuple[Moment, Value]]) -> dict[Moment, Sum]:
    """By moment."""
    sums: dict[Moment, Sum] = {}
    for moment, value in values:
        one = Sum(1, value.digest)
        before = sums.get(moment)
        sums[moment] = one if before is None else before.plus(one)
    return sums


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))
