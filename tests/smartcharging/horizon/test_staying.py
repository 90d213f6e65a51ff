"""How likely cars are still there."""

import msgspec
import numpy as np
import pytest

from smartcharging.horizon.staying import STAYS_ON, staying
from smartcharging.problem import cars_of

HOUR_S = 3600.0
SLOTS = np.full(32, 900.0)


@pytest.mark.parametrize("departs_s", [0.0, 60.0, 900.0, 3 * HOUR_S, 80 * HOUR_S, np.inf])
def test_it_begins_with_certainty_and_never_rises(departs_s):
    found = staying(cars_of(["a"], departs_s=departs_s), SLOTS)[0]
    assert found[0] == 1.0
    assert (np.diff(found) <= 1e-12).all()
    assert (found > 0).all()


def test_there_is_a_cliff_at_the_departure_and_a_tail_behind_it():
    found = staying(cars_of(["a"], departs_s=2 * HOUR_S), SLOTS)[0]
    assert found[7] > 0.85
    assert found[8] < STAYS_ON
    assert found[20] > 0.05


def test_who_leaves_later_is_likelier_to_be_there():
    soon, late = staying(cars_of(["a", "b"], departs_s=[HOUR_S, 5 * HOUR_S]), SLOTS)
    assert (late >= soon).all()


def test_with_prices_the_time_before_a_departure_is_all_but_certain():
    found = staying(cars_of(["a"], departs_s=8 * HOUR_S), SLOTS, priced=True)[0]
    assert found.min() > 0.998


class TestToldByAForecast:
    def told(self, stays, **how):
        cars = msgspec.structs.replace(cars_of(["a"], departs_s=HOUR_S), stays=np.array([stays]))
        return staying(cars, np.full(len(stays), 900.0), **how)[0]

    def test_it_counts_beside_a_car_that_is_here_now(self):
        assert self.told([0.8, 0.4, 0.2]) == pytest.approx([1.0, 0.5, 0.25])

    def test_nonsense_is_made_sense_of(self):
        assert self.told([1.0, np.nan, 0.9, -3.0]) == pytest.approx([1.0, 0.0, 0.0, 0.0])
        assert self.told([0.5, 2.0]) == pytest.approx([1.0, 1.0])
        assert np.isfinite(self.told([0.0, 0.0])).all()

    def test_with_prices_what_is_likely_is_certain(self):
        found = self.told([1.0, 0.9, 0.7, 0.35], priced=True)
        assert found == pytest.approx([1.0, 1.0, 1.0, 0.5], abs=0.002)
        assert (np.diff(found) < 0).all()

    def test_of_another_shape_it_is_passed_over(self):
        cars = msgspec.structs.replace(cars_of(["a"], departs_s=HOUR_S), stays=np.ones((1, 3)))
        assert staying(cars, SLOTS)[0, -1] < 1
