"""What 1.6 says beyond the blocks that are translated."""

import pytest

from engine.model.commands import Result
from engine.model.notices import NoticeAnswer, StationNotice
from engine.ocpp import catalogue
from engine.ocpp.versions import Version

V16 = Version.V16


def test_a_notice_is_kept_verbatim():
    payload = {"type": "FirmwareUpdated", "timestamp": "2026-05-01T10:00:00Z"}
    assert catalogue.understand(V16, "SecurityEventNotification", payload).report == StationNotice(
        action="SecurityEventNotification", payload=b'{"type":"FirmwareUpdated","timestamp":"2026-05-01T10:00:00Z"}'
    )


@pytest.mark.parametrize(
    ("action", "payload"),
    [("SignCertificate", {"status": "Rejected"}), ("LogStatusNotification", {}), ("DiagnosticsStatusNotification", {})],
)
def test_the_answer_commits_us_to_nothing(action, payload):
    assert catalogue.answer_payload(V16, action, NoticeAnswer()) == payload


def test_an_answer_can_be_changed_without_harm_to_the_next():
    catalogue.answer_payload(V16, "SignCertificate", NoticeAnswer())["status"] = "Accepted"
    assert catalogue.answer_payload(V16, "SignCertificate", NoticeAnswer()) == {"status": "Rejected"}


@pytest.mark.parametrize(
    ("action", "payload", "result"),
    [
        ("GetInstalledCertificateIds", {"status": "NotFound"}, Result.ACCEPTED),
        ("DeleteCertificate", {"status": "NotFound"}, Result.REFUSED),
        ("SendLocalList", {"status": "VersionMismatch"}, Result.REFUSED),
        ("GetLocalListVersion", {"listVersion": -1}, Result.ACCEPTED),
        ("ReserveNow", {"status": "Occupied"}, Result.REFUSED),
        ("GetDiagnostics", {}, Result.ACCEPTED),
    ],
)
def test_answers_to_raw_commands_have_their_outcome(action, payload, result):
    assert catalogue.outcome_of(V16, action, payload).result is result
