"""Phasors judge, polygons guide: what polygons allow the phasors allow, and little is lost between."""

import numpy as np
import pytest

from smartcharging.replay.caltech import NETWORKS, caltech
from smartcharging.replay.phasor_network import single


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_what_the_polygons_allow_violates_nothing(name):
    network = NETWORKS[name](40.0)
    matrix, limits, _ = network.polygon
    random = np.random.default_rng(3)
    for _ in range(300):
        currents = random.uniform(0, 32, len(network.evses)) * (random.random(len(network.evses)) < 0.4)
        load = matrix @ currents
        most = np.min(limits[load > 0] / load[load > 0], initial=np.inf)
        assert not network.violations(currents * min(most, 1e3)).any()


def test_the_polygons_cost_little():
    network = caltech(40.0)
    matrix, limits, _ = network.polygon
    random = np.random.default_rng(4)
    for _ in range(300):
        currents = random.uniform(0, 32, 54)
        load = matrix @ currents
        by_polygon = np.min(limits[load > 0] / load[load > 0])
        by_phasor = np.min(network.limits / np.abs(network.matrix @ currents))
        assert 0.999 * by_phasor <= by_polygon <= by_phasor * (1 + 1e-9)


def test_a_planted_violation_is_found_in_its_row():
    network = caltech(150.0)
    currents = np.zeros(54)
    for evse in ("CA-322", "CA-493", "CA-496"):
        currents[network.index[evse]] = 26.7
    assert [name for name, bad in zip(network.rows, network.violations(currents), strict=True) if bad] == ["CC Pod"]
    assert network.over_a(currents)[0] == pytest.approx(0.1)


def test_rounding_is_no_violation():
    network = single(["a"], 2.08)
    assert not network.violations(np.array([10.0 + 1e-6])).any()
    assert network.violations(np.array([10.0 + 1e-4])).any()


def test_several_moments_are_judged_at_once():
    network = single(["a", "b"], 2.08)
    bad = network.violations(np.array([[5.0, 6.0], [5.0, 6.0]]))
    assert bad.tolist() == [[False, True]]


def test_rows_for_an_allocator_are_those_of_its_cars():
    network = caltech(20.0)
    rows = network.allocator_rows([3, 5])
    assert rows.matrix.shape == (len(rows.names), 2)
    np.testing.assert_array_equal(rows.matrix.toarray(), network.polygon[0][:, [3, 5]])
    assert set(rows.names) == set(network.rows)
