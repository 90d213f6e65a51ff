"""Payments at stations: how they ended, and VAT numbers that stations asked about."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from engine.model.payment import SettlementRecorded, VatNumberChecked
from storage.blocks.table import Change, Json, Put, Table


class SettlementRow(msgspec.Struct, frozen=True):
    """How a payment at a station's terminal ended. `reference`: the payment service provider's.

    `settled_at`: the station's clock. `unknown_transaction`: its transaction is none that the station told of.
    """

    station: str
    reference: str
    received_at: datetime
    status: str = ""
    amount: float | None = None
    settled_at: datetime | None = None
    transaction_id: str | None = None
    receipt_id: str | None = None
    receipt_url: str | None = None
    vat_number: str | None = None
    vat_company: Json = None
    detail: str | None = None
    unknown_transaction: bool = False


SETTLEMENTS = Table(
    name="settlements",
    row=SettlementRow,
    key=("station", "reference"),
    newest_first="received_at",
    filters=("station", "reference", "status", "transaction_id"),
    shown=("received_at", "station", "status", "amount", "transaction_id", "reference", "receipt_id"),
    about="How payments at stations' terminals ended.",
    tag="payments",
)


def recorded(station: str, fact: SettlementRecorded) -> Iterable[Change]:
    """A payment ended; the last word on a reference counts (C22: a settlement may be tried again)."""
    said = fact.settlement
    values = {
        "received_at": fact.at,
        "status": said.status.value,
        "amount": said.amount,
        "settled_at": said.settled_at,
        "transaction_id": said.transaction_id,
        "receipt_id": fact.receipt_id,
        "receipt_url": fact.receipt_url,
        "vat_number": said.vat_number,
        "vat_company": said.vat_company,
        "detail": said.detail,
        "unknown_transaction": fact.unknown_transaction,
    }
    yield Put(SETTLEMENTS, (station, said.reference), values)


TABLES = (SETTLEMENTS,)
CHANGES = {SettlementRecorded: recorded}
EVENTS = (SettlementRecorded, VatNumberChecked)
