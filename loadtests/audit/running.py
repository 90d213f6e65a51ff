"""A Narke that runs, seen from outside: its run file, its readiness, its command line, its PostgreSQL."""

import contextlib
import json
import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

import psutil

from loadtests.audit.options import AuditError

READY_S_MAX = 5.0
COMMAND_S_MAX = 60.0
MARKS = {"postgres": "postgres", "redis": "redis"}
"""What is in the command line of a server; actors of Ray say `ray::`."""
_ACTOR = "ray::"


class RunningNarke:
    """Whoever wrote the run file of a data directory.

    Args:
        data_dir: Where it runs.
        narke: How the command line is called.
        postgres_url: None: the PostgreSQL that it started itself.
    """

    def __init__(self, data_dir: Path, narke: tuple[str, ...], postgres_url: str | None = None) -> None:
        self.data_dir = data_dir
        self.narke = narke
        self._postgres_url = postgres_url

    @property
    def environment(self) -> dict[str, str]:
        """What our children see: no setting of whoever audits."""
        return {key: value for key, value in os.environ.items() if not key.startswith(("NARKE_", "PROMETHEUS_"))}

    @property
    def run_file(self) -> dict[str, object]:
        """What it says of itself.

        Raises:
            AuditError: It is not there or cannot be read.
        """
        path = self.data_dir / "run" / "narke.json"
        try:
            found = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise AuditError(f"{path} cannot be read: {error}. Does Narke still run there?") from None
        if not isinstance(found, dict):
            raise AuditError(f"{path} is not what narke up writes there")
        return found

    @property
    def ocpp_url(self) -> str:
        """Where stations connect to."""
        return str(self.run_file["ocpp_url"])

    @property
    def processes(self) -> dict[str, int]:
        """Pids by name: ingress-0, stations-0, postgres, ..."""
        found = self.run_file["processes"]
        assert isinstance(found, dict), "the run file has a table of processes"
        return {str(name): int(pid) for name, pid in found.items()}

    @property
    def living(self) -> dict[str, int]:
        """Those of `processes` that live and are what their name says."""
        return {name: pid for name, pid in self.processes.items() if is_narkes(name, pid)}

    @property
    def postgres_url(self) -> str:
        """With user and password.

        Raises:
            AuditError: Narke does not run its own PostgreSQL.
        """
        if self._postgres_url is not None:
            return self._postgres_url
        try:
            port = json.loads((self.data_dir / "servers.json").read_bytes())["postgres"]["port"]
            password = (self.data_dir / "secrets" / "postgres.password").read_text().strip()
        except (OSError, ValueError, KeyError) as error:
            raise AuditError(
                f"the Narke on {self.data_dir} has no PostgreSQL of its own ({error!r}): name the one it uses by "
                "--postgres-url"
            ) from None
        return f"postgresql://narke:{quote(password, safe='')}@127.0.0.1:{port}/narke"

    def is_ready(self) -> bool:
        """Whether it says that all its parts answer."""
        with contextlib.suppress(OSError, urllib.error.URLError, AuditError):
            url = f"{self.run_file['http_url']}/readyz"
            with urllib.request.urlopen(url, timeout=READY_S_MAX) as answer:  # noqa: S310 (the run file's own http URL)
                return bool(answer.status == 200)
        return False

    def command(self, *arguments: str) -> str:
        """What a command of the command line prints.

        Raises:
            AuditError: It failed.
        """
        words = [*self.narke, "--data-dir", str(self.data_dir), *arguments]
        try:
            done = subprocess.run(  # noqa: S603 (our own command line)
                words, capture_output=True, text=True, env=self.environment, check=False, timeout=COMMAND_S_MAX
            )
        except subprocess.TimeoutExpired:
            raise AuditError(f"`narke {' '.join(arguments)}` did not end within {COMMAND_S_MAX:g} s") from None
        if done.returncode:
            raise AuditError(f"`narke {' '.join(arguments)}` failed: {(done.stderr or done.stdout).strip()}")
        return done.stdout


def is_narkes(name: str, pid: int) -> bool:
    """Whether the process lives and is of the kind that its name says: a number may have a new owner."""
    mark = MARKS.get(name, _ACTOR)
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and any(mark in word for word in process.cmdline())
    return False
