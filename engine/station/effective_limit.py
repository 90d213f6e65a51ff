"""What the profiles that a station holds come to at a moment: the limit, and which profiles make it. Pure.

A second reading of GetCompositeSchedule, from what Narke knows: min(station maximum, external constraints, the
transaction's own), plus local generation; within a purpose the highest stack level that says something now counts
(1.6 section 3.13, 2.1 K01.FR.17, K08.FR.04). A purpose that says nothing is no limit.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

import msgspec

from engine.model.charging_profiles import (
    ChargingProfile,
    ChargingSchedule,
    ProfileKind,
    ProfilePurpose,
    RateUnit,
    Recurrency,
)

VOLTAGE_V = 230.0
PHASES = 3
_CYCLE = {Recurrency.DAILY: timedelta(days=1), Recurrency.WEEKLY: timedelta(weeks=1)}
_OF_STATION = (ProfilePurpose.STATION_MAX, ProfilePurpose.EXTERNAL)


class Installed(msgspec.Struct, frozen=True):
    """A profile, and the EVSE it is installed at; 0: the station."""

    evse: int
    profile: ChargingProfile


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked about. `evse` above 0. `begun_at`: when energy began to flow; None: it would now.

    `zone`: of schedules in local time. `voltage_v`: of a phase. `prioritized`: PRIORITY profiles count (2.1 K21).
    """

    evse: int
    now: datetime
    transaction_id: str | None = None
    begun_at: datetime | None = None
    zone: tzinfo = UTC
    voltage_v: float = VOLTAGE_V
    prioritized: bool = False


class Said(msgspec.Struct, frozen=True):
    """What one profile says now. `limit` in `unit`; `phases` None: not said."""

    profile: ChargingProfile
    limit: float
    unit: RateUnit
    phases: int | None


class EffectiveLimit(msgspec.Struct, frozen=True):
    """What may be drawn now: A per phase on so many phases, and W in all. None: no profile limits it.

    `by`: the profiles that have a say, the one that binds first: purpose and id.
    """

    limit_a: float | None
    limit_w: float | None
    phases: int
    by: tuple[tuple[str, int], ...]


def effective_limit(installed: Sequence[Installed], asked: Circumstances) -> EffectiveLimit:
    """The limit at an EVSE."""
    said = [found for purpose in _OF_STATION if (found := _prevailing(installed, purpose, asked)) is not None]
    own = _own(installed, asked)
    limits = [*said, *([] if own is None else [own])]
    phases = min([PHASES, *(each.phases for each in limits if each.phases)])
    if not limits:
        return EffectiveLimit(None, None, phases, ())
    generated = _prevailing(installed, ProfilePurpose.LOCAL_GENERATION, asked)
    more_a = 0.0 if generated is None else _in_a(generated, phases, asked.voltage_v)
    amounts = [
        (_in_a(each, phases, asked.voltage_v) + (more_a if each.profile.purpose in _OF_STATION else 0.0), each)
        for each in limits
    ]
    amounts.sort(key=lambda pair: pair[0])
    limit_a = max(0.0, amounts[0][0])
    by = tuple((each.profile.purpose.value, each.profile.id) for _, each in amounts)
    return EffectiveLimit(limit_a, limit_a * phases * asked.voltage_v, phases, by)


def said_at(profile: ChargingProfile, asked: Circumstances) -> Said | None:
    """What a profile says at that moment; None: nothing."""
    if profile.valid_from is not None and asked.now < profile.valid_from:
        return None
    if (profile.valid_to is not None and asked.now >= profile.valid_to) or not profile.schedules:
        return None
    schedule = profile.schedules[0]
    elapsed_s = _elapsed_s(profile, schedule, asked)
    if elapsed_s < 0 or (schedule.duration_s is not None and elapsed_s >= schedule.duration_s):
        return None
    period = next((each for each in reversed(schedule.periods) if each.start_s <= elapsed_s), None)
    if period is None or period.limit is None:
        return None
    return Said(profile, period.limit, schedule.unit, period.phases)


def _elapsed_s(profile: ChargingProfile, schedule: ChargingSchedule, asked: Circumstances) -> float:
    if profile.kind is ProfileKind.DYNAMIC:
        return 0.0
    if profile.kind is ProfileKind.RELATIVE or schedule.start_at is None:
        return (asked.now - (asked.begun_at or asked.now)).total_seconds()
    start_at, now = schedule.start_at, asked.now
    if schedule.local_time:  # the clock on the wall, whatever the zone (2.1 K01.FR.90, 91)
        start_at, now = start_at.replace(tzinfo=None), now.astimezone(asked.zone).replace(tzinfo=None)
    elapsed = now - start_at
    if profile.kind is ProfileKind.RECURRING and profile.recurrency is not None and elapsed >= timedelta(0):
        elapsed %= _CYCLE[profile.recurrency]
    return elapsed.total_seconds()


def _own(installed: Sequence[Installed], asked: Circumstances) -> Said | None:
    """Of the transaction: priority, else its own profile, else the default."""
    purposes = (ProfilePurpose.PRIORITY,) if asked.prioritized else ()
    for purpose in (*purposes, ProfilePurpose.TX, ProfilePurpose.TX_DEFAULT):
        found = _prevailing(installed, purpose, asked)
        if found is not None:
            return found
    return None


def _prevailing(installed: Sequence[Installed], purpose: ProfilePurpose, asked: Circumstances) -> Said | None:
    """Of one purpose: the highest level that says something; of one level the EVSE's own before the station's."""
    those = sorted(_candidates(installed, purpose, asked), key=lambda each: (each.profile.stack_level, each.evse))
    return next((said for each in reversed(those) if (said := said_at(each.profile, asked)) is not None), None)


def _candidates(installed: Sequence[Installed], purpose: ProfilePurpose, asked: Circumstances) -> Iterator[Installed]:
    for each in installed:
        if each.profile.purpose is not purpose or each.evse not in (0, asked.evse):
            continue
        if purpose is not ProfilePurpose.TX or each.profile.transaction_id == asked.transaction_id:
            yield each


def _in_a(said: Said, phases: int, voltage_v: float) -> float:
    return said.limit if said.unit is RateUnit.A else said.limit / (voltage_v * phases)
