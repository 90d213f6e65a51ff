"""The garages of ACN-Data are the ones that acnportal knows, row by row and number by number."""

import warnings

import numpy as np
import pytest

from smartcharging.replay.caltech import NETWORKS

sites = pytest.importorskip("acnportal.acnsim.network.sites")

THEIRS = {
    "caltech": lambda cap_kw: sites.caltech_acn(basic_evse=True, transformer_cap=cap_kw),
    "jpl": lambda cap_kw: sites.jpl_acn(
        basic_evse=True, first_transformer_cap=0.3 * cap_kw, third_fourth_transformer_cap=cap_kw
    ),
    "office": lambda cap_kw: sites.office001_acn(basic_evse=True, transformer_cap=cap_kw),
}


@pytest.fixture(params=sorted(NETWORKS))
def pair(request):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # acnportal's, of pandas
        return NETWORKS[request.param](37.5), THEIRS[request.param](37.5)


def test_every_coefficient_is_acnportals(pair):
    ours, theirs = pair
    order = [theirs.station_ids.index(evse) for evse in ours.evses]
    angles = np.exp(1j * np.deg2rad(theirs._phase_angles))
    by_name = dict(zip(theirs.constraint_index, theirs.constraint_matrix.astype(float) * angles, strict=True))
    assert sorted(ours.evses) == sorted(theirs.station_ids)
    assert set(ours.rows) == set(by_name)
    for name, row in zip(ours.rows, ours.matrix, strict=True):
        np.testing.assert_allclose(row, by_name[name][order], atol=1e-12, err_msg=name)


def test_every_limit_and_voltage_is_acnportals(pair):
    ours, theirs = pair
    limits = dict(zip(theirs.constraint_index, theirs.magnitudes, strict=True))
    np.testing.assert_allclose(ours.limits, [limits[name] for name in ours.rows])
    np.testing.assert_allclose(ours.kw_per_a * 1000, [theirs.voltages[evse] for evse in ours.evses])
    assert set(ours.max_a) == set(theirs.max_pilot_signals) == {32.0}


def test_both_judge_random_currents_alike(pair):
    ours, theirs = pair
    order = [theirs.station_ids.index(evse) for evse in ours.evses]
    random = np.random.default_rng(7)
    for scale in random.uniform(0, 32, 200):
        currents = random.uniform(0, scale, len(ours.evses))
        schedule = np.empty((len(currents), 1))
        schedule[order, 0] = currents
        assert theirs.is_feasible(schedule) == (not ours.violations(currents).any())


def test_caltech_has_54_evses_in_eight_rows():
    network = NETWORKS["caltech"](20)
    assert (len(network.evses), network.rows[:3]) == (54, ("CC Pod", "AV Pod", "Secondary A"))
    assert network.limits[0] == 80
