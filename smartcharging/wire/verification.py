"""Whether stations keep to what they promised, as meters show; what happens to those that do not.

    above all that it might draw in the last T -> told once more -> still above T later -> quarantine
    quarantine: left at its static share, counted with its outlet's maximum, until an operator lets it go, or it kept to
    its share for hours

A car that draws nothing although it may again after a pause is only reported: waking it by retries wears contactors.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import isfinite

from smartcharging.wire.site_state import SiteState
from smartcharging.wire.stations import Evse, PlaceName, Station

ASLEEP_A = 1.0
"""Less than this is not charging."""


def metered(state: SiteState, evse: Evse, per_phase_a: Sequence[float], at: datetime) -> None:
    """A measurement of what an EVSE draws. Readings that are no numbers are left out; negative ones count as 0."""
    values = [max(0.0, value) for value in per_phase_a if isfinite(value)]
    if not values:
        return
    measured = max(values)
    evse.watch.measured_a = measured
    allowed = allowed_a(state, evse, at)
    _wakes(state, evse, measured, allowed, at)
    due = max(allowed, _lately_a(state, evse, at))
    limit = due + max(state.settings.tolerance_a, state.settings.tolerance_share * due)
    if evse.node in state.leashed:
        _keeps_quiet(state, evse, measured <= limit, at)
    elif measured <= limit:
        evse.watch.over_at = evse.watch.warned_at = None
    else:
        _is_over(state, evse, measured, due, at)


def _lately_a(state: SiteState, evse: Evse, at: datetime) -> float:
    """The most that it might draw within the time that stations have to follow."""
    patience = timedelta(seconds=state.settings.verify_s)
    evse.watch.before = [(until, value) for until, value in evse.watch.before if until > at - patience]
    lately = [value for _, value in evse.watch.before]
    return max([*lately, allowed_a(state, evse, at - patience)])


def allowed_a(state: SiteState, evse: Evse, at: datetime) -> float:
    """What an EVSE may draw at a time by all that its station may hold; the schedule's clock may be off."""
    station = state.stations[evse.station]
    around = [at.timestamp() + shift for shift in (-state.settings.clock_s, 0.0, state.settings.clock_s)]
    return max(_allowed_at(evse, station, at_s) for at_s in around)


def release(state: SiteState, evse: Evse) -> bool:
    """Out of quarantine. False: it was not in it."""
    if state.leashed.pop(evse.node, None) is None:
        return False
    evse.watch.over_at = evse.watch.warned_at = evse.watch.quiet_since = None
    _recount(state, evse)
    return True


def quarantine(state: SiteState, evse: Evse, reason: str) -> None:
    """Left at its static share, and counted with what its outlet can give."""
    state.leashed[evse.node] = reason
    evse.watch.quiet_since = None
    _recount(state, evse)


def _allowed_at(evse: Evse, station: Station, at_s: float) -> float:
    default, own = evse.places[PlaceName.DEFAULT], evse.places[PlaceName.OWN]
    most = default.worst.at(at_s) if not own.promises else own.worst.at(at_s)
    held = own.held
    ended = held is not None and held.profile is not None and held.profile.valid_to is not None
    if own.promises and (ended or len(own.promises) > 1 or own.held is None):
        most = max(most, default.worst.at(at_s))
    most = max([most, *(steps.at(at_s) for _, steps in evse.foreign.values())])
    top = evse.places[PlaceName.TOP]
    most = min(most, top.worst.at(at_s)) if station.alone else most
    return min(most, evse.ceiling_a)


def _is_over(state: SiteState, evse: Evse, measured: float, allowed: float, at: datetime) -> None:
    watch = evse.watch
    watch.over_at = watch.over_at or at
    watch.detail = f"draws {measured:.1f} A, may draw {allowed:.1f} A"
    if watch.warned_at is None:
        watch.warned_at = at
        for place in evse.places.values():
            place.stale = place.stale or place.held is not None
        return
    if state.settings.quarantine and at - watch.warned_at >= timedelta(seconds=state.settings.verify_s):
        seconds = (at - watch.over_at).total_seconds()
        quarantine(state, evse, f"{watch.detail}, for {seconds:.0f} s and although it was told again")


def _keeps_quiet(state: SiteState, evse: Evse, kept: bool, at: datetime) -> None:  # noqa: FBT001 (what was measured)
    watch = evse.watch
    if not kept:
        watch.quiet_since = None
        return
    watch.quiet_since = watch.quiet_since or at
    if at - watch.quiet_since >= timedelta(seconds=state.settings.quarantine_quiet_s):
        release(state, evse)


def _wakes(state: SiteState, evse: Evse, measured: float, allowed: float, at: datetime) -> None:
    watch = evse.watch
    if evse.transaction_id is None:
        return
    if allowed < max(evse.outlet_floor_a, ASLEEP_A):
        watch.paused, watch.allowed_at, watch.asleep = True, None, False
        return
    if not watch.paused:
        return
    if measured >= ASLEEP_A:
        watch.paused, watch.allowed_at, watch.asleep = False, None, False
        return
    watch.allowed_at = watch.allowed_at or at
    watch.asleep = at - watch.allowed_at >= timedelta(seconds=state.settings.wake_s)


def _recount(state: SiteState, evse: Evse) -> None:
    for name in evse.places:
        state.count(evse, name)
