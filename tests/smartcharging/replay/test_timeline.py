"""Sessions on a grid: floors as acnportal, a place for every car, and never two at one place."""

import numpy as np
import pytest

from smartcharging.replay.caltech import caltech
from smartcharging.replay.phasor_network import single
from smartcharging.replay.timeline import timeline
from tests.smartcharging.replay.made import MIDNIGHT, session


def test_times_count_from_the_step_that_they_fall_into():
    line = timeline([session(at_h=8.07, stay_h=1.0)], caltech(20), 300)
    assert (line.start - MIDNIGHT).total_seconds() == 8 * 3600
    assert (line.arrive[0], line.depart[0]) == (0, 12)
    assert line.at(3).minute == 15


def test_a_stay_within_a_step_gets_one():
    line = timeline([session(at_h=8.01, stay_h=0.02)], caltech(20))
    assert line.depart[0] - line.arrive[0] == 1


def test_who_comes_in_the_step_of_the_other_s_only_one_comes_after():
    sessions = [session(1, at_h=8.0, stay_h=0.02), session(2, at_h=8.03, stay_h=1)]
    line = timeline(sessions, caltech(20))
    assert line.arrive.tolist() == [0, 1]


def test_known_stations_keep_their_place():
    network = caltech(20)
    line = timeline([session(1, station="CA-513")], network)
    assert network.evses[line.column[0]] == "CA-513"


def test_unknown_stations_go_round_and_keep_to_their_place():
    network = single([f"e{n}" for n in range(3)], 20)
    sessions = [session(n, station=f"x{n % 2}", at_h=n, stay_h=0.5) for n in range(4)]
    assert timeline(sessions, network).column.tolist() == [0, 1, 0, 1]


def test_unknown_stations_leave_known_ones_alone():
    network = single(["known", "spare"], 20)
    sessions = [session(1, station="known"), session(2, station="x"), session(3, station="y", at_h=9)]
    line = timeline(sessions, network)
    assert line.column.tolist() == [0, 1]
    assert line.dropped == {"no EVSE of the network was free": 1}


def test_no_two_cars_are_at_one_evse_whatever_comes():
    random = np.random.default_rng(5)
    network = single([f"e{n}" for n in range(6)], 20)
    sessions = [
        session(
            n,
            station=f"s{random.integers(12)}-{n}",
            at_h=float(random.uniform(0, 40)),
            stay_h=float(random.uniform(0.01, 9)),
        )
        for n in range(120)
    ]
    line = timeline(sessions, network)
    for column in range(6):
        mine = np.flatnonzero(line.column == column)
        mine = mine[np.argsort(line.arrive[mine])]
        assert (line.depart[mine][:-1] <= line.arrive[mine][1:]).all()
        assert (line.depart[mine] > line.arrive[mine]).all()


@pytest.mark.parametrize("step_s", [0, -5, float("nan")])
def test_a_step_that_is_none_is_refused(step_s):
    with pytest.raises(ValueError, match="must be positive"):
        timeline([session()], caltech(20), step_s)


def test_no_session_is_refused():
    with pytest.raises(ValueError, match="no session"):
        timeline([], caltech(20))
