"""The conductors in use, recognised from currents."""

import random

import pytest

from smartcharging.cars.phases import PhaseMemory
from tests.smartcharging.cars.meter import at


def seen(*readings, every_s=20, outlet_phases=3, memory=None):
    memory = memory or PhaseMemory(outlet_phases)
    for number, amps in enumerate(readings):
        memory.see(amps, at(number * every_s))
    return memory


@pytest.mark.parametrize(
    ("amps", "phases"),
    [
        ((16.0, 0.0, 0.0), (1,)),
        ((16.0, 15.6, 0.1), (1, 2)),
        ((16.0, 15.8, 16.1), (1, 2, 3)),
        ((16.0, 0.9, 1.1), (1,)),
        ((0.0, 16.0, 0.0), (2,)),
        ((6.1, 5.9, 6.0), (1, 2, 3)),
        ((6.0, 0.3, 0.2), (1,)),
    ],
)
def test_cars_are_recognised_by_their_currents(amps, phases):
    memory = seen(*[amps] * 4)
    assert memory.phases == phases
    assert memory.known


def test_until_it_is_known_all_the_outlets_conductors_count():
    memory = seen((16.0, 0.0, 0.0), (16.0, 0.0, 0.0))
    assert memory.phases == (1, 2, 3)
    assert not memory.known


def test_readings_within_a_moment_are_not_enough():
    assert seen(*[(16.0, 0.0, 0.0)] * 10, every_s=1).phases == (1, 2, 3)


@pytest.mark.parametrize("amps", [(0.0, 0.0, 0.0), (0.4, 0.0, 0.0), (3.0, 0.0, 0.0)])
def test_a_paused_car_says_nothing(amps):
    memory = seen(*[amps] * 20)
    assert memory.phases == (1, 2, 3)
    assert not memory.known


def test_a_pause_does_not_unlearn():
    memory = seen(*[(16.0, 0.0, 0.0)] * 4)
    seen(*[(0.0, 0.0, 0.0)] * 20, memory=memory)
    assert memory.phases == (1,)


def test_a_pause_between_readings_begins_the_count_anew():
    assert seen((16.0, 0.0, 0.0), (16.0, 0.0, 0.0), (0.0, 0.0, 0.0), (16.0, 0.0, 0.0)).phases == (1, 2, 3)


def test_one_odd_reading_changes_nothing():
    memory = seen(*[(16.0, 16.0, 16.0)] * 4, (16.0, 0.0, 0.0), (16.0, 16.0, 16.0), (16.0, 0.0, 0.0))
    assert memory.phases == (1, 2, 3)


def test_more_conductors_than_believed_count_soon():
    memory = seen(*[(16.0, 0.0, 0.0)] * 4)
    seen((16.0, 16.0, 16.0), (16.0, 16.0, 16.0), memory=memory)
    assert memory.phases == (1, 2, 3)


def test_a_car_that_swings_is_not_followed_for_ever():
    memory = PhaseMemory(3)
    changes, before = 0, memory.phases
    for number in range(2000):
        amps = (16.0, 0.0, 0.0) if (number // 10) % 2 else (16.0, 16.0, 16.0)
        memory.see(amps, at(number * 20))
        changes += memory.phases != before
        before = memory.phases
    assert changes <= 6
    assert memory.phases == (1, 2, 3)


def test_what_the_station_says_counts_until_the_meter_is_heard():
    memory = PhaseMemory(3)
    memory.told(1)
    assert (memory.phases, memory.known) == ((1,), True)
    seen((16.0, 16.0, 16.0), (16.0, 16.0, 16.0), memory=memory)
    assert memory.phases == (1, 2, 3)
    memory.told(1)
    assert memory.phases == (1, 2, 3)


@pytest.mark.parametrize("count", [0, -1, 4, 99])
def test_a_count_of_phases_that_cannot_be_is_passed_over(count):
    memory = PhaseMemory(3)
    memory.told(count)
    assert memory.phases == (1, 2, 3)


def test_an_outlet_with_one_conductor_is_known():
    memory = seen((16.0,), outlet_phases=1)
    assert (memory.phases, memory.known) == ((1,), True)


@pytest.mark.parametrize("used", [(1,), (1, 2), (1, 2, 3)])
def test_cars_with_noise_ramps_and_pauses_are_recognised(used):
    chance = random.Random(7)
    memory = PhaseMemory(3)
    for number in range(400):
        level = 0.0 if chance.random() < 0.2 else chance.choice([6.0, 8.0, 13.0, 16.0, 32.0])
        amps = [max(0.0, chance.gauss(level if phase in used else 0.0, 0.3)) for phase in (1, 2, 3)]
        memory.see(amps, at(number * 20))
    assert memory.phases == used
