"""Ray nodes on this machine, made by Ray's own command line: each can be killed as a whole and made anew."""

import contextlib
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from loadtests.audit.options import AuditError

START_S_MAX = 60.0
END_S_MAX = 10.0
OBJECT_STORE_BYTES = 80_000_000
POLL_S = 0.1
STARTED = b"Ray runtime started."


class Nodes:
    """A cluster; the first node is its head, where `narke up` runs, and is never killed.

    Args:
        ray: How Ray's command line is called.
        folder: For Ray's temporary files; a short path, for it is part of names of sockets.
        logs: For what `ray start` says.
    """

    def __init__(self, ray: tuple[str, ...], folder: Path, logs: Path) -> None:
        self._ray = ray
        self._folder = folder
        self._logs = logs
        self._port = free_port()
        self._token = secrets.token_hex(32)
        self._nodes: list[subprocess.Popen[bytes]] = []

    @property
    def address(self) -> str:
        """What to join."""
        return f"127.0.0.1:{self._port}"

    @property
    def token(self) -> dict[str, str]:
        """Environment of whoever belongs to the cluster."""
        return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": self._token, "RAY_USAGE_STATS_ENABLED": "0"}

    def start(self, count: int) -> None:
        """Makes them. Blocks.

        Raises:
            AuditError: One does not start; says what Ray said.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            self._nodes.append(self._add(number))

    def kill(self, draw: int) -> tuple[int, int]:
        """Kills a node other than the head, with all that lives on it; returns its number and its raylet's pid."""
        number = 1 + draw % (len(self._nodes) - 1)
        family = self._family(number)
        raylet = next((each.pid for each in family if _name(each) == "raylet"), 0)
        _kill(sorted(family, key=lambda each: _name(each) != "raylet"))  # the raylet first: nobody is warned
        self._nodes[number].wait(END_S_MAX)
        return number, raylet

    def revive(self, number: int) -> None:
        """Makes a node in the place of one that was killed. Blocks.

        Raises:
            AuditError: It does not start.
        """
        self._nodes[number] = self._add(number)

    def workers(self, number: int) -> frozenset[int]:
        """Pids of Ray's workers on a node."""
        for process in self._family(number):
            if _name(process) == "raylet":
                with contextlib.suppress(psutil.Error):
                    return frozenset(each.pid for each in process.children(recursive=True))
        return frozenset()

    def stop(self) -> None:
        """Ends all, the head last."""
        for number in reversed(range(len(self._nodes))):
            family = self._family(number)
            self._nodes[number].terminate()
            _, left = psutil.wait_procs(family, END_S_MAX)
            _kill(left)
            psutil.wait_procs(left, END_S_MAX)
            self._nodes[number].wait(END_S_MAX)
        self._nodes.clear()

    def _add(self, number: int) -> "subprocess.Popen[bytes]":
        where = ["--head", "--port", str(self._port)] if number == 0 else ["--address", self.address]
        sizes = ["--num-cpus", "2", "--object-store-memory", str(OBJECT_STORE_BYTES), "--include-log-monitor", "false"]
        words = [*self._ray, "start", "--block", *where, *sizes, "--disable-usage-stats"]
        if number == 0:
            words += ["--temp-dir", str(self._folder), "--include-dashboard", "false"]
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("NARKE_", "PROMETHEUS_"))}
        log = self._logs / f"node-{number}.log"
        with log.open("ab") as said:
            before = said.tell()
            started = subprocess.Popen(  # noqa: S603 (Ray's own command line)
                words, stdout=said, stderr=said, env=environment | self.token, start_new_session=True
            )
        ends = time.monotonic() + START_S_MAX
        while STARTED not in log.read_bytes()[before:]:
            if started.poll() is not None or time.monotonic() > ends:
                _kill(_family_of(started.pid))
                started.wait(END_S_MAX)
                raise AuditError(f"Ray node {number} did not start: {tail_of(log)}")
            time.sleep(POLL_S)
        return started

    def _family(self, number: int) -> list[psutil.Process]:
        return _family_of(self._nodes[number].pid)


def _family_of(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        return [*process.children(recursive=True), process]
    return []


def _kill(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()


def _name(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return process.name()
    return ""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tail_of(log: Path, characters: int = 2_000) -> str:
    """The end of what somebody said."""
    try:
        return log.read_text(encoding="utf-8", errors="replace")[-characters:].strip() or f"{log} is empty"
    except OSError as error:
        return str(error)
