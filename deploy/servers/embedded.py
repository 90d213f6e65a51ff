"""What the embedded servers have in common: a port, a folder, one process at a time, and a way back after a crash."""

import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import msgspec
import structlog

from deploy.processes import command_of, program_of, signal_all, wait_until_gone, working_in
from deploy.servers.data_dir import DataDir, ServerNote
from deploy.servers.errors import StartFailed
from deploy.servers.identity import Identity, choose_identity, launch_command, open_for
from deploy.servers.ports import choose_port, is_free
from deploy.servers.process import ServerProcess

log = structlog.get_logger()

START_S_MAX = 120.0
_PORT_TRIES_MAX = 5
_LEFTOVER_STEPS = ((None, 3.0), (signal.SIGINT, 3.0), (signal.SIGKILL, 3.0))
_PORT_WAIT_S_MAX = 5.0


class EmbeddedServer(ABC):
    """One server of ours in a data directory that is prepared and locked.

    `start`, `restart` and `stop` may be called from any thread; `stop` also ends a start under way.
    """

    name: ClassVar[str]
    program_names: ClassVar[frozenset[str]]
    death_signal: ClassVar[signal.Signals]
    stop_steps: ClassVar[Sequence[tuple[signal.Signals, float]]]

    def __init__(
        self, data_dir: DataDir, *, identity: Identity | None = None, start_s_max: float = START_S_MAX
    ) -> None:
        self.data_dir = data_dir
        self.folder = data_dir.path / self.name
        self.port = 0
        self.password = ""
        self.process = ServerProcess(self.name, data_dir.log / f"{self.name}.log")
        self._identity = identity
        self._start_s_max = start_s_max
        self._turn = threading.RLock()
        self._stopping = threading.Event()

    @property
    @abstractmethod
    def url(self) -> str:
        """With user and password; valid once started."""

    @property
    def identity(self) -> Identity:
        """As whom it runs; chosen at first use."""
        if self._identity is None:
            self._identity = choose_identity(self.data_dir.path)
        return self._identity

    @property
    def pid(self) -> int:
        """Of the main process of the last run; 0: never started."""
        return self.process.pid

    def alive(self) -> bool:
        """Its main process lives."""
        return self.process.pid != 0 and not self.process.ended.is_set()

    def start(self) -> str:
        """Makes its data at first, starts it, waits until it serves; returns the URL.

        Raises:
            ServerError: With what is wrong, where and what to do.
        """
        with self._turn:
            self._stopping.clear()
            open_for(self.identity, self.data_dir.path)
            self._end_leftovers()  # first of all: one may hold the port that is remembered
            self._prepare()
            note = self.data_dir.note(self.name)
            for tries_left in reversed(range(_PORT_TRIES_MAX)):
                self.port = choose_port(note.port)
                try:
                    self._run()
                    break
                except StartFailed:
                    # Somebody took the port between our look and the server's.
                    if not tries_left or is_free(self.port) or self._stopping.is_set():
                        raise
            self._finish()
            note = self.data_dir.note(self.name)
            self.data_dir.save_note(self.name, msgspec.structs.replace(note, port=self.port))
            return self.url

    def restart(self) -> None:
        """Starts it again after a crash, on the same port and data; does nothing when `stop` was called.

        Raises:
            ServerError: As `start`; call it again later.
        """
        with self._turn:
            if self._stopping.is_set():
                return
            self.process.kill()
            deadline = time.monotonic() + _PORT_WAIT_S_MAX
            while not is_free(self.port) and time.monotonic() < deadline:
                self._stopping.wait(0.02)
            self._run()

    def stop(self) -> None:
        """Ends it in good order; after that it is gone in any case."""
        self._stopping.set()
        while True:
            helped = self.process.stop(self.stop_steps)
            if helped is not None and helped is not self.stop_steps[0][0]:
                log.warning("server stopped by force", server=self.name, signal=helped.name)
            with self._turn:  # a start under way gives up when it sees `_stopping`
                if not self.alive():
                    return

    @abstractmethod
    def _prepare(self) -> None:
        """Chooses programs, makes or checks the data."""

    @abstractmethod
    def _command(self) -> list[str]:
        """The command line of the server."""

    @abstractmethod
    def _is_ready(self) -> bool:
        """It serves. Raises `StartFailed` when it never will."""

    @abstractmethod
    def _before_run(self) -> None:
        """What must be right before each run, also after a crash."""

    @abstractmethod
    def _finish(self) -> None:
        """What is left to do when it serves for the first time after `start`."""

    def _run(self) -> None:
        self._end_leftovers()
        self._before_run()
        process = ServerProcess(self.name, self.process.log_file)
        process.spawn(self._command(), self.identity, self.death_signal, self.folder)
        self.process = process
        process.wait_until_ready(self._is_ready_or_stopping, self._start_s_max)
        if self._stopping.is_set():
            process.stop(self.stop_steps)
            raise StartFailed(f"{self.name} was stopped while it started.")

    def _is_ready_or_stopping(self) -> bool:
        return self._stopping.is_set() or self._is_ready()

    def _end_leftovers(self) -> None:
        """Waits for processes of a run whose Narke was killed, or whose main process was; then ends them.

        We hold the lock of the data directory, so nobody else's can be among them.
        """
        if not self.folder.exists():
            return
        left = [pid for pid in working_in(self.folder) if program_of(pid) in self.program_names]
        for number, seconds_max in _LEFTOVER_STEPS:
            if not left:
                return
            if number is not None:
                log.warning("ending a leftover server", server=self.name, pids=left, signal=number.name)
                signal_all(left, number)
            left = wait_until_gone(left, seconds_max)
        if left:
            raise StartFailed(
                f"{self.name} of an earlier run still works in {self.folder} and cannot be ended: process {left[0]} "
                f"({command_of(left[0])}). End it, then start again."
            )

    def _launched(self, folder: Path) -> list[str]:
        """The words that run a tool of the server as its user, e.g. initdb."""
        return launch_command(self.identity, signal.SIGKILL, folder)

    def _mark_made(self, flavour: str, version: tuple[int, ...]) -> None:
        note = self.data_dir.note(self.name)
        wanted = ServerNote(port=note.port, flavour=flavour, version=version, made=True)
        if note != wanted:
            self.data_dir.save_note(self.name, wanted)
