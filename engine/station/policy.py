"""Policy: what the operator chose where OCPP leaves a choice."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from engine.model.authorization import TokenStatus
from engine.model.payment import Company
from engine.model.provisioning import Registration
from engine.model.quirks import QuirkBook
from engine.model.smart_charging import NeedsVerdict
from engine.model.transactions import TransactionLimit


class AuthorizationPolicy(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What the operator chose about tokens, local lists and payments.

    `types_accepted`: idToken types that need no record (2.1 C18: the payment terminal vouches for DirectPayment).
    `master_group`: the group whose tokens stop any transaction and start none (2.1 C16); None: there is none.
    `cache_s`: how long a station may remember a verdict; None: until the token expires. `transactions_max`: how many
    transactions a token may have at once, over all stations; 0: any. `per_group`: its group together, not each token.
    `stop_invalid_s`: after so long Narke stops a transaction that runs on a token that is not accepted; None: never.
    `check_list_after_boot`: whether a station whose local list Narke keeps is asked for its version after each boot.
    `receipt_url`: of receipts that the station leaves to us, with {receipt}, {station} and {transaction}; None: we have
    none (2.1 C21.FR.03). `vat_companies`: by VAT number, what is told of a company (2.1 C18.FR.09).
    """

    types_accepted: frozenset[str] = frozenset({"DirectPayment"})
    master_group: str | None = None
    cache_s: float | None = None
    transactions_max: int = 0
    per_group: bool = False
    stop_invalid_s: float | None = None
    check_list_after_boot: bool = True
    receipt_url: str | None = None
    vat_companies: Mapping[str, Company] = {}


class OnBoot(StrEnum):
    """What a station is asked when it boots and is accepted."""

    NONE = "none"
    REPORT = "report"
    """Its whole device model, if that is not known for the firmware that it booted with (2.1 B07.FR.14)."""


class ProvisioningPolicy(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What the operator chose about boots, reports, resets and remote starts.

    `interval_jitter`: share by which the intervals of stations differ: heartbeats come earlier, boots later by up to
    so much, each station always the same. `on_boot_after_s`, `on_boot_spread_s`: what is asked on boot is asked that
    long after it, and up to so much later, each station at its own time. `report_part_s`: how long the next part of a
    report is waited for. `reset_s`: until when a station must have booted after it accepted a reset. `start_s`: until
    when a transaction must have begun after a remote start was accepted, `stop_s` have ended after a remote stop.
    """

    interval_jitter: float = 0.0
    on_boot: OnBoot = OnBoot.NONE
    on_boot_after_s: float = 5
    on_boot_spread_s: float = 60
    report_part_s: float = 120
    reset_s: float = 600
    start_s: float = 180
    stop_s: float = 180


class Superseded(StrEnum):
    """What becomes of an open transaction when a younger one begins at its connector."""

    FLAG = "flag"
    """It stays open and is flagged: its stop may still be in the station's queue."""
    CLOSE = "close"
    """It is ended with its last reading and flagged; a stop that comes after all corrects that."""


class TransactionPolicy(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What the operator chose about transactions.

    `superseded`: see there. `limit`: told to stations of 2.1 when a transaction starts (E16); None: none.
    """

    superseded: Superseded = Superseded.FLAG
    limit: TransactionLimit | None = None


class DiagnosticsPolicy(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What the operator chose about firmware, logs, reports and event streams.

    `firmware_silence_s`, `log_silence_s`, `report_silence_s`: how long a station may tell nothing of an update, of an
    upload, of the next part of a report, before that is flagged. `event_streams_max`: streams that one station may have
    open (2.1 N11); 0: none.
    """

    firmware_silence_s: float = 7200
    log_silence_s: float = 3600
    report_silence_s: float = 300
    event_streams_max: int = 16


class ChargingPolicy(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What the operator chose about smart charging.

    `needs`: what a car is told when it says what it needs. `planned_needs`: the same where its station belongs to a
    site; None: sites are not planned, and nobody asks.
    """

    needs: NeedsVerdict = NeedsVerdict.NO_PROFILE
    planned_needs: NeedsVerdict | None = None


class CostPolicy(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What the operator chose about costs.

    `time_zone`: IANA's name of the zone that tariffs' times of day mean, where a station has no other. `updates`:
    whether 2.x stations are told the running cost. `update_interval_s`: the least time between two such messages of a
    transaction. `update_least`: the least difference worth one, in the tariff's currency. `driver_tariffs`: whether a
    2.1 station is told the tariff of a token with the verdict on it; one that cannot read it may refuse the driver
    (2.1 I08.FR.31).
    """

    time_zone: str = "UTC"
    updates: bool = True
    update_interval_s: float = 60
    update_least: float = 0.1
    driver_tariffs: bool = False


class Policy(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One for all stations of a system.

    `heartbeat_interval_s`: told to accepted stations. `boot_retry_s`: told to the others, the least wait before they
    boot again. `unknown_stations`, `unknown_tokens`: the verdict on those that the operator has no record of.
    `commands_open_max`: how many commands one station may have queued and sent. `answer_s`: how long a station has
    for its answer before the next command goes out (2.1 part 2 section 3.2: 30 s). `connect_pause_s`: how long after a
    connection what waits for it stays back, so that the answer to a boot goes first (ocpp.md 23).
    `seen_interval_s`: the least time between two `StationSeen`. `clock_skew_s_max`: beyond it a transaction is flagged
    CLOCK_SKEW. `data_vendors_accepted`: vendor ids whose data transfers are answered Accepted, all others
    UnknownVendorId. `quirks`: what stations of some makes do otherwise.
    """

    heartbeat_interval_s: int = 300
    boot_retry_s: int = 60
    unknown_stations: Registration = Registration.ACCEPTED
    unknown_tokens: TokenStatus = TokenStatus.INVALID
    commands_open_max: int = 32
    answer_s: float = 30
    connect_pause_s: float = 2
    seen_interval_s: float = 300
    clock_skew_s_max: float = 300
    data_vendors_accepted: frozenset[str] = frozenset()
    authorization: AuthorizationPolicy = AuthorizationPolicy()
    provisioning: ProvisioningPolicy = ProvisioningPolicy()
    transactions: TransactionPolicy = TransactionPolicy()
    diagnostics: DiagnosticsPolicy = DiagnosticsPolicy()
    quirks: QuirkBook = QuirkBook()
    charging: ChargingPolicy = ChargingPolicy()
    costs: CostPolicy = CostPolicy()
