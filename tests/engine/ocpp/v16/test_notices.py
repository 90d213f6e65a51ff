"""What 1.6 says beyond the blocks that are translated."""

import pytest

from engine.model.commands import Result
from engine.model.notices import NoticeAnswer, StationNotice
from engine.ocpp import catalogue
from engine.ocpp.versions import Version

V16 = Version.V16


def test_a_notice_is_kept_verbatim():
    payload = {"status": "Uploading", "requestId": 7}
    assert catalogue.understand(V16, "LogStatusNotification", payload).report == StationNotice(
        action="LogStatusNotification", payload=b'{"status":"Uploading","requestId":7}'
    )


@pytest.mark.parametrize(
    ("action", "payload"),
    [("LogStatusNotification", {}), ("DiagnosticsStatusNotification", {})],
)
def test_the_answer_commits_us_to_nothing(action, payload):
    assert catalogue.answer_payload(V16, action, NoticeAnswer()) == payload


def test_an_answer_can_be_changed_without_harm_to_the_next():
    catalogue.answer_payload(V16, "LogStatusNotification", NoticeAnswer())["status"] = "Accepted"
    assert catalogue.answer_payload(V16, "LogStatusNotification", NoticeAnswer()) == {}


@pytest.mark.parametrize(
    ("action", "payload", "result"),
    [
        ("SendLocalList", {"status": "VersionMismatch"}, Result.REFUSED),
        ("GetLocalListVersion", {"listVersion": -1}, Result.ACCEPTED),
        ("ReserveNow", {"status": "Occupied"}, Result.REFUSED),
        ("GetDiagnostics", {}, Result.ACCEPTED),
    ],
)
def test_answers_to_raw_commands_have_their_outcome(action, payload, result):
    assert catalogue.outcome_of(V16, action, payload).result is result
