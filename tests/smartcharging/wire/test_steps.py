"""Step functions on the grid: what is sent never allows more than was wanted, whatever a clock makes of it."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from smartcharging.wire.steps import (
    FAR_S,
    QUARTER_S,
    TAIL_S,
    Steps,
    constant,
    eroded,
    grid_at,
    highest_of,
    merged,
    moment,
    rounded_down,
    simplified,
)

moments = st.integers(1_700_000_000, 1_900_000_000).map(lambda at_s: datetime.fromtimestamp(at_s, UTC))


@settings(max_examples=50, deadline=None)
@given(now=moments, fine_s=st.sampled_from([3600.0, 7200.0, 40_000.0]))
def test_the_grid_begins_now_and_ends_beyond_a_week(now, fine_s):
    grid = grid_at(now, fine_s)
    assert grid.edges_s[0] == now.timestamp()
    assert (grid.slot_s > 0).all()
    assert grid.slot_s[-1] == TAIL_S
    assert grid.edges_s[-1] - grid.edges_s[0] > FAR_S + 7 * 86_400
    inner = grid.edges_s[1:-1]
    assert (inner % QUARTER_S == 0).all()
    assert grid.slot_s[: grid.until(now.timestamp() + fine_s)].max() <= QUARTER_S
    assert grid.holds(now)
    assert not grid.holds(now - timedelta(seconds=1))
    assert not grid.holds(moment(float(grid.edges_s[1])))


@settings(max_examples=150, deadline=None)
@given(now=moments, clock_s=st.sampled_from([0.0, 10.0, 30.0]), off=st.floats(-1, 1), data=st.data())
def test_what_is_sent_comes_to_what_was_wanted_whatever_the_clock(now, clock_s, off, data):
    grid = grid_at(now, 7200.0)
    pool = st.sampled_from([0.0, 6.0, 10.0, 16.0])
    wanted = np.array(data.draw(st.lists(pool, min_size=len(grid), max_size=len(grid))))
    sent = eroded(grid, wanted, now.timestamp(), clock_s)
    assert (sent.highest(grid, clock_s) <= wanted + 1e-9).all()
    for slot in range(len(grid)):
        for share in (0.0, 0.3, 0.999):
            at_s = grid.edges_s[slot] + share * min(grid.slot_s[slot], 3600.0)
            assert sent.at(at_s + off * clock_s) <= wanted[slot] + 1e-9


def test_decreases_are_early_and_increases_late():
    now = datetime(2026, 5, 1, 10, tzinfo=UTC)
    grid = grid_at(now, 7200.0)
    wanted = np.full(len(grid), 16.0)
    wanted[1:3] = 6.0
    sent = eroded(grid, wanted, now.timestamp(), 30.0)
    assert sent == Steps((now.timestamp(), grid.edges_s[1] - 30, grid.edges_s[3] + 30), (16.0, 6.0, 16.0))
    assert (sent.highest(grid, 30.0) == wanted).all()


def test_a_decrease_within_seconds_counts_at_once():
    now = datetime(2026, 5, 1, 10, 14, 50, tzinfo=UTC)
    grid = grid_at(now, 7200.0)
    wanted = np.full(len(grid), 6.0)
    wanted[0] = 16.0
    assert eroded(grid, wanted, now.timestamp(), 30.0).at(now.timestamp()) == 6.0


def test_before_its_first_time_a_function_has_its_first_value():
    steps = Steps((100.0, 200.0), (5.0, 7.0))
    assert [steps.at(at_s) for at_s in (0.0, 100.0, 199.0, 200.0, 1e9)] == [5.0, 5.0, 5.0, 7.0, 7.0]


def test_the_highest_of_several_is_taken_at_each_time():
    one, other = Steps((0.0, 100.0), (5.0, 9.0)), Steps((0.0, 50.0), (7.0, 3.0))
    both = highest_of([one, other])
    assert [both.at(at_s) for at_s in (0.0, 50.0, 100.0)] == [7.0, 5.0, 9.0]


@settings(deadline=None)
@given(
    values=st.lists(st.sampled_from([0.0, 6.0, 9.0, 16.0]), min_size=1, max_size=12),
    count=st.integers(1, 6),
)
def test_joining_never_allows_more(values, count):
    steps = simplified([(100.0 * k, value) for k, value in enumerate(values)])
    fewer = merged(steps, count, 0.0)
    assert len(fewer.values) <= count
    for at_s in range(0, 1300, 50):
        assert fewer.at(at_s) <= steps.at(at_s)


def test_rounding_goes_down_but_not_below_what_is_exact():
    assert rounded_down(16.0) == 16.0
    assert abs(rounded_down(0.1 * 3) - 0.3) < 1e-9
    assert abs(rounded_down(15.999) - 15.9) < 1e-9
    assert rounded_down(float("inf")) == float("inf")
    assert constant(3.0).at(-1.0) == 3.0
