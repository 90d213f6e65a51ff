"""Availability in 1.6."""

from datetime import UTC, datetime

import pytest

from engine.model.availability import (
    ChangeAvailability,
    ConnectorStatus,
    ConnectorStatusAnswer,
    ConnectorStatusReported,
)
from engine.model.commands import Result
from engine.model.ids import EvseRef
from engine.ocpp import catalogue
from engine.ocpp.errors import ErrorCode, RemoteError
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

V16 = Version.V16


def test_a_fault_tells_everything():
    payload = {
        "connectorId": 2,
        "errorCode": "GroundFailure",
        "status": "Faulted",
        "info": "wet",
        "timestamp": "2026-05-01T12:00:00+02:00",
        "vendorId": "V",
        "vendorErrorCode": "E1",
    }
    assert catalogue.understand(V16, "StatusNotification", payload).report == ConnectorStatusReported(
        evse=EvseRef(evse=2, connector=1),
        status=ConnectorStatus.FAULTED,
        at=datetime(2026, 5, 1, 10, tzinfo=UTC),
        error_code="GroundFailure",
        info="wet",
        vendor_id="V",
        vendor_error_code="E1",
    )
    assert catalogue.answer_payload(V16, "StatusNotification", ConnectorStatusAnswer()) == {}


@pytest.mark.parametrize("connector_id", [0, 1, 5, 9, 40])
def test_connectors_go_there_and_back_and_zero_is_the_station(connector_id):
    payload = {"connectorId": connector_id, "errorCode": "NoError", "status": "Available"}
    report = catalogue.understand(V16, "StatusNotification", payload).report
    assert report == ConnectorStatusReported(
        evse=EvseRef(evse=connector_id, connector=1 if connector_id else None), status=ConnectorStatus.AVAILABLE
    )
    command = ChangeAvailability(evse=report.evse, operative=False)
    assert catalogue.command_call(V16, command) == (
        "ChangeAvailability",
        {"connectorId": connector_id, "type": "Inoperative"},
    )


@pytest.mark.parametrize("status", ["Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing", "Reserved"])
def test_all_words_of_16_are_known(status):
    payload = {"connectorId": 1, "errorCode": "NoError", "status": status}
    assert catalogue.understand(V16, "StatusNotification", payload).report.status.value == status


def test_a_negative_connector_is_refused():
    with pytest.raises(RemoteError) as raised:
        catalogue.understand(
            V16, "StatusNotification", {"connectorId": -1, "errorCode": "NoError", "status": "Available"}
        )
    assert raised.value.code is ErrorCode.PROPERTY_CONSTRAINT_VIOLATION


def test_an_evse_is_its_one_connector():
    command = ChangeAvailability(evse=EvseRef(evse=3), operative=True)
    assert catalogue.command_call(V16, command)[1] == {"connectorId": 3, "type": "Operative"}


@pytest.mark.parametrize("evse", [EvseRef(evse=1, connector=2), EvseRef(evse=0, connector=1)])
def test_16_knows_no_second_connector(evse):
    with pytest.raises(NotExpressible, match="connectorId n is EVSE n, connector 1"):
        catalogue.command_call(V16, ChangeAvailability(evse=evse, operative=True))


@pytest.mark.parametrize(
    ("status", "result"),
    [("Accepted", Result.ACCEPTED), ("Scheduled", Result.ACCEPTED), ("Rejected", Result.REFUSED)],
)
def test_scheduled_is_a_yes(status, result):
    assert catalogue.outcome_of(V16, "ChangeAvailability", {"status": status}).result is result
