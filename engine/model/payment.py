"""Payment: ad hoc payments at a station's terminal, receipts and VAT numbers. OCPP 2.1 block C, C18 to C25.

No card data and no money pass through Narke: a payment service provider settles, we keep what a station reports of it.
"""

from datetime import datetime
from enum import StrEnum

from engine.model.word import Word

DIRECT_PAYMENT = "DirectPayment"
"""2.1 idToken type of a payment authorized by a terminal; its value is the payment service provider's reference."""


class SettlementStatus(StrEnum):
    """2.1 PaymentStatusEnumType."""

    SETTLED = "Settled"
    CANCELED = "Canceled"
    REJECTED = "Rejected"
    FAILED = "Failed"


class Company(Word, frozen=True):
    """Whom a VAT number belongs to (2.1 AddressType)."""

    name: str
    address1: str
    city: str
    country: str
    address2: str | None = None
    postal_code: str | None = None


class SettlementReported(Word, frozen=True):
    """Report: NotifySettlement. `amount`: in the station's currency. `settled_at`: the station's clock."""

    reference: str
    status: SettlementStatus
    amount: float
    settled_at: datetime | None = None
    transaction_id: str | None = None
    detail: str | None = None
    receipt_id: str | None = None
    receipt_url: str | None = None
    vat_number: str | None = None
    vat_company: Company | None = None


class SettlementAnswer(Word, frozen=True):
    """Answer to it. None: the station has a receipt of its own, or there is none (2.1 C21.FR.03, C21.FR.04)."""

    receipt_id: str | None = None
    receipt_url: str | None = None


class SettlementRecorded(Word, frozen=True):
    """Fact: a payment came to its end. `receipt_id`, `receipt_url`: the station's own or ours.

    `unknown_transaction`: the transaction it names is none that this station is known to have.
    """

    settlement: SettlementReported
    at: datetime
    receipt_id: str | None = None
    receipt_url: str | None = None
    unknown_transaction: bool = False


class VatNumberPresented(Word, frozen=True):
    """Report: VatNumberValidation."""

    vat_number: str
    evse: int | None = None


class VatNumberAnswer(Word, frozen=True):
    """Answer to it; number and EVSE are the report's (2.1 C18.FR.10). `reason`: why it is not valid, for people."""

    vat_number: str
    valid: bool
    evse: int | None = None
    company: Company | None = None
    reason: str | None = None


class VatNumberChecked(Word, frozen=True):
    """Fact: a station asked about a VAT number and was told."""

    vat_number: str
    valid: bool
    at: datetime
    evse: int | None = None
    reason: str | None = None


class NotifyWebPaymentStarted(Word, frozen=True):
    """Command: a driver pays on a web page; the EVSE is kept from others for so long (2.1 C25.FR.21). 2.1 only."""

    evse: int
    timeout_s: int = 120
