"""The table of a cap's states, row by row, and its series beside its value at any moment."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from engine.model.caps import CapSource, CapStep, HeldCap
from smartcharging.cap_states import CapStatus, changes_after, kw_at, series_of, status_of
from smartcharging.words import INF

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def at(seconds):
    return NOW + timedelta(seconds=seconds)


def held(*steps, heard=0, **more):
    cap = CapSource(site="depot", source="grid", steps=tuple(CapStep(at(when), kw) for when, kw in steps), **more)
    return HeldCap(cap=cap, saved_at=at(heard), heard_at=at(heard))


STEPS = ((100, 10.0), (200, None), (300, 5.0))


@pytest.mark.parametrize(
    ("when", "status", "kw", "next_s"),
    [
        (0, CapStatus.WAITING, INF, 100),
        (99, CapStatus.WAITING, INF, 100),
        (100, CapStatus.LIVE, 10.0, 200),
        (250, CapStatus.GAP, INF, 300),
        (300, CapStatus.LIVE, 5.0, 400),
        (399, CapStatus.LIVE, 5.0, 400),
        (400, CapStatus.EXPIRED, 7.0, None),
        (9999, CapStatus.EXPIRED, 7.0, None),
    ],
)
def test_a_cap_goes_through_its_steps_and_runs_out(when, status, kw, next_s):
    cap = held(*STEPS, valid_until=at(400), fallback_kw=7.0)
    assert status_of(cap, at(when)) is status
    assert kw_at(cap, at(when)) == kw
    assert changes_after(cap, at(when)) == (None if next_s is None else at(next_s))


@pytest.mark.parametrize(
    ("when", "status", "kw"),
    [
        (59, CapStatus.WAITING, INF),
        (60, CapStatus.SILENT, 7.0),
        (150, CapStatus.SILENT, 7.0),
        (250, CapStatus.SILENT, 7.0),
        (400, CapStatus.EXPIRED, 7.0),
    ],
)
def test_silence_counts_whatever_the_steps_say(when, status, kw):
    cap = held(*STEPS, valid_until=at(400), fallback_kw=7.0, heartbeat_s=60.0)
    assert status_of(cap, at(when)) is status
    assert kw_at(cap, at(when)) == kw


def test_a_source_that_is_silent_without_a_fallback_caps_nothing():
    cap = held((0, 3.0), heartbeat_s=60.0)
    assert kw_at(cap, at(59)) == 3.0
    assert kw_at(cap, at(60)) == INF


def test_the_last_step_counts_for_ever_where_nothing_ends_it():
    cap = held((0, 3.0))
    assert kw_at(cap, at(10**9)) == 3.0
    assert changes_after(cap, at(1)) is None


def test_the_next_change_is_the_first_of_step_silence_and_end():
    assert changes_after(held(*STEPS, heartbeat_s=60.0), at(0)) == at(60)
    assert changes_after(held(*STEPS, heartbeat_s=500.0), at(0)) == at(100)
    assert changes_after(held(*STEPS, heartbeat_s=60.0, valid_until=at(400)), at(70)) == at(400)
    assert changes_after(held(*STEPS, heartbeat_s=60.0), at(70)) is None


def test_a_slot_that_a_change_falls_into_gets_the_least():
    cap = held((0, 20.0), (150, 10.0), (250, 30.0))
    series = series_of(cap, NOW, NOW, np.array([100.0, 100.0, 100.0, 100.0]))
    assert series.tolist() == [20.0, 10.0, 10.0, 30.0]


def test_a_change_at_the_border_of_two_slots_is_the_later_ones():
    cap = held((0, 20.0), (100, 10.0))
    assert series_of(cap, NOW, NOW, np.array([100.0, 100.0])).tolist() == [20.0, 10.0]


TIMES = some.integers(-500, 1500)
KWS = some.one_of(some.none(), some.floats(0, 100))


@some.composite
def caps(draw):
    times = sorted(draw(some.sets(TIMES, min_size=1, max_size=6)))
    steps = [(when, draw(KWS)) for when in times]
    return held(
        *steps,
        heard=draw(some.integers(-300, 0)),
        valid_until=draw(some.one_of(some.none(), TIMES.map(at))),
        fallback_kw=draw(KWS),
        heartbeat_s=draw(some.one_of(some.none(), some.floats(1, 400))),
    )


@given(caps(), some.lists(some.integers(1, 600), min_size=1, max_size=8), some.floats(0, 1))
def test_the_series_is_the_least_of_all_moments_of_its_slots(cap, slot_s, part):
    series = series_of(cap, NOW, NOW, np.array(slot_s, dtype=float))
    beating = cap if status_of(cap, NOW) is CapStatus.SILENT else alive_for_ever(cap)
    ends = np.cumsum(slot_s)
    changes = [step.at for step in cap.cap.steps] + ([cap.cap.valid_until] if cap.cap.valid_until else [])
    for number, (end, length) in enumerate(zip(ends, slot_s, strict=True)):
        begin = at(float(end - length))
        moments = [begin, begin + timedelta(seconds=part * (length - 0.001))]
        moments += [when for when in changes if begin <= when < at(float(end))]
        values = [kw_at(beating, when) for when in moments]
        assert series[number] <= min(values)
        assert series[number] in [kw_at(beating, when) for when in [begin, *moments]] or np.isinf(series[number])


def alive_for_ever(cap):
    return HeldCap(cap=cap.cap, saved_at=cap.saved_at, heard_at=at(10**8))


@given(caps(), TIMES)
def test_nothing_changes_before_the_next_change(cap, when):
    change_at = changes_after(cap, at(when))
    until = 3000 if change_at is None else (change_at - NOW).total_seconds()
    for moment in np.linspace(when, max(until - 0.001, when), 7):
        assert kw_at(cap, at(float(moment))) == kw_at(cap, at(when))
