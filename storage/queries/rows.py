"""Rows as the queries give them: what PostgreSQL holds, in the words of the API.

The field order of a row is the column order of its query (`storage.queries.columns`); times are aware UTC.
`*_wh` is energy in Wh, `*_ms` milliseconds. None always means: not known, not said, not yet.
JSON columns come decoded (`Json`).
"""

from datetime import datetime
from typing import NamedTuple

import msgspec

from storage.blocks.table import Json as Json  # noqa: PLC0414 (given on)


class StationRow(msgspec.Struct, frozen=True):
    """A station: what the operator decided (first part) and what it reported (second part).

    `registered`: the operator has a record of it (`engine.model.stations.StationRecord`); the fields after it, up to
    `lenient_upgrade`, are of that record, with `has_password` for its hash.
    `registration` None: not registered by the operator. `boot_registration`: what its last boot was answered.
    `session`, `ingress`, `address`, `version`: of the present or, when not `connected`, the last connection.
    """

    station: str
    registered: bool = False
    registration: str | None = None
    security_profile: int | None = None
    has_password: bool = False
    message_log: bool | None = None
    note: str | None = None
    has_password_next: bool = False
    security_profile_next: int | None = None
    downgrade_allowed: bool = False
    certificate_name: str | None = None
    assume_ocpp16: bool = False
    lenient_upgrade: bool = False
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
    seen_at: datetime | None = None


class ConnectorRow(msgspec.Struct, frozen=True):
    """A connector as last reported. `connector` 0: the whole EVSE; `evse` 0: the station itself.

    `status_at`: the station's clock; `received_at`: ours.
    """

    station: str
    evse: int
    connector: int
    status: str
    received_at: datetime
    status_at: datetime | None = None
    error_code: str | None = None
    info: str | None = None
    vendor_id: str | None = None
    vendor_error_code: str | None = None


class TransactionRow(msgspec.Struct, frozen=True):
    """A transaction. Open while `ended_at` is None.

    `started_at`, `ended_at`: the station's clock; `start_received_at`, `end_received_at`, `updated_at`: ours.
    `energy_wh`: so far while open, final once ended. `token_status`: the last verdict told about the token.
    `connector` None: the station did not say, or the whole EVSE. `stop_token_status`: what was told about `stop_token`.
    `gaps`: sequence numbers that were not heard, e.g. `3-5, 8`. `details`: what 2.x says besides
    (`engine.model.transactions.TransactionExtras`), each as said last.
    """

    station: str
    transaction_id: str
    started_at: datetime
    start_received_at: datetime
    updated_at: datetime
    number: int | None = None
    evse: int | None = None
    connector: int | None = None
    token: str | None = None
    token_type: str | None = None
    token_group: str | None = None
    token_status: str | None = None
    meter_start_wh: float | None = None
    meter_last_wh: float | None = None
    meter_stop_wh: float | None = None
    energy_wh: float | None = None
    ended_at: datetime | None = None
    end_received_at: datetime | None = None
    stop_reason: str | None = None
    stop_token: str | None = None
    stop_token_status: str | None = None
    charging_state: str | None = None
    last_sequence: int | None = None
    remote_start_id: int | None = None
    reservation_id: int | None = None
    phases_used: int | None = None
    cable_a_max: float | None = None
    gaps: str | None = None
    details: Json = None
    offline: bool = False
    flags: tuple[str, ...] = ()


class MeterValueRow(msgspec.Struct, frozen=True):
    """A sampled value (`engine.model.metering.Reading`). `at`: the station's clock; `received_at`: ours."""

    id: int
    station: str
    received_at: datetime
    at: datetime | None
    evse: int | None
    connector: int | None
    transaction_id: str | None
    value: float | None
    measurand: str
    unit: str
    context: str
    location: str
    phase: str | None
    raw: str | None
    signed: str | None


class MessageRow(msgspec.Struct, frozen=True):
    """One raw frame (`engine.model.messages.LoggedMessage`). `direction`: in or out, seen from the CSMS."""

    id: int
    station: str
    session: str
    direction: str
    at: datetime
    kind: str
    message_id: str | None
    action: str | None
    outcome: str
    latency_ms: float | None
    frame: str


class EventRow(msgspec.Struct, frozen=True):
    """Something that happened to a station. `kind`: a word of `EventKind`; `action`: which, where a kind has several.

    `action`: a notice's OCPP action, a data transfer's vendor id, else None. `at`: our clock. `data`: JSON; of a notice
    its payload.
    """

    id: int
    station: str
    at: datetime
    kind: str
    action: str | None
    data: Json


class CommandRow(msgspec.Struct, frozen=True):
    """A command and what came of it. Open while `settled_at` is None: it waits, or since `sent_at` it is sent.

    `answer_by_at`: when the wait for the station's answer ends. `priority`: the highest goes first.

    `kind`: the command's word, e.g. ResetStation; `action`: the OCPP action of a RawCommand, else None. `command`: the
    command as JSON. `result`: a word of `engine.model.commands.Result`; `status`: the station's own word; `payload`:
    its answer; `variables`: results of GetVariables and SetVariables as JSON list. `requested_by` "": not said.
    """

    command_id: str
    station: str
    kind: str
    requested_at: datetime
    action: str | None = None
    command: Json = None
    requested_by: str = ""
    deadline_at: datetime | None = None
    settled_at: datetime | None = None
    result: str | None = None
    status: str | None = None
    detail: str | None = None
    payload: Json = None
    variables: Json = None
    priority: int = 0
    sent_at: datetime | None = None
    answer_by_at: datetime | None = None


class CampaignProgress(msgspec.Struct, frozen=True):
    """How far a campaign is. `recorded`: commands on record; `sent`: gone out; `settled`: over, by result."""

    recorded: int = 0
    sent: int = 0
    settled: dict[str, int] = {}


class TokenRow(msgspec.Struct, frozen=True):
    """A token as the operator keeps it (`engine.model.authorization.TokenRecord`). `saved_at`: when it last changed."""

    token: str
    type: str | None
    blocked: bool
    expires_at: datetime | None
    group: str | None
    note: str | None
    saved_at: datetime
    places: tuple[str, ...] = ()
    hours: tuple[str, ...] = ()
    time_zone: str = "UTC"
    credit: float | None = None
    concurrent_max: int | None = None
    in_local_list: bool | None = None
    priority: int | None = None
    language: str | None = None
    language2: str | None = None
    message: str | None = None


class StationDetail(msgspec.Struct, frozen=True):
    """A station with its connectors (by evse, connector) and its open transactions (newest first, at most 1000)."""

    station: StationRow
    connectors: tuple[ConnectorRow, ...]
    open_transactions: tuple[TransactionRow, ...]


class TransactionDetail(msgspec.Struct, frozen=True):
    """A transaction with its meter values, oldest first. `complete` False: there are more, see `meter_values`."""

    transaction: TransactionRow
    meter_values: tuple[MeterValueRow, ...]
    complete: bool


class Counts(msgspec.Struct, frozen=True):
    """Figures of a status page. "Today" is the UTC day of the `now` that was asked with, by our clock.

    `energy_ended_today_wh`: of transactions that ended today; `energy_open_wh`: so far of those that are open.
    `bad_entries`: journal entries that could not be projected and wait for a person.
    """

    stations: int
    stations_connected: int
    stations_connected_by_version: dict[str, int]
    connectors_by_status: dict[str, int]
    transactions_open: int
    transactions_started_today: int
    transactions_ended_today: int
    energy_ended_today_wh: float
    energy_open_wh: float
    tokens: int
    commands_open: int
    bad_entries: int


class ConnectedSession(NamedTuple):
    """A station that the projection believes to be connected, and through whom."""

    station: str
    session: str
    ingress: str
