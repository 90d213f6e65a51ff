"""Payment: settlements, receipts and VAT numbers of ad hoc payments. OCPP 2.1 C18 to C25.

A settlement is recorded whatever it says. A receipt is ours to give where the payment was settled, the station has
none of its own and the operator says where receipts are (C21.FR.03, C21.FR.04); its id is the same each time it is
asked for. A VAT number is valid if its country could have given it (`vat_numbers`); whose it is only the operator's
directory says.
"""

import hashlib
from urllib.parse import quote

from engine.model.payment import (
    SettlementAnswer,
    SettlementRecorded,
    SettlementReported,
    SettlementStatus,
    VatNumberAnswer,
    VatNumberChecked,
    VatNumberPresented,
)
from engine.station.context import Context
from engine.station.effects import Effect, Record, Reply
from engine.station.state import StationState
from engine.station.vat_numbers import normal_form, objection

RECEIPT_DIGITS = 20


def settled(state: StationState, report: SettlementReported, context: Context) -> tuple[Effect, ...]:
    """Records how a payment ended and answers with a receipt, where we have one to give."""
    receipt = _receipt(state.station, report, context)
    transaction_id = report.transaction_id
    unknown = (
        transaction_id is not None
        and state.ledger.find(transaction_id) is None
        and not state.ledger.forgot(transaction_id)
    )
    recorded = SettlementRecorded(
        settlement=report,
        at=context.received_at,
        receipt_id=report.receipt_id or receipt.receipt_id,
        receipt_url=report.receipt_url or receipt.receipt_url,
        unknown_transaction=unknown,
    )
    return Record(recorded), Reply(receipt)


def _receipt(station: str, report: SettlementReported, context: Context) -> SettlementAnswer:
    where = context.policy.authorization.receipt_url
    if where is None or report.status is not SettlementStatus.SETTLED or report.receipt_url or report.receipt_id:
        return SettlementAnswer()
    named = f"{station}\n{report.transaction_id}\n{report.reference}"
    receipt = hashlib.sha256(named.encode(errors="surrogatepass")).hexdigest()[:RECEIPT_DIGITS]
    url = where.replace("{receipt}", receipt).replace("{station}", quote(station, safe=""))
    url = url.replace("{transaction}", quote(report.transaction_id or "", safe="", errors="replace"))
    return SettlementAnswer(receipt_id=receipt, receipt_url=url)


def vat_number_presented(_state: StationState, report: VatNumberPresented, context: Context) -> tuple[Effect, ...]:
    """Says whether a VAT number can be one, and whose it is (C18.FR.09)."""
    reason = objection(report.vat_number)
    company = context.policy.authorization.vat_companies.get(normal_form(report.vat_number)) if reason is None else None
    checked = VatNumberChecked(
        vat_number=report.vat_number, valid=reason is None, at=context.received_at, evse=report.evse, reason=reason
    )
    answer = VatNumberAnswer(
        vat_number=report.vat_number, valid=reason is None, evse=report.evse, company=company, reason=reason
    )
    return Record(checked), Reply(answer)
