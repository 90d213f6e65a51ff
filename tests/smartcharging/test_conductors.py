import numpy as np
import pytest

from engine.model.sites import Outlet, Wiring
from smartcharging.conductors import kind_of, mask_of, masks_of, neutral_v, table_of

LEAD = np.exp(1j * np.pi / 6)


def drawn(used, wiring=Wiring.WYE, volts=230.0, **outlet):
    table = table_of(kind_of(Outlet(station="s", evse=1, **outlet), wiring), volts)
    return table[mask_of(used)]


def test_a_three_phase_car_loads_all_phases_and_draws_three_times_the_voltage():
    assert drawn((1, 2, 3)) == pytest.approx([1, 1, 1, 0.69])


@pytest.mark.parametrize(
    ("rotation", "phases", "expected"),
    [
        ("123", (1,), [1, 0, 0, 0.23]),
        ("231", (1,), [0, 1, 0, 0.23]),
        ("312", (1,), [0, 0, 1, 0.23]),
        ("231", (1, 2), [0, 1, 1, 0.46]),
        ("321", (2, 3), [1, 1, 0, 0.46]),
        ("312", (), [1, 1, 1, 0.69]),
    ],
)
def test_conductors_are_mapped_to_phases_of_the_grid_by_rotation(rotation, phases, expected):
    assert drawn(phases, rotation=rotation) == pytest.approx(expected)


def test_a_one_phase_outlet_hangs_on_the_first_digit_whatever_a_car_claims():
    assert drawn((1, 2, 3), phases=1, rotation="231") == pytest.approx([0, 1, 0, 0.23])
    assert drawn((3,), phases=1, rotation="2") == pytest.approx([0, 1, 0, 0.23])


def test_dc_is_a_balanced_three_phase_draw_whatever_its_wiring_and_phases():
    assert drawn((1,), dc=True, phases=1) == pytest.approx([1, 1, 1, 0.69])
    assert drawn((1,), Wiring.DELTA, 120.0, dc=True) == pytest.approx([1, 1, 1, 0.36])


def test_between_two_phases_the_currents_lead_on_the_first_and_lag_on_the_next():
    volts = neutral_v(208.0, Wiring.DELTA)
    expected = [LEAD, LEAD.conjugate(), 0, 0.208]
    assert drawn((1,), Wiring.DELTA, volts, phases=1, rotation="123") == pytest.approx(expected)
    assert drawn((1,), Wiring.DELTA, volts, phases=1, rotation="21") == pytest.approx(expected)


def test_the_third_pair_goes_round():
    assert drawn((1,), Wiring.DELTA, 120.0, phases=1, rotation="31")[:3] == pytest.approx([LEAD.conjugate(), 0, LEAD])


def test_phasors_between_phases_add_up_to_nothing():
    turn = np.exp(-2j * np.pi / 3 * np.arange(3))
    for rotation in ("12", "23", "31"):
        currents = drawn((1,), Wiring.DELTA, 120.0, phases=1, rotation=rotation)[:3] * turn
        assert abs(currents.sum()) == pytest.approx(0.0, abs=1e-12)


def test_three_conductors_in_delta_are_balanced_and_draw_root_three():
    volts = neutral_v(208.0, Wiring.DELTA)
    assert drawn((1, 2, 3), Wiring.DELTA, volts) == pytest.approx([1, 1, 1, np.sqrt(3) * 0.208])


def test_one_conductor_of_three_in_delta_draws_between_it_and_the_next():
    assert np.abs(drawn((3,), Wiring.DELTA, 120.0)[:3]) == pytest.approx([1, 0, 1])


def test_all_sets_of_conductors_that_an_outlet_has_are_known():
    one, three = Outlet(station="s", evse=1, phases=1), Outlet(station="s", evse=1)
    assert masks_of(kind_of(one, Wiring.WYE)) == (1,)
    assert masks_of(kind_of(three, Wiring.WYE)) == (1, 2, 3, 4, 5, 6, 7)
    assert masks_of(kind_of(Outlet(station="s", evse=1, dc=True), Wiring.WYE)) == (0,)


@pytest.mark.parametrize(
    ("wiring", "rotation"), [(Wiring.DELTA, "1"), (Wiring.WYE, ""), (Wiring.WYE, "4"), (Wiring.WYE, "x")]
)
def test_a_rotation_without_the_phases_it_needs_is_refused(wiring, rotation):
    with pytest.raises(ValueError, match="rotation"):
        drawn((1,), wiring, phases=1, rotation=rotation)
