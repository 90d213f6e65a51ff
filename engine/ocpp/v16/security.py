"""Security in 1.6: certificates of the station, security events. Security whitepaper, A02 to A04.

Translates; never decides, never remembers. SecurityEventNotification has the same fields in 2.x.
"""

from engine.model.certificates import SendSignedCertificate, SigningAnswer, SigningAsked, SigningUse
from engine.model.envelopes import Answer
from engine.model.security import SecurityEventReported
from engine.ocpp import outcomes, times
from engine.ocpp.answers import expected
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload, StationCall
from engine.ocpp.versions import Version

BLOCK = "security"
CHAIN_LENGTH_MAX = 10_000


def report_from_sign_certificate(payload: Payload, _version: Version) -> SigningAsked:
    """A request for a certificate; 1.6 knows one kind."""
    return SigningAsked(csr=payload["csr"])


def sign_certificate_response(answer: Answer, _version: Version) -> Payload:
    """Yes or no; 1.6 has no word for the reason."""
    return {"status": "Accepted" if expected(SigningAnswer, answer, "SignCertificate").accepted else "Rejected"}


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
    """The certificate, leaf first.

    Raises:
        NotExpressible: It is for cars, or too long.
    """
    if command.use not in (None, SigningUse.CHARGING_STATION):
        raise NotExpressible(f"OCPP {version} has no {command.use}: a 1.6 station has no certificate for cars")
    if len(command.chain) > CHAIN_LENGTH_MAX:
        raise NotExpressible(
            f"OCPP {version} holds {CHAIN_LENGTH_MAX} characters in a certificate chain, this one has "
            f"{len(command.chain)}: leave the root out, or use ECDSA"
        )
    return "CertificateSigned", {"certificateChain": command.chain}


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
