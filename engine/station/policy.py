"""Policy: what the operator chose where OCPP leaves a choice."""

import msgspec

from engine.model.authorization import TokenStatus
from engine.model.provisioning import Registration


class Policy(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One for all stations of a system.

    `heartbeat_interval_s`: told to accepted stations. `boot_retry_s`: told to the others, the least wait before they
    boot again. `unknown_stations`, `unknown_tokens`: the verdict on those that the operator has no record of.
    `commands_open_max`: how many commands may wait for one station's answer. `seen_interval_s`: the least time between
    two `StationSeen`. `clock_skew_s_max`: beyond it a transaction is flagged CLOCK_SKEW. `data_vendors_accepted`:
    vendor ids whose data transfers are answered Accepted, all others UnknownVendorId.
    """

    heartbeat_interval_s: int = 300
    boot_retry_s: int = 60
    unknown_stations: Registration = Registration.ACCEPTED
    unknown_tokens: TokenStatus = TokenStatus.INVALID
    commands_open_max: int = 32
    seen_interval_s: float = 300
    clock_skew_s_max: float = 300
    data_vendors_accepted: frozenset[str] = frozenset()
