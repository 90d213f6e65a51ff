"""A server as a child process: a session of its own, tied to our life, its words in a log file.

A thread of its own starts the process and waits for its end, because the kernel ties a child to the thread that made it
(PR_SET_PDEATHSIG): with a thread of a pool, the server would end when the pool shrinks.
"""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.servers.errors import StartFailed
from deploy.servers.identity import Identity, launch_command

LOG_BYTES_MAX = 20_000_000
_TAIL_LINES = 12
_POLL_S = 0.02
_CLEAN_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"}  # no PG* or LD_* of the caller


class ServerProcess:
    """One run of a server."""

    def __init__(self, name: str, log_file: Path) -> None:
        self.name = name
        self.log_file = log_file
        self.ended = threading.Event()
        self._started = threading.Event()
        self._failure: OSError | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._log_from = 0

    @property
    def pid(self) -> int:
        """0: never started."""
        return self._child.pid if self._child is not None else 0

    @property
    def status(self) -> int | None:
        """Exit status; negative: the signal that ended it; None: it lives or was never started."""
        return self._child.returncode if self._child is not None else None

    def spawn(self, command: Sequence[str], identity: Identity, death_signal: signal.Signals, folder: Path) -> None:
        """Starts it with `folder` as working directory; returns when the process exists.

        Raises:
            StartFailed: It could not be started at all.
        """
        full = [*launch_command(identity, death_signal, folder), *command]
        threading.Thread(target=self._live, args=(full,), name=f"narke-{self.name}", daemon=True).start()
        self._started.wait()
        if self._failure is not None:
            raise StartFailed(f"{self.name} cannot be started: {self._failure}") from self._failure

    def wait_until_ready(self, is_ready: Callable[[], bool], seconds_max: float) -> None:
        """Polls `is_ready` until it says so.

        Raises:
            StartFailed: It ended, or was not ready in time (it is killed then); carries the end of its log.
        """
        deadline = time.monotonic() + seconds_max
        while not is_ready():
            if self.ended.wait(_POLL_S):
                said = self.said()
                raise StartFailed(
                    f"{self.name} ended as it started (exit status {self.status}).\n{said}{advice_for(said)}"
                )
            if time.monotonic() > deadline:
                self.kill()
                raise StartFailed(
                    f"{self.name} was not ready after {seconds_max:.0f} s and was stopped. Recovery of much data can "
                    f"take longer: raise servers.start_s_max.\n{self.said()}"
                )

    def send(self, number: signal.Signals) -> None:
        """To the server's main process; one that has ended is as wished."""
        if self._child is not None and not self.ended.is_set():
            self._child.send_signal(number)

    def stop(self, steps: Sequence[tuple[signal.Signals, float]]) -> signal.Signals | None:
        """Signals in steps, each with the seconds to wait for it; returns the one that helped, None: it had ended."""
        for number, seconds_max in steps:
            if self._child is None or self.ended.is_set():
                return None
            self.send(number)
            if self.ended.wait(seconds_max):
                return number
        self.kill()
        return signal.SIGKILL

    def kill(self) -> None:
        """At once, and waits for the end."""
        self.send(signal.SIGKILL)
        if self._child is not None:
            self.ended.wait()

    def said(self) -> str:
        """The last lines that this run wrote to its log."""
        try:
            with self.log_file.open("rb") as file:
                file.seek(self._log_from)
                lines = file.read().decode(errors="replace").splitlines()
        except OSError:
            return ""
        shown = "\n".join(f"  | {line}" for line in lines[-_TAIL_LINES:])
        return f"The end of {self.log_file}:\n{shown}" if shown else f"It wrote nothing to {self.log_file}."

    def _live(self, command: list[str]) -> None:
        try:
            _rotate(self.log_file)
            with self.log_file.open("ab") as log:
                self._log_from = log.tell()
                self._child = subprocess.Popen(  # noqa: S603 (words of our own making)
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=_CLEAN_ENVIRONMENT,
                    start_new_session=True,  # Ctrl-C in the terminal must not reach it before Narke is drained
                )
        except OSError as error:
            self._failure = error
            self.ended.set()
            return
        finally:
            self._started.set()
        self._child.wait()
        self.ended.set()


def advice_for(text: str) -> str:
    """What to do about the causes that can be read from a server's log; empty when it is none of them."""
    for sign, advice in (
        ("No space left on device", "The disk is full: free some space."),
        ("Permission denied", "Check the owner and the mode of the files in the data directory."),
        ("could not access the server configuration file", "The data directory is damaged: restore it from a backup."),
        (
            "reading the append only file",
            "Redis' data is damaged: try redis-check-aof --fix on a copy of it.",
        ),
        ("could not locate a valid checkpoint record", "PostgreSQL's data is damaged: restore it from a backup."),
    ):
        if sign in text:
            return f"\n{advice}"
    return ""


def _rotate(log_file: Path) -> None:
    if log_file.exists() and log_file.stat().st_size > LOG_BYTES_MAX:
        log_file.replace(log_file.with_suffix(".log.1"))
