"""Whether the way in which a car is going to charge stays within the schedules it was given. OCPP 2.1 K15.FR.11, 12.

Only what can be compared is: the same unit, and one limit for all phases. A schedule that begins with the session is
compared as if it began with the car's.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from engine.model.charging_profiles import ChargingSchedule

TOLERANCE = 0.005
"""Cars round: half a percent more is within."""


def within(
    plan: ChargingSchedule, time_base_at: datetime | None, given: Sequence[ChargingSchedule], selected_id: int | None
) -> bool | None:
    """Whether the plan is within the schedule that the car chose, or within one of those given where it did not say.

    Args:
        plan: Of the car.
        time_base_at: What its periods count from.
        given: Schedules of the transaction's profile.
        selected_id: Which of them the car chose; None: not said.

    Returns:
        None where they cannot be compared.
    """
    chosen = [schedule for schedule in given if schedule.id == selected_id] or list(given)
    verdicts = [_within(plan, time_base_at, schedule) for schedule in chosen]
    if True in verdicts:
        return True
    return None if not verdicts or None in verdicts else False


def _within(plan: ChargingSchedule, time_base_at: datetime | None, given: ChargingSchedule) -> bool | None:
    if plan.unit is not given.unit:
        return None
    offset_s = 0.0
    if given.start_at is not None:
        if time_base_at is None:
            return None
        offset_s = (time_base_at - given.start_at) / timedelta(seconds=1)
    bounds = list(_steps(given, 0.0))
    for begin_s, end_s, limit in _steps(plan, offset_s):
        if limit is None:
            return None
        for bound_begin_s, bound_end_s, bound in bounds:
            overlap = begin_s < bound_end_s and bound_begin_s < end_s
            if overlap and (bound is None or limit > bound * (1 + TOLERANCE)):
                return None if bound is None else False
    return True


def _steps(schedule: ChargingSchedule, offset_s: float) -> Iterator[tuple[float, float, float | None]]:
    """Begin and end in seconds, and the limit."""
    whole_s = float("inf") if schedule.duration_s is None else float(schedule.duration_s)
    periods = schedule.periods
    for index, period in enumerate(periods):
        end_s = min(whole_s, periods[index + 1].start_s) if index + 1 < len(periods) else whole_s
        if period.start_s < end_s:
            yield period.start_s + offset_s, end_s + offset_s, period.limit
