"""The reservations a station keeps: bounded, one per id."""

from datetime import UTC, datetime, timedelta

from engine.model.authorization import Token
from engine.model.reservation import ReservationLapsed, ReservationMade
from engine.station.reserved import LAPSES_AFTER_S, RESERVATIONS_MAX, Reserved

START = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def made(number, after_s=60):
    return ReservationMade(number, Token("A"), START + timedelta(seconds=after_s), "c", START)


def test_the_first_to_lapse_is_due_first():
    reserved = Reserved().after(made(1, 100)).after(made(2, 10))
    assert reserved.due_at == START + timedelta(seconds=10 + LAPSES_AFTER_S)
    assert Reserved().due_at is None


def test_an_id_is_in_it_once():
    reserved = Reserved().after(made(1, 100)).after(made(1, 10))
    assert len(reserved.reservations) == 1
    assert reserved.after(ReservationLapsed(1, START)) == Reserved()


def test_beyond_the_bound_the_oldest_is_forgotten():
    reserved = Reserved()
    for number in range(RESERVATIONS_MAX + 1):
        reserved = reserved.after(made(number))
    assert len(reserved.reservations) == RESERVATIONS_MAX
    assert reserved.find(0) is None
