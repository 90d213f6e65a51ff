"""Smart charging: profiles that stations hold, limits that others impose, what cars need and plan."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from engine.model.smart_charging import (
    CompositeScheduleTold,
    DynamicScheduleUpdated,
    EvScheduleRecorded,
    LimitImposed,
    LimitReleased,
    NeedsRecorded,
    PriorityChanged,
    ProfileAdopted,
    ProfileInstalled,
    ProfileRemoved,
)
from storage.blocks.table import Change, Json, Put, Table

TAG = "smart charging"


class ChargingProfileRow(msgspec.Struct, frozen=True):
    """A profile of a station, as it has it or had it (`installed` false).

    `source`: CSO is us. `profile`: whole, in the words of SetChargingProfile. `numbers`: of a dynamic one as last
    updated. `reported_at`: when the station itself told of it. Times are ours but for `valid_from` and `valid_to`.
    """

    station: str
    profile_id: int
    evse: int = 0
    purpose: str = ""
    kind: str = ""
    stack_level: int = 0
    transaction_id: str | None = None
    source: str = ""
    installed: bool = True
    installed_at: datetime | None = None
    removed_at: datetime | None = None
    removed_because: str | None = None
    reported_at: datetime | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    profile: Json = None
    numbers: Json = None
    numbers_at: datetime | None = None


class ChargingLimitRow(msgspec.Struct, frozen=True):
    """A limit that something other than we imposes on a station or EVSE (0: the station), or imposed."""

    station: str
    source: str
    evse: int
    active: bool = True
    imposed_at: datetime | None = None
    released_at: datetime | None = None
    grid_critical: bool | None = None
    local_generation: bool | None = None
    schedules: Json = None
    flags: Json = None


class ChargingNeedsRow(msgspec.Struct, frozen=True):
    """What a car said it needs, and what it was told. The newest of an EVSE counts. `told_at`: its own time."""

    station: str
    evse: int
    received_at: datetime
    transaction_id: str | None = None
    verdict: str = ""
    energy_transfer: str = ""
    departure_at: datetime | None = None
    energy_wh: float | None = None
    periods_max: int | None = None
    told_at: datetime | None = None
    needs: Json = None
    flags: Json = None


class EvScheduleRow(msgspec.Struct, frozen=True):
    """How a car said it would charge. `within`: it was told that this is within its limits."""

    station: str
    evse: int
    received_at: datetime
    transaction_id: str | None = None
    within: bool = True
    selected_id: int | None = None
    time_base_at: datetime | None = None
    schedule: Json = None
    flags: Json = None


class CompositeScheduleRow(msgspec.Struct, frozen=True):
    """What a station said last that its profiles come to. `unit`: A or W."""

    station: str
    evse: int
    unit: str
    received_at: datetime | None = None
    start_at: datetime | None = None
    duration_s: int | None = None
    asked_duration_s: int = 0
    rate_min: float | None = None
    periods: Json = None


PROFILES = Table(
    name="charging_profiles",
    row=ChargingProfileRow,
    key=("station", "profile_id"),
    ages_by="removed_at",
    filters=("station", "evse", "purpose", "transaction_id", "source", "installed"),
    shown=("station", "profile_id", "evse", "purpose", "kind", "stack_level", "transaction_id", "source", "installed"),
    about="Charging profiles that stations hold or held.",
    tag=TAG,
)
LIMITS = Table(
    name="charging_limits",
    row=ChargingLimitRow,
    key=("station", "source", "evse"),
    filters=("station", "evse", "source", "active"),
    shown=("station", "source", "evse", "active", "imposed_at", "released_at", "grid_critical", "flags"),
    about="Limits that others than Narke impose on stations.",
    tag=TAG,
)
NEEDS = Table(
    name="charging_needs",
    row=ChargingNeedsRow,
    key=("station", "evse", "received_at"),
    newest_first="received_at",
    ages_by="received_at",
    filters=("station", "evse", "transaction_id"),
    shown=("station", "evse", "received_at", "verdict", "energy_transfer", "energy_wh", "departure_at", "flags"),
    about="What cars said they need, newest first.",
    tag=TAG,
)
EV_SCHEDULES = Table(
    name="ev_schedules",
    row=EvScheduleRow,
    key=("station", "evse", "received_at"),
    newest_first="received_at",
    ages_by="received_at",
    filters=("station", "evse", "transaction_id"),
    shown=("station", "evse", "received_at", "transaction_id", "within", "selected_id", "flags"),
    about="How cars said they would charge, newest first.",
    tag=TAG,
)
COMPOSITES = Table(
    name="composite_schedules",
    row=CompositeScheduleRow,
    key=("station", "evse", "unit"),
    filters=("station", "evse"),
    shown=("station", "evse", "unit", "received_at", "start_at", "duration_s"),
    about="What stations said last that their profiles come to.",
    tag=TAG,
)


def installed(station: str, fact: ProfileInstalled) -> Iterable[Change]:
    """The station has it (again). A report does not move the time at which we installed it."""
    profile = fact.profile
    values = {
        "evse": fact.evse,
        "purpose": profile.purpose.value,
        "kind": profile.kind.value,
        "stack_level": profile.stack_level,
        "transaction_id": profile.transaction_id,
        "source": fact.source,
        "installed": True,
        "removed_at": None,
        "removed_because": None,
        "valid_from": profile.valid_from,
        "valid_to": profile.valid_to,
        "profile": profile,
    }
    values |= {"reported_at": fact.at} if fact.reported else {"installed_at": fact.at, "numbers": None}
    yield Put(PROFILES, (station, profile.id), values)


def removed(station: str, fact: ProfileRemoved) -> Iterable[Change]:
    """The station has it no more."""
    values = {"installed": False, "removed_at": fact.noted_at, "removed_because": fact.reason.value}
    yield Put(PROFILES, (station, fact.profile_id), values)


def adopted(station: str, fact: ProfileAdopted) -> Iterable[Change]:
    """Its transaction is known."""
    yield Put(PROFILES, (station, fact.profile_id), {"transaction_id": fact.transaction_id, "evse": fact.evse})


def updated(station: str, fact: DynamicScheduleUpdated) -> Iterable[Change]:
    """New numbers; of a profile that nobody knows there is no row, the event tells of it."""
    if not fact.flags:
        yield Put(PROFILES, (station, fact.profile_id), {"numbers": fact.update, "numbers_at": fact.at})


def imposed(station: str, fact: LimitImposed) -> Iterable[Change]:
    """A limit holds."""
    limit = fact.limit
    values = {
        "active": True,
        "imposed_at": fact.at,
        "released_at": None,
        "grid_critical": limit.grid_critical,
        "local_generation": limit.local_generation,
        "schedules": limit.schedules,
        "flags": fact.flags,
    }
    yield Put(LIMITS, (station, limit.source, limit.evse or 0), values)


def released(station: str, fact: LimitReleased) -> Iterable[Change]:
    """It does not hold any more."""
    values = {"active": False, "released_at": fact.at, "flags": fact.flags}
    yield Put(LIMITS, (station, fact.source, fact.evse), values)


def needed(station: str, fact: NeedsRecorded) -> Iterable[Change]:
    """A car's needs."""
    needs = fact.report.needs
    energy_wh = None
    if needs.ac is not None:
        energy_wh = needs.ac.energy_wh
    elif needs.dc is not None:
        energy_wh = needs.dc.energy_wh
    elif needs.v2x is not None:
        energy_wh = needs.v2x.energy_target_wh
    values = {
        "transaction_id": fact.transaction_id,
        "verdict": fact.verdict.value,
        "energy_transfer": needs.energy_transfer,
        "departure_at": needs.departure_at,
        "energy_wh": energy_wh,
        "periods_max": fact.report.periods_max,
        "told_at": fact.report.at,
        "needs": needs,
        "flags": fact.flags,
    }
    yield Put(NEEDS, (station, fact.report.evse, fact.at), values)


def planned(station: str, fact: EvScheduleRecorded) -> Iterable[Change]:
    """A car's plan."""
    report = fact.report
    values = {
        "transaction_id": fact.transaction_id,
        "within": fact.within,
        "selected_id": report.selected_id,
        "time_base_at": report.time_base_at,
        "schedule": report.schedule,
        "flags": fact.flags,
    }
    yield Put(EV_SCHEDULES, (station, report.evse, fact.at), values)


def composed(station: str, fact: CompositeScheduleTold) -> Iterable[Change]:
    """What profiles come to."""
    schedule = fact.schedule
    if schedule.unit is None:
        return
    values = {
        "received_at": fact.at,
        "start_at": schedule.start_at,
        "duration_s": schedule.duration_s,
        "asked_duration_s": fact.asked_duration_s,
        "rate_min": schedule.rate_min,
        "periods": schedule.periods,
    }
    yield Put(COMPOSITES, (station, schedule.evse or 0, schedule.unit.value), values)


TABLES = (PROFILES, LIMITS, NEEDS, EV_SCHEDULES, COMPOSITES)
CHANGES = {
    ProfileInstalled: installed,
    ProfileRemoved: removed,
    ProfileAdopted: adopted,
    DynamicScheduleUpdated: updated,
    LimitImposed: imposed,
    LimitReleased: released,
    NeedsRecorded: needed,
    EvScheduleRecorded: planned,
    CompositeScheduleTold: composed,
}
EVENTS = (LimitImposed, LimitReleased, PriorityChanged, DynamicScheduleUpdated)
