"""Reservations in 1.6."""

from datetime import UTC, datetime

import pytest

from engine.model.authorization import Token
from engine.model.commands import Result
from engine.model.ids import EvseRef
from engine.model.reservation import CancelReservation, ReserveNow
from engine.ocpp import catalogue
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

V16 = Version.V16
UNTIL = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def reserve(**more):
    return ReserveNow(**({"token": Token("ABC"), "expires_at": UNTIL, "request_id": 7} | more))


def test_TC_046_a_connector_is_reserved_for_a_tag():
    assert catalogue.command_call(V16, reserve(evse=EvseRef(2, 1))) == (
        "ReserveNow",
        {"connectorId": 2, "expiryDate": "2026-11-21T12:00:00.000Z", "idTag": "ABC", "reservationId": 7},
    )


@pytest.mark.parametrize("evse", [None, EvseRef(0)])
def test_TC_049_the_whole_station_is_connector_0(evse):
    assert catalogue.command_call(V16, reserve(evse=evse))[1]["connectorId"] == 0


def test_TC_053_a_group_is_the_parent():
    assert catalogue.command_call(V16, reserve(group="G"))[1]["parentIdTag"] == "G"


@pytest.mark.parametrize(
    "more", [{"token": Token("A" * 21)}, {"group": "G" * 21}, {"connector_type": "cCCS2"}, {"evse": EvseRef(1, 2)}]
)
def test_what_1_6_cannot_hold_is_not_sent(more):
    with pytest.raises(NotExpressible):
        catalogue.command_call(V16, reserve(**more))


@pytest.mark.parametrize("word", ["Faulted", "Occupied", "Rejected", "Unavailable"])
def test_TC_048_a_no_is_a_no(word):
    outcome = catalogue.outcome_of(V16, "ReserveNow", {"status": word})
    assert (outcome.result, outcome.status) == (Result.REFUSED, word)


def test_TC_051_a_reservation_is_cancelled_by_its_number():
    assert catalogue.command_call(V16, CancelReservation(7)) == ("CancelReservation", {"reservationId": 7})
