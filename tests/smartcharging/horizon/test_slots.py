"""The slots of a horizon."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from smartcharging.horizon.slots import slots


def test_the_first_slot_ends_at_the_next_quarter():
    start, lengths = slots(datetime(2026, 5, 4, 10, 7, 30, tzinfo=UTC))
    assert start == datetime(2026, 5, 4, 10, 7, 30, tzinfo=UTC)
    assert lengths[0] == 450
    assert set(lengths[1:]) == {900}
    assert len(lengths) == 96


def test_at_a_boundary_the_first_slot_is_whole():
    _, lengths = slots(datetime(2026, 5, 4, 10, 0, tzinfo=UTC), 3600)
    assert list(lengths) == [900] * 4


def test_some_seconds_before_a_boundary_belong_to_the_next_slot():
    _, lengths = slots(datetime(2026, 5, 4, 10, 14, 30, tzinfo=UTC), 3600)
    assert lengths[0] == 930


def test_boundaries_are_those_of_utc_whatever_the_zone():
    there = timezone(timedelta(hours=5, minutes=45))
    here = datetime(2026, 5, 4, 10, 7, 30, tzinfo=UTC)
    start, lengths = slots(here.astimezone(there))
    assert (start, list(lengths)) == (here, list(slots(here)[1]))


@pytest.mark.parametrize("minute", range(0, 60, 7))
def test_the_horizon_is_reached(minute):
    _, lengths = slots(datetime(2026, 5, 4, 10, minute, 11, tzinfo=UTC), 7200, block_s=300)
    assert 7200 <= np.sum(lengths) < 7200 + 300


def test_a_plan_has_one_slot_at_least():
    assert len(slots(datetime(2026, 5, 4, tzinfo=UTC), 1.0)[1]) == 1


def test_naive_times_and_empty_horizons_are_refused():
    with pytest.raises(ValueError, match="aware"):
        slots(datetime(2026, 5, 4))  # noqa: DTZ001 (that is the point)
    with pytest.raises(ValueError, match="positive"):
        slots(datetime(2026, 5, 4, tzinfo=UTC), 0.0)
