"""The driver's end of the children that are no Narke: generators and yardsticks. Starts them, asks them, ends them.

A child hears Ctrl-C only through its driver, ends with its driver, and is waited for a bounded time.
"""

import contextlib
import ctypes
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from select import select
from typing import Any

import orjson

from loadtests.bench.crew import Way
from loadtests.bench.processes import own_cpu_s

START_S_MAX = 20.0
STOP_S_MAX = 10.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class Failed(Exception):  # noqa: N818 (the state of a measurement)
    """A row could not be measured; the message says why and what to do."""


def start(
    command: Sequence[str | Path], log: Path, *, asked: bool = False, environment: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Starts a child that does not outlive this process and does not hear our terminal's Ctrl-C.

    Args:
        command: Its command line.
        log: Where its output goes.
        asked: It reads orders from a pipe and answers into another; only its errors go to the log.
        environment: Instead of ours; None: ours.
    """
    with log.open("ab") as out:
        return subprocess.Popen(  # noqa: S603 (our own command lines)
            [str(part) for part in command],
            stdin=subprocess.PIPE if asked else subprocess.DEVNULL,
            stdout=subprocess.PIPE if asked else out,
            stderr=out,
            env=environment,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 (this process has no other thread)
        )


def stop(process: "subprocess.Popen[bytes]", by: signal.Signals, patience_s: float) -> None:
    """Asks a child to end, and kills it when it does not."""
    if process.poll() is None:
        process.send_signal(by)
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_S_MAX)


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log, for people."""
    text = log.read_text(errors="replace") if log.exists() else ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-count:])


class Generator:
    """A generator process and what can be asked of it."""

    def __init__(self, url: str, folder: Path, prefix: str, token: str, more: Sequence[str] = ()) -> None:
        self.prefix = prefix
        self._log = folder / f"generator-{prefix}.log"
        command = [sys.executable, "-m", "loadtests.bench.generator"]
        command += ["--url", url, "--prefix", prefix, "--token", token, *more]
        self._process = start(command, self._log, asked=True)
        self.stations = 0

    def grow(self, stations: int, way: Way) -> dict[str, Any]:
        """See `Crew.grow`.

        Raises:
            Failed: Not all came up.
        """
        told = self._ask({"do": "grow", "stations": stations, "way": asdict(way)}, way.deadline_s + 30)
        self.stations = stations
        if told["up"] < told["wanted"]:
            raise Failed(
                f"only {told['up']} of {told['wanted']} stations came up within {way.deadline_s:.0f} s: "
                f"{told['retries'] or 'no answer'}"
            )
        return told

    def load(self, stations: int, *, in_flight: int = 0, rate: float = 0.0) -> None:
        """See `Crew.load`."""
        self._ask({"do": "load", "stations": stations, "in_flight": in_flight, "rate": rate})

    def halt(self, deadline_s: float = 60.0) -> None:
        """Ends the load and waits for what is in flight.

        Raises:
            Failed: Something never came back.
        """
        missing = self._ask({"do": "halt", "deadline_s": deadline_s}, deadline_s + 10)["missing"]
        if missing:
            raise Failed(f"{missing} messages were not answered within {deadline_s:.0f} s after the load's end")

    def limits(self, since: float, limit_a: float, *, above: bool) -> dict[str, Any]:
        """See `Crew.limits`; `since` by this machine's `perf_counter`."""
        return self._ask({"do": "limits", "since": since, "limit_a": limit_a, "above": above})

    def mark(self) -> dict[str, Any]:
        """See `Crew.mark`."""
        return self._ask({"do": "mark"})

    def drop(self) -> None:
        """All stations leave."""
        self._ask({"do": "drop"})
        self.stations = 0

    def stop(self) -> None:
        """Ends the process."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_S_MAX)
        stop(self._process, signal.SIGKILL, STOP_S_MAX)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _ask(self, order: dict[str, Any], patience_s: float = 30.0) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(orjson.dumps(order) + b"\n")
            self._process.stdin.flush()
            if not select([self._process.stdout], [], [], patience_s)[0]:
                raise Failed(f"the generator did not answer '{order['do']}' within {patience_s:.0f} s")
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            raise Failed(f"the generator ended; its log says:\n{last_lines(self._log)}")
        answer: dict[str, Any] = orjson.loads(line)
        return answer


class Yardstick:
    """A server to compare with: `echo` or `library`."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._port = free_port()
        self._log = folder / f"{name}.log"
        command = [sys.executable, "-m", f"loadtests.bench.{name}_server", "--port", str(self._port)]
        self._process = start(command, self._log)
        self.url = f"ws://127.0.0.1:{self._port}/ocpp"

    def wait_until_up(self) -> None:
        """Waits until it listens.

        Raises:
            Failed: It does not.
        """
        deadline = time.monotonic() + START_S_MAX
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1.0):
                return
            time.sleep(0.05)
        raise Failed(f"the {self.name} server does not listen on port {self._port}:\n{last_lines(self._log)}")

    def cpu_s(self) -> dict[str, float]:
        """Seconds of CPU since it began."""
        return {self.name: own_cpu_s(self._process.pid)}

    def settle(self) -> float:
        """It leaves nothing for later."""
        return 0.0

    def stop(self) -> None:
        """Ends the process."""
        stop(self._process, signal.SIGTERM, STOP_S_MAX)


@contextlib.contextmanager
def running_yardstick(name: str, folder: Path) -> Iterator[tuple[Yardstick, Generator]]:
    """A yardstick and a generator of its own, until the block's end."""
    yardstick = Yardstick(name, folder)
    try:
        yardstick.wait_until_up()
        generator = Generator(yardstick.url, folder, f"{name.upper()}-", "BENCH-TOKEN")
        try:
            yield yardstick, generator
        finally:
            generator.stop()
    finally:
        yardstick.stop()
