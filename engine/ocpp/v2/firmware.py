"""Firmware: UpdateFirmware, publication by local controllers, and their statuses. OCPP 2.1 block L.

Translates; never decides, never remembers.
"""

from engine.model.envelopes import Answer
from engine.model.firmware import (
    AT_ONCE,
    FirmwareStatus,
    FirmwareStatusReported,
    PublicationReported,
    PublicationStatus,
    PublishFirmware,
    UnpublishFirmware,
    UpdateFirmware,
)
from engine.model.notices import NoticeAnswer
from engine.ocpp import outcomes, times
from engine.ocpp.answers import expected
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload, StationCall
from engine.ocpp.versions import Version

BLOCK = "firmware"


def report_from_firmware_status_notification(payload: Payload, _version: Version) -> FirmwareStatusReported:
    """How far an update is."""
    return FirmwareStatusReported(
        status=FirmwareStatus(payload["status"]),
        request_id=payload.get("requestId"),
        detail=outcomes.detail_of(payload),
    )


def report_from_publish_firmware_status_notification(payload: Payload, _version: Version) -> PublicationReported:
    """How far a publication is, and where stations can fetch the file."""
    return PublicationReported(
        status=PublicationStatus(payload["status"]),
        request_id=payload.get("requestId"),
        locations=tuple(payload.get("location") or ()),
        detail=outcomes.detail_of(payload),
    )


def taken_note_of(answer: Answer, _version: Version) -> Payload:
    """Nothing to say."""
    expected(NoticeAnswer, answer, "a status of firmware")
    return {}


def update_firmware_from_update_firmware(command: UpdateFirmware, version: Version) -> tuple[str, Payload]:
    """The update, signed (L01) or not (L02).

    Raises:
        NotExpressible: Half a signature.
    """
    if (command.signature is None) != (command.signing_certificate is None):
        raise NotExpressible(
            f"OCPP {version} wants certificate and signature of a signed update (L01.FR.11): give both, or neither"
        )
    firmware: Payload = {
        "location": command.location,
        "retrieveDateTime": times.format(command.retrieve_at or AT_ONCE),
    }
    if command.install_at is not None:
        firmware["installDateTime"] = times.format(command.install_at)
    if command.signature is not None:
        firmware["signingCertificate"] = command.signing_certificate
        firmware["signature"] = command.signature
    return "UpdateFirmware", {"requestId": command.request_id or 0, "firmware": firmware, **_retries(command)}


def publish_firmware_from_publish_firmware(command: PublishFirmware, _version: Version) -> tuple[str, Payload]:
    """A file for the stations behind a local controller (L03)."""
    payload: Payload = {
        "location": command.location,
        "checksum": command.checksum,
        "requestId": command.request_id or 0,
    }
    return "PublishFirmware", {**payload, **_retries(command)}


def unpublish_firmware_from_unpublish_firmware(command: UnpublishFirmware, _version: Version) -> tuple[str, Payload]:
    """No more of it (L04)."""
    return "UnpublishFirmware", {"checksum": command.checksum}


def _retries(command: UpdateFirmware | PublishFirmware) -> Payload:
    payload: Payload = {}
    if command.retries is not None:
        payload["retries"] = command.retries
    if command.retry_interval_s is not None:
        payload["retryInterval"] = command.retry_interval_s
    return payload


FROM_STATION = (
    StationCall(
        action="FirmwareStatusNotification",
        block=BLOCK,
        report=report_from_firmware_status_notification,
        response=taken_note_of,
    ),
    StationCall(
        action="PublishFirmwareStatusNotification",
        block=BLOCK,
        report=report_from_publish_firmware_status_notification,
        response=taken_note_of,
    ),
)
FROM_CSMS = (
    CsmsCall(action="UpdateFirmware", block=BLOCK, outcome=outcomes.from_status_field),
    CsmsCall(action="PublishFirmware", block=BLOCK, outcome=outcomes.from_status_field),
    # NoFirmware: there is none, which is what was wanted; DownloadOngoing is a no (L04.FR.04).
    CsmsCall(action="UnpublishFirmware", block=BLOCK, outcome=outcomes.reader_accepting("NoFirmware")),
)
COMMANDS = (
    CommandTranslator(command=UpdateFirmware, call=update_firmware_from_update_firmware),
    CommandTranslator(command=PublishFirmware, call=publish_firmware_from_publish_firmware),
    CommandTranslator(command=UnpublishFirmware, call=unpublish_firmware_from_unpublish_firmware),
)
