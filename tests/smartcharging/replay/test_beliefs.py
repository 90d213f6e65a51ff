"""What allocators are told: nobody but the truth looks ahead."""

from datetime import timedelta

import msgspec
import numpy as np
import pytest

from smartcharging.allocators import create
from smartcharging.replay.beliefs import (
    ENERGY_KWH_UNSAID,
    MORE_KWH,
    OVERDUE_S,
    STAY_S_UNSAID,
    Departures,
    Estimates,
    Forecasts,
    Truth,
    beliefs_of,
)
from smartcharging.replay.caltech import caltech
from smartcharging.replay.engine import Course, replay
from smartcharging.replay.loaders import load
from smartcharging.replay.timeline import timeline
from tests.smartcharging.replay.made import MIDNIGHT, Says, session

FIRST = np.array([0])
NOTHING = np.zeros(1)
SLOTS = np.full(48, 900.0)


def line_of(*sessions):
    return timeline(sessions, caltech(20))


def test_the_truth_is_the_departure_and_what_the_car_still_takes():
    departs_s, energy_kwh, _ = Truth(line_of(session(stay_h=4, energy_kwh=10))).believe(
        12, FIRST, np.array([4.0]), SLOTS
    )
    assert (departs_s[0], energy_kwh[0]) == (3 * 3600, 6)


def test_a_driver_is_taken_at_his_word():
    estimate = MIDNIGHT + timedelta(hours=10)
    said = Estimates(line_of(session(at_h=8, estimated_departure=estimate, requested_kwh=20.0)))
    departs_s, energy_kwh, _ = said.believe(12, FIRST, np.array([4.0]), SLOTS)
    assert (departs_s[0], energy_kwh[0]) == (3600, 16)


def test_after_his_word_a_car_is_about_to_leave_and_wants_some_more():
    estimate = MIDNIGHT + timedelta(hours=8.5)
    said = Estimates(line_of(session(at_h=8, estimated_departure=estimate, requested_kwh=2.0)))
    departs_s, energy_kwh, _ = said.believe(12, FIRST, np.array([2.0]), SLOTS)
    assert (departs_s[0], energy_kwh[0]) == (OVERDUE_S, MORE_KWH)


def test_who_says_nothing_is_taken_for_the_usual():
    departs_s, energy_kwh, _ = Estimates(line_of(session(stay_h=1))).believe(0, FIRST, NOTHING, SLOTS)
    assert (departs_s[0], energy_kwh[0]) == (STAY_S_UNSAID, ENERGY_KWH_UNSAID)


@pytest.mark.parametrize("departures", [Departures.FORECAST, Departures.HISTORY])
def test_forecasts_do_not_peek(departures):
    """Other futures, the same past: the same is believed until they part."""
    sessions = load().sessions[:50]
    split = sessions[25].arrived_at
    changed = [
        msgspec.structs.replace(one, departed_at=one.departed_at + timedelta(hours=3), energy_kwh=one.energy_kwh * 2)
        if one.departed_at > split
        else one
        for one in sessions
    ]

    def believed(which):
        said = Says(lambda _: 8.0)
        replay(which, caltech(150), lambda: said, departures=departures)
        return [
            (problem.cars.ids, problem.cars.departs_s.tolist(), problem.cars.energy_kwh.tolist())
            for problem in said.problems
        ]

    line = timeline(sessions, caltech(150))
    steps = int((split - line.start).total_seconds() // 300)
    plain, other = believed(sessions), believed(changed)
    same = next(number for number, (one, two) in enumerate(zip(plain, other, strict=False)) if one != two)
    asked_before = sum(1 for step in range(steps) if ((line.arrive <= step) & (line.depart > step)).any())
    assert same > 0.5 * asked_before > 10


def test_a_history_that_was_not_over_is_not_looked_at():
    line = line_of(session(99, at_h=24 * 20 + 8))

    def believed(stay_h):
        history = [session(n, station="CA-149", at_h=24 * n + 8, stay_h=stay_h) for n in range(15, 20)]
        return Forecasts(line, history).believe(0, FIRST, NOTHING, SLOTS)[0][0]

    fresh = Forecasts(line).believe(0, FIRST, NOTHING, SLOTS)[0][0]
    assert believed(24 * 9) == fresh
    assert believed(1.0) < fresh


def test_a_forecast_learns_from_who_has_left():
    sessions = [session(n, at_h=24 * n + 8, stay_h=1.5) for n in range(20)]
    line = line_of(*sessions, session(99, at_h=24 * 20 + 8, stay_h=5))
    learned, fresh = Forecasts(line), Forecasts(line)
    learned.left(np.arange(20), np.full(20, 10.0))
    step, car = int(line.arrive[20]), np.array([20])
    assert abs(learned.believe(step, car, NOTHING, SLOTS)[0][0] - 5400) < abs(
        fresh.believe(step, car, NOTHING, SLOTS)[0][0] - 5400
    )


def test_what_is_believed_is_positive_for_every_car_and_kind():
    sessions = load().sessions[:25]
    for departures in Departures:
        said = Says(lambda _: 8.0)
        replay(sessions, caltech(150), lambda said=said: said, departures=departures)
        for problem in said.problems:
            assert (problem.cars.departs_s > 0).all()
            assert (problem.cars.energy_kwh > 0).all()


def test_history_alone_does_not_hear_drivers():
    sessions = load().sessions[:40]
    deaf = [msgspec.structs.replace(one, estimated_departure=None, requested_kwh=None) for one in sessions]

    def given(which, departures):
        figures = replay(
            which,
            caltech(20),
            lambda: create("edf"),
            departures=departures,
            beliefs=beliefs_of(departures),
            course=Course(keep=True),
        )
        return figures.given_kwh

    assert given(sessions, Departures.HISTORY) == given(deaf, Departures.HISTORY)
    assert given(sessions, Departures.FORECAST) != given(deaf, Departures.FORECAST)


@pytest.mark.parametrize("departures", [Departures.FORECAST, Departures.HISTORY])
def test_a_forecast_says_how_likely_a_car_is_still_there(departures):
    said = Says(lambda _: 8.0)
    replay(load().sessions[:25], caltech(150), lambda: said, departures=departures)
    for problem in said.problems:
        stays = problem.cars.stays
        assert stays.shape == (len(problem.cars), problem.slots)
        assert (stays > 0).all()
        assert (stays <= 1).all()
        assert (np.diff(stays, axis=1) <= 1e-12).all()


@pytest.mark.parametrize("departures", [Departures.TRUE, Departures.ESTIMATED])
def test_who_knows_no_more_than_the_departure_says_no_more(departures):
    said = Says(lambda _: 8.0)
    replay([session()], caltech(150), lambda: said, departures=departures)
    assert said.problems[0].cars.stays is None
