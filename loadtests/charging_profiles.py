"""What a charging profile says at a moment: a second reading of OCPP's smart charging, pure arithmetic on times.

Times are seconds since 1970 by the station's clock; `until` says how long an answer holds, so that nobody has to poll.
Sources: 1.6 sections 3.13 and 7.8; 2.0.1 and 2.1 part 2, block K.
"""

import itertools
import math
from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

from loadtests.wording import Payload

STACK_LEVEL_MAX = 9
PERIODS_MAX = 24
PHASES = 3
NEVER = math.inf

STATION_MAX = "ChargingStationMaxProfile"
EXTERNAL = "ChargingStationExternalConstraints"
TX_DEFAULT = "TxDefaultProfile"
TX = "TxProfile"
PRIORITY = "PriorityCharging"
LOCAL_GENERATION = "LocalGeneration"

PURPOSES_OF_VERSION = {
    "1.6": {"ChargePointMaxProfile": STATION_MAX, TX_DEFAULT: TX_DEFAULT, TX: TX},
    "2.0.1": {each: each for each in (STATION_MAX, TX_DEFAULT, TX)},
    "2.1": {each: each for each in (STATION_MAX, TX_DEFAULT, TX, PRIORITY, LOCAL_GENERATION)},
}
"""What the CSMS may install. External constraints are not its to give (2.1 K01.FR.22)."""
_OF_THE_STATION = (STATION_MAX, EXTERNAL, LOCAL_GENERATION)
_RECURRENCE_S = {"Daily": 86_400.0, "Weekly": 604_800.0}


class ProfileRefused(Exception):  # noqa: N818 (what the CSMS did, not a fault of ours)
    """A profile that may not be installed; the message is the reason code of 2.x."""


class Rate(NamedTuple):
    """What one profile allows: `limit` in `unit` (A per phase, or W over all phases); `phases` None: not said.

    `minimum`: below it charging makes no sense, in the same unit; 0.0: not said.
    """

    limit: float
    unit: str
    phases: int | None = None
    minimum: float = 0.0


class Answer(NamedTuple):
    """What holds until when; None: the profile says nothing, which is no limit."""

    rate: Rate | None
    until: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """A charging schedule.

    Attributes:
        unit: A or W.
        start: When period 0 begins; None: with the session, or (1.6, Absolute) when it was received.
        duration_s: After it the schedule says nothing; None: it has no end.
        starts: Of the periods, s after `start`, ascending from 0.
        rates: One for each period; None: that period sets no limit (2.1).
    """

    unit: str
    start: float | None
    duration_s: float
    starts: tuple[float, ...]
    rates: tuple[Rate | None, ...]

    def at(self, elapsed_s: float) -> tuple[Rate | None, float]:
        """What holds so long after the start, and how long after the start that ends."""
        if elapsed_s >= self.duration_s:
            return None, NEVER
        index = bisect_right(self.starts, elapsed_s) - 1
        ends_s = self.starts[index + 1] if index + 1 < len(self.starts) else NEVER
        return self.rates[index], min(ends_s, self.duration_s)


@dataclass(frozen=True, slots=True)
class Profile:
    """An installed profile.

    Attributes:
        evse: Where it was installed; 0: the station.
        purpose: In the words of 2.x.
        kind: Absolute, Recurring, Relative or (2.1) Dynamic.
        period_s: Of a recurring one; 0.0: it does not recur.
        wire: As the CSMS sent it, for reports.
    """

    id: int
    evse: int
    stack_level: int
    purpose: str
    kind: str
    period_s: float
    valid_from: float
    valid_to: float
    transaction_id: str | None
    schedule: Schedule
    received_at: float
    wire: Payload

    def at(self, now: float, session_start: float) -> Answer:
        """What it says now, in a charge that began (or would begin) at `session_start`."""
        if now < self.valid_from:
            return Answer(None, self.valid_from)
        if now >= self.valid_to:
            return Answer(None, NEVER)
        ends = self.valid_to
        origin = self._origin(session_start)
        if now < origin:
            return Answer(None, min(ends, origin))
        if self.period_s:
            origin += math.floor((now - origin) / self.period_s) * self.period_s
            ends = min(ends, origin + self.period_s)
        rate, until_s = self.schedule.at(now - origin)
        return Answer(rate, min(ends, origin + until_s))

    def _origin(self, session_start: float) -> float:
        if self.kind == "Relative":
            return session_start
        return self.received_at if self.schedule.start is None else self.schedule.start

    def updated(self, limit: float | None) -> "Profile":
        """The same with another limit in its only period (2.1 K28, dynamic profiles)."""
        old = self.schedule.rates[0]
        rate = None if limit is None else Rate(limit, self.schedule.unit, old.phases if old else None)
        period = dict(_schedule_of(self.wire)["chargingSchedulePeriod"][0])
        if limit is not None:
            period["limit"] = limit
        schedule = _schedule_of(self.wire) | {"chargingSchedulePeriod": [period]}
        wire = self.wire | {"chargingSchedule": [schedule]}
        return replace(self, schedule=replace(self.schedule, rates=(rate,)), wire=wire)


def profile_from_wire(version: str, evse: int, wire: Payload, now: float) -> Profile:
    """Reads a profile.

    Args:
        version: 1.6, 2.0.1 or 2.1.
        evse: Connector (1.6) or EVSE that it was sent for; 0: the station.
        wire: csChargingProfiles (1.6) or chargingProfile.
        now: The station's clock.

    Raises:
        ProfileRefused: It may not be installed there.
        KeyError, TypeError, ValueError: It cannot be read.
    """
    schedule = _schedule_of(wire)
    purpose = PURPOSES_OF_VERSION[version].get(wire["chargingProfilePurpose"])
    kind = wire["chargingProfileKind"]
    if purpose is None:
        raise ProfileRefused("UnsupportedPurpose")
    for problem in (_wrong_place(purpose, kind, evse), _wrong_kind(version, kind, wire), _wrong_periods(schedule)):
        if problem is not None:
            raise ProfileRefused(problem)
    if not 0 <= wire["stackLevel"] <= STACK_LEVEL_MAX:
        raise ProfileRefused("InvalidStackLevel")
    transaction_id = wire.get("transactionId")
    return Profile(
        id=wire["chargingProfileId"] if version == "1.6" else wire["id"],
        evse=evse,
        stack_level=wire["stackLevel"],
        purpose=purpose,
        kind=kind,
        period_s=_RECURRENCE_S[wire["recurrencyKind"]] if kind == "Recurring" else 0.0,
        valid_from=_seconds(wire.get("validFrom"), -NEVER),
        valid_to=_seconds(wire.get("validTo"), NEVER),
        transaction_id=None if transaction_id is None else str(transaction_id),
        schedule=_schedule_from(schedule, kind, now),
        received_at=now,
        wire=wire,
    )


def _schedule_of(wire: Payload) -> Payload:
    """1.6 has one; of several in 2.x the first is the one for AC (2.1 K01.FR.34)."""
    schedule = wire["chargingSchedule"]
    found: Payload = schedule[0] if isinstance(schedule, list) else schedule
    return found


def _wrong_place(purpose: str, kind: str, evse: int) -> str | None:
    """2.1 K01.FR.38; 1.6 section 3.13.1; a transaction's profile belongs to one EVSE (K01.FR.09)."""
    if purpose in _OF_THE_STATION and (evse != 0 or kind == "Relative"):
        return "InvalidProfile"
    return "InvalidProfile" if purpose in (TX, PRIORITY) and evse == 0 else None


def _wrong_kind(version: str, kind: str, wire: Payload) -> str | None:
    """2.1 K01.FR.40 and 41. In 1.6 an absolute schedule without a start begins when it is received (7.8)."""
    start = _schedule_of(wire).get("startSchedule")
    known = {"Absolute", "Recurring", "Relative"} | ({"Dynamic"} if version == "2.1" else set())
    if kind not in known:
        return "UnsupportedKind"
    if kind == "Recurring" and (start is None or wire.get("recurrencyKind") not in _RECURRENCE_S):
        return "InvalidSchedule"
    if version != "1.6" and (kind == "Absolute") == (start is None) and kind in ("Absolute", "Relative"):
        return "InvalidSchedule"
    if kind == "Dynamic" and len(_schedule_of(wire)["chargingSchedulePeriod"]) != 1:
        return "InvalidSchedule"
    return None


def _wrong_periods(schedule: Payload) -> str | None:
    """2.1 K01.FR.31 and 35."""
    if schedule["chargingRateUnit"] not in ("A", "W"):
        return "UnsupportedRateUnit"
    starts = [each["startPeriod"] for each in schedule["chargingSchedulePeriod"]]
    if not starts or starts[0] != 0 or any(later <= earlier for earlier, later in itertools.pairwise(starts)):
        return "InvalidSchedule"
    return "InvalidSchedule" if len(starts) > PERIODS_MAX else None


def _schedule_from(wire: Payload, kind: str, now: float) -> Schedule:
    unit, minimum = wire["chargingRateUnit"], float(wire.get("minChargingRate") or 0.0)
    periods = wire["chargingSchedulePeriod"]
    rates = tuple(
        None if each.get("limit") is None else Rate(float(each["limit"]), unit, each.get("numberPhases"), minimum)
        for each in periods
    )
    start = None if kind == "Relative" else _seconds(wire.get("startSchedule"), now)
    duration_s = wire.get("duration")
    starts = tuple(float(each["startPeriod"]) for each in periods)
    return Schedule(unit, start, NEVER if duration_s is None else float(duration_s), starts, rates)


def _seconds(text: str | None, otherwise: float) -> float:
    if text is None:
        return otherwise
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
