"""What stations say and answer is OCPP: checked by the official schemas."""

import pytest

from loadtests.swarm.words import WORDS_OF_VERSION, Charge, Place
from tests.loadtests.scripted import check

VERSIONS = list(WORDS_OF_VERSION)


@pytest.mark.parametrize("version", VERSIONS)
def test_all_that_is_said_is_valid(version):
    words = WORDS_OF_VERSION[version]
    charge = Charge(1, "TOKEN", "77", register_wh=1_000, remote_start_id=5, remote=True)
    calls = [
        words.boot("STATION", "PowerUp"),
        words.authorize("TOKEN"),
        words.start(charge),
        words.update(charge),
        words.stop(charge, "Local"),
        words.stop(charge, "Remote"),
        words.stop(charge, "DeAuthorized"),
        words.meter_values(1, 5),
        *(words.status(1, status) for status in ("Available", "Preparing", "Charging")),
        *(words.firmware(status) for status in ("Downloading", "Downloaded", "Installing", "Installed")),
    ]
    for action, payload in calls:
        check(version, action, "Request", payload)


def test_events_of_a_transaction_are_numbered():
    words, charge = WORDS_OF_VERSION["2.1"], Charge(1, "T", "tx")
    told = [words.start(charge), words.update(charge), words.stop(charge, "Local")]
    assert [payload["seqNo"] for _, payload in told] == [0, 1, 2]


COMMANDS = {
    "1.6": {
        "RemoteStartTransaction": {"idTag": "T"},
        "RemoteStopTransaction": {"transactionId": 9},
        "Reset": {"type": "Soft"},
        "UnlockConnector": {"connectorId": 1},
        "ChangeAvailability": {"connectorId": 0, "type": "Operative"},
        "TriggerMessage": {"requestedMessage": "Heartbeat"},
        "GetConfiguration": {"key": ["A"]},
        "ChangeConfiguration": {"key": "A", "value": "1"},
        "ClearCache": {},
        "DataTransfer": {"vendorId": "V"},
        "GetLocalListVersion": {},
        "SendLocalList": {"listVersion": 1, "updateType": "Full"},
        "SetChargingProfile": {},
        "ClearChargingProfile": {},
        "UpdateFirmware": {},
    },
    "2.x": {
        "RequestStartTransaction": {"idToken": {"idToken": "T", "type": "Central"}, "remoteStartId": 3},
        "RequestStopTransaction": {"transactionId": "nine"},
        "Reset": {"type": "OnIdle"},
        "UnlockConnector": {"evseId": 1, "connectorId": 1},
        "ChangeAvailability": {"operationalStatus": "Operative"},
        "TriggerMessage": {"requestedMessage": "LogStatusNotification"},
        "GetVariables": {"getVariableData": [{"component": {"name": "C"}, "variable": {"name": "V"}}]},
        "SetVariables": {
            "setVariableData": [{"component": {"name": "C"}, "variable": {"name": "V"}, "attributeValue": "1"}]
        },
        "GetBaseReport": {"requestId": 1, "reportBase": "FullInventory"},
        "GetTransactionStatus": {"transactionId": "nine"},
        "ClearCache": {},
        "DataTransfer": {"vendorId": "V"},
        "GetLocalListVersion": {},
        "SendLocalList": {"versionNumber": 1, "updateType": "Full"},
        "SetChargingProfile": {},
        "ClearChargingProfile": {},
        "UpdateFirmware": {},
    },
}


@pytest.mark.parametrize(
    ("version", "action"),
    [(version, action) for version in VERSIONS for action in COMMANDS["1.6" if version == "1.6" else "2.x"]],
)
def test_each_answer_is_valid(version, action):
    payload = COMMANDS["1.6" if version == "1.6" else "2.x"][action]
    answer = WORDS_OF_VERSION[version].obey(action, payload, Place(1))
    check(version, action, "Response", answer.payload)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_unknown_command_is_not_implemented(version):
    assert WORDS_OF_VERSION[version].obey("MakeCoffee", {}, Place(1)).payload is None


def test_a_taken_or_unknown_connector_refuses_a_start():
    words, place = WORDS_OF_VERSION["1.6"], Place(2, {1: Charge(1, "T", "9")})
    started = [
        words.obey("RemoteStartTransaction", {"idTag": "T", "connectorId": wanted}, place) for wanted in (1, 2, 3)
    ]
    assert [answer.payload["status"] for answer in started] == ["Rejected", "Accepted", "Rejected"]
    assert words.obey("RemoteStartTransaction", {"idTag": "T"}, place).start.connector == 2


def test_only_a_transaction_that_runs_can_be_stopped():
    words, place = WORDS_OF_VERSION["1.6"], Place(1, {1: Charge(1, "T", "9")})
    assert words.obey("RemoteStopTransaction", {"transactionId": 9}, place).stop == "9"
    assert words.obey("RemoteStopTransaction", {"transactionId": 8}, place).payload == {"status": "Rejected"}
