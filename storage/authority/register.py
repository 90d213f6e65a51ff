"""The register: every certificate that the authority ever issued, and which are revoked.

SQLite, so that the command line and every process of a machine share it, and a power cut leaves it whole.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from storage.authority.folder import PRIVATE, to_owner

WAIT_S_MAX = 10.0
"""For another process that writes."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS issued (
    serial_number TEXT PRIMARY KEY,
    issuer        TEXT NOT NULL,
    kind          TEXT NOT NULL,
    name          TEXT NOT NULL,
    station       TEXT,
    request       TEXT,
    issued_at     TEXT NOT NULL,
    begins_at     TEXT NOT NULL,
    expires_at    TEXT NOT NULL,
    certificate   TEXT NOT NULL,
    revoked_at    TEXT,
    reason        TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS issued_name ON issued (name);
CREATE INDEX IF NOT EXISTS issued_expires ON issued (expires_at);
CREATE UNIQUE INDEX IF NOT EXISTS issued_request ON issued (request) WHERE revoked_at IS NULL;
CREATE TABLE IF NOT EXISTS rejected (
    request     TEXT PRIMARY KEY,
    rejected_at TEXT NOT NULL,
    reason      TEXT NOT NULL
) STRICT;
"""


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate of ours.

    `serial_number`: hexadecimal, without leading zeros. `kind`: root, issuing, server, station or v2g. `name`: CN.
    `station`: identity of who asked; None: nobody did. `request`: `key_of_request`. `certificate`: PEM, without its
    chain. `reason`: RFC 5280's word for why it was revoked.
    """

    serial_number: str
    issuer: str
    kind: str
    name: str
    issued_at: datetime
    begins_at: datetime
    expires_at: datetime
    certificate: str
    station: str | None = None
    request: str | None = None
    revoked_at: datetime | None = None
    reason: str | None = None


_COLUMNS = Issued.__struct_fields__
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM issued "  # noqa: S608 (our own columns)
_INSERT = f"INSERT INTO issued ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608 (likewise)
_TIMES = ("issued_at", "begins_at", "expires_at", "revoked_at")


class Register:
    """The register in a file. All methods block for milliseconds; each has a connection of its own.

    Raises:
        sqlite3.Error: From every method: the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, issued: Issued) -> Issued:
        """Writes it down, unless its request has a certificate already: then that one is returned."""
        with self._connected() as connection:
            try:
                connection.execute(_INSERT, [_stored(getattr(issued, name)) for name in _COLUMNS])
            except sqlite3.IntegrityError:
                known = None if issued.request is None else self._first(connection, "request = ?", issued.request)
                if known is None:
                    raise
                return known
        return issued

    def by_request(self, request: str) -> Issued | None:
        """The certificate that a request got and that is not revoked."""
        with self._connected() as connection:
            return self._first(connection, "request = ? AND revoked_at IS NULL", request)

    def by_serial(self, serial_number: str) -> Issued | None:
        """By serial number, in any spelling."""
        with self._connected() as connection:
            return self._first(connection, "serial_number = ?", _plain(serial_number))

    def listed(self, *, expires_before: datetime | None = None, name: str | None = None) -> list[Issued]:
        """Certificates, the next to expire first; revoked ones, too."""
        conditions, values = ["1"], []
        if expires_before is not None:
            conditions.append("expires_at < ?")
            values.append(_stored(expires_before))
        if name is not None:
            conditions.append("(name = ? OR station = ?)")
            values += [name, name]
        query = f"{_SELECT}WHERE {' AND '.join(conditions)} ORDER BY expires_at, serial_number"
        with self._connected() as connection:
            return [_issued(row) for row in connection.execute(query, values)]

    def revoked(self, issuer: str) -> list[Issued]:
        """What an issuer's revocation list holds."""
        with self._connected() as connection:
            query = f"{_SELECT}WHERE issuer = ? AND revoked_at IS NOT NULL ORDER BY revoked_at"
            return [_issued(row) for row in connection.execute(query, [issuer])]

    def revoke(self, serial_number: str, at: datetime, reason: str) -> bool:
        """False: it is unknown, or revoked already."""
        with self._connected() as connection:
            query = "UPDATE issued SET revoked_at = ?, reason = ? WHERE serial_number = ? AND revoked_at IS NULL"
            done = connection.execute(query, [_stored(at), reason, _plain(serial_number)])
            return done.rowcount == 1

    def reject(self, request: str, at: datetime, reason: str) -> None:
        """The operator does not want this request signed."""
        with self._connected() as connection:
            query = "INSERT OR REPLACE INTO rejected (request, rejected_at, reason) VALUES (?, ?, ?)"
            connection.execute(query, [request, _stored(at), reason])

    def permit(self, request: str) -> None:
        """The operator wants it signed after all."""
        with self._connected() as connection:
            connection.execute("DELETE FROM rejected WHERE request = ?", [request])

    def rejection(self, request: str) -> str | None:
        """Why the operator does not want a request signed; None: nothing is known against it."""
        with self._connected() as connection:
            row = connection.execute("SELECT reason FROM rejected WHERE request = ?", [request]).fetchone()
            return None if row is None else str(row[0])

    def _first(self, connection: sqlite3.Connection, condition: str, value: str) -> Issued | None:
        row = connection.execute(f"{_SELECT}WHERE {condition}", [value]).fetchone()
        return None if row is None else _issued(row)

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """A transaction, kept unless an exception leaves it."""
        if not self._path.exists():
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT, PRIVATE))
            to_owner(self._path)
        with closing(sqlite3.connect(self._path, timeout=WAIT_S_MAX)) as connection, connection:
            if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                connection.executescript(f"{_SCHEMA} PRAGMA user_version = 1;")
            yield connection


def _plain(serial_number: str) -> str:
    return serial_number.lower().removeprefix("0x").lstrip("0")


def _stored(value: object) -> object:
    return value.astimezone(UTC).isoformat(timespec="seconds") if isinstance(value, datetime) else value


def _issued(row: tuple[object, ...]) -> Issued:
    values = dict(zip(_COLUMNS, row, strict=True))
    for name in _TIMES:
        text = values[name]
        values[name] = datetime.fromisoformat(text) if isinstance(text, str) else None
    return msgspec.convert(values, Issued)
