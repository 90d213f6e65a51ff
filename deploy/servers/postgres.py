"""The embedded PostgreSQL: initdb once, loopback only, scram, everything durable.

initdb works in a folder of another name that is renamed when complete: a kill in the middle leaves no half database.
Narke's own settings are on the command line, so postgresql.conf is the operator's to tune.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import psycopg
from psycopg import sql

from deploy.servers.binaries import Program, choose_postgres, postgres_programs
from deploy.servers.data_dir import DataDir
from deploy.servers.embedded import START_S_MAX, EmbeddedServer
from deploy.servers.errors import DataDirError, StartFailed
from deploy.servers.identity import Identity, hand_over, program_for
from deploy.servers.ports import LOOPBACK
from deploy.servers.process import advice_for

USER = "narke"
DATABASE = "narke"
_INITDB_S_MAX = 300
_CONNECT_S_MAX = 10
_STATUS_LINE = 7  # of postmaster.pid, since PostgreSQL 10
_LOCALES = ("C.UTF-8", "C")  # lower() of all letters where the machine has it; sorting is by code point in both

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_init_zero": "off",  # else every byte of the log of changes is written twice, first as zero
    "cluster_name": "narke",
    "timezone": "UTC",
    "jit": "off",  # our queries are short
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "restart_after_crash": "on",
}


class PostgresServer(EmbeddedServer):
    """PostgreSQL in `<data-dir>/postgres`, database and user `narke`."""

    name: ClassVar[str] = "postgres"
    program_names: ClassVar[frozenset[str]] = frozenset({"postgres"})
    death_signal: ClassVar[signal.Signals] = signal.SIGINT
    stop_steps: ClassVar[Sequence[tuple[signal.Signals, float]]] = (
        (signal.SIGINT, 6.0),  # fast: clients are cut off, a checkpoint is written
        (signal.SIGQUIT, 2.0),  # immediate: recovery at the next start
    )

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
        self._bin = Path()

    @property
    def url(self) -> str:
        """`postgresql://narke:...@127.0.0.1:port/narke`."""
        return f"postgresql://{USER}:{self.password}@{LOOPBACK}:{self.port}/{DATABASE}"

    def _prepare(self) -> None:
        major = self._data_major()
        programs = postgres_programs() if self._programs is None else self._programs
        self._program = choose_postgres(programs, major)
        self._bin = program_for(self.identity, self._program, self.data_dir.path / "programs").parent
        self.password, is_new = self.data_dir.password(self.name)
        if major is None:
            self.data_dir.check_space()
            self._make()
        else:
            hand_over(self.folder, self.identity)
            if is_new:
                self._end_leftovers()
                self._set_password()
        self._mark_made("postgres", self._program.version[:1])

    def _data_major(self) -> int | None:
        """The major version of the data; None: there is none yet.

        Raises:
            DataDirError: The folder is not what PostgreSQL left there.
        """
        version = self.folder / "PG_VERSION"
        try:
            if version.is_file() and (self.folder / "global" / "pg_control").is_file():
                return int(version.read_text(encoding="ascii"))
            is_empty = not self.folder.exists() or not any(self.folder.iterdir())
        except ValueError:
            raise DataDirError(f"{version} does not hold a version of PostgreSQL: restore it from a backup.") from None
        except OSError as error:
            raise DataDirError(
                f"{error.filename}: {error.strerror}. Check the owner and the mode of {self.folder}."
            ) from None
        if is_empty and not self.data_dir.note(self.name).made:
            return None
        raise DataDirError(
            f"{self.folder} {'is empty or gone' if is_empty else 'is not a complete PostgreSQL database'}. Restore the "
            f"data directory from a backup, or, to begin with nothing, move {self.data_dir.path} away as a whole."
        )

    def _make(self) -> None:
        """initdb, in a folder beside that is renamed at the end."""
        part = self.data_dir.path / f"{self.name}.part"
        password_file = self.data_dir.path / ".initdb.password"  # secrets/ is closed to the server's user
        try:
            password_file.unlink(missing_ok=True)
            with os.fdopen(os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(self.password)
            os.chown(password_file, self.identity.file_owner, -1)
            failure = ""
            for locale in _LOCALES:
                shutil.rmtree(part, ignore_errors=True)
                part.mkdir(mode=0o700)
                os.chown(part, self.identity.file_owner, self._group())
                if not (failure := self._initdb(part, password_file, locale)):
                    break
            if failure:
                raise StartFailed(f"PostgreSQL's initdb failed in {part}:\n{failure}{advice_for(failure)}")
            if self.folder.exists():
                self.folder.rmdir()  # empty, as `_data_major` saw
            part.replace(self.folder)
            _sync_folder(self.data_dir.path)
        except OSError as error:
            raise DataDirError(f"PostgreSQL's folder cannot be made: {error.filename}: {error.strerror}.") from error
        finally:
            password_file.unlink(missing_ok=True)
            shutil.rmtree(part, ignore_errors=True)

    def _group(self) -> int:
        return self.identity.file_owner if self.identity.file_owner != os.geteuid() else -1

    def _initdb(self, folder: Path, password_file: Path, locale: str) -> str:
        """Returns what it said when it failed, else nothing."""
        command = [
            *(str(self._bin / "initdb"), "--pgdata", str(folder), "--username", USER, "--pwfile", str(password_file)),
            *(
                "--auth",
                "scram-sha-256",
                "--encoding",
                "UTF8",
                "--locale",
                "C",
                f"--lc-ctype={locale}",
                "--data-checksums",
            ),
        ]
        return self._tool(command, b"", Path("/"))

    def _set_password(self) -> None:
        """The password file was lost: the server's single-user mode needs no password to set a new one."""
        statement = f"ALTER ROLE {USER} PASSWORD '{self.password}'\n"  # letters, digits, - and _ only
        command = [str(self._bin / "postgres"), "--single", "-D", str(self.folder), "postgres"]
        (self.folder / "postmaster.pid").unlink(missing_ok=True)
        if failure := self._tool(command, statement.encode(), self.folder):
            raise StartFailed(f"PostgreSQL's new password could not be set:\n{failure}{advice_for(failure)}")

    def _tool(self, command: list[str], words: bytes, folder: Path) -> str:
        done = subprocess.run(  # noqa: S603 (words of our own making)
            [*self._launched(folder), *command],
            check=False,
            input=words,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            start_new_session=True,
            timeout=_INITDB_S_MAX,
        )
        return "" if done.returncode == 0 else done.stdout.decode(errors="replace")[-2000:] or f"exit {done.returncode}"

    def _before_run(self) -> None:
        # No process works in the folder and the lock is ours, so a pid in there is of the past. PostgreSQL itself would
        # refuse if that number belongs to any living process of our user by now.
        (self.folder / "postmaster.pid").unlink(missing_ok=True)

    def _command(self) -> list[str]:
        settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        return [str(self._bin / "postgres"), "-D", str(self.folder), "-p", str(self.port), *settings]

    def _is_ready(self) -> bool:
        try:
            lines = (self.folder / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        return (
            len(lines) > _STATUS_LINE and lines[0] == str(self.process.pid) and lines[_STATUS_LINE].strip() == "ready"
        )

    def _finish(self) -> None:
        """Makes the database at first."""
        try:
            with psycopg.connect(
                host=LOOPBACK,
                port=self.port,
                user=USER,
                password=self.password,
                dbname="postgres",
                autocommit=True,
                connect_timeout=_CONNECT_S_MAX,
            ) as connection:
                if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone() is None:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        except psycopg.Error as error:
            self.process.stop(self.stop_steps)
            raise StartFailed(
                f"the embedded PostgreSQL does not let us in: {error}. If its password was changed, delete "
                f"{self.data_dir.secrets / 'postgres.password'}: the next start sets a new one.\n{self.process.said()}"
            ) from error


def _sync_folder(folder: Path) -> None:
    """Makes a rename in it survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
