"""Smart charging: profiles set, cleared and reported, limits and needs that stations tell of. OCPP 2.1 block K.

EVSE 0 is the whole station: its grid connection for STATION_MAX, every EVSE for TX_DEFAULT. The profiles themselves are
`engine.model.charging_profiles`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from engine.model.charging_profiles import (
    ChargingProfile,
    ChargingSchedule,
    ProfilePurpose,
    RateUnit,
    SchedulePeriod,
    ScheduleUpdate,
)
from engine.model.word import Word

SOURCE_CSMS = "CSO"
"""The chargingLimitSource of what we set."""


class SetChargingProfile(Word, frozen=True):
    """Command: install a profile, or replace the one of its id (1.6: also the one of its place, purpose and level)."""

    evse: int
    profile: ChargingProfile

    @property
    def slot(self) -> str:
        """Of those that wait for one place, purpose and level only the last is sent."""
        return f"profile:{self.evse}:{self.profile.purpose}:{self.profile.stack_level}"


class ClearChargingProfile(Word, frozen=True):
    """Command: remove the profile of this id, or all that fit all of the others; 2.x needs one of them (K10.FR.02)."""

    profile_id: int | None = None
    evse: int | None = None
    purpose: ProfilePurpose | None = None
    stack_level: int | None = None


class GetChargingProfiles(Word, frozen=True):
    """Command (2.x): report what is installed; `ProfilesReported` follows in parts.

    `evse` None: everywhere; 0: of the station itself alone (K09.FR.05). What else is said must fit as well; nothing
    said: all. `sources`: chargingLimitSource, e.g. CSO, EMS.
    """

    evse: int | None = None
    profile_ids: tuple[int, ...] = ()
    purpose: ProfilePurpose | None = None
    stack_level: int | None = None
    sources: tuple[str, ...] = ()
    request_id: int | None = None


class GetCompositeSchedule(Word, frozen=True):
    """Command: what all profiles together come to in the next `duration_s` seconds. EVSE 0: drawn from the grid."""

    evse: int
    duration_s: int
    unit: RateUnit | None = None


class UpdateDynamicSchedule(Word, frozen=True):
    """Command (2.1): new numbers for a dynamic profile (K28)."""

    profile_id: int
    update: ScheduleUpdate

    @property
    def slot(self) -> str:
        """Only the last update of a profile counts."""
        return f"dynamic:{self.profile_id}"


class UsePriorityCharging(Word, frozen=True):
    """Command (2.1): a PRIORITY profile instead of the transaction's own, or no longer (K21)."""

    transaction_id: str
    activate: bool

    @property
    def slot(self) -> str:
        """Only the last word about a transaction counts."""
        return f"priority:{self.transaction_id}"


class CompositeSchedule(Word, frozen=True):
    """What a station says it will do. None: it did not say. `periods` may be negative on real stations."""

    evse: int | None
    unit: RateUnit | None
    periods: tuple[SchedulePeriod, ...] = ()
    start_at: datetime | None = None
    duration_s: int | None = None
    rate_min: float | None = None


class AcNeeds(Word, frozen=True, tag=False):
    """What a car on AC says it needs (ISO 15118-2)."""

    energy_wh: float
    current_a_min: float
    current_a_max: float
    voltage_v_max: float


class DcNeeds(Word, frozen=True, tag=False, kw_only=True):
    """What a car on DC says it needs (ISO 15118-2)."""

    current_a_max: float
    voltage_v_max: float
    energy_wh: float | None = None
    power_w_max: float | None = None
    capacity_wh: float | None = None
    soc_percent: int | None = None
    soc_full_percent: int | None = None
    soc_bulk_percent: int | None = None


class V2xNeeds(Word, frozen=True, tag=False, kw_only=True):
    """What a car says it can take and give (ISO 15118-20). Energies to give are negative as the car tells them."""

    charge_w_min: float | None = None
    charge_w_min_l2: float | None = None
    charge_w_min_l3: float | None = None
    charge_w_max: float | None = None
    charge_w_max_l2: float | None = None
    charge_w_max_l3: float | None = None
    discharge_w_min: float | None = None
    discharge_w_min_l2: float | None = None
    discharge_w_min_l3: float | None = None
    discharge_w_max: float | None = None
    discharge_w_max_l2: float | None = None
    discharge_w_max_l3: float | None = None
    charge_a_min: float | None = None
    charge_a_max: float | None = None
    discharge_a_min: float | None = None
    discharge_a_max: float | None = None
    voltage_v_min: float | None = None
    voltage_v_max: float | None = None
    energy_target_wh: float | None = None
    energy_wh_min: float | None = None
    energy_wh_max: float | None = None
    energy_v2x_wh_min: float | None = None
    energy_v2x_wh_max: float | None = None
    soc_target_percent: int | None = None


class EvNeeds(Word, frozen=True, tag=False, kw_only=True):
    """What a car needs. `energy_transfer`: the one it asks for; `energy_transfers`: all it could do (2.1).

    `der` (the car's inverter, R02) and `offer` (energy it would sell): as OCPP writes them.
    """

    energy_transfer: str
    energy_transfers: tuple[str, ...] = ()
    departure_at: datetime | None = None
    ac: AcNeeds | None = None
    dc: DcNeeds | None = None
    v2x: V2xNeeds | None = None
    control_mode: str | None = None
    mobility_needs_mode: str | None = None
    der: dict[str, Any] | None = None
    offer: dict[str, Any] | None = None


class ProfilesReported(Word, frozen=True):
    """Report: one part of what `GetChargingProfiles` asked for. `more`: another part follows."""

    request_id: int
    evse: int
    source: str
    profiles: tuple[ChargingProfile, ...]
    more: bool = False


class LimitReported(Word, frozen=True):
    """Report: something other than we limits the station (K11, K12). `evse` None: the station."""

    source: str
    evse: int | None = None
    grid_critical: bool | None = None
    local_generation: bool | None = None
    schedules: tuple[ChargingSchedule, ...] = ()


class LimitReleaseReported(Word, frozen=True):
    """Report: that limit is gone (K13)."""

    source: str
    evse: int | None = None


class NeedsReported(Word, frozen=True):
    """Report: a car told what it needs (K15, K17, K18, Q01). `periods_max`: how many periods it can take.

    `at`: when the car told it, where the station says so (it was offline, K15.FR.20).
    """

    evse: int
    needs: EvNeeds
    periods_max: int | None = None
    at: datetime | None = None


class EvScheduleReported(Word, frozen=True):
    """Report: how the car is going to charge (K15.FR.10). `selected_id`: of the schedule it chose (2.1)."""

    evse: int
    time_base_at: datetime | None
    schedule: ChargingSchedule
    selected_id: int | None = None
    tolerance_accepted: bool | None = None


class PriorityReported(Word, frozen=True):
    """Report (2.1): priority charging went on or off (K21, K22)."""

    transaction_id: str
    active: bool


class DynamicUpdatePulled(Word, frozen=True):
    """Report (2.1): the station asks for the numbers of a dynamic profile (K28.FR.10)."""

    profile_id: int


class ChargingNoted(Word, frozen=True):
    """Answer to what needs none: taken note of."""


class NeedsVerdict(StrEnum):
    """What a car is told about its needs."""

    ACCEPTED = "accepted"
    """A profile follows at once."""
    PROCESSING = "processing"
    """A profile follows later (K15.FR.05)."""
    NO_PROFILE = "no_profile"
    """None follows: the station's own default counts (2.0.1 Rejected, K15.FR.04; 2.1 NoChargingProfile, K18.FR.04)."""
    REFUSED = "refused"
    """The energy transfer is refused, which ends the session (2.1 Rejected, Q01.FR.04)."""


class NeedsAnswer(Word, frozen=True):
    """Answer to a car's needs."""

    verdict: NeedsVerdict


class EvScheduleAnswer(Word, frozen=True):
    """Answer to a car's schedule: whether it stays within the profile it was given (K15.FR.11, 12)."""

    within: bool


class DynamicUpdateAnswer(Word, frozen=True):
    """Answer to `DynamicUpdatePulled`. None: there is no such dynamic profile (K28.FR.12)."""

    update: ScheduleUpdate | None


class ChargingFlag(StrEnum):
    """What was odd; it was recorded and answered all the same."""

    UNKNOWN_REQUEST = "unknown_request"
    """A report that nobody asked for, or after its end."""
    UNKNOWN_PROFILE = "unknown_profile"
    UNKNOWN_TRANSACTION = "unknown_transaction"
    NO_TRANSACTION = "no_transaction"
    """Needs or a schedule of a car at an EVSE without a transaction."""
    NO_PARAMETERS = "no_parameters"
    """Needs without AC, DC or V2X parameters (K15.FR.06, K17.FR.06)."""
    SOURCE_IS_CSMS = "source_is_csms"
    """A limit of CSO, which is us (K11.FR.05)."""
    NOT_IMPOSED = "not_imposed"
    """A limit was released that was never told of."""
    BEYOND_LIMIT = "beyond_limit"
    """The car's schedule goes beyond the profile (K15.FR.12)."""
    UNCHECKED = "unchecked"
    """The car's schedule could not be compared: no profile of its transaction is known in full."""
    INCOMPLETE = "incomplete"
    """The last part of a report never came."""


class RemovalReason(StrEnum):
    """Why a profile is not with the station any more."""

    CLEARED = "cleared"
    REPLACED = "replaced"
    TRANSACTION_ENDED = "transaction_ended"
    NOT_REPORTED = "not_reported"
    """The station reported what it has, and it was not among that."""
    NEVER_STARTED = "never_started"
    """It came with a remote start that led to no transaction."""


class ProfileInstalled(Word, frozen=True):
    """Fact: the station has this profile, because it accepted or reported it. `reported`: it told so itself."""

    evse: int
    profile: ChargingProfile
    at: datetime
    source: str = SOURCE_CSMS
    reported: bool = False
    remote_start_id: int | None = None
    """Of the remote start that carried it; its transaction is not known yet."""


class ProfileRemoved(Word, frozen=True):
    """Fact: the station has it no more."""

    profile_id: int
    evse: int
    reason: RemovalReason
    noted_at: datetime


class ProfileAdopted(Word, frozen=True):
    """Fact: the transaction that a remote start's profile was for has begun."""

    profile_id: int
    evse: int
    transaction_id: str
    noted_at: datetime


class DynamicScheduleUpdated(Word, frozen=True):
    """Fact: a dynamic profile has these numbers, all of them. `pulled`: the station asked for them."""

    profile_id: int
    update: ScheduleUpdate
    at: datetime
    pulled: bool = False
    flags: tuple[ChargingFlag, ...] = ()


class ProfilesReportBegun(Word, frozen=True):
    """Fact: a report of profiles is awaited."""

    asked: GetChargingProfiles
    at: datetime


class ProfilesReportHeard(Word, frozen=True):
    """Fact: a part of a report came."""

    request_id: int
    profile_ids: tuple[int, ...]
    more: bool
    at: datetime
    flags: tuple[ChargingFlag, ...] = ()


class ProfilesReportEnded(Word, frozen=True):
    """Fact: nothing more is awaited. INCOMPLETE: it was given up, and what was not reported may still be there."""

    request_id: int
    noted_at: datetime
    flags: tuple[ChargingFlag, ...] = ()


class LimitImposed(Word, frozen=True):
    """Fact: something other than we limits the station."""

    limit: LimitReported
    at: datetime
    flags: tuple[ChargingFlag, ...] = ()


class LimitReleased(Word, frozen=True):
    """Fact: that limit is gone."""

    source: str
    evse: int
    at: datetime
    flags: tuple[ChargingFlag, ...] = ()


class NeedsRecorded(Word, frozen=True):
    """Fact: a car's needs and what it was told. `transaction_id`: of the one at that EVSE; None: none is known."""

    report: NeedsReported
    verdict: NeedsVerdict
    at: datetime
    transaction_id: str | None = None
    flags: tuple[ChargingFlag, ...] = ()


class EvScheduleRecorded(Word, frozen=True):
    """Fact: how a car is going to charge, and whether it was told that this is within its limits."""

    report: EvScheduleReported
    within: bool
    at: datetime
    transaction_id: str | None = None
    flags: tuple[ChargingFlag, ...] = ()


class PriorityChanged(Word, frozen=True):
    """Fact: priority charging went on or off for a transaction."""

    transaction_id: str
    active: bool
    at: datetime
    flags: tuple[ChargingFlag, ...] = ()


class CompositeScheduleTold(Word, frozen=True):
    """Fact: what a station said it will do. `asked_duration_s`: how far it was asked to look."""

    schedule: CompositeSchedule
    at: datetime
    asked_duration_s: int = 0
