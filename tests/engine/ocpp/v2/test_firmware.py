"""Firmware in both versions."""

from datetime import UTC, datetime

import pytest

from engine.model.commands import Result
from engine.model.firmware import (
    FirmwareStatus,
    FirmwareStatusReported,
    PublicationReported,
    PublicationStatus,
    PublishFirmware,
    UnpublishFirmware,
    UpdateFirmware,
)
from engine.model.notices import NoticeAnswer
from engine.ocpp import catalogue
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])
AT = datetime(2026, 5, 1, 10, tzinfo=UTC)
ISO = "2026-05-01T10:00:00.000Z"
INFO = {"reasonCode": "OutOfStorage", "additionalInfo": "12 MB short"}


def understood(version, action, payload):
    return catalogue.understand(version, action, payload).report


@BOTH
def test_L01_FR_11_a_signed_update_carries_its_signing_certificate(version):
    command = UpdateFirmware(
        "https://h/f", AT, AT, signing_certificate="PEM", signature="c2ln", retries=2, retry_interval_s=9, request_id=5
    )
    firmware = {
        "location": "https://h/f",
        "retrieveDateTime": ISO,
        "installDateTime": ISO,
        "signingCertificate": "PEM",
        "signature": "c2ln",
    }
    expected = {"requestId": 5, "firmware": firmware, "retries": 2, "retryInterval": 9}
    assert catalogue.command_call(version, command) == ("UpdateFirmware", expected)


@BOTH
def test_an_update_needs_a_location_and_a_number_only(version):
    payload = catalogue.command_call(version, UpdateFirmware("https://h/f", request_id=5))[1]
    assert payload == {
        "requestId": 5,
        "firmware": {"location": "https://h/f", "retrieveDateTime": "2020-01-01T00:00:00.000Z"},
    }


@BOTH
@pytest.mark.parametrize("half", [{"signature": "x"}, {"signing_certificate": "x"}])
def test_half_a_signature_is_not_expressible(version, half):
    with pytest.raises(NotExpressible, match="give both, or neither"):
        catalogue.command_call(version, UpdateFirmware("https://h/f", request_id=5, **half))


def test_a_location_is_as_long_as_the_version_allows():
    command = UpdateFirmware("https://h/" + "f" * 600, request_id=5)
    assert catalogue.command_call(Version.V21, command)[0] == "UpdateFirmware"
    with pytest.raises(NotExpressible, match="firmware"):
        catalogue.command_call(Version.V201, command)


@BOTH
def test_a_publication_is_named_by_its_checksum(version):
    published = catalogue.command_call(version, PublishFirmware("https://h/f", "ab" * 16, 1, 2, request_id=6))
    assert published == (
        "PublishFirmware",
        {"location": "https://h/f", "checksum": "ab" * 16, "requestId": 6, "retries": 1, "retryInterval": 2},
    )
    assert catalogue.command_call(version, UnpublishFirmware("ab")) == ("UnpublishFirmware", {"checksum": "ab"})


@BOTH
@pytest.mark.parametrize("status", list(FirmwareStatus))
def test_every_status_of_an_update_is_understood(version, status):
    report = understood(version, "FirmwareStatusNotification", {"status": status.value, "requestId": 3})
    assert report == FirmwareStatusReported(status, 3)


def test_2_1_says_why():
    payload = {"status": "DownloadFailed", "requestId": 3, "statusInfo": INFO}
    report = understood(Version.V21, "FirmwareStatusNotification", payload)
    assert report.detail == "OutOfStorage: 12 MB short"


@BOTH
@pytest.mark.parametrize("status", [status for status in PublicationStatus if status != "Unpublished"])
def test_every_status_of_a_publication_is_understood(version, status):
    payload = {"status": status.value, "location": ["http://lc/f", "ftp://lc/f"], "requestId": 3}
    expected = PublicationReported(status, 3, ("http://lc/f", "ftp://lc/f"))
    assert understood(version, "PublishFirmwareStatusNotification", payload) == expected
    bare = understood(version, "PublishFirmwareStatusNotification", {"status": status.value})
    assert bare == PublicationReported(status)


@BOTH
@pytest.mark.parametrize("action", ["FirmwareStatusNotification", "PublishFirmwareStatusNotification"])
def test_statuses_are_taken_note_of(version, action):
    assert catalogue.answer_payload(version, action, NoticeAnswer()) == {}


@BOTH
@pytest.mark.parametrize(
    ("action", "status", "result"),
    [
        ("UpdateFirmware", "Accepted", Result.ACCEPTED),
        ("UpdateFirmware", "AcceptedCanceled", Result.ACCEPTED),
        ("UpdateFirmware", "RevokedCertificate", Result.REFUSED),
        ("PublishFirmware", "Rejected", Result.REFUSED),
        ("UnpublishFirmware", "Unpublished", Result.ACCEPTED),
        ("UnpublishFirmware", "NoFirmware", Result.ACCEPTED),
        ("UnpublishFirmware", "DownloadOngoing", Result.REFUSED),
    ],
)
def test_answers_are_a_yes_or_a_no(version, action, status, result):
    outcome = catalogue.outcome_of(version, action, {"status": status})
    assert (outcome.result, outcome.status) == (result, status)
