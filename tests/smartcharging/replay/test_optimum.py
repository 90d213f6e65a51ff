"""The optimum: exact where it can be reckoned by hand, and never below what any allocator reaches."""

import numpy as np
import pytest

from smartcharging.allocators import create
from smartcharging.replay.caltech import caltech
from smartcharging.replay.engine import replay
from smartcharging.replay.loaders import load
from smartcharging.replay.optimum import CUT_SHARE, optimum
from smartcharging.replay.phasor_network import single
from tests.smartcharging.replay.made import session


def test_one_car_gets_what_fits_its_stay():
    assert optimum([session(energy_kwh=100, stay_h=2)], caltech(150)).delivered_kwh == pytest.approx(2 * 6.656)


def test_two_cars_share_what_there_is_in_their_time():
    sessions = [session(n, station=f"s{n}", energy_kwh=100, stay_h=stay_h) for n, stay_h in ((0, 1.0), (1, 2.0))]
    figures = optimum(sessions, single(["s0", "s1"], 5.0))
    assert figures.delivered_kwh == pytest.approx(10.0)


def test_foresight_serves_the_one_who_leaves_first():
    sessions = [
        session(0, station="s0", energy_kwh=5, at_h=8, stay_h=4),
        session(1, station="s1", energy_kwh=5, at_h=8, stay_h=1),
        session(2, station="s2", energy_kwh=5, at_h=11, stay_h=1),
    ]
    figures = optimum(sessions, single(["s0", "s1", "s2"], 5.0))
    assert (figures.delivered_kwh, figures.served) == (pytest.approx(15.0), 3)


def test_of_equal_optima_the_one_that_serves_more_is_taken():
    sessions = [session(n, station=f"s{n}", energy_kwh=kwh, stay_h=2) for n, kwh in enumerate((9.0, 2.0, 3.0))]
    figures = optimum(sessions, single(["s0", "s1", "s2"], 4.0))
    assert (figures.delivered_kwh, figures.served) == (pytest.approx(8.0), 2)


def test_a_pair_of_phases_alone_is_held_to_its_exact_phasor():
    sessions = [session(n, station=f"CA-{number}", energy_kwh=90, stay_h=1) for n, number in enumerate((308, 508, 303))]
    network = caltech(5.0)
    row = np.abs(network.matrix[:, network.index["CA-308"]])
    most_a = np.min(network.limits[row > 0] / row[row > 0])
    assert optimum(sessions, network).delivered_kwh == pytest.approx(most_a * 0.208, rel=CUT_SHARE)


@pytest.mark.parametrize("cap_kw", [10, 20, 40])
@pytest.mark.parametrize("first", [0, 700])
def test_no_allocator_beats_it(cap_kw, first):
    sessions = load().sessions[first : first + 40]
    network = caltech(cap_kw)
    best = optimum(sessions, network)
    for name in ("edf", "llf", "fcfs", "max-min", "equal-share"):
        figures = replay(sessions, network, lambda name=name: create(name)).beside(best)
        assert figures.energy_of_optimum_percent <= 100 + 1e-6
        assert figures.energy_of_optimum_percent > 75


def test_its_currents_need_no_more_than_the_network_has():
    tight, wide = caltech(20), caltech(22)
    sessions = load().sessions[:60]
    assert optimum(sessions, tight).delivered_kwh < optimum(sessions, wide).delivered_kwh


def test_progress_is_told_by_stretches_between_which_nobody_is_there():
    heard = []
    sessions = [session(n, at_h=10 * n, stay_h=2) for n in range(3)]
    optimum(sessions, caltech(20), told=heard.append)
    assert len(heard) == 3
    assert heard[-1] == 1
