"""The data directory: its places, its lock, and what must be right before anything is started in it.

run/        lock, narke.json (see run_file), prometheus-targets.json
secrets/    passwords of the embedded servers; mode 0700
log/        what the embedded servers say
postgres/   PostgreSQL's data, made by initdb
redis/      Redis' append-only file
servers.json  ports and versions of the embedded servers
"""

import errno
import fcntl
import os
import secrets
import shutil
import threading
from pathlib import Path
from typing import Self

import msgspec

from deploy.run_file import write_json
from deploy.servers.errors import DataDirError, DataDirInUse

FREE_MB_MIN = 200
"""For the first start; what is there already is not refused: it may be all that keeps stations answered."""
PASSWORD_BYTES = 24
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


class ServerNote(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of an embedded server. `made`: its data exists, so that a missing folder is damage."""

    port: int | None = None
    flavour: str = ""
    version: tuple[int, ...] = ()
    made: bool = False


class DataDir:
    """The places of a data directory. Makes nothing until `prepare`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run = path / "run"
        self.secrets = path / "secrets"
        self.log = path / "log"
        self.notes_file = path / "servers.json"
        self._saving = threading.Lock()

    def prepare(self) -> None:
        """Makes the folders (0700, as far as they are not there) and checks that they can be written.

        Raises:
            DataDirError: Says which path cannot be made or written, and why.
        """
        try:
            for folder in (self.path, self.run, self.secrets, self.log):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.secrets.chmod(0o700)
            probe = self.run / f".probe.{os.getpid()}"
            probe.write_bytes(b"\0" * 4096)
            probe.unlink()
        except FileExistsError as error:
            raise DataDirError(
                f"{error.filename} is a file, but must be a folder of Narke's data. Move it away."
            ) from None
        except OSError as error:
            raise self._unusable(error) from None

    def check_space(self) -> None:
        """Refuses to make data on a disk that is nearly full, where servers would only fail later.

        Raises:
            DataDirError: Less than `FREE_MB_MIN` is free.
        """
        free_mb = shutil.disk_usage(self.path).free // 1_000_000
        if free_mb < FREE_MB_MIN:
            raise DataDirError(
                f"only {free_mb} MB are free on the disk of {self.path}, Narke needs {FREE_MB_MIN} MB for its first "
                "start. Free some space or choose another folder by --data-dir."
            )

    def password(self, name: str) -> tuple[str, bool]:
        """The password of an embedded server, made at first use (mode 0600); the second value: it is new.

        Raises:
            DataDirError: It cannot be read or written.
        """
        path = self.secrets / f"{name}.password"
        try:
            if path.exists() and (password := path.read_text(encoding="ascii").strip()):
                return password, False
            password = secrets.token_urlsafe(PASSWORD_BYTES)
            part = path.with_suffix(".part")
            part.unlink(missing_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(password + "\n")
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except UnicodeDecodeError:
            raise DataDirError(f"{path} is damaged. Delete it: Narke makes a new one at the next start.") from None
        except OSError as error:
            raise self._unusable(error) from None
        return password, True

    def note(self, name: str) -> ServerNote:
        """What is remembered of a server.

        Raises:
            DataDirError: The file of notes is damaged.
        """
        return self._notes().get(name, ServerNote())

    def save_note(self, name: str, note: ServerNote) -> None:
        """Remembers it; servers that start in parallel do so in turn."""
        try:
            with self._saving:
                write_json(self.notes_file, msgspec.to_builtins({**self._notes(), name: note}), mode=0o600)
        except OSError as error:
            raise self._unusable(error) from None

    def _notes(self) -> dict[str, ServerNote]:
        try:
            return msgspec.json.decode(self.notes_file.read_bytes(), type=dict[str, ServerNote])
        except FileNotFoundError:
            return {}
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DataDirError(
                f"{self.notes_file} is damaged ({error}). Restore it, or delete it: ports are then chosen anew."
            ) from None
        except OSError as error:
            raise self._unusable(error) from None

    def _unusable(self, error: OSError) -> DataDirError:
        advice = "Free some space" if error.errno in _DISK_FULL else f"Make it writable for user {os.geteuid()}"
        return DataDirError(
            f"the data directory {self.path} cannot be used: {error.filename or self.path}: {error.strerror}. "
            f"{advice}, or choose another folder by --data-dir."
        )


class DataDirLock:
    """At most one Narke on a data directory: a lock of the kernel, so it ends with its process whatever happens.

    The pid inside the file is for people; the lock itself decides.
    """

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / "run" / "lock"
        self._descriptor: int | None = None

    def acquire(self) -> Self:
        """Takes the lock.

        Raises:
            DataDirInUse: Another process has it.
            DataDirError: The file cannot be opened.
        """
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise DataDirError(
                f"the lock file {self.path} cannot be opened: {error.strerror}. Check its owner."
            ) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = _pid_in(descriptor)
            os.close(descriptor)
            who = f"process {pid}" if pid is not None else "another process"
            raise DataDirInUse(
                f"a Narke runs on {self.path.parent.parent} already ({who}). "
                "Stop it by `narke down`, or choose another folder by --data-dir.",
                pid,
            ) from None
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor
        return self

    def release(self) -> None:
        """Gives the lock back. The file stays: removing it would let two processes lock two files of one name."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @property
    def held(self) -> bool:
        """We have it."""
        return self._descriptor is not None

    def __enter__(self) -> Self:
        return self if self.held else self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


def holder_of(data_dir: Path) -> int | None:
    """The process that runs on a data directory: its pid, 0 when that is not known; None: nobody, or no access."""
    lock = DataDirLock(data_dir)
    if not lock.path.exists():
        return None
    try:
        lock.acquire().release()
    except DataDirInUse as error:
        return error.pid or 0
    except DataDirError:
        return None
    return None


def _pid_in(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else None
