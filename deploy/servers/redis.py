"""The embedded Redis (or Valkey): loopback only, with a password, every write on disk before its answer.

Uses the words of Redis 6.2 only. The configuration file is written anew at each start; the append-only file is data.
"""

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError
from redis.retry import Retry

from deploy.servers.binaries import Program, choose_redis, redis_programs
from deploy.servers.data_dir import DataDir
from deploy.servers.embedded import START_S_MAX, EmbeddedServer
from deploy.servers.errors import DataDirError, StartFailed
from deploy.servers.identity import Identity, hand_over, program_for
from deploy.servers.ports import LOOPBACK

CONFIG = "redis.conf"
_ANSWER_S_MAX = 2.0
_DATA_NAMES = ("appendonly.aof", "appendonlydir")  # of 6.2, of 7 and later

_CONFIG_TEXT = """\
# Written by Narke at each start; changes are lost.
bind {host}
port {port}
protected-mode yes
requirepass {password}
dir {folder}
daemonize no
supervised no
loglevel notice
logfile ""
appendonly yes
appendfsync always
no-appendfsync-on-rewrite no
aof-load-truncated yes
aof-use-rdb-preamble yes
save ""
maxmemory-policy noeviction
tcp-backlog 511
tcp-keepalive 60
timeout 0
"""


class RedisServer(EmbeddedServer):
    """Redis in `<data-dir>/redis`."""

    name: ClassVar[str] = "redis"
    # Debian's redis-server is a link to redis-check-rdb.
    program_names: ClassVar[frozenset[str]] = frozenset(
        {"redis-server", "redis-check-rdb", "redis-check-aof", "valkey-server", "valkey-check-rdb", "valkey-check-aof"}
    )
    death_signal: ClassVar[signal.Signals] = signal.SIGTERM
    stop_steps: ClassVar[Sequence[tuple[signal.Signals, float]]] = ((signal.SIGTERM, 6.0),)

    def __init__(
        self,
        data_dir: DataDir,
        *,
        identity: Identity | None = None,
        start_s_max: float = START_S_MAX,
        programs: Sequence[Program] | None = None,
    ) -> None:
        """`programs`: to choose from, best first; None: what is found on this machine."""
        super().__init__(data_dir, identity=identity, start_s_max=start_s_max)
        self._programs = programs
        self._program: Program | None = None
        self._path = Path()

    @property
    def url(self) -> str:
        """`redis://:...@127.0.0.1:port/0`."""
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"

    def _prepare(self) -> None:
        note = self.data_dir.note(self.name)
        has_data = self._has_data()
        if note.made and not has_data:
            raise DataDirError(
                f"Redis' data is gone from {self.folder} ({' or '.join(_DATA_NAMES)}). Restore the data directory from "
                f"a backup, or, to begin with nothing, move {self.data_dir.path} away as a whole."
            )
        programs = redis_programs() if self._programs is None else self._programs
        self._program = choose_redis(programs, note.flavour, self._data_version(note.version) if has_data else ())
        self._path = program_for(self.identity, self._program, self.data_dir.path / "programs")
        self.password, _ = self.data_dir.password(self.name)
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            hand_over(self.folder, self.identity)
        except OSError as error:
            raise DataDirError(
                f"{error.filename or self.folder}: {error.strerror}. Check its owner and mode."
            ) from error
        if not has_data:
            self.data_dir.check_space()

    def _has_data(self) -> bool:
        try:
            return any((self.folder / name).exists() for name in _DATA_NAMES)
        except OSError as error:
            raise DataDirError(
                f"{error.filename}: {error.strerror}. Check the owner and the mode of {self.folder}."
            ) from None

    def _data_version(self, noted: tuple[int, ...]) -> tuple[int, ...]:
        """As noted; where the note was lost, the least that the form of the data tells."""
        return noted or ((7, 0) if (self.folder / "appendonlydir").exists() else (6, 2))

    def _before_run(self) -> None:
        text = _CONFIG_TEXT.format(host=LOOPBACK, port=self.port, password=self.password, folder=_quoted(self.folder))
        path = self.folder / CONFIG
        try:
            path.unlink(missing_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
            os.chown(path, self.identity.file_owner, -1)
        except OSError as error:
            raise DataDirError(f"{path} cannot be written: {error.strerror}.") from error

    def _command(self) -> list[str]:
        return [str(self._path), str(self.folder / CONFIG)]

    def _is_ready(self) -> bool:
        try:
            with Redis(
                host=LOOPBACK,
                port=self.port,
                password=self.password,
                socket_timeout=_ANSWER_S_MAX,
                socket_connect_timeout=_ANSWER_S_MAX,
                retry=Retry(NoBackoff(), 0),
            ) as client:
                return int(client.info("server")["process_id"]) == self.process.pid
        except AuthenticationError as error:
            if self.process.ended.is_set():
                return False  # another server has the port
            raise StartFailed(f"the embedded Redis does not let us in: {error}") from error
        except RedisError:
            return False  # not listening yet, or loading its data

    def _finish(self) -> None:
        """Its first write makes the append-only file; only then does its absence mean damage."""
        if self._program is not None and self._has_data():
            self._mark_made(self._program.flavour, self._program.version)


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
