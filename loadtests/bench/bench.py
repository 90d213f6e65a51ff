"""The run: which rows on which Narke, in which order, until when; a row that fails says why and the next one follows.

Everything that is started is stopped at its stage's end, whatever ends it.
"""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import FrameType
from typing import Any

import psutil
import psycopg
import redis

from loadtests.bench import system
from loadtests.bench.driving import Failed, Generator, running_yardstick
from loadtests.bench.measuring import System
from loadtests.bench.plan import Plan
from loadtests.bench.ratios import NARKE, YARDSTICKS
from loadtests.bench.secure import Secure, secure

STOP_RESERVE_S = 12.0
"""Of the time for all, kept for stopping."""
_WHAT_FAILS = (Failed, OSError, psycopg.Error, redis.RedisError, psutil.Error, ValueError)


class OutOfTime(Exception):  # noqa: N818 (no fault of anybody's)
    """The time for all is over."""


class Stage(Enum):
    """A Narke that rows share."""

    FRESH = "fresh"
    MAIN = "main"
    TLS = "tls"
    CAPS = "caps"
    LITERAL = "literal"


STAGE_SETTINGS: Mapping[Stage, Mapping[str, str]] = {Stage.LITERAL: {"actors.stations_per_actor": "1"}}


@dataclass
class Bench:
    """What a row works with.

    Attributes:
        plan: How much.
        folder: For data and logs; goes with the run.
        say: Progress, a line.
        told: What the rows before have told, by row.
        narke: The Narke of this stage.
        stage: Ends what the rows of this stage have started.
        secure: How stations connect in the stage of TLS; None in the others.
    """

    plan: Plan
    folder: Path
    say: Callable[[str], None]
    told: dict[str, dict[str, Any]]
    narke: system.Narke
    stage: contextlib.ExitStack
    secure: Secure | None = None
    _generators: dict[str, Generator] = field(default_factory=dict)
    _yardsticks: dict[str, tuple[System, Generator]] = field(default_factory=dict)

    def generator(self, prefix: str = "BENCH-") -> Generator:
        """The generator of stations with this prefix, started when it is first asked for."""
        if prefix not in self._generators:
            url, more = (self.narke.url, ()) if self.secure is None else (self.secure.url, self.secure.arguments)
            generator = Generator(url, self.folder, prefix, system.TOKEN, more)
            self.stage.callback(generator.stop)
            self._generators[prefix] = generator
        return self._generators[prefix]

    def contenders(self) -> dict[str, tuple[System, Generator]]:
        """Echo, Narke, library, in the order in which they take turns."""
        for name in YARDSTICKS:
            if name not in self._yardsticks:
                self._yardsticks[name] = self.stage.enter_context(running_yardstick(name, self.folder))
        echo, library = YARDSTICKS
        return {
            echo: self._yardsticks[echo],
            NARKE: (self.narke, self.generator()),
            library: self._yardsticks[library],
        }


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        name: As `--rows` has it.
        what: For people.
        stage: The Narke that it needs.
        run: Measures it; returns what the result file has under `rows`.
    """

    name: str
    what: str
    stage: Stage
    run: Callable[[Bench], dict[str, Any]]


@dataclass
class Run:
    """All rows of one run.

    Attributes:
        told: What rows told, by name.
        failed: Why the others told nothing.
        notes: What was found out about each stage's Narke: start in s, durability of its Redis.
    """

    plan: Plan
    folder: Path
    say: Callable[[str], None]
    attached: Path | None = None
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def all(self, rows: Sequence[Row]) -> None:
        """Runs them, stage by stage, within the plan's time."""
        try:
            with _alarm_after(60 * self.plan.minutes_max - STOP_RESERVE_S):
                for stage in Stage:
                    chosen = [row for row in rows if self._stage_of(row) is stage]
                    if chosen:
                        self._stage(stage, chosen)
        except OutOfTime:
            self.say("out of time")
        for row in rows:
            if row.name not in self.told:
                self.failed.setdefault(row.name, f"not within {self.plan.minutes_max:.0f} minutes for all rows")

    def _stage_of(self, row: Row) -> Stage:
        shared = self.plan.share_narke or self.attached is not None
        return Stage.MAIN if shared and row.stage is Stage.FRESH else row.stage

    def _stage(self, stage: Stage, rows: Sequence[Row]) -> None:
        if self.attached is not None and stage in {Stage.LITERAL, Stage.TLS}:
            self.failed |= {row.name: "needs a Narke of its own: leave --data-dir out" for row in rows}
            return
        self.say(f"starting Narke for {', '.join(row.name for row in rows)}")
        try:
            with contextlib.ExitStack() as stack:
                way = secure(self.folder / stage.value) if stage is Stage.TLS else None
                narke = self._narke(stage, stack, way)
                bench = Bench(self.plan, self.folder, self.say, self.told, narke, stack, way)
                for row in rows:
                    self._row(row, bench)
                self.say("stopping")
        except _WHAT_FAILS as error:
            for row in rows:
                if row.name not in self.told:
                    self.failed.setdefault(row.name, _words_of(error))

    def _narke(self, stage: Stage, stack: contextlib.ExitStack, way: Secure | None) -> system.Narke:
        if self.attached is not None:
            narke = system.attach(self.attached)
        else:
            settings = STAGE_SETTINGS.get(stage) if way is None else way.settings
            narke = stack.enter_context(system.running(self.folder / stage.value, settings=settings))
        self.notes[stage.value] = {"start_s": narke.start_s, "redis": narke.durability()}
        return narke

    def _row(self, row: Row, bench: Bench) -> None:
        self.say(f"{row.name}: {row.what}")
        try:
            if not psutil.pid_exists(bench.narke.run_file["pid"]):
                raise Failed("Narke has ended meanwhile")
            self.told[row.name] = row.run(bench)
        except _WHAT_FAILS as error:
            self.failed[row.name] = _words_of(error)
            self.say(f"{row.name} failed: {self.failed[row.name]}")


def _words_of(error: Exception) -> str:
    return str(error) if isinstance(error, Failed) else f"{type(error).__name__}: {error}"


@contextlib.contextmanager
def _alarm_after(seconds: float) -> Iterator[None]:
    """Raises OutOfTime in this block after so long, wherever it waits."""

    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, ring)
    other_s, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    began = time.monotonic()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if other_s:  # somebody else's alarm goes on
            signal.setitimer(signal.ITIMER_REAL, max(1e-3, other_s - (time.monotonic() - began)))


def elapsed_printer(show: Callable[[str], None]) -> Callable[[str], None]:
    """Says lines with the seconds since now before them."""
    began = time.monotonic()
    return lambda line: show(f"[{time.monotonic() - began:4.0f} s] {line}")
