"""Availability between wire and words, and the places that other blocks name."""

from datetime import UTC, datetime

import pytest

from engine.model.availability import ChangeAvailability, ConnectorStatus, ConnectorStatusReported
from engine.model.ids import EvseRef
from engine.ocpp.translation import NotExpressible
from engine.ocpp.v2 import availability
from engine.ocpp.versions import Version


def reported(**changes):
    payload = {
        "timestamp": "2026-05-01T10:00:00Z",
        "connectorStatus": "Occupied",
        "evseId": 2,
        "connectorId": 1,
        **changes,
    }
    return availability.report_from_status_notification(payload, Version.V201)


def test_a_status_names_its_place_and_time():
    assert reported() == ConnectorStatusReported(
        evse=EvseRef(evse=2, connector=1),
        status=ConnectorStatus.OCCUPIED,
        at=datetime(2026, 5, 1, 10, tzinfo=UTC),
    )


@pytest.mark.parametrize("status", ["Available", "Occupied", "Reserved", "Unavailable", "Faulted"])
def test_every_status_of_2_x_has_its_word(status):
    assert reported(connectorStatus=status).status == status


def test_evse_0_connector_0_is_the_station():
    assert reported(evseId=0, connectorId=0).evse == EvseRef(evse=0)


@pytest.mark.parametrize("timestamp", ["", "yesterday"])
def test_a_time_that_is_none_stays_unsaid(timestamp):
    assert reported(timestamp=timestamp).at is None


@pytest.mark.parametrize(
    ("evse", "expected"),
    [
        (None, None),
        ({}, None),
        ({"id": 3}, EvseRef(evse=3)),
        ({"id": 3, "connectorId": 2}, EvseRef(evse=3, connector=2)),
        ({"id": 3, "connectorId": 0}, EvseRef(evse=3)),
    ],
)
def test_an_evse_says_only_what_it_said(evse, expected):
    assert availability.evse_ref_from_evse(evse) == expected


@pytest.mark.parametrize(
    ("evse", "expected"),
    [
        (EvseRef(evse=0), {"operationalStatus": "Inoperative"}),
        (EvseRef(evse=2), {"operationalStatus": "Inoperative", "evse": {"id": 2}}),
        (EvseRef(evse=2, connector=3), {"operationalStatus": "Inoperative", "evse": {"id": 2, "connectorId": 3}}),
    ],
)
def test_station_evse_and_connector_are_taken_out_of_service_apart(evse, expected):
    command = ChangeAvailability(evse=evse, operative=False)
    said = availability.change_availability_from_change_availability(command, Version.V201)
    assert said == ("ChangeAvailability", expected)


def test_back_into_service():
    command = ChangeAvailability(evse=EvseRef(evse=0), operative=True)
    _, payload = availability.change_availability_from_change_availability(command, Version.V21)
    assert payload == {"operationalStatus": "Operative"}


@pytest.mark.parametrize(
    "evse",
    [EvseRef(evse=0, connector=1), EvseRef(evse=-1), EvseRef(evse=1, connector=0), EvseRef(evse=1, connector=-1)],
)
@pytest.mark.parametrize("version", [Version.V201, Version.V21])
def test_a_place_that_cannot_be_is_not_expressible(evse, version):
    with pytest.raises(NotExpressible, match="from 1"):
        availability.evse_from_evse_ref(evse, version)
