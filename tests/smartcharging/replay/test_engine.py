"""The replay: cars draw what they may until they are full, and all that is counted is counted right."""

import msgspec
import numpy as np
import pytest

from smartcharging.allocators import create
from smartcharging.problem import Allocation
from smartcharging.replay.beliefs import Departures
from smartcharging.replay.caltech import caltech
from smartcharging.replay.engine import Course, replay
from smartcharging.replay.loaders import load
from smartcharging.replay.phasor_network import single
from tests.smartcharging.replay.made import Says, session

KWH_PER_A = 0.208 / 12


def test_a_car_draws_its_limit_until_it_is_full():
    figures = replay([session(energy_kwh=3.0)], caltech(150), lambda: Says(lambda _: 32.0), course=Course(keep=True))
    assert figures.given_kwh == (pytest.approx(3.0),)
    assert (figures.served, figures.energy_percent, figures.served_percent) == (1, pytest.approx(100), 100)
    assert figures.allocations == 6  # 3 kWh at 32 A take 5.4 steps; a full car is asked about no more


def test_a_car_that_leaves_early_is_not_served():
    figures = replay([session(energy_kwh=50, stay_h=1)], caltech(150), lambda: Says(lambda _: 10.0))
    assert figures.delivered_kwh == pytest.approx(12 * 10 * KWH_PER_A)
    assert figures.served == 0


def test_a_session_that_lacks_less_than_a_tenth_of_a_kwh_is_served():
    figures = replay([session(energy_kwh=2.08 + 0.09, stay_h=1)], caltech(150), lambda: Says(lambda _: 10.0))
    assert figures.served == 1


def test_no_car_draws_more_than_it_can():
    figures = replay([session(energy_kwh=50, stay_h=1)], caltech(150), lambda: Says(lambda _: 900.0))
    assert figures.delivered_kwh == pytest.approx(12 * 32 * KWH_PER_A)


def test_changes_of_one_ampere_count_but_not_the_first_limit_nor_smaller_ones():
    currents = iter([10.0, 10.9, 12.0, 12.0, 11.0, 0.0, 6.0, 6.0, 6.0, 6.0, 6.0, 6.0])
    figures = replay([session(energy_kwh=90, stay_h=1)], caltech(150), lambda: Says(lambda _: next(currents)))
    assert figures.changes == 4
    assert figures.ev_hours == pytest.approx(1)
    assert figures.changes_per_ev_hour == pytest.approx(4)


def test_a_limit_between_nothing_and_the_least_current_is_counted():
    currents = iter([5.9, 0.0, 6.0])
    figures = replay([session(energy_kwh=90, stay_h=0.25)], caltech(150), lambda: Says(lambda _: next(currents)))
    assert figures.below_floor == 1


def test_a_planted_violation_is_counted_in_every_step():
    sessions = [session(n, station=f"s{n}", energy_kwh=90, stay_h=0.5) for n in range(2)]
    figures = replay(sessions, single(["s0", "s1"], 2.08), lambda: Says(lambda _: 5.5))
    assert (figures.violations, figures.worst_over_a) == (6, pytest.approx(1.0))


def opposed(limit_a):
    """Two EVSEs whose currents relieve each other in a row."""
    plain = single(["s0", "s1"], 20)
    return msgspec.structs.replace(plain, matrix=np.array([[1.0 + 0j, -1.0]]), limits=np.array([limit_a]))


@pytest.mark.parametrize(("energy_kwh", "violations"), [(90.0, 0), (0.1, 1)])
def test_a_violation_that_appears_when_a_car_stops_within_a_step_is_seen(energy_kwh, violations):
    sessions = [
        session(0, station="s0", energy_kwh=90, stay_h=0.08),
        session(1, station="s1", energy_kwh=energy_kwh, stay_h=0.08),
    ]
    figures = replay(sessions, opposed(10.0), lambda: Says(lambda _: 20.0))
    assert (figures.allocations, figures.violations) == (1, violations)
    assert figures.worst_over_a == pytest.approx(10.0 * violations)


def test_uncontrolled_violates_at_a_low_cap_and_the_others_do_not():
    sessions = load().sessions[:30]
    by_name = {
        name: replay(sessions, caltech(20), lambda name=name: create(name))
        for name in ("uncontrolled", "edf", "max-min")
    }
    assert by_name["uncontrolled"].violations > 100
    assert {by_name[name].violations for name in ("edf", "max-min")} == {0}
    assert {by_name[name].below_floor for name in ("edf", "max-min")} == {0}


def test_the_same_replay_gives_the_same_figures():
    def once():
        figures = replay(load().sessions[:30], caltech(10), lambda: create("max-min"), course=Course(keep=True))
        return figures.given_kwh, figures.changes, figures.ev_hours

    assert once() == once()


def test_a_problem_tells_what_stands_and_what_is_drawn():
    said = Says(lambda _: 10.0)
    replay([session(energy_kwh=90, stay_h=0.25)], caltech(20), lambda: said)
    first, second, third = said.problems
    assert (first.cars.current_a[0], second.cars.current_a[0]) == (0, 10)
    assert np.isnan(first.cars.measured_a[0])
    assert second.cars.measured_a[0] == 10
    assert (third.cars.arrived_s[0], third.cars.departs_s[0], third.cars.since_s[0]) == (-600, 300, 600)
    assert third.cars.energy_kwh[0] == pytest.approx(90 - 20 * KWH_PER_A)
    assert first.limits.shape == (len(first.rows.names), first.slots)
    assert first.cars.ids == ("CA-148",)


def test_slots_and_the_price_of_a_change_can_be_chosen():
    said = Says(lambda _: 0.0)
    course = Course(slots=lambda _: np.full(4, 300.0), change_price=0.7)
    replay([session(stay_h=0.1)], caltech(20), lambda: said, course=course)
    assert said.problems[0].slot_s.tolist() == [300.0] * 4
    assert said.problems[0].aims.change_price == 0.7


def test_in_its_tail_a_car_draws_less_and_less_and_is_seen_to():
    said = Says(lambda problem: problem.cars.max_a)
    replay([session(energy_kwh=10, stay_h=4)], caltech(150), lambda: said, course=Course(tail=True))
    drawn = [problem.cars.measured_a[0] for problem in said.problems[1:]]
    assert drawn[0] == 32
    assert drawn[-1] < 10
    assert drawn == sorted(drawn, reverse=True)
    assert said.problems[-1].cars.max_a[0] == pytest.approx(drawn[-1] + 2)


def test_nobody_is_asked_while_nobody_is_there():
    said = Says(lambda _: 32.0)
    replay(
        [session(1, at_h=1, stay_h=0.5, energy_kwh=1), session(2, at_h=20, stay_h=0.5, energy_kwh=1)],
        caltech(150),
        lambda: said,
    )
    assert len(said.problems) == 4


@pytest.mark.parametrize("current_a", [np.array([1.0, 2.0]), np.array([np.nan])])
def test_an_allocation_that_is_none_is_refused(current_a):
    class Wrong:
        name = "wrong"

        def allocate(self, _problem):
            return Allocation(current_a=current_a, binding=np.full(1, -1))

    with pytest.raises(ValueError, match="an allocation of shape"):
        replay([session()], caltech(20), Wrong)


def test_progress_is_told():
    heard = []
    replay([session(stay_h=30)], caltech(20), lambda: Says(lambda _: 0.0), course=Course(told=heard.append))
    assert heard == sorted(heard)
    assert 0 <= heard[0] < heard[-1] <= 1


def test_figures_name_what_was_told():
    figures = replay([session()], caltech(20), lambda: create("edf"), departures=Departures.ESTIMATED)
    assert (figures.allocator, figures.departures, figures.cap_kw, figures.sessions) == ("edf", "estimated", 20, 1)
