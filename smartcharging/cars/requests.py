"""What drivers ask for: checked, kept until their transaction ends, found by place or token.

A request for a place waits for a car for `PLACE_WAITS`, one for a token for `TOKEN_WAITS`; both end with the
transaction that they were for. What is nonsense in a request is left out and named, what is left counts.
"""

from collections import OrderedDict
from datetime import datetime, timedelta
from math import isfinite

import msgspec

from engine.model.authorization import Token
from engine.model.sites import DriverRequest
from smartcharging.forecast.stays import ENERGY_KWH_MAX, STAY_S_MAX

PLACE_WAITS = timedelta(minutes=30)
TOKEN_WAITS = timedelta(hours=12)
REQUESTS_MAX = 20_000
PRIORITY_MAX = 1000

Key = tuple[str, int] | str
"""Station and EVSE, or token (`Token.key`)."""


class Asked(msgspec.Struct, frozen=True):
    """A request that counts. `repaired`: what was left out of it, for people."""

    request: DriverRequest
    at: datetime
    repaired: tuple[str, ...] = ()


def check_request(request: DriverRequest, now: datetime) -> tuple[str, ...]:
    """What is wrong with a driver's request; empty: nothing. For doors that refuse; `Requests` repairs."""
    complaints = list(_repaired(request, now)[1])
    if (request.station is None or request.evse is None) and not request.token:
        complaints.append("say whom it is for: station and evse, or token")
    if request.evse is not None and request.evse < 1:
        complaints.append(f"evse: {request.evse} is no place to charge")
    return tuple(complaints)


def _repaired(request: DriverRequest, now: datetime) -> tuple[DriverRequest, tuple[str, ...]]:
    """The request without its nonsense, and what that was."""
    gone: dict[str, None] = {}
    odd: list[str] = []
    energy, soc, departs_at = request.energy_kwh, request.soc_percent, request.departs_at
    if energy is not None and not (isfinite(energy) and 0 < energy <= ENERGY_KWH_MAX):
        odd.append(f"energy_kwh: {energy:g} kWh is not within 0 and {ENERGY_KWH_MAX:g}")
        gone["energy_kwh"] = None
    if soc is not None and not (isfinite(soc) and 0 < soc <= 100):
        odd.append(f"soc_percent: {soc:g} is not within 0 and 100")
        gone["soc_percent"] = None
    if departs_at is not None:
        said = _objection(departs_at, now)
        if said is not None:
            odd.append(f"departs_at: {departs_at.isoformat()} {said}")
            gone["departs_at"] = None
    if request.priority is not None and abs(request.priority) > PRIORITY_MAX:
        odd.append(f"priority: {request.priority} is not within -{PRIORITY_MAX} and {PRIORITY_MAX}")
        gone["priority"] = None
    return (msgspec.structs.replace(request, **gone) if gone else request), tuple(odd)


def _objection(departs_at: datetime, now: datetime) -> str | None:
    if departs_at.tzinfo is None:
        return "has no time zone"
    if departs_at <= now:
        return "is not after now"
    return "is too far ahead" if (departs_at - now).total_seconds() > STAY_S_MAX else None


class Requests:
    """The requests of a site's drivers, the newest of each place and token. Bounded: the oldest make room."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, Asked] = OrderedDict()

    def ask(self, request: DriverRequest, at: datetime) -> tuple[str, ...]:
        """Keeps it in place of an older one for the same place or token.

        Returns:
            What is wrong with it; that is left out.
        """
        complaints = check_request(request, at)
        key = _key_of(request)
        if key is None:
            return complaints
        sound, odd = _repaired(request, at)
        known = self._kept.get(key)
        if known is None or known.at <= at:
            self._kept[key] = Asked(sound, at, odd)
            self._kept.move_to_end(key)
        if len(self._kept) > REQUESTS_MAX:
            self._kept.popitem(last=False)
        return complaints

    def of(self, station: str, evse: int, token: Token | None, arrived_at: datetime) -> Asked | None:
        """The newest that is for this transaction."""
        found = [
            self._fitting((station, evse), arrived_at - PLACE_WAITS),
            None if token is None else self._fitting(token.key, arrived_at - TOKEN_WAITS),
        ]
        return max((asked for asked in found if asked is not None), key=lambda asked: asked.at, default=None)

    def end(self, station: str, evse: int, token: Token | None, ended_at: datetime) -> None:
        """Forgets what was for a transaction that has ended."""
        keys: list[Key] = [(station, evse)] + ([] if token is None else [token.key])
        for key in keys:
            known = self._kept.get(key)
            if known is not None and known.at <= ended_at:
                del self._kept[key]

    def _fitting(self, key: Key, since: datetime) -> Asked | None:
        asked = self._kept.get(key)
        return asked if asked is not None and asked.at >= since else None


def _key_of(request: DriverRequest) -> Key | None:
    if request.station is not None and request.evse is not None and request.evse > 0:
        return request.station, request.evse
    return Token(value=request.token).key if request.token else None
