"""Reservations in 2.x."""

from datetime import UTC, datetime

import pytest

from engine.model.authorization import Token
from engine.model.ids import EvseRef
from engine.model.reservation import (
    CancelReservation,
    ReservationStatus,
    ReservationStatusAnswer,
    ReservationStatusReported,
    ReserveNow,
)
from engine.ocpp import catalogue
from engine.ocpp.translation import NotExpressible
from engine.ocpp.v2.reservation import CONNECTOR_TYPES_201
from engine.ocpp.versions import Version

BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])
UNTIL = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def reserve(**more):
    return ReserveNow(**({"token": Token("ABC", "Central"), "expires_at": UNTIL, "request_id": 7} | more))


@BOTH
def test_H01_an_evse_is_reserved_for_a_token_and_its_group(version):
    assert catalogue.command_call(version, reserve(evse=EvseRef(2, 1), group="G")) == (
        "ReserveNow",
        {
            "id": 7,
            "expiryDateTime": "2026-11-21T12:00:00.000Z",
            "idToken": {"idToken": "ABC", "type": "Central"},
            "evseId": 2,
            "groupIdToken": {"idToken": "G", "type": "Central"},
        },
    )


@BOTH
def test_H01_FR_04_and_06_whatever_is_free_or_a_type_of_connector(version):
    assert "evseId" not in catalogue.command_call(version, reserve())[1]
    assert "evseId" not in catalogue.command_call(version, reserve(evse=EvseRef(0)))[1]
    assert catalogue.command_call(version, reserve(connector_type="cCCS2"))[1]["connectorType"] == "cCCS2"


def test_the_types_of_connectors_of_2_0_1_are_those_of_its_schema(definitions):
    assert set(definitions(Version.V201, "ReserveNow")["ConnectorEnumType"]["enum"]) == CONNECTOR_TYPES_201
    with pytest.raises(NotExpressible, match="cMCS"):
        catalogue.command_call(Version.V201, reserve(connector_type="cMCS"))
    catalogue.command_call(Version.V21, reserve(connector_type="cMCS"))


@BOTH
def test_H02_a_reservation_is_cancelled_by_its_id(version):
    assert catalogue.command_call(version, CancelReservation(7)) == ("CancelReservation", {"reservationId": 7})
    with pytest.raises(NotExpressible):
        catalogue.command_call(version, CancelReservation(-7))


@pytest.mark.parametrize(
    ("version", "word"),
    [
        (Version.V201, "Expired"),
        (Version.V201, "Removed"),
        (Version.V21, "Expired"),
        (Version.V21, "Removed"),
        (Version.V21, "NoTransaction"),
    ],
)
def test_H04_FR_01_the_station_says_what_became_of_one(version, word):
    payload = {"reservationId": 7, "reservationUpdateStatus": word}
    understood = catalogue.understand(version, "ReservationStatusUpdate", payload)
    assert understood.report == ReservationStatusReported(7, ReservationStatus(word))
    assert catalogue.answer_payload(version, "ReservationStatusUpdate", ReservationStatusAnswer()) == {}
