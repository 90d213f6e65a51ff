"""A car's plan against the schedules it was given."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from engine.model.charging_profiles import ChargingSchedule, RateUnit, SchedulePeriod
from engine.station.ev_schedules import within

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def schedule(*limits, unit=RateUnit.A, **fields):
    periods = tuple(SchedulePeriod(start_s=60 * place, limit=limit) for place, limit in enumerate(limits))
    return ChargingSchedule(unit=unit, periods=periods, **fields)


@pytest.mark.parametrize(
    ("plan", "given", "verdict"),
    [
        (schedule(10.0), schedule(10.0), True),
        (schedule(10.0), schedule(16.0, 8.0), False),
        (schedule(10.0, 8.0), schedule(16.0, 8.0), True),
        (schedule(10.0, duration_s=60), schedule(16.0, 8.0), True),
        (schedule(10.04), schedule(10.0), True),
        (schedule(10.0), schedule(16.0, duration_s=60), True),
        (schedule(10.0, unit=RateUnit.W), schedule(16.0), None),
        (schedule(None), schedule(16.0), None),
        (schedule(10.0), schedule(None), None),
    ],
    ids=str,
)
def test_a_plan_is_within_where_each_moment_is(plan, given, verdict):
    assert within(plan, AT, [given], None) is verdict


def test_absolute_schedules_are_compared_by_the_clock():
    given = schedule(16.0, 8.0, start_at=AT)
    assert within(schedule(10.0, duration_s=60), AT, [given], None) is True
    assert within(schedule(10.0, duration_s=60), AT + timedelta(seconds=30), [given], None) is False
    assert within(schedule(10.0), None, [given], None) is None


def test_the_schedule_that_the_car_chose_counts():
    low, high = schedule(8.0, id=1), schedule(16.0, id=2)
    assert within(schedule(10.0), AT, [low, high], 2) is True
    assert within(schedule(10.0), AT, [low, high], 1) is False


def test_without_a_choice_any_will_do():
    low, high = schedule(8.0, id=1), schedule(16.0, id=2)
    assert within(schedule(10.0), AT, [low, high], None) is True
    assert within(schedule(20.0), AT, [low, high], None) is False
    assert within(schedule(20.0), AT, [low, replace(high, unit=RateUnit.W)], None) is None


def test_without_any_nothing_is_known():
    assert within(schedule(10.0), AT, [], None) is None
