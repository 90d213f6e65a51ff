"""Firmware in 1.6: UpdateFirmware and, of the security whitepaper, SignedUpdateFirmware. Sections 4.5, 5.19.

Translates; never decides, never remembers. The plain messages have no requestId: whoever decides finds the update.
"""

from engine.model.envelopes import Answer
from engine.model.firmware import (
    AT_ONCE,
    FirmwareStatus,
    FirmwareStatusReported,
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
    """How far it is; the signed message says of which update."""
    return FirmwareStatusReported(status=FirmwareStatus(payload["status"]), request_id=payload.get("requestId"))


def firmware_status_notification_response(answer: Answer, _version: Version) -> Payload:
    """Nothing to say."""
    expected(NoticeAnswer, answer, "FirmwareStatusNotification")
    return {}


def update_firmware_from_update_firmware(command: UpdateFirmware, _version: Version) -> tuple[str, Payload]:
    """UpdateFirmware, or with a signature SignedUpdateFirmware.

    Raises:
        NotExpressible: Half a signature, or a time of installation without one.
    """
    signed = command.signature is not None
    if signed != (command.signing_certificate is not None):
        raise NotExpressible("a signed update needs signing_certificate and signature: give both, or neither")
    payload: Payload = {}
    if command.retries is not None:
        payload["retries"] = command.retries
    if command.retry_interval_s is not None:
        payload["retryInterval"] = command.retry_interval_s
    retrieve_at = times.format(command.retrieve_at or AT_ONCE)
    if not signed:
        if command.install_at is not None:
            raise NotExpressible(
                "OCPP 1.6 has no time of installation in UpdateFirmware: leave install_at out and choose retrieve_at, "
                "or sign the update (signing_certificate, signature)"
            )
        return "UpdateFirmware", {"location": command.location, "retrieveDate": retrieve_at, **payload}
    firmware: Payload = {
        "location": command.location,
        "retrieveDateTime": retrieve_at,
        "signingCertificate": command.signing_certificate,
        "signature": command.signature,
    }
    if command.install_at is not None:
        firmware["installDateTime"] = times.format(command.install_at)
    return "SignedUpdateFirmware", {"requestId": command.request_id or 0, "firmware": firmware, **payload}


def no_publication(_command: PublishFirmware | UnpublishFirmware, _version: Version) -> tuple[str, Payload]:
    """Raises NotExpressible: 1.6 knows no local controllers."""
    raise NotExpressible(
        "OCPP 1.6 has no local controllers that publish firmware: give each station the location by update_firmware"
    )


FROM_STATION = tuple(
    StationCall(
        action=action,
        block=BLOCK,
        report=report_from_firmware_status_notification,
        response=firmware_status_notification_response,
    )
    for action in ("FirmwareStatusNotification", "SignedFirmwareStatusNotification")
)
FROM_CSMS = (
    CsmsCall(action="UpdateFirmware", block=BLOCK, outcome=outcomes.from_status_field),
    CsmsCall(action="SignedUpdateFirmware", block=BLOCK, outcome=outcomes.from_status_field),
)
COMMANDS = (
    CommandTranslator(command=UpdateFirmware, call=update_firmware_from_update_firmware),
    CommandTranslator(command=PublishFirmware, call=no_publication),
    CommandTranslator(command=UnpublishFirmware, call=no_publication),
)
