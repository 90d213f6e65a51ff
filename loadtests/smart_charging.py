"""A virtual station's charging profiles: installed, reported, cleared, and obeyed (1.6 section 3.13, 2.1 block K)."""

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from loadtests.charging_profiles import (
    PRIORITY,
    STATION_MAX,
    TX,
    Profile,
    ProfileRefused,
    profile_from_wire,
)
from loadtests.composite import NOMINAL_V, Charging, Limit, Period, composite_schedule, limit_of
from loadtests.connector import Connector
from loadtests.host import ACCEPTED, REJECTED, Host, busy
from loadtests.wording import Charge, Payload
from loadtests.wording.words import stamp

PROFILES_MAX = 40
PULL_S_MIN = 1.0
REJECTED_SHARE = 0.02
"""Of stations with the quirk `rejects_some_profiles`."""


class SmartCharging:
    """The profiles of one station."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._profiles: list[Profile] = []
        self._pulls: dict[int, Callable[[], None]] = {}

    # For the cars

    @property
    def holds_any(self) -> bool:
        """Whether any profile is installed."""
        return bool(self._profiles)

    def limit_at(self, connector: Connector) -> tuple[Limit, float]:
        """What the car there may draw now, and until when, by the station's clock."""
        charging = [self._charging(each) for each, _ in busy(self._host.connectors)]
        one = next(each for each in charging if each.evse == connector.number)
        limit, until = limit_of(self._profiles, one, self._host.clock(), charging)
        return limit, until

    def charge_ended(self, connector: Connector) -> None:
        """A transaction's profiles die with it (2.1 K01.FR.10 on; 1.6 section 3.13.1)."""
        self._keep(
            lambda each: not (each.purpose in (TX, PRIORITY) and each.evse == connector.number and _is_bound(each))
        )
        self._host.limits_changed()

    # Installing

    def set(self, payload: Payload) -> Payload:
        """SetChargingProfile."""
        if self._rejects_for_nothing():
            return dict(REJECTED)
        if self._host.version == "1.6":
            return self._set(payload["connectorId"], payload["csChargingProfiles"])
        return self._set(payload["evseId"], payload["chargingProfile"])

    def begin_with(self, connector: Connector, wire: Payload) -> bool:
        """The profile that came with a remote start; it names no transaction yet (2.1 F01.FR.11)."""
        return self._set(connector.number, wire, with_start=True) == ACCEPTED

    def _set(self, evse: int, wire: Payload, *, with_start: bool = False) -> Payload:
        try:
            profile = profile_from_wire(self._host.version, evse, wire, self._host.clock())
            self._allow(profile, with_start=with_start)
        except ProfileRefused as refused:
            return self._refusal(str(refused))
        self._keep(lambda each: not self._replaces(profile, each))
        self._profiles.append(profile)
        self._host.limits_changed()
        self._pull_later(profile)
        return dict(ACCEPTED)

    def _rejects_for_nothing(self) -> bool:
        return self._host.has_quirk("rejects_some_profiles") and self._host.chance.random() < REJECTED_SHARE

    def _refusal(self, reason: str) -> Payload:
        if self._host.version == "1.6":
            return {"status": "NotSupported" if reason == "UnsupportedPurpose" else "Rejected"}
        return {"status": "Rejected", "statusInfo": {"reasonCode": reason}}

    def _allow(self, profile: Profile, *, with_start: bool) -> None:
        connectors = {each.number: each for each in self._host.connectors}
        if profile.evse not in (0, *connectors):
            raise ProfileRefused("UnknownEvse")
        if profile.purpose == TX and not with_start:
            self._allow_for(profile, connectors[profile.evse].charge)
        others = [each for each in self._profiles if not self._replaces(profile, each)]
        if len(others) >= PROFILES_MAX:
            raise ProfileRefused("TooManyProfiles")
        if any(_place(each) == _place(profile) for each in others):
            raise ProfileRefused("DuplicateProfile")  # 2.1 K01.FR.06 and 39

    def _allow_for(self, profile: Profile, charge: Charge | None) -> None:
        """1.6 section 3.13.1, 2.1 K01.FR.03 and 09: only for the transaction that is going on there."""
        if charge is None or charge.stop_reason is not None:
            raise ProfileRefused("TxNotFound")
        if profile.transaction_id is None and self._host.version != "1.6":
            raise ProfileRefused("InvalidProfile")
        if profile.transaction_id is not None and profile.transaction_id != charge.id:
            raise ProfileRefused("TxNotFound")

    def _replaces(self, new: Profile, old: Profile) -> bool:
        """The same id; in 1.6 also the same place in the stack (1.6 section 3.13.2)."""
        return new.id == old.id or (self._host.version == "1.6" and _place(new) == _place(old))

    # Reporting

    def get_profiles(self, payload: Payload) -> Payload:
        """GetChargingProfiles (2.1 K09): reported by EVSE, one message each, tbc while more come."""
        wanted = payload["chargingProfile"]
        found = [each for each in self._profiles if _is_wanted(each, wanted, payload.get("evseId"))]
        if not found:
            return {"status": "NoProfiles"}
        evses = sorted({each.evse for each in found})
        for evse in evses:
            report: Payload = {
                "requestId": payload["requestId"],
                "chargingLimitSource": "CSO",
                "evseId": evse,
                "chargingProfile": [each.wire for each in found if each.evse == evse],
            }
            if evse != evses[-1]:
                report["tbc"] = True
            self._host.tell("ReportChargingProfiles", report)
        return dict(ACCEPTED)

    def clear(self, payload: Payload) -> Payload:
        """ClearChargingProfile: an id alone decides, else all that is said must fit (1.6 E16 3.25, 2.1 K10)."""
        if self._host.version == "1.6":
            number, evse, criteria = payload.get("id"), payload.get("connectorId"), payload
        else:
            number, criteria = payload.get("chargingProfileId"), payload.get("chargingProfileCriteria") or {}
            evse = criteria.get("evseId")
        purpose = criteria.get("chargingProfilePurpose")
        purpose = STATION_MAX if purpose == "ChargePointMaxProfile" else purpose
        level = criteria.get("stackLevel")

        def fits(each: Profile) -> bool:
            if number is not None:
                return bool(each.id == number)
            return evse in (None, each.evse) and purpose in (None, each.purpose) and level in (None, each.stack_level)

        before = len(self._profiles)
        self._keep(lambda each: not fits(each))
        if len(self._profiles) == before:
            return {"status": "Unknown"}
        self._host.limits_changed()
        return dict(ACCEPTED)

    def composite(self, payload: Payload) -> Payload:
        """GetCompositeSchedule (1.6 section 5.7, 2.1 K08)."""
        old = self._host.version == "1.6"
        evse, duration_s = payload["connectorId" if old else "evseId"], payload["duration"]
        if evse not in (0, *(each.number for each in self._host.connectors)) or duration_s <= 0:
            return dict(REJECTED)
        now, unit = self._host.clock(), payload.get("chargingRateUnit") or "A"
        connectors = [self._charging(each) for each in self._host.connectors]
        periods = composite_schedule(self._profiles, connectors, evse, now, duration_s)
        told = [self._told(each, unit) for each in periods]
        at = stamp(datetime.fromtimestamp(now, UTC))
        if old:
            schedule: Payload = {"duration": duration_s, "chargingRateUnit": unit, "chargingSchedulePeriod": told}
            return {"status": "Accepted", "connectorId": evse, "scheduleStart": at, "chargingSchedule": schedule}
        schedule = {"evseId": evse, "duration": duration_s, "scheduleStart": at, "chargingRateUnit": unit}
        return {"status": "Accepted", "schedule": schedule | {"chargingSchedulePeriod": told}}

    def _told(self, period: Period, unit: str) -> Payload:
        """Rounded down to a tenth: no car may be promised more than its limit."""
        limit = period.current_a if unit == "A" else period.current_a * NOMINAL_V * period.phases
        if not self._profiles and self._host.has_quirk("negative_limits"):
            limit = -1.0
        return {
            "startPeriod": period.start_s,
            "limit": math.floor(limit * 10 + 1e-6) / 10,
            "numberPhases": period.phases,
        }

    # 2.1: dynamic profiles and priority charging

    def update_dynamic(self, payload: Payload) -> Payload:
        """UpdateDynamicSchedule (2.1 K28)."""
        if self._rejects_for_nothing():
            return dict(REJECTED)
        return dict(ACCEPTED if self._update(payload["chargingProfileId"], payload["scheduleUpdate"]) else REJECTED)

    def _update(self, number: int, update: Payload) -> bool:
        place = next((place for place, each in enumerate(self._profiles) if each.id == number), None)
        if place is None or self._profiles[place].kind != "Dynamic":
            return False
        self._profiles[place] = self._profiles[place].updated(update.get("limit"))
        self._host.limits_changed()
        return True

    def _pull_later(self, profile: Profile) -> None:
        """Asks for updates as often as the profile wants (2.1 K28, dynUpdateInterval)."""
        interval_s = profile.wire.get("dynUpdateInterval")
        if profile.kind == "Dynamic" and interval_s:
            self._pulls[profile.id] = self._host.later(max(PULL_S_MIN, interval_s), lambda: self._pull(profile.id))

    def _pull(self, number: int) -> None:
        profile = next((each for each in self._profiles if each.id == number), None)
        if profile is None:
            return

        def answered(reply: Payload) -> None:
            if reply.get("status") == "Accepted" and "scheduleUpdate" in reply:
                self._update(number, reply["scheduleUpdate"])

        self._host.tell("PullDynamicScheduleUpdate", {"chargingProfileId": number}, answered)
        self._pull_later(profile)

    def use_priority(self, payload: Payload) -> Payload:
        """UsePriorityCharging (2.1 K22)."""
        charge = next((each for _, each in busy(self._host.connectors) if each.id == payload["transactionId"]), None)
        if charge is None:
            return dict(REJECTED)
        if not any(each.purpose == PRIORITY for each in self._profiles):
            return {"status": "NoProfile"}
        charge.prioritized = payload["activate"]
        self._host.limits_changed()
        told: Payload = {"transactionId": charge.id, "activated": charge.prioritized}
        self._host.tell("NotifyPriorityCharging", told)
        return dict(ACCEPTED)

    def _keep(self, stays: Callable[[Profile], bool]) -> None:
        for gone in [each for each in self._profiles if not stays(each)]:
            self._profiles.remove(gone)
            call_off = self._pulls.pop(gone.id, None)
            if call_off is not None:
                call_off()

    @staticmethod
    def _charging(connector: Connector) -> Charging:
        charge, car = connector.charge, connector.car
        if charge is None or car is None:
            return Charging(connector.number)
        return Charging(connector.number, charge.began, car.phases, charge.prioritized)

    def __iter__(self) -> Iterator[Profile]:
        return iter(self._profiles)


def _place(profile: Profile) -> tuple[str, int, int]:
    return profile.purpose, profile.stack_level, profile.evse


def _is_bound(profile: Profile) -> bool:
    """A priority profile without a transaction is for whoever charges there."""
    return profile.purpose == TX or profile.transaction_id is not None


def _is_wanted(profile: Profile, wanted: Payload, evse: int | None) -> bool:
    numbers, sources = wanted.get("chargingProfileId"), wanted.get("chargingLimitSource")
    return (
        evse in (None, profile.evse)
        and (numbers is None or profile.id in numbers)
        and (sources is None or "CSO" in sources)
        and wanted.get("chargingProfilePurpose") in (None, profile.purpose)
        and wanted.get("stackLevel") in (None, profile.stack_level)
    )
