"""Cars that draw less than they may."""

from math import inf

from smartcharging.cars.tapering import RETURNS_MAX, TaperMemory
from tests.smartcharging.cars.meter import at


def tapered(allowed, *amps, every_s=30, begin=0, memory=None):
    memory = memory or TaperMemory()
    memory.allow(allowed)
    for number, value in enumerate(amps):
        memory.see(value, 6.0, at(begin + number * every_s))
    return memory


def test_a_car_that_draws_clearly_less_for_a_while_is_planned_with_what_it_draws():
    memory = tapered(32.0, *[16.0] * 5)
    assert memory.tapers
    assert 17.0 <= memory.limit_a <= 19.0


def test_a_car_that_ramps_up_is_left_alone():
    assert not tapered(32.0, 2.0, 8.0, 16.0, 31.5, 31.5, 31.5).tapers
    assert not tapered(32.0, 16.0, 16.0, 16.0).tapers


def test_a_car_that_takes_all_or_nearly_all_does_not_taper():
    assert not tapered(16.0, *[15.8] * 20).tapers
    assert not tapered(16.0, *[15.1] * 20).tapers


def test_nothing_is_known_without_a_limit_and_said_of_one_below_the_floor():
    assert not tapered(inf, *[2.0] * 20).tapers
    assert not tapered(0.0, *[0.0] * 20).tapers


def test_it_is_never_planned_below_the_floor():
    assert tapered(16.0, *[0.5] * 10).limit_a == 6.0


def test_a_car_that_pushes_against_its_limit_gets_all_again_at_once():
    memory = tapered(32.0, *[10.0] * 5)
    memory.allow(memory.limit_a)
    memory.see(memory.limit_a, 6.0, at(200))
    assert not memory.tapers


def test_a_car_that_goes_on_tapering_is_followed_down():
    memory = tapered(32.0, *[20.0] * 5)
    first = memory.limit_a
    memory.allow(first)
    for number in range(20):
        memory.see(10.0, 6.0, at(200 + number * 30))
    assert memory.limit_a < first


def test_a_limit_that_is_lifted_gives_it_time_to_follow():
    memory = tapered(10.0, *[10.0] * 5)
    memory.allow(32.0)
    memory.see(10.0, 6.0, at(200))
    memory.see(10.0, 6.0, at(230))
    assert not memory.tapers


def test_a_car_that_swings_is_not_followed_for_ever():
    memory, changes, before = TaperMemory(), 0, False
    memory.allow(32.0)
    for number in range(20_000):
        limit = min(32.0, memory.limit_a)
        memory.allow(limit)
        memory.see(8.0 if (number // 100) % 2 else limit, 6.0, at(number * 10))
        changes += memory.tapers != before
        before = memory.tapers
    assert changes <= 2 * RETURNS_MAX + 1
