"""The tokens that a virtual station knows by itself: the local list that the CSMS keeps, and its own cache.

Sources: 1.6 sections 3.5, 5.9 and 5.15; 2.1 C10 to C14, D01 and D02.
"""

from dataclasses import dataclass

from loadtests.host import ACCEPTED, REJECTED, Host
from loadtests.wording import Payload

ENTRIES_MAX = 1_000
PART_MAX = 100
"""Entries in one SendLocalList."""
CACHE_MAX = 100


@dataclass(frozen=True, slots=True)
class Known:
    """What a station knows of a token: whether it is accepted, and its group (None: it has none)."""

    accepted: bool
    group: str | None


class LocalList:
    """SendLocalList, GetLocalListVersion, ClearCache."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._version = 0
        self._entries: dict[str, Known] = {}
        self._cache: dict[str, Known] = {}

    def find(self, token: str) -> Known | None:
        """What the station knows without asking; the list comes before the cache (2.1 C13)."""
        variables, key = self._host.variables, token.lower()
        if variables.flag("local_list") and key in self._entries:
            return self._entries[key]
        return self._cache.get(key) if variables.flag("cache") else None

    def remember(self, token: str, known: Known) -> None:
        """The CSMS answered; the oldest is forgotten when the cache is full (2.1 C10)."""
        self._cache.pop(token.lower(), None)
        while len(self._cache) >= CACHE_MAX:
            del self._cache[next(iter(self._cache))]
        self._cache[token.lower()] = known

    def clear_cache(self, payload: Payload) -> Payload:
        """1.6 section 5.4, 2.1 C11."""
        del payload
        if not self._host.variables.flag("cache"):
            return dict(REJECTED)
        self._cache.clear()
        return dict(ACCEPTED)

    def version(self, payload: Payload) -> Payload:
        """1.6 section 5.9: -1 where lists are switched off; 2.1 D02: 0."""
        del payload
        old = self._host.version == "1.6"
        if not self._host.variables.flag("local_list"):
            return {"listVersion": -1} if old else {"versionNumber": 0}
        return {"listVersion": self._version} if old else {"versionNumber": self._version}

    def send(self, payload: Payload) -> Payload:
        """1.6 section 5.15, 2.1 D01."""
        old = self._host.version == "1.6"
        version = payload["listVersion" if old else "versionNumber"]
        given = payload.get("localAuthorizationList") or []
        if not self._host.variables.flag("local_list"):
            return {"status": "NotSupported" if old else "Failed"}
        entries = [_entry_16(each) if old else _entry_2(each) for each in given]
        full = payload["updateType"] == "Full"
        status = self._status(version, entries, full=full)
        if status == "Accepted":
            self._take(version, entries, full=full)
        return {"status": status}

    def _status(self, version: int, entries: list[tuple[str, Known | None]], *, full: bool) -> str:
        tokens = [token for token, _ in entries]
        if version <= 0 or len(set(tokens)) < len(tokens) or len(entries) > PART_MAX:
            return "Failed"
        if full:
            return "Failed" if any(known is None for _, known in entries) else "Accepted"
        if version <= self._version:
            return "VersionMismatch"
        return "Failed" if len({*self._entries, *tokens}) > ENTRIES_MAX else "Accepted"

    def _take(self, version: int, entries: list[tuple[str, Known | None]], *, full: bool) -> None:
        """An entry without its information is taken off the list (1.6 section 7.3, 2.1 D01.FR.17)."""
        if full:
            self._entries.clear()
        for token, known in entries:
            if known is None:
                self._entries.pop(token, None)
            else:
                self._entries[token] = known
        self._version = version


def _entry_16(entry: Payload) -> tuple[str, Known | None]:
    info = entry.get("idTagInfo")
    known = None if info is None else Known(info["status"] == "Accepted", info.get("parentIdTag"))
    return entry["idTag"].lower(), known


def _entry_2(entry: Payload) -> tuple[str, Known | None]:
    info, token = entry.get("idTokenInfo"), entry["idToken"]["idToken"].lower()
    if info is None:
        return token, None
    group = info.get("groupIdToken") or {}
    return token, Known(info["status"] == "Accepted", group.get("idToken"))
