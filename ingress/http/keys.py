"""API keys: who may come in by the HTTP door, and how far. Only their hashes are kept.

A key is `narke_` and 32 random bytes, so a fast hash is enough: there is nothing to guess (OWASP, password storage).
The file `<data-dir>/api-keys.json` (mode 0600) holds the hashes; it is read again when it changes. This module is
light: the CLI imports it too.
"""

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import tempfile
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

PREFIX = "narke_"
KEY_FILE = "api-key"
HASHES_FILE = "api-keys.json"
KEYS_MAX = 1_000


class Scope(StrEnum):
    """How far a key goes; each includes those before it."""

    READ = "read"
    """Look at everything."""
    OPERATE = "operate"
    """Command stations and keep tokens."""
    ADMIN = "admin"
    """Register stations and set their passwords."""

    def allows(self, wanted: "Scope") -> bool:
        """Whether a key of this scope may do what needs `wanted`."""
        ranks = list(Scope)
        return ranks.index(self) >= ranks.index(wanted)


class ApiKey(msgspec.Struct, frozen=True):
    """A key as it is kept. `sha256`: of the whole key, hex. `name`: for people and the record of who commanded what."""

    name: str
    sha256: str
    scope: Scope
    created_at: datetime | None = None


class KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `api-keys.json` holds."""

    keys: tuple[ApiKey, ...]


class BadKeyFile(ValueError):  # noqa: N818 (says what is wrong, not that it is an error)
    """The file of keys cannot be read. The message says where and what to do."""


def new_key() -> str:
    """A key that nobody has."""
    return PREFIX + secrets.token_urlsafe(32)


def sha256_of(key: str) -> str:
    """The hash that is kept of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


class ApiKeys:
    """The keys that open the door: given ones, and those of a file, which is read again when it changes."""

    def __init__(self, data_dir: Path | None = None, *, keys: tuple[ApiKey, ...] = ()) -> None:
        """`data_dir`: where `api-keys.json` is; None: only `keys`.

        Raises:
            BadKeyFile: The file is there but cannot be read.
        """
        self._given = keys
        self._path = None if data_dir is None else data_dir / HASHES_FILE
        self._stamp: tuple[int, int, int] | None = None
        self._read: tuple[ApiKey, ...] = ()
        self._refresh()

    def find(self, key: str) -> ApiKey | None:
        """Who this key is; None: nobody. Takes the same time whether or where it matches."""
        with contextlib.suppress(BadKeyFile):  # a file broken in mid-edit: the keys as last read stay good
            self._refresh()
        wanted = sha256_of(key)
        found: ApiKey | None = None
        for known in (*self._given, *self._read):
            if hmac.compare_digest(known.sha256, wanted):
                found = known
        return found

    def _refresh(self) -> None:
        if self._path is None:
            return
        stamp = _stamp_of(self._path)
        if stamp != self._stamp:
            self._read = read_keys(self._path)
            self._stamp = stamp


def _stamp_of(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def read_keys(path: Path) -> tuple[ApiKey, ...]:
    """The keys of a file; none where there is no file.

    Raises:
        BadKeyFile: It cannot be read or understood.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=KeyFile).keys
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.MsgspecError) as error:
        todo = "correct it, or move it away to get a new first key at the next start"
        raise BadKeyFile(f"the API keys in {path} cannot be read: {error}; {todo}") from error


def write_keys(path: Path, keys: tuple[ApiKey, ...]) -> None:
    """Replaces the file at once, mode 0600.

    Raises:
        OSError: It could not be written.
        ValueError: Too many keys, or two of one name.
    """
    names = [key.name for key in keys]
    if len(keys) > KEYS_MAX or len(set(names)) < len(names):
        raise ValueError(f"{path} holds at most {KEYS_MAX} keys, each with its own name")
    _write_privately(path, msgspec.json.format(msgspec.json.encode(KeyFile(keys=keys))) + b"\n")


def ensure_first_key(data_dir: Path, now: datetime) -> Path:
    """Makes the first key (scope admin) where there is none yet; returns the file that holds it in clear, mode 0600.

    A start that died half-way is completed: a key in `api-key` whose hash was not written yet is kept.

    Raises:
        BadKeyFile: `api-keys.json` cannot be read.
        OSError: Nothing could be written.
    """
    path, hashes = data_dir / KEY_FILE, data_dir / HASHES_FILE
    if read_keys(hashes) or hashes.exists():
        return path
    key = stored_key(data_dir)
    if key is None:
        key = new_key()
        _write_privately(path, key.encode() + b"\n")
    write_keys(hashes, (ApiKey(name="first", sha256=sha256_of(key), scope=Scope.ADMIN, created_at=now),))
    return path


def stored_key(data_dir: Path) -> str | None:
    """The first key in clear, as `api-key` holds it; None: there is no such file or it is empty.

    Raises:
        OSError: It is there but may not be read.
    """
    try:
        return (data_dir / KEY_FILE).read_text().strip() or None
    except FileNotFoundError:
        return None


def _write_privately(path: Path, content: bytes) -> None:
    """Atomic and durable: readers see the old file or the new one, and only the owner sees any."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mkstemp makes it 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def described(keys: tuple[ApiKey, ...]) -> list[dict[str, Any]]:
    """Keys as people may see them: never the hash."""
    return [json.loads(msgspec.json.encode(key)) | {"sha256": key.sha256[:8] + "..."} for key in keys]
