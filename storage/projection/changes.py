"""What a batch of entries changes: the rows of every table, folded so that each row occurs once."""

from datetime import datetime
from typing import NamedTuple

import msgspec

from engine.model.messages import LoggedMessage
from engine.model.metering import Reading
from engine.model.stations import StationRecord
from storage.projection.pending import Pending
from storage.queries.rows import ConnectorRow, TokenRow, TransactionRow

TransactionKey = tuple[str, str]
"""Station, transaction id."""


class StationReport(msgspec.Struct, frozen=True):
    """What a station reported: its half of the table stations, in the order of its columns.

    When it was last heard of is not among it: that changes with every message (`Changes.seen`).
    """

    vendor: str | None = None
    model: str | None = None
    serial_number: str | None = None
    firmware_version: str | None = None
    iccid: str | None = None
    imsi: str | None = None
    meter_type: str | None = None
    meter_serial_number: str | None = None
    booted_at: datetime | None = None
    boot_reason: str | None = None
    boot_registration: str | None = None
    heartbeat_interval_s: int | None = None
    version: str | None = None
    session: str | None = None
    ingress: str | None = None
    address: str | None = None
    connected: bool = False
    connected_at: datetime | None = None
    disconnected_at: datetime | None = None
    close_code: int | None = None
    close_reason: str | None = None


class RecordedStation(NamedTuple):
    """What the operator decided about a station, and when."""

    record: StationRecord
    at: datetime


class RequestedCommand(NamedTuple):
    """A command as requested. `command`: JSON text."""

    station: str
    kind: str
    requested_at: datetime
    action: str | None
    command: str
    requested_by: str
    deadline_at: datetime
    priority: int = 0


class SentCommand(NamedTuple):
    """When a command went out, and until when its answer is waited for."""

    station: str
    sent_at: datetime
    answer_by_at: datetime


class SettledCommand(NamedTuple):
    """What came of a command. `payload`, `variables`: JSON text."""

    station: str
    settled_at: datetime
    result: str
    status: str | None
    detail: str | None
    payload: str | None
    variables: str | None


class NewMeterValue(msgspec.Struct, frozen=True, gc=False):
    """A row of meter_values: readings of one message that were sampled at one time. Their text is as it came."""

    station: str
    received_at: datetime
    sampled_at: datetime | None
    evse: int | None
    connector: int | None
    transaction_id: str | None
    readings: tuple[Reading, ...]


class NewExchange(msgspec.Struct, frozen=True, gc=False):
    """A row of exchanges: a call and its answer, or a frame that stands alone. Their text is as it came."""

    frame: LoggedMessage
    answer: LoggedMessage | None = None


class NewEvent(NamedTuple):
    """A row of station_events, in the order of its columns. `data`: JSON text."""

    station: str
    at: datetime
    kind: str
    action: str | None
    data: str | None


class NewBadEntry(NamedTuple):
    """A row of bad_entries."""

    stream: str
    entry_id: str
    reason: str
    data: bytes


class Known(msgspec.Struct):
    """The rows as they stand, as far as the entries need them: `touched_by` says which those are."""

    stations: dict[str, StationReport] = {}
    transactions: dict[TransactionKey, TransactionRow] = {}


class Changes(msgspec.Struct):
    """All that is to be written.

    `stations`: reports that changed. `seen`: all stations that are spoken of, and when each was last heard of (None: it
    did not say anything itself); that never sets a station back. `transactions`: rows that are new or changed in any
    column; `progress`: rows that exist and changed in the columns of `storage.projection.transactions.PROGRESS` alone,
    which is what nearly every message about a transaction does. A token of None is to be removed.
    """

    stations: dict[str, StationReport] = {}
    seen: dict[str, datetime | None] = {}
    records: dict[str, RecordedStation] = {}
    connectors: dict[tuple[str, int, int], ConnectorRow] = {}
    transactions: dict[TransactionKey, TransactionRow] = {}
    progress: dict[TransactionKey, TransactionRow] = {}
    requested: dict[str, RequestedCommand] = {}
    sent: dict[str, SentCommand] = {}
    settled: dict[str, SettledCommand] = {}
    tokens: dict[str, TokenRow | None] = {}
    meter_values: list[NewMeterValue] = []
    exchanges: list[NewExchange] = []
    events: list[NewEvent] = []
    bad_entries: list[NewBadEntry] = []
    blocks: Pending = msgspec.field(default_factory=Pending)
