"""Notices: kept verbatim, answered without a promise; everything of ours can be said raw."""

import orjson
import pytest

from engine.model.commands import Result
from engine.model.notices import NoticeAnswer, StationNotice
from engine.ocpp.v2.dialect import dialect
from engine.ocpp.versions import Version

BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])


def answer(action, version, echo=None):
    return dialect(version).from_station[action].response(NoticeAnswer(echo=echo), version)


@BOTH
def test_a_notice_is_kept_verbatim(version):
    payload = {"requestId": 0, "seqNo": 0, "generatedAt": "", "customData": {"vendorId": "ü", "x": [1.50, None]}}
    report = dialect(version).from_station["NotifyReport"].report(payload, version)
    assert report == StationNotice(action="NotifyReport", payload=orjson.dumps(payload))


@BOTH
@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("NotifyEvent", {}),
        ("NotifyEVChargingSchedule", {"status": "Accepted"}),
    ],
)
def test_an_answer_commits_us_to_least(action, expected, version):
    assert answer(action, version) == expected


def test_charging_needs_meet_no_planner_in_the_word_of_each_version():
    assert answer("NotifyEVChargingNeeds", Version.V201) == {"status": "Rejected"}
    assert answer("NotifyEVChargingNeeds", Version.V21) == {"status": "NoChargingProfile"}


@pytest.mark.parametrize("action", ["PullDynamicScheduleUpdate"])
def test_what_2_1_offers_and_we_do_not_do_is_rejected(action):
    assert answer(action, Version.V21) == {"status": "Rejected"}


def test_an_answer_is_never_shared():
    first = answer("NotifyEvent", Version.V21)
    first["customData"] = {"vendorId": "v"}
    assert answer("NotifyEvent", Version.V21) == {}


def outcome(action, payload, version=Version.V21):
    return dialect(version).from_csms[action].outcome(payload, version)


@pytest.mark.parametrize(
    ("action", "payload", "result"),
    [
        ("CostUpdated", {}, Result.ACCEPTED),
        ("GetLocalListVersion", {"versionNumber": 0}, Result.ACCEPTED),
        ("GetTransactionStatus", {"messagesInQueue": False}, Result.ACCEPTED),
        ("GetDisplayMessages", {"status": "Unknown"}, Result.ACCEPTED),
        ("ClearDisplayMessage", {"status": "Unknown"}, Result.REFUSED),
        ("GetChargingProfiles", {"status": "NoProfiles"}, Result.ACCEPTED),
        ("GetReport", {"status": "EmptyResultSet"}, Result.ACCEPTED),
        ("UnpublishFirmware", {"status": "Unpublished"}, Result.ACCEPTED),
        ("UnpublishFirmware", {"status": "DownloadOngoing"}, Result.REFUSED),
        ("UpdateFirmware", {"status": "AcceptedCanceled"}, Result.ACCEPTED),
        ("SendLocalList", {"status": "VersionMismatch"}, Result.REFUSED),
    ],
)
def test_an_answered_question_and_a_yes_are_accepted(action, payload, result):
    assert outcome(action, payload).result is result


@pytest.mark.parametrize(
    ("action", "field"),
    [
        ("ClearTariffs", "clearTariffsResult"),
    ],
)
def test_a_list_of_statuses_is_accepted_only_as_a_whole(action, field):
    yes, no = {"status": "Accepted"}, {"status": "Rejected", "statusInfo": {"reasonCode": "ReadOnly"}}
    whole = outcome(action, {field: [yes, yes]})
    assert (whole.result, whole.status, whole.detail) == (Result.ACCEPTED, "Accepted", None)
    part = outcome(action, {field: [yes, no, no]})
    assert (part.result, part.status, part.detail) == (
        Result.REFUSED,
        "Rejected",
        "2 of 3 not accepted: ReadOnly",
    )
