"""Firmware in 1.6: plain and signed updates, and their statuses."""

from datetime import UTC, datetime

import pytest

from engine.model.firmware import (
    AT_ONCE,
    FirmwareStatus,
    FirmwareStatusReported,
    PublishFirmware,
    UnpublishFirmware,
    UpdateFirmware,
)
from engine.model.notices import NoticeAnswer
from engine.ocpp import catalogue, times
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

V16 = Version.V16
AT = datetime(2026, 5, 1, 10, tzinfo=UTC)
SIGNED = {"signing_certificate": "-----BEGIN CERTIFICATE-----", "signature": "c2ln"}


def said(command):
    return catalogue.command_call(V16, command)


def understood(action, payload):
    return catalogue.understand(V16, action, payload).report


def test_TC_044_an_update_is_said_with_everything_that_was_given():
    command = UpdateFirmware("ftp://u:p@h/f", retrieve_at=AT, retries=3, retry_interval_s=60, request_id=9)
    payload = {
        "location": "ftp://u:p@h/f",
        "retrieveDate": "2026-05-01T10:00:00.000Z",
        "retries": 3,
        "retryInterval": 60,
    }
    assert said(command) == ("UpdateFirmware", payload)


def test_at_once_is_a_time_that_has_passed():
    payload = said(UpdateFirmware("ftp://h/f", request_id=1))[1]
    assert payload == {"location": "ftp://h/f", "retrieveDate": times.format(AT_ONCE)}
    assert AT_ONCE < AT


def test_a_signed_update_is_the_whitepapers():
    command = UpdateFirmware("https://h/f", retrieve_at=AT, install_at=AT, request_id=9, retries=0, **SIGNED)
    action, payload = said(command)
    assert (action, payload["requestId"], payload["retries"]) == ("SignedUpdateFirmware", 9, 0)
    assert payload["firmware"] == {
        "location": "https://h/f",
        "retrieveDateTime": "2026-05-01T10:00:00.000Z",
        "installDateTime": "2026-05-01T10:00:00.000Z",
        "signingCertificate": SIGNED["signing_certificate"],
        "signature": SIGNED["signature"],
    }


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        (UpdateFirmware("ftp://h/f", install_at=AT, request_id=1), "leave install_at out"),
        (UpdateFirmware("ftp://h/f", signature="x", request_id=1), "give both, or neither"),
        (UpdateFirmware("ftp://h/f", signing_certificate="x", request_id=1), "give both, or neither"),
        (PublishFirmware("ftp://h/f", "00", request_id=1), "each station the location by update_firmware"),
        (UnpublishFirmware("00"), "each station the location by update_firmware"),
    ],
)
def test_what_1_6_cannot_say_comes_with_advice(command, advice):
    with pytest.raises(NotExpressible, match=advice):
        said(command)


@pytest.mark.parametrize(
    "status",
    ["Idle", "Downloading", "Downloaded", "DownloadFailed", "Installing", "Installed", "InstallationFailed"],
)
def test_a_plain_status_names_no_update(status):
    report = understood("FirmwareStatusNotification", {"status": status})
    assert report == FirmwareStatusReported(FirmwareStatus(status))


def test_a_signed_status_may_name_its_update():
    payload = {"status": "SignatureVerified", "requestId": 7}
    expected = FirmwareStatusReported(FirmwareStatus.SIGNATURE_VERIFIED, 7)
    assert understood("SignedFirmwareStatusNotification", payload) == expected
    bare = understood("SignedFirmwareStatusNotification", {"status": "Idle"})
    assert bare == FirmwareStatusReported(FirmwareStatus.IDLE)


@pytest.mark.parametrize("action", ["FirmwareStatusNotification", "SignedFirmwareStatusNotification"])
def test_a_status_is_taken_note_of(action):
    assert catalogue.answer_payload(V16, action, NoticeAnswer()) == {}


def test_the_answer_to_a_plain_update_has_no_word():
    outcome = catalogue.outcome_of(V16, "UpdateFirmware", {})
    assert (outcome.result, outcome.status) == ("accepted", None)
    refused = catalogue.outcome_of(V16, "SignedUpdateFirmware", {"status": "InvalidCertificate"})
    assert (refused.result, refused.status) == ("refused", "InvalidCertificate")
    newer = catalogue.outcome_of(V16, "SignedUpdateFirmware", {"status": "AcceptedCanceled"})
    assert newer.result == "accepted"
