"""Data transfer: vendors' own messages, both ways. OCPP 2.1 block P."""

from datetime import datetime

from engine.model.word import Word


class DataReported(Word, frozen=True):
    """Report. `data`: the JSON of the data field, verbatim; None: absent."""

    vendor_id: str
    message_id: str | None = None
    data: bytes | None = None


class DataAnswer(Word, frozen=True):
    """`status`: Accepted, Rejected, UnknownVendorId or UnknownMessageId. `data`: JSON."""

    status: str
    data: bytes | None = None


class DataReceived(Word, frozen=True):
    """Fact."""

    report: DataReported
    status: str
    at: datetime


class SendData(Word, frozen=True):
    """Command. `data`: JSON; 1.6 wants a string, 2.x takes anything."""

    vendor_id: str
    message_id: str | None = None
    data: bytes | None = None
