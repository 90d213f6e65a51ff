"""A fleet of several processes: each has its own stations, the first process only counts them together and shows.

parent -> child: when to begin; or to stop (the pipe's end stops it too, so nobody outlives the parent)
child -> parent: ready; its figures once a second; its last figures; or what went wrong
"""

import asyncio
import contextlib
import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from time import monotonic
from typing import Literal

import uvloop

from loadtests.fleet_in_process import Fleet, rare_collections
from loadtests.fleet_options import FleetError, FleetOptions
from loadtests.fleet_result import FleetResult, Part, result_of
from loadtests.invariants import OF_EVERY_FLEET, judged
from loadtests.station import Station

TELLS_S = 1.0
SHOWS_S = 0.5
READY_S_MAX = 60.0
"""For all processes to have imported what they need."""
LEAVE_S_MAX = 30.0
"""For all stations of a process to say goodbye."""
BEGIN_S = 0.2
"""From the word to the beginning, so that all processes begin together."""

Said = tuple[Literal["ready", "part", "last", "failed"], Part | str | None]


class Crew:
    """The processes of one fleet, as their parent sees them."""

    stations: tuple[Station, ...] = ()
    """None of them is in this process."""

    def __init__(self, options: FleetOptions) -> None:
        self.options = options
        self._parts: dict[int, Part] = {}
        self._began_at: float | None = None
        self._pipes: dict[Connection, int] = {}
        self._processes: list[BaseProcess] = []
        self._last: set[int] = set()

    @property
    def seconds(self) -> float:
        """Since the start; 0.0 before."""
        return 0.0 if self._began_at is None else max(0.0, monotonic() - self._began_at)

    def result(self) -> FleetResult:
        """What all processes counted so far, as far as they told."""
        if not self._parts:
            return FleetResult(self.options.stations, 0.0, 0, 0, 0.0, 0, 0.0, 0.0, 0.0, {}, {}, {})
        parts = [self._parts[process] for process in sorted(self._parts)]
        return judged(result_of(parts), OF_EVERY_FLEET + self.options.played.invariants)

    def run(self, show: Callable[["Crew"], None] | None) -> FleetResult:
        """Until the duration is over, or an error or Ctrl-C ends it; then all leave in good order.

        Raises:
            FleetError: A process could reach nobody, or died.
        """
        try:
            self._start()
            while len(self._last) < self.options.processes:
                self._listen(SHOWS_S)
                if show is not None:
                    show(self)
        finally:
            self._stop()
        return self.result()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        for process in range(self.options.processes):
            ours, theirs = context.Pipe()
            child = context.Process(target=live_as_child, args=(self.options, process, theirs), daemon=True)
            child.start()
            theirs.close()
            self._pipes[ours] = process
            self._processes.append(child)
        waiting, until = set(self._pipes), monotonic() + READY_S_MAX
        while waiting:
            for pipe in wait(list(waiting), timeout=max(0.0, until - monotonic())):
                assert isinstance(pipe, Connection), "nothing else was asked for"
                self._take(pipe)
                waiting.discard(pipe)
            if waiting and monotonic() > until:
                raise FleetError(f"{len(waiting)} of the fleet's processes did not start within {READY_S_MAX:g} s")
        self._began_at = monotonic() + BEGIN_S
        for pipe in self._pipes:
            pipe.send(self._began_at)

    def _listen(self, seconds: float) -> None:
        for pipe in wait(list(self._pipes), timeout=seconds):
            assert isinstance(pipe, Connection), "nothing else was asked for"
            self._take(pipe)

    def _take(self, pipe: Connection) -> None:
        process = self._pipes[pipe]
        try:
            kind, told = pipe.recv()
        except (EOFError, OSError):
            del self._pipes[pipe]
            if process not in self._last:
                code = self._processes[process].exitcode
                raise FleetError(f"process {process + 1} of the fleet died (exit code {code})") from None
            return
        if kind == "failed":
            raise FleetError(told)
        if kind == "last":
            self._last.add(process)
        if isinstance(told, Part):
            self._parts[process] = told

    def _stop(self) -> None:
        """Asks all to leave, takes their last figures, and ends who does not leave in time."""
        for pipe in self._pipes:
            with contextlib.suppress(OSError):
                pipe.send(None)
        until = monotonic() + LEAVE_S_MAX
        while len(self._last) < self.options.processes and self._pipes and monotonic() < until:
            with contextlib.suppress(FleetError):  # the first failure is told already
                self._listen(SHOWS_S)
        for pipe in self._pipes:
            pipe.close()
        for child in self._processes:
            child.join(max(0.1, until - monotonic()))
            if child.is_alive():
                child.kill()
                child.join()


def live_as_child(options: FleetOptions, process: int, pipe: Connection) -> None:
    """The life of one process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the parent tells us
    try:
        with rare_collections():
            uvloop.run(_live(options, process, pipe))
    except FleetError as error:
        _tell(pipe, ("failed", str(error)))
    except Exception as error:  # noqa: BLE001 (the rim of the process: the parent tells it)
        _tell(pipe, ("failed", f"process {process + 1} of the fleet: {type(error).__name__}: {error}"))


async def _live(options: FleetOptions, process: int, pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    _tell(pipe, ("ready", None))
    began_at = await loop.run_in_executor(None, pipe.recv)
    if began_at is None:
        _tell(pipe, ("last", None))
        return
    fleet = Fleet(options, process=process, began_at=began_at)
    running = asyncio.create_task(fleet.run())

    def stop() -> None:  # whatever is said now means to stop, and so does the end
        loop.remove_reader(pipe.fileno())
        running.cancel()

    loop.add_reader(pipe.fileno(), stop)
    try:
        while not running.done():
            await asyncio.wait([running], timeout=TELLS_S)
            if not running.done():
                _tell(pipe, ("part", fleet.part()))
        if not running.cancelled():
            running.result()
    finally:
        loop.remove_reader(pipe.fileno())
    _tell(pipe, ("last", fleet.part()))


def _tell(pipe: Connection, said: Said) -> None:
    with contextlib.suppress(OSError):  # the parent is gone, and so are we soon
        pipe.send(said)
