"""Data transfer: vendors' own messages, both ways. OCPP 2.1 block P."""

from datetime import datetime

from engine.model.word import Word


class DataReported(Word, frozen=True):
    """Report. `data`: the JSON of the data field, verbatim; None: absent.

    `finding`: what the operator's own handler of this vendor says, put there by the ingress before anything is decided;
    None: there is no handler.
    """

    vendor_id: str
    message_id: str | None = None
    data: bytes | None = None
    finding: "DataAnswer | None" = None


class DataAnswer(Word, frozen=True):
    """`status`: Accepted, Rejected, UnknownVendorId or UnknownMessageId. `data`: JSON."""

    status: str
    data: bytes | None = None


class DataReceived(Word, frozen=True):
    """Fact. `answer`: the data (JSON) that the station was answered with."""

    report: DataReported
    status: str
    at: datetime
    answer: bytes | None = None


class SendData(Word, frozen=True):
    """Command. `data`: JSON; 1.6 wants a string, 2.x takes anything."""

    vendor_id: str
    message_id: str | None = None
    data: bytes | None = None
