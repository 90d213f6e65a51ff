"""Block G, availability: status, heartbeats, in and out of service."""

import pytest

from engine.model.availability import ChangeAvailability, ConnectorStatusChanged
from engine.model.commands import Result
from engine.model.ids import EvseRef
from engine.model.provisioning import StationSeen
from engine.ocpp.versions import Version
from tests.conformance.charging import Charging, at
from tests.conformance.conversation import V16, Conversation

TWO = [Version.V201, Version.V21]
WORDS_16 = (
    "Available",
    "Preparing",
    "Charging",
    "SuspendedEVSE",
    "SuspendedEV",
    "Finishing",
    "Reserved",
    "Unavailable",
    "Faulted",
)
WORDS_2 = ("Available", "Occupied", "Reserved", "Unavailable", "Faulted")


@pytest.mark.parametrize("version", Version)
def test_G01_FR_01_every_status_that_a_connector_can_have_is_taken(version):
    conversation = Conversation(version)
    words = WORDS_16 if version is V16 else WORDS_2
    for word in words:
        if version is V16:
            said = {"connectorId": 1, "errorCode": "NoError", "status": word}
        else:
            said = {"evseId": 1, "connectorId": 1, "connectorStatus": word, "timestamp": at(1)}
        assert conversation.says("StatusNotification", said) == {}
    assert tuple(fact.report.status for fact in conversation.of(ConnectorStatusChanged)) == words


@pytest.mark.parametrize("version", Version)
def test_G02_FR_06_a_heartbeat_is_answered_with_the_time_in_utc(version):
    conversation = Conversation(version)
    conversation.station.wait(100)
    told = conversation.says("Heartbeat", {})["currentTime"]
    assert told == conversation.station.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.mark.parametrize("version", Version)
def test_G02_FR_04_whatever_a_station_says_shows_that_it_is_there(version):
    conversation = Conversation(version)
    conversation.station.wait(3_600)
    conversation.says("Heartbeat", {})
    assert conversation.of(StationSeen)[-1].at == conversation.station.now


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("operative", [True, False])
@pytest.mark.parametrize(
    ("status", "result"),
    [("Accepted", Result.ACCEPTED), ("Scheduled", Result.ACCEPTED), ("Rejected", Result.REFUSED)],
)
def test_G03_FR_01_a_place_is_taken_in_or_out_of_service(version, operative, status, result):
    """Scheduled: G03.FR.05, while a transaction runs. 1.6 section 5.2."""
    conversation = Conversation(version)
    action, payload = conversation.told(ChangeAvailability(evse=EvseRef(evse=1), operative=operative))
    word = "Operative" if operative else "Inoperative"
    expected = {"connectorId": 1, "type": word} if version is V16 else {"evse": {"id": 1}, "operationalStatus": word}
    assert (action, payload) == ("ChangeAvailability", expected)
    outcome = conversation.replies({"status": status})
    assert (outcome.result, outcome.status) == (result, status)


@pytest.mark.parametrize("version", Version)
def test_G04_FR_01_the_whole_station_is_meant_where_no_evse_is_named(version):
    _, payload = Conversation(version).told(ChangeAvailability(evse=EvseRef(evse=0), operative=False))
    assert payload.get("connectorId", 0) == 0
    assert "evse" not in payload


@pytest.mark.parametrize("version", Version)
def test_G_a_transaction_survives_every_status(version):
    """1.6 section 3.7: a status is no evidence of a transaction's state; it may overtake the queue."""
    charging = Charging(Conversation(version))
    charging.start()
    for word in ("Available", "Faulted", "Unavailable", "Charging"):
        charging.status(word, 60)
    assert charging.ended == []
    charging.stop()
    assert len(charging.ended) == 1


@pytest.mark.parametrize("version", TWO)
def test_G05_FR_03_an_event_about_a_lock_that_failed_is_answered(version):
    failed = {
        "eventId": 5,
        "timestamp": at(5),
        "trigger": "Alerting",
        "actualValue": "true",
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": "ConnectorPlugRetentionLock", "evse": {"id": 1, "connectorId": 1}},
        "variable": {"name": "Problem"},
    }
    said = {"generatedAt": at(5), "seqNo": 0, "eventData": [failed]}
    assert Conversation(version).says("NotifyEvent", said) == {}
