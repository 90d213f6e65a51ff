"""Promises: what counts from sending to a later yes."""

import pytest

from smartcharging.wire.promises import PROMISES_MAX, Place, Promise, Standing
from smartcharging.wire.steps import constant
from tests.smartcharging.wire.test_profiles import made


def promise(current_a, name="o"):
    return Promise(steps=constant(current_a), order_id=name, profile=made(constant(current_a)))


def worst(place):
    return place.worst.at(0.0)


@pytest.fixture
def place():
    """One that holds 10 A."""
    found = Place(known=False)
    first = promise(10.0, "first")
    found.send(first)
    found.accept(first)
    return found


def test_a_station_that_never_said_anything_may_do_anything():
    assert worst(Place(known=False)) == float("inf")
    assert worst(Place(known=True)) == 0.0


@pytest.mark.parametrize(("current_a", "meanwhile"), [(16.0, 16.0), (6.0, 10.0)])
def test_what_is_on_its_way_counts_as_the_larger_of_old_and_new(place, current_a, meanwhile):
    sent = promise(current_a)
    place.send(sent)
    assert worst(place) == meanwhile
    place.accept(sent)
    assert worst(place) == current_a


def test_a_refused_one_leaves_what_was_there(place):
    sent = promise(16.0)
    place.send(sent)
    place.refuse(sent)
    assert worst(place) == 10.0


def test_a_doubted_one_counts_until_a_later_yes_and_is_told_again(place):
    doubted = promise(16.0, "a")
    place.send(doubted)
    place.doubt(doubted)
    assert (worst(place), place.stale) == (16.0, True)
    again = promise(6.0, "b")
    place.send(again)
    assert worst(place) == 16.0
    place.accept(again)
    assert (worst(place), place.stale) == (6.0, False)


def test_a_late_yes_to_a_doubted_one_leaves_what_was_sent_after_it(place):
    first, second = promise(16.0, "a"), promise(6.0, "b")
    place.send(first)
    place.doubt(first)
    place.send(second)
    place.accept(first)
    assert worst(place) == 16.0
    assert second in place.promises
    place.accept(second)
    assert worst(place) == 6.0


def test_after_a_boot_anything_may_be_there_until_the_next_yes(place):
    place.suspect()
    place.suspect()
    assert (worst(place), place.stale, place.unknown) == (float("inf"), True, True)
    sent = promise(6.0)
    place.send(sent)
    place.accept(sent)
    assert (worst(place), place.unknown) == (6.0, False)


def test_a_lost_profile_of_a_transaction_counts_for_nothing_another_for_anything(place):
    place.lose(known=True)
    assert worst(place) == 0.0
    place.lose(known=False)
    assert worst(place) == float("inf")


def test_doubts_are_bounded_and_none_is_forgotten(place):
    for number in range(3 * PROMISES_MAX):
        doubted = promise(20.0 - number, f"d{number}")
        place.send(doubted)
        place.doubt(doubted)
    assert len(place.promises) <= PROMISES_MAX
    assert worst(place) == 20.0


def test_what_was_replaced_is_known_as_old_news(place):
    old = place.held.profile
    sent = promise(6.0)
    place.send(sent)
    place.accept(sent)
    assert place.was(old)
    assert place.knows(sent.profile) is sent
    assert sent.standing is Standing.HELD


def test_one_that_others_installed_replaces_all_but_what_is_on_its_way(place):
    sent = promise(8.0)
    place.send(sent)
    place.install(promise(12.0, "other"))
    assert worst(place) == 12.0
    assert sent in place.promises
