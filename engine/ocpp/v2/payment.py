"""Payment: NotifySettlement, VatNumberValidation, NotifyWebPaymentStarted. OCPP 2.1 C18 to C25, new in 2.1.

Translates; never decides, never remembers.
"""

from engine.model.envelopes import Answer
from engine.model.payment import (
    Company,
    NotifyWebPaymentStarted,
    SettlementAnswer,
    SettlementReported,
    SettlementStatus,
    VatNumberAnswer,
    VatNumberPresented,
)
from engine.ocpp import outcomes, times
from engine.ocpp.answers import expected
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload, StationCall
from engine.ocpp.v2.status_info import status_info
from engine.ocpp.versions import Version

BLOCK = "authorization"
RECEIPT_URL_LENGTH_MAX = 2000
_NAME_LENGTH_MAX = 50
_LINE_LENGTH_MAX = 100
_POSTAL_CODE_LENGTH_MAX = 20


def report_from_notify_settlement(payload: Payload, _version: Version) -> SettlementReported:
    """How a payment ended."""
    company = payload.get("vatCompany")
    return SettlementReported(
        reference=payload["pspRef"],
        status=SettlementStatus(payload["status"]),
        amount=float(payload["settlementAmount"]),
        settled_at=times.parse(payload["settlementTime"]),
        transaction_id=payload.get("transactionId"),
        detail=payload.get("statusInfo"),
        receipt_id=payload.get("receiptId"),
        receipt_url=payload.get("receiptUrl"),
        vat_number=payload.get("vatNumber"),
        vat_company=None if company is None else _company(company),
    )


def _company(address: Payload) -> Company:
    return Company(
        name=address["name"],
        address1=address["address1"],
        city=address["city"],
        country=address["country"],
        address2=address.get("address2"),
        postal_code=address.get("postalCode"),
    )


def notify_settlement_response(answer: Answer, _version: Version) -> Payload:
    """The receipt, where we have one to give (C21.FR.03)."""
    receipt = expected(SettlementAnswer, answer, "NotifySettlement")
    payload: Payload = {}
    if receipt.receipt_id is not None:
        payload["receiptId"] = receipt.receipt_id
    if receipt.receipt_url is not None and len(receipt.receipt_url) <= RECEIPT_URL_LENGTH_MAX:
        payload["receiptUrl"] = receipt.receipt_url
    return payload


def report_from_vat_number_validation(payload: Payload, _version: Version) -> VatNumberPresented:
    """A VAT number that a driver typed."""
    return VatNumberPresented(vat_number=payload["vatNumber"], evse=payload.get("evseId"))


def vat_number_validation_response(answer: Answer, version: Version) -> Payload:
    """Whether it can be one, and whose it is (C18.FR.09, C18.FR.10)."""
    told = expected(VatNumberAnswer, answer, "VatNumberValidation")
    payload: Payload = {"vatNumber": told.vat_number, "status": "Accepted" if told.valid else "Rejected"}
    if told.evse is not None:
        payload["evseId"] = told.evse
    if told.company is not None:
        payload["company"] = _address(told.company)
    if told.reason is not None:
        payload["statusInfo"] = status_info("InvalidValue", told.reason, version)
    return payload


def _address(company: Company) -> Payload:
    """An AddressType; what is too long is cut, for it is shown on a receipt."""
    address: Payload = {
        "name": company.name[:_NAME_LENGTH_MAX],
        "address1": company.address1[:_LINE_LENGTH_MAX],
        "city": company.city[:_LINE_LENGTH_MAX],
        "country": company.country[:_NAME_LENGTH_MAX],
    }
    if company.address2 is not None:
        address["address2"] = company.address2[:_LINE_LENGTH_MAX]
    if company.postal_code is not None:
        address["postalCode"] = company.postal_code[:_POSTAL_CODE_LENGTH_MAX]
    return address


def notify_web_payment_started_from_notify_web_payment_started(
    command: NotifyWebPaymentStarted, version: Version
) -> tuple[str, Payload]:
    """An EVSE and how long it is kept (C25.FR.21).

    Raises:
        NotExpressible: This version has no payments, or the EVSE is none.
    """
    if version is not Version.V21:
        raise NotExpressible(f"OCPP {version} knows no payments on web pages: that came with 2.1")
    if command.evse < 0:
        raise NotExpressible(f"there is no EVSE {command.evse}: name one, from 1")
    return "NotifyWebPaymentStarted", {"evseId": command.evse, "timeout": command.timeout_s}


FROM_STATION_21 = (
    StationCall(
        action="NotifySettlement",
        block=BLOCK,
        report=report_from_notify_settlement,
        response=notify_settlement_response,
    ),
    StationCall(
        action="VatNumberValidation",
        block=BLOCK,
        report=report_from_vat_number_validation,
        response=vat_number_validation_response,
    ),
)
FROM_CSMS_21 = (CsmsCall(action="NotifyWebPaymentStarted", block=BLOCK, outcome=outcomes.from_status_field),)
COMMANDS = (
    CommandTranslator(command=NotifyWebPaymentStarted, call=notify_web_payment_started_from_notify_web_payment_started),
)
