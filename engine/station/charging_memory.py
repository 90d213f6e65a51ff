"""What a station's state remembers of smart charging, and how facts change it. Part of the state; bounded.

Of a profile only what decisions look at; the whole profile is in PostgreSQL. In full are kept: the numbers of dynamic
profiles, which stations pull, and the schedules of transactions whose car told its needs, which its plan is held
against. Rests in Redis as arrays: fields are added at the end with a default, never removed or moved.
"""

from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from engine.model.charging_profiles import (
    NUMBERS,
    ChargingProfile,
    ChargingSchedule,
    ProfileKind,
    ProfilePurpose,
    ScheduleUpdate,
)
from engine.model.device_model import VariableEntry, VariablesRecorded
from engine.model.smart_charging import (
    DynamicScheduleUpdated,
    GetChargingProfiles,
    LimitImposed,
    LimitReleased,
    NeedsRecorded,
    ProfileAdopted,
    ProfileInstalled,
    ProfileRemoved,
    ProfilesReportBegun,
    ProfilesReportEnded,
    ProfilesReportHeard,
)

PROFILES_MAX = 128
"""The oldest beyond is forgotten: a second profile at its place would not be noticed, no more."""
PERIODS_KEPT_MAX = 96
"""Of the schedules of one transaction; a longer plan of a car is not checked."""
REPORTS_MAX = 4
REPORTED_IDS_MAX = 512
"""Of one report; of a longer one nothing is taken to be missing."""
NEEDS_MAX = 32
LIMITS_MAX = 16
REPORT_S = 120.0
"""How long the next part of a report is waited for."""
START_S = 3600.0
"""How long the transaction of a remote start is waited for, whose profile it carried."""

_CONTROLLER = "SmartChargingCtrlr"
_UNITS_16 = "ChargingScheduleAllowedChargingRateUnit"
_UNIT_OF_WORD = {"current": "A", "power": "W", "a": "A", "w": "W"}


class HeldProfile(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A profile that the station has. `remote_start_id`: of the start that carried it, until its transaction is known.

    `dynamic`: its numbers, of a dynamic one. `schedules`: of a TX profile whose car told its needs.
    """

    id: int
    evse: int
    purpose: ProfilePurpose
    stack_level: int
    at: datetime
    transaction_id: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    remote_start_id: int | None = None
    dynamic: ScheduleUpdate | None = None
    schedules: tuple[ChargingSchedule, ...] = ()
    source: str = ""

    def overlaps(self, profile: ChargingProfile) -> bool:
        """Whether both can be valid at one time."""
        begins_after = (
            self.valid_to is not None and profile.valid_from is not None and profile.valid_from >= self.valid_to
        )
        ends_before = (
            self.valid_from is not None and profile.valid_to is not None and profile.valid_to <= self.valid_from
        )
        return not (begins_after or ends_before)


class HeldNeeds(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """That a car told its needs at an EVSE. `periods_max`: how many periods it takes."""

    evse: int
    transaction_id: str | None = None
    periods_max: int | None = None


class AwaitedReport(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A report of profiles that was asked for. `ended`: it came, maybe before the answer to the request."""

    asked: GetChargingProfiles
    began_at: datetime
    heard_at: datetime
    seen: tuple[int, ...] = ()
    ended: bool = False


class Capabilities(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What the device model says; None: not known. `units`: A, W. `external_id_max`: 2.1 K01.FR.80."""

    stack_level_max: int | None = None
    periods_max: int | None = None
    units: tuple[str, ...] | None = None
    external_id_max: int | None = None

    def after(self, entries: tuple[VariableEntry, ...]) -> "Capabilities":
        """With what these variables tell."""
        found = self
        for entry in entries:
            if entry.value is not None and entry.ref.attribute in (None, "Actual"):
                found = found._learned(entry.ref.component, entry.ref.variable, entry.value)
        return found

    def _learned(self, component: str, variable: str, value: str) -> "Capabilities":
        number = int(value) if value.isascii() and value.lstrip("-").isdigit() and len(value) < 12 else None
        if variable == _UNITS_16 or (component == _CONTROLLER and variable == "RateUnit"):
            words = [word.strip().lower() for word in value.split(",")]
            units = tuple(sorted({_UNIT_OF_WORD[word] for word in words if word in _UNIT_OF_WORD}))
            return replace(self, units=units or None)
        if component != _CONTROLLER or number is None:
            return self
        match variable:
            case "ProfileStackLevel":
                return replace(self, stack_level_max=number)
            case "PeriodsPerSchedule":
                return replace(self, periods_max=number)
            case "MaxExternalConstraintsId":
                return replace(self, external_id_max=number)
            case _:
                return self


class ChargingMemory(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What is remembered of one station's smart charging, oldest first. `limits`: (source, EVSE) that others impose."""

    profiles: tuple[HeldProfile, ...] = ()
    needs: tuple[HeldNeeds, ...] = ()
    reports: tuple[AwaitedReport, ...] = ()
    limits: tuple[tuple[str, int], ...] = ()
    capabilities: Capabilities = Capabilities()

    def find(self, profile_id: int) -> HeldProfile | None:
        """A profile by its id, which is unique at a station."""
        return next((held for held in self.profiles if held.id == profile_id), None)

    def needs_at(self, evse: int) -> HeldNeeds | None:
        """What a car told last at this EVSE."""
        return next((needs for needs in self.needs if needs.evse == evse), None)

    def report(self, request_id: int) -> AwaitedReport | None:
        """A report by its request."""
        return next((report for report in self.reports if report.asked.request_id == request_id), None)

    @property
    def due_at(self) -> datetime | None:
        """When a report or the transaction of a remote start is given up; None: nothing is waited for."""
        moments = [report.heard_at + timedelta(seconds=REPORT_S) for report in self.reports if not report.ended]
        moments += [held.at + timedelta(seconds=START_S) for held in self.profiles if held.remote_start_id is not None]
        return min(moments, default=None)

    def after(  # noqa: C901 (one case a fact)
        self,
        fact: ProfileInstalled
        | ProfileRemoved
        | ProfileAdopted
        | DynamicScheduleUpdated
        | ProfilesReportBegun
        | ProfilesReportHeard
        | ProfilesReportEnded
        | LimitImposed
        | LimitReleased
        | NeedsRecorded
        | VariablesRecorded,
    ) -> "ChargingMemory":
        """With what the fact tells."""
        match fact:
            case ProfileInstalled():
                return self._installed(fact)
            case ProfileRemoved():
                kept = tuple(held for held in self.profiles if held.id != fact.profile_id)
                return replace(self, profiles=kept)
            case ProfileAdopted():
                adopted = {"transaction_id": fact.transaction_id, "evse": fact.evse, "remote_start_id": None}
                return replace(self, profiles=self._changed(fact.profile_id, adopted))
            case DynamicScheduleUpdated():
                held = self.find(fact.profile_id)
                if held is None or held.dynamic is None:
                    return self
                return replace(self, profiles=self._changed(held.id, {"dynamic": merged(held.dynamic, fact.update)}))
            case ProfilesReportBegun() | ProfilesReportHeard() | ProfilesReportEnded():
                return replace(self, reports=self._reports_after(fact))
            case LimitImposed():
                key = (fact.limit.source, fact.limit.evse or 0)
                others = tuple(limit for limit in self.limits if limit != key)
                return replace(self, limits=(*others, key)[-LIMITS_MAX:])
            case LimitReleased():
                kept_limits = tuple(limit for limit in self.limits if limit != (fact.source, fact.evse))
                return replace(self, limits=kept_limits)
            case NeedsRecorded():
                told = HeldNeeds(fact.report.evse, fact.transaction_id, fact.report.periods_max)
                needs = tuple(each for each in self.needs if each.evse != told.evse)
                return replace(self, needs=(*needs, told)[-NEEDS_MAX:])
            case VariablesRecorded():
                capabilities = self.capabilities.after(fact.entries)
                return self if capabilities == self.capabilities else replace(self, capabilities=capabilities)

    def _installed(self, fact: ProfileInstalled) -> "ChargingMemory":
        profile = fact.profile
        dynamic = None
        if profile.kind is ProfileKind.DYNAMIC and profile.schedules and profile.schedules[0].periods:
            dynamic = numbers_of(profile.schedules[0].periods[0])
        held = HeldProfile(
            id=profile.id,
            evse=fact.evse,
            purpose=profile.purpose,
            stack_level=profile.stack_level,
            at=fact.at,
            transaction_id=profile.transaction_id,
            valid_from=profile.valid_from,
            valid_to=profile.valid_to,
            remote_start_id=fact.remote_start_id,
            dynamic=dynamic,
            schedules=self._schedules_to_keep(profile, fact.evse),
            source=fact.source,
        )
        others = tuple(other for other in self.profiles if other.id != held.id)
        return replace(self, profiles=(*others, held)[-PROFILES_MAX:])

    def _schedules_to_keep(self, profile: ChargingProfile, evse: int) -> tuple[ChargingSchedule, ...]:
        needs = self.needs_at(evse)
        if profile.purpose is not ProfilePurpose.TX or needs is None or needs.transaction_id != profile.transaction_id:
            return ()
        long = sum(len(schedule.periods) for schedule in profile.schedules) > PERIODS_KEPT_MAX
        if long or profile.recurrency is not None:
            return ()
        return tuple(
            replace(schedule, sales_tariff=None, absolute_prices=None, price_levels=None)
            for schedule in profile.schedules
        )

    def _changed(self, profile_id: int, changes: dict[str, object]) -> tuple[HeldProfile, ...]:
        return tuple(replace(held, **changes) if held.id == profile_id else held for held in self.profiles)

    def _reports_after(
        self, fact: ProfilesReportBegun | ProfilesReportHeard | ProfilesReportEnded
    ) -> tuple[AwaitedReport, ...]:
        if isinstance(fact, ProfilesReportBegun):
            return (*self.reports, AwaitedReport(fact.asked, fact.at, fact.at))[-REPORTS_MAX:]
        known = self.report(fact.request_id)
        if known is None:
            return self.reports
        if isinstance(fact, ProfilesReportHeard):
            changed = replace(known, heard_at=fact.at, seen=(*known.seen, *fact.profile_ids)[:REPORTED_IDS_MAX])
        else:
            changed = replace(known, ended=True, seen=())
        return tuple(changed if report is known else report for report in self.reports)


def numbers_of(period: ScheduleUpdate) -> ScheduleUpdate:
    """The numbers of a period alone."""
    return ScheduleUpdate(**{name: getattr(period, name) for name in NUMBERS})


def merged(before: ScheduleUpdate, update: ScheduleUpdate) -> ScheduleUpdate:
    """The numbers after an update, which says only what changes."""
    said = {name: value for name in NUMBERS if (value := getattr(update, name)) is not None}
    return replace(before, **said)
