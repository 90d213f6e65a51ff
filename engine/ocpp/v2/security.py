"""Security in 2.x: certificates of the station, security events. OCPP 2.1 A02 to A04.

Translates; never decides, never remembers.
"""

from engine.model.certificates import SendSignedCertificate, SigningAnswer, SigningAsked, SigningUse
from engine.model.envelopes import Answer
from engine.model.security import SecurityEventReported
from engine.ocpp import outcomes, times
from engine.ocpp.answers import expected
from engine.ocpp.hash_data import certificate_hash_from
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload, StationCall
from engine.ocpp.v2 import limits
from engine.ocpp.v2.status_info import status_info
from engine.ocpp.versions import Version

BLOCK = "security"
CHAIN_LENGTH_MAX = 10_000


def report_from_sign_certificate(payload: Payload, _version: Version) -> SigningAsked:
    """A request for a certificate. requestId and hashRootCertificate are 2.1's."""
    use, root = payload.get("certificateType"), payload.get("hashRootCertificate")
    return SigningAsked(
        csr=payload["csr"],
        use=None if use is None else SigningUse(use),
        number=payload.get("requestId"),
        root=None if root is None else certificate_hash_from(root),
    )


def sign_certificate_response(answer: Answer, version: Version) -> Payload:
    """Yes, or no with the reason (A02.FR.11, FR.12)."""
    said = expected(SigningAnswer, answer, "SignCertificate")
    if said.accepted:
        return {"status": "Accepted"}
    return {"status": "Rejected", "statusInfo": status_info(said.reason, said.detail, version)}


def report_from_security_event_notification(payload: Payload, _version: Version) -> SecurityEventReported:
    """An event, critical or not."""
    return SecurityEventReported(
        type=payload["type"], at=times.parse(payload["timestamp"]), detail=payload.get("techInfo") or None
    )


def security_event_notification_response(_answer: Answer, _version: Version) -> Payload:
    """Says nothing but that it came (A04.FR.03)."""
    return {}


def certificate_signed_from_send_signed_certificate(
    command: SendSignedCertificate, version: Version
) -> tuple[str, Payload]:
    """The certificate, leaf first, with what the station said when it asked (A02.FR.14, FR.25).

    Raises:
        NotExpressible: It is too long, or 2.0.1 does not know the kind.
    """
    limits.require_length(command.chain, CHAIN_LENGTH_MAX, "a certificate chain", version)
    payload: Payload = {"certificateChain": command.chain}
    if command.use is not None:
        if command.use is SigningUse.V2G20 and version is Version.V201:
            raise NotExpressible(f"OCPP {version} has no {command.use.value}: use {SigningUse.V2G.value}")
        payload["certificateType"] = command.use.value
    if command.number is not None and version is not Version.V201:
        payload["requestId"] = command.number
    return "CertificateSigned", payload


FROM_STATION = (
    StationCall(
        action="SecurityEventNotification",
        block=BLOCK,
        report=report_from_security_event_notification,
        response=security_event_notification_response,
    ),
    StationCall(
        action="SignCertificate",
        block=BLOCK,
        report=report_from_sign_certificate,
        response=sign_certificate_response,
    ),
)
FROM_CSMS = (CsmsCall(action="CertificateSigned", block=BLOCK, outcome=outcomes.from_status_field),)
COMMANDS = (CommandTranslator(command=SendSignedCertificate, call=certificate_signed_from_send_signed_certificate),)
