"""What outcomes of orders mean: promises kept or in doubt, tries that wait, ways that a station does not know.

accepted                         the promise is held; what was there before is gone
refused                          it is not; twice in a row: the station does not know this kind of profile
nothing was sent                 it is not; tried again after a while, or when the station is back
no answer, or an unclear one     it is in doubt: counted beside what was held before, and sent again
"""

import re
from datetime import datetime, timedelta

import msgspec

from engine.model.commands import Outcome, Result
from smartcharging.wire.capabilities import Refusal
from smartcharging.wire.site_state import SiteState
from smartcharging.wire.stations import PURPOSE_OF_PLACE, Evse, OpenOrder, OrderKind, PlaceName, Station
from smartcharging.wire.verification import allowed_a

NOT_SENT = frozenset(
    {Result.OFFLINE, Result.EXPIRED, Result.CANCELLED, Result.REPLACED, Result.NOT_EXPRESSIBLE, Result.REFUSED}
)
"""The station does not have it for certain."""
DOUBTFUL = frozenset({Result.TIMED_OUT, Result.LOST, Result.FAILED})
GRACE_S = 60.0
"""After its deadline an order whose outcome was never heard is in doubt."""
_UNTAUGHT = frozenset({"TxNotFound", "UnknownTransaction", "RateLimitExceeded"})
"""Reasons (2.x statusInfo) that say nothing about what a station can."""
_SECONDS = re.compile(r"(\d{1,6})\s*seconds")
_RETRY_POWER_MAX = 16


class _StatusInfo(msgspec.Struct, frozen=True, rename="camel"):
    reason_code: str = ""
    additional_info: str = ""


class _Answer(msgspec.Struct, frozen=True, rename="camel"):
    status_info: _StatusInfo = _StatusInfo()


def settle(state: SiteState, order: OpenOrder, outcome: Outcome, now: datetime) -> None:
    """An order is over; or its outcome became certain after all."""
    station = state.stations[order.station]
    late, order.settled = order.settled, True
    evse = None if order.node is None else state.evses.get(order.node)
    if evse is not None and evse.order is order:
        evse.order = None
    if station.probe is order:
        _probed(state, station, order, outcome, now)
        return
    if evse is None or order.place is None:
        if evse is not None and outcome.result is not Result.ACCEPTED:
            _hold_back(state, evse, now)
        return
    _promised(state, evse, order, outcome, now)
    if not late:
        _followed(state, station, evse, order, outcome, now)


def expire(state: SiteState, now: datetime) -> list[str]:
    """Gives up orders whose outcome was never heard; returns their ids."""
    late = [
        order
        for order in state.orders.values()
        if not order.settled and abs((now - order.sent_at).total_seconds()) > order.deadline_s + GRACE_S
    ]
    for order in late:
        settle(state, order, Outcome(Result.TIMED_OUT, detail="Its outcome was never heard."), now)
    return [order.order_id for order in late]


def retry_s(state: SiteState, failures: int, *, urgent: bool) -> float:
    """How long to wait after so many failures in a row."""
    first = state.settings.retry_s / (2 if urgent else 1)
    return float(min(first * 2 ** min(failures - 1, _RETRY_POWER_MAX), state.settings.retry_s_max))


def _promised(state: SiteState, evse: Evse, order: OpenOrder, outcome: Outcome, now: datetime) -> None:
    """What the outcome means for the promise that the order carried."""
    assert order.place is not None, "only orders that carry a promise come here"
    place = evse.places[order.place]
    promise = place.find(order.order_id)
    if promise is None:
        return
    gone = order.place is PlaceName.OWN and order.transaction_id != evse.transaction_id
    if outcome.result is Result.ACCEPTED and not gone:
        evse.watch.told(now, allowed_a(state, evse, now))
        place.accept(promise)
    elif outcome.result in DOUBTFUL and not gone:
        place.doubt(promise)
    else:
        place.refuse(promise)
        place.stale = place.stale or place.unknown
    state.count(evse, order.place)


def _followed(
    state: SiteState, station: Station, evse: Evse, order: OpenOrder, outcome: Outcome, now: datetime
) -> None:
    """What the outcome means for what is sent next."""
    assert order.place is not None, "only orders that carry a promise come here"
    refusal = Refusal(PURPOSE_OF_PLACE[order.place], order.unit)
    if outcome.result is Result.ACCEPTED:
        evse.reset_failures()
        station.refusals.pop(refusal, None)
        return
    if outcome.result is Result.OFFLINE:
        station.online = False
        station.offline_since = station.offline_since or now
    _hold_back(state, evse, now)
    info = _info(outcome)
    wait = _SECONDS.search(info.additional_info)
    if info.reason_code == "RateLimitExceeded" and wait is not None:
        evse.held_back = max(evse.held_back or now, now + timedelta(seconds=int(wait[1])))
    if _teaches(evse, order, outcome, info):
        station.refusals[refusal] += 1
        if station.refusals[refusal] >= state.settings.refusals_max:
            _learned(state, station, order, refusal)


def _teaches(evse: Evse, order: OpenOrder, outcome: Outcome, info: _StatusInfo) -> bool:
    """Whether this says something about what the station can, not about the moment."""
    if info.reason_code in _UNTAUGHT:
        return False
    if order.place is PlaceName.OWN:
        target = evse.target
        if target is None or target.transaction_id != order.transaction_id:
            return False
    if outcome.result is Result.REFUSED:
        return outcome.status is not None
    return outcome.result in (Result.FAILED, Result.NOT_EXPRESSIBLE)


def _learned(state: SiteState, station: Station, order: OpenOrder, refusal: Refusal) -> None:
    """A station does not know this kind: one step down the ladder, dynamic profiles first."""
    station.refusals.pop(refusal, None)
    if order.place is PlaceName.OWN and station.ability.dynamic and state.settings.dynamic:
        station.told = msgspec.structs.replace(station.told, dynamic=False)
    else:
        station.refused.add(refusal)
    state.reckon(station)
    for evse in state.by_station[station.name].values():
        evse.reset_failures()


def _hold_back(state: SiteState, evse: Evse, now: datetime) -> None:
    evse.failures += 1
    urgent = evse.target is not None and evse.target.urgent
    evse.held_back = now + timedelta(seconds=retry_s(state, evse.failures, urgent=urgent))


def _probed(state: SiteState, station: Station, order: OpenOrder, outcome: Outcome, now: datetime) -> None:
    """A question is answered, or will not be: twice no is enough."""
    station.probe = None
    answered = outcome.result is Result.ACCEPTED
    station.probe_failures = 0 if answered else station.probe_failures + 1
    declined = outcome.result in (Result.REFUSED, Result.FAILED, Result.NOT_EXPRESSIBLE)
    if answered and order.kind is OrderKind.PROBE:
        station.told = station.told.learned(outcome.variables)
        state.reckon(station)
    if not answered:
        station.probe_back = now + timedelta(seconds=retry_s(state, station.probe_failures, urgent=False))
    if answered or (declined and station.probe_failures > 1):
        station.probe_failures = 0
        if order.kind is OrderKind.PROBE:
            station.probed = station.make
        else:
            station.listed = station.make


def _info(outcome: Outcome) -> _StatusInfo:
    if not outcome.payload:
        return _StatusInfo()
    try:
        return msgspec.json.decode(outcome.payload, type=_Answer).status_info
    except msgspec.DecodeError:
        return _StatusInfo()
