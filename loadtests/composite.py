"""How the profiles of a station work together: who prevails, what a car may draw, and the composite schedule.

Within a purpose the highest stack level that says something now prevails (1.6 section 3.13.2). Then the least of the
station's maximum, the external constraints and the transaction's own (TxProfile, else TxDefaultProfile) holds, with
the capacity of local generation added to the station's (2.1). A purpose that says nothing is no limit.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from loadtests.charging_profiles import (
    EXTERNAL,
    LOCAL_GENERATION,
    NEVER,
    PHASES,
    PRIORITY,
    STATION_MAX,
    TX,
    TX_DEFAULT,
    Answer,
    Profile,
    Rate,
)

NOMINAL_V = 230.0
CURRENT_A_MAX = 32.0
"""What the hardware gives each phase of a connector."""
CURRENT_A_MIN = 6.0
"""Below it an AC car may not charge (IEC 61851-1)."""
PERIODS_MAX = 1_000
"""Of a composite schedule; what comes after is not told."""


class Limit(NamedTuple):
    """What a car may draw: A per phase, on so many phases at most; `minimum_a`: below that it pauses."""

    current_a: float = CURRENT_A_MAX
    phases: int = PHASES
    minimum_a: float = CURRENT_A_MIN

    @property
    def allowed_a(self) -> float:
        """The current, or 0.0 where so little makes no sense."""
        return self.current_a if self.current_a >= self.minimum_a else 0.0


HARDWARE = Limit()


@dataclass(frozen=True)
class Charging:
    """One connector as the arithmetic sees it.

    Attributes:
        evse: Its number.
        began: When its charge began; None: nobody charges.
        phases: Of the car.
        prioritized: Whether priority charging is on (2.1 K22).
    """

    evse: int
    began: float | None = None
    phases: int = PHASES
    prioritized: bool = False


class Answered(NamedTuple):
    """A limit, and until when it holds."""

    limit: Limit
    until: float


class Period(NamedTuple):
    """A period of a composite schedule: s from its start, A per phase, phases."""

    start_s: int
    current_a: float
    phases: int


def prevailing(profiles: Iterable[Profile], purpose: str, charging: Charging, now: float) -> Answer:
    """What the profiles of one purpose say for one connector (`evse` 0: for the station)."""
    those = [each for each in profiles if each.purpose == purpose and each.evse in (0, charging.evse)]
    those.sort(key=lambda each: (-each.stack_level, -each.evse, each.id))  # a connector's own before the station's
    until = NEVER
    began = now if charging.began is None else charging.began
    for profile in those:
        answer = profile.at(now, began)
        until = min(until, answer.until)
        if answer.rate is not None:
            return Answer(answer.rate, until)
    return Answer(None, until)


def _of_transaction(profiles: Sequence[Profile], charging: Charging, now: float) -> Answer:
    purposes = ((PRIORITY,) if charging.prioritized else ()) + (TX, TX_DEFAULT)
    until = NEVER
    for purpose in purposes:
        answer = prevailing(profiles, purpose, charging, now)
        until = min(until, answer.until)
        if answer.rate is not None:
            return Answer(answer.rate, until)
    return Answer(None, until)


def _of_station(profiles: Sequence[Profile], now: float) -> tuple[list[Rate], float]:
    """The station's limits, each with the local generation added (2.1 K27)."""
    station = Charging(0)
    generated = prevailing(profiles, LOCAL_GENERATION, station, now)
    rates, until = [], generated.until
    for purpose in (STATION_MAX, EXTERNAL):
        answer = prevailing(profiles, purpose, station, now)
        until = min(until, answer.until)
        if answer.rate is not None:
            more = 0.0 if generated.rate is None else _in_unit(generated.rate, answer.rate.unit)
            rates.append(answer.rate._replace(limit=answer.rate.limit + more))
    return rates, until


def _in_unit(rate: Rate, unit: str) -> float:
    if rate.unit == unit:
        return rate.limit
    volts = NOMINAL_V * (rate.phases or PHASES)
    return rate.limit / volts if unit == "A" else rate.limit * volts


def _least(rates: Sequence[Rate], phases: int) -> Limit:
    """The least of them for a car on so many phases. Which phases are left decides what watts are in amperes."""
    phases = min([phases, *(each.phases for each in rates if each.phases)])
    current_a, minimum_a = CURRENT_A_MAX, CURRENT_A_MIN
    for rate in rates:
        per_a = 1.0 if rate.unit == "A" else NOMINAL_V * phases
        current_a = min(current_a, rate.limit / per_a)
        minimum_a = max(minimum_a, rate.minimum / per_a)
    return Limit(max(0.0, current_a), phases, minimum_a)


def limit_of(profiles: Sequence[Profile], charging: Charging, now: float, others: Sequence[Charging] = ()) -> Answered:
    """What the car at one connector may draw now.

    Args:
        profiles: All that are installed.
        charging: Its connector.
        now: The station's clock.
        others: All connectors where somebody charges, this one among them, the first come first. They share the
            station's limit evenly; where that is too little for all, the last to come wait. None: it is not shared.
    """
    own = _of_transaction(profiles, charging, now)
    rates, until = _of_station(profiles, now)
    shared = [_share(each, charging, others) for each in rates]
    if own.rate is not None:
        shared.append(own.rate)
    return Answered(_least(shared, charging.phases), min(until, own.until))


def _share(rate: Rate, charging: Charging, others: Sequence[Charging]) -> Rate:
    if not others:
        return rate
    served = 0
    for number in range(len(others), 0, -1):
        least = [CURRENT_A_MIN * (1.0 if rate.unit == "A" else NOMINAL_V * each.phases) for each in others[:number]]
        if rate.limit / number >= max(least):
            served = number
            break
    place = next((place for place, each in enumerate(others) if each.evse == charging.evse), len(others))
    return rate._replace(limit=rate.limit / served if place < served else 0.0)


def composite_schedule(
    profiles: Sequence[Profile], connectors: Sequence[Charging], evse: int, now: float, duration_s: int
) -> list[Period]:
    """The composite schedule from now on (1.6 section 5.7, 2.1 K08).

    Of one connector: the least of the station's limits and its own, and where nothing is said what the hardware can do.
    Of the station (`evse` 0): what all its connectors may draw together, within the station's limits.
    """
    periods: list[Period] = []
    for at, current_a, phases in _steps(profiles, connectors, evse, now, now + duration_s):
        start_s = round(at - now)
        if periods and periods[-1].start_s == start_s:
            periods.pop()
        if start_s < duration_s and (not periods or periods[-1][1:] != (current_a, phases)):
            periods.append(Period(start_s, current_a, phases))
    return periods


def _steps(
    profiles: Sequence[Profile], connectors: Sequence[Charging], evse: int, now: float, end: float
) -> Iterator[tuple[float, float, int]]:
    at = now
    meant = [each for each in connectors if each.evse == evse] if evse else connectors
    # A connector where nobody charges is asked as if somebody came now: what is relative begins with the schedule.
    meant = [Charging(each.evse, now if each.began is None else each.began, PHASES, each.prioritized) for each in meant]
    for _ in range(PERIODS_MAX):
        if evse:
            limit, until = limit_of(profiles, meant[0], at)
            yield at, limit.current_a, limit.phases
        else:
            current_a, phases, until = _whole(profiles, meant, at)
            yield at, current_a, phases
        if until >= end:
            return
        at = until


def _whole(profiles: Sequence[Profile], connectors: Sequence[Charging], now: float) -> tuple[float, int, float]:
    rates, until = _of_station(profiles, now)
    total_a, phases = 0.0, 1
    for connector in connectors:
        own = _of_transaction(profiles, connector, now)
        until = min(until, own.until)
        limit = _least([] if own.rate is None else [own.rate], PHASES)
        total_a, phases = total_a + limit.current_a, max(phases, limit.phases)
    for rate in rates:
        phases = min(phases, rate.phases or PHASES)
    for rate in rates:
        total_a = min(total_a, rate.limit / (1.0 if rate.unit == "A" else NOMINAL_V * phases))
    return max(0.0, total_a), phases, until
