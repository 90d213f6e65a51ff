"""Which cars come."""

import math
import random
from collections import Counter

import pytest

from loadtests.garage import GARAGES, car_of
from loadtests.habits import Habits


def many(garage, count=2_000):
    chance = random.Random(1)
    return [car_of(garage, chance) for _ in range(count)]


def test_difficult_cars_have_one_to_three_phases_and_some_do_not_wake_up():
    cars = many("difficult")
    assert set(Counter(car.phases for car in cars)) == {1, 2, 3}
    asleep = sum(0 < car.wake_s < math.inf for car in cars), sum(car.wake_s == math.inf for car in cars)
    assert 200 < asleep[0] < 400
    assert 30 < asleep[1] < 100
    assert 300 < sum(car.modesty < 1 for car in cars) < 500
    assert 400 < sum(car.soc > 0.8 for car in cars) < 600


def test_plain_cars_do_as_they_may():
    assert all(car.wake_s == 0 and car.modesty == 1 for car in many("plain"))


@pytest.mark.parametrize("garage", GARAGES)
def test_every_car_can_charge_at_its_least(garage):
    for car in many(garage, 200):
        car.charge(60, car.minimum_a)
        assert 0 < car.current_a(car.minimum_a) <= car.minimum_a


def test_an_unknown_garage_is_refused_by_name():
    with pytest.raises(ValueError, match="plain, difficult"):
        Habits(garage="empty")
    with pytest.raises(ValueError, match="no garage 'empty'"):
        car_of("empty", random.Random(1))
