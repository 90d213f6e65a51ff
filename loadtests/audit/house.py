"""The Narke that an audit starts: `narke up` as a child, on one node, or on a Ray cluster with servers beside it."""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from loadtests.audit.nodes import Nodes, free_port, tail_of
from loadtests.audit.options import AuditError, AuditOptions
from loadtests.audit.running import RunningNarke

START_S_MAX = 300.0
STOP_S_MAX = 60.0
POLL_S = 0.2


class Urls(Protocol):
    """Where servers are, passwords included."""

    @property
    def postgres_url(self) -> str:
        """PostgreSQL."""

    @property
    def redis_url(self) -> str:
        """Redis."""


class Servers(Protocol):
    """PostgreSQL and Redis beside Narke, for a cluster; what dies is started again by whoever made this."""

    @property
    def pids(self) -> Mapping[str, int]:
        """`postgres` and `redis`, as far as they live."""

    def start(self) -> Urls:
        """Blocks until they serve."""

    def watch(self) -> None:
        """From now on starts them again when they die."""

    def stop(self) -> None:
        """Ends them."""


@dataclass(frozen=True)
class Programs:
    """What the audit runs, but does not know.

    Attributes:
        narke: Narke's command line.
        ray: Ray's command line.
        servers: Makes servers in a folder.
    """

    narke: tuple[str, ...]
    ray: tuple[str, ...]
    servers: Callable[[Path], Servers]


class OwnNarke(RunningNarke):
    """Started and ended here.

    Args:
        folder: Everything of it is in there: data, logs, Ray's files.
        programs: What to run.
        nodes: How many Ray nodes; 1: Narke starts Ray itself.
    """

    def __init__(self, folder: Path, programs: Programs, nodes: int) -> None:
        super().__init__(folder / "data", programs.narke)
        self.log = folder / "up.log"
        self.nodes: Nodes | None = None
        self._folder = folder
        self._programs = programs
        self._count = nodes
        self._servers: Servers | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._ray_folder: Path | None = None

    @property
    def environment(self) -> dict[str, str]:
        """With the cluster's token."""
        more = {"NARKE_LOG__LEVEL": "info", "RAY_USAGE_STATS_ENABLED": "0"}
        return super().environment | more | (self.nodes.token if self.nodes is not None else {})

    @property
    def processes(self) -> dict[str, int]:
        """Also the servers beside it."""
        return super().processes | dict(self._servers.pids if self._servers is not None else {})

    def start(self) -> None:
        """Blocks until all of it answers.

        Raises:
            AuditError: It does not start; says what it said.
        """
        arguments = ["--port", str(free_port()), "--http-port", str(free_port())]
        if self._count > 1:
            arguments += self._start_cluster()
        words = [*self.narke, "up", "--data-dir", str(self.data_dir), *arguments]
        with self.log.open("ab") as said:
            self._process = subprocess.Popen(  # noqa: S603 (our own command line)
                words, stdout=said, stderr=said, env=self.environment, start_new_session=True
            )
        ends = time.monotonic() + START_S_MAX
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > ends:
                raise AuditError(f"Narke did not start; it said: {tail_of(self.log)}")
            time.sleep(POLL_S)

    def _start_cluster(self) -> list[str]:
        self._servers = self._programs.servers(self._folder / "servers")
        urls = self._servers.start()
        self._servers.watch()
        self._postgres_url = urls.postgres_url
        # Short, for the names of Ray's sockets, which have 107 characters at most.
        self._ray_folder = Path(tempfile.gettempdir()) / f"narke-ray-{os.getpid()}-{secrets.token_hex(2)}"
        self.nodes = Nodes(self._programs.ray, self._ray_folder, self._folder)
        self.nodes.start(self._count)
        servers = ["--postgres-url", urls.postgres_url, "--redis-url", urls.redis_url]
        return ["--address", self.nodes.address, *servers]

    def stop(self) -> None:
        """Ends all in order; by force what does not end by itself."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_S_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_S_MAX)
        if self.nodes is not None:
            self.nodes.stop()
        if self._servers is not None:
            self._servers.stop()
        if self._ray_folder is not None:
            shutil.rmtree(self._ray_folder, ignore_errors=True)


@contextlib.contextmanager
def narke_of(options: AuditOptions, programs: Programs, folder: Path) -> Iterator[RunningNarke]:
    """The Narke to audit: that of the options, or one of our own for as long as this lasts.

    Raises:
        AuditError: There is none, or it does not start.
    """
    if options.data_dir is not None:
        running = RunningNarke(options.data_dir, programs.narke, options.postgres_url)
        if not running.is_ready():
            raise AuditError(f"the Narke on {options.data_dir} is not ready: look at `narke status`, then try again")
        yield running
        return
    own = OwnNarke(folder, programs, options.nodes)
    try:
        own.start()
        yield own
    finally:
        own.stop()
