"""The words of a replay: a session as it was recorded, what became of a file's rows, and the repair of odd ones."""

import math
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise

import msgspec

STAY_H_MAX = 31 * 24.0
ENERGY_KWH_MAX = 1_000.0


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A car's stay at a charging station, as recorded. Times are aware.

    `energy_kwh`: what it was given, and so what it could take. `requested_kwh`, `estimated_departure`: what its driver
    said; None: nothing. `token`: whose it is, where the file tells.
    """

    session_id: str
    station: str
    arrived_at: datetime
    departed_at: datetime
    energy_kwh: float
    requested_kwh: float | None = None
    estimated_departure: datetime | None = None
    token: str | None = None

    @property
    def stay_s(self) -> float:
        """From arrival to departure."""
        return (self.departed_at - self.arrived_at).total_seconds()


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """The sessions of a file, by arrival, and what was wrong with it.

    `dropped`, `repaired`: how many rows, by reason. `source`: where they are from, for people.
    """

    sessions: tuple[Session, ...]
    source: str
    dropped: Counter[str] = msgspec.field(default_factory=Counter)
    repaired: Counter[str] = msgspec.field(default_factory=Counter)

    def between(self, start: datetime | None, end: datetime | None) -> "Loaded":
        """Those that arrive from `start` on and before `end`; None: no bound."""
        chosen = tuple(
            session
            for session in self.sessions
            if (start is None or session.arrived_at >= start) and (end is None or session.arrived_at < end)
        )
        return msgspec.structs.replace(self, sessions=chosen)


class Ledger:
    """Counts what is wrong with rows while they are read."""

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self.repaired: Counter[str] = Counter()

    def aware(self, at: datetime) -> datetime:
        """The time in UTC; one without a zone counts as UTC, and as repaired."""
        if at.tzinfo is None:
            self.repaired["a time without a zone: read as UTC"] += 1
            return at.replace(tzinfo=UTC)
        return at.astimezone(UTC)

    def checked(self, session: Session) -> Session | None:
        """The session, repaired where what its driver said is nonsense; None where the row is of no use."""
        reason = _useless(session)
        if reason is not None:
            self.dropped[reason] += 1
            return None
        requested, departure = session.requested_kwh, session.estimated_departure
        if requested is not None and not 0 < requested <= ENERGY_KWH_MAX:
            self.repaired["a requested energy that cannot be: left out"] += 1
            requested = None
        if departure is not None and departure <= session.arrived_at:
            self.repaired["an estimated departure before the arrival: left out"] += 1
            departure = None
        return msgspec.structs.replace(session, requested_kwh=requested, estimated_departure=departure)

    def loaded(self, sessions: Iterable[Session], source: str) -> Loaded:
        """All of a file: without doubles, without two cars at one station, by arrival."""
        ordered = sorted(self._single(self._distinct(sessions)), key=lambda one: (one.arrived_at, one.station))
        return Loaded(sessions=tuple(ordered), dropped=self.dropped, repaired=self.repaired, source=source)

    def _distinct(self, sessions: Iterable[Session]) -> list[Session]:
        seen: dict[str, Session] = {}
        for session in sessions:
            if session.session_id in seen:
                self.dropped["the same session again"] += 1
            else:
                seen[session.session_id] = session
        return list(seen.values())

    def _single(self, sessions: list[Session]) -> list[Session]:
        """Where two cars overlap at a station, the first one had left when the second one came."""
        by_station: dict[str, list[Session]] = {}
        for session in sorted(sessions, key=lambda one: one.arrived_at):
            by_station.setdefault(session.station, []).append(session)
        kept: list[Session] = []
        for stays in by_station.values():
            for stay, following in pairwise(stays):
                if following.arrived_at >= stay.departed_at:
                    kept.append(stay)
                elif following.arrived_at > stay.arrived_at:
                    self.repaired["a stay that overlaps the next one at its station: ends where that begins"] += 1
                    kept.append(msgspec.structs.replace(stay, departed_at=following.arrived_at))
                else:
                    self.dropped["two arrivals at one station at the same moment"] += 1
            kept.append(stays[-1])
        return kept


def _useless(session: Session) -> str | None:
    if not session.station:
        return "no station"
    if not math.isfinite(session.energy_kwh):
        return "the energy is not a number"
    if session.energy_kwh < 0:
        return "negative energy"
    if session.energy_kwh == 0:
        return "no energy was delivered"
    if session.energy_kwh > ENERGY_KWH_MAX:
        return f"more than {ENERGY_KWH_MAX:.0f} kWh"
    if session.departed_at <= session.arrived_at:
        return "the departure is not after the arrival"
    if session.stay_s > STAY_H_MAX * 3600:
        return f"a stay of more than {STAY_H_MAX / 24:.0f} days"
    return None
