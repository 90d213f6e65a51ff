"""The referee: acnportal's own algorithms come to what ours of the same kind come to."""

import sys

import numpy as np
import pytest

from smartcharging.problem import Allocation
from smartcharging.replay.beliefs import Departures
from smartcharging.replay.caltech import caltech
from smartcharging.replay.engine import replay
from smartcharging.replay.loaders import load
from smartcharging.replay.optimum import optimum
from smartcharging.replay.phasor_network import single
from smartcharging.replay.referee import NoRefereeError, referee
from tests.smartcharging.replay.made import session

SESSIONS = load().sessions[40:58]


class Continuous:
    """EDF without a least current and without steps, as acnportal's on BASIC EVSEs."""

    name = "continuous"

    def allocate(self, problem):
        cars = problem.cars
        wanted = np.minimum(cars.max_a, cars.energy_kwh / cars.kw_per_a * 12)
        left, matrix = problem.limits[:, 0].copy(), problem.rows.matrix.toarray()
        current_a = np.zeros(len(cars))
        for car in np.lexsort((cars.arrived_s, cars.departs_s)):
            loads = matrix[:, car] > 0
            current_a[car] = max(0.0, min(wanted[car], np.min(left[loads] / matrix[loads, car])))
            left -= matrix[:, car] * current_a[car]
        return Allocation(current_a=current_a, binding=np.full(len(cars), -1))


def test_its_edf_comes_to_what_the_same_comes_to_here():
    acnportal = pytest.importorskip("acnportal")
    assert acnportal
    network = caltech(12)
    theirs = referee(SESSIONS, network, "acn-edf")
    ours = replay(SESSIONS, network, Continuous)
    assert theirs.delivered_kwh == pytest.approx(ours.delivered_kwh, rel=0.01)
    assert theirs.requested_kwh == ours.requested_kwh
    assert abs(theirs.served - ours.served) <= 2
    assert theirs.ev_hours == pytest.approx(ours.ev_hours, rel=0.05)
    assert theirs.changes == pytest.approx(ours.changes, abs=12)


@pytest.mark.parametrize("algorithm", ["acn-edf", "acn-llf", "acn-round-robin"])
@pytest.mark.parametrize("departures", [Departures.TRUE, Departures.ESTIMATED])
def test_it_keeps_the_limits_and_does_not_beat_the_optimum(algorithm, departures):
    pytest.importorskip("acnportal")
    network = caltech(12)
    figures = referee(SESSIONS[:10], network, algorithm, departures=departures)
    assert figures.violations == 0
    assert figures.delivered_kwh <= optimum(SESSIONS[:10], network).delivered_kwh * (1 + 1e-6)
    assert (figures.allocator, figures.departures, figures.sessions) == (algorithm, departures.value, 10)


def test_a_car_whose_driver_asked_for_too_much_stops_when_it_is_full():
    pytest.importorskip("acnportal")
    greedy = session(1, station="s0", energy_kwh=2.0, requested_kwh=60.0, stay_h=4)
    figures = referee([greedy], single(["s0"], 20), "acn-edf", departures=Departures.ESTIMATED)
    assert (figures.delivered_kwh, figures.served) == (pytest.approx(2.0), 1)
    assert figures.ev_hours < 1


def test_it_knows_no_forecasts():
    with pytest.raises(ValueError, match="no forecasts"):
        referee(SESSIONS, caltech(12), "acn-edf", departures=Departures.FORECAST)


def test_an_unknown_algorithm_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="acn-edf, acn-llf, acn-round-robin"):
        referee(SESSIONS, caltech(12), "acn-magic")


def test_without_acnportal_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "acnportal", None)
    with pytest.raises(NoRefereeError, match="--no-referee"):
        referee(SESSIONS, caltech(12), "acn-edf")
