"""Conditions of prices: whether they hold, and when that may change. OCPP 2.1 TariffConditionsType.

Times of day and dates are local: over the end of daylight saving time a price may end, and hold again (I12.FR.37).
What is not known (the power, the kind of EVSE) fulfils no condition about it.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

import msgspec

from engine.model.tariffs import EvseKind, Price, PriceConditions, PriceList, Tariff, Weekday

DAYS_MAX = 400
"""Of one piece of usage; boundaries of time beyond are not looked for."""
_MIDNIGHT = time(0, 0)
_WEEKDAYS = tuple(Weekday)


class Moment(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What conditions are about, at one moment. Times in microseconds, energy in micro-Wh. None: not known."""

    at: datetime
    energy_uwh: int = 0
    whole_us: int = 0
    charging_us: int = 0
    idle_us: int = 0
    power_w: float | None = None
    current_a: float | None = None
    evse_kind: EvseKind | None = None


def first_that_holds(prices: PriceList | None, moment: Moment, zone: tzinfo) -> int | None:
    """The place of the price that counts; None: none does."""
    if prices is None:
        return None
    for place, price in enumerate(prices.prices):
        if price.conditions is None or holds(price.conditions, moment, zone):
            return place
    return None


def holds(conditions: PriceConditions, moment: Moment, zone: tzinfo) -> bool:
    """Whether all that is said holds. Payments are not known here."""
    if conditions.payment_brand is not None or conditions.payment_recognition is not None:
        return False
    if conditions.evse_kind is not None and conditions.evse_kind is not moment.evse_kind:
        return False
    return _measured(conditions, moment) and _local(conditions, moment.at.astimezone(zone))


def _measured(conditions: PriceConditions, moment: Moment) -> bool:
    bounds = (
        (conditions.energy_wh_min, conditions.energy_wh_max, moment.energy_uwh, 10**6),
        (conditions.power_w_min, conditions.power_w_max, moment.power_w, 1),
        (conditions.current_a_min, conditions.current_a_max, moment.current_a, 1),
        (conditions.time_s_min, conditions.time_s_max, moment.whole_us, 10**6),
        (conditions.charging_s_min, conditions.charging_s_max, moment.charging_us, 10**6),
        (conditions.idle_s_min, conditions.idle_s_max, moment.idle_us, 10**6),
    )
    for least, most, value, scale in bounds:
        if least is None and most is None:
            continue
        if (
            value is None
            or (least is not None and value < least * scale)
            or (most is not None and value >= most * scale)
        ):
            return False
    return True


def _local(conditions: PriceConditions, local: datetime) -> bool:
    day = local.date()
    if conditions.from_date is not None and day < conditions.from_date:
        return False
    if conditions.to_date is not None and day >= conditions.to_date:
        return False
    if conditions.days and _WEEKDAYS[local.weekday()] not in conditions.days:
        return False
    begin, end = time_of(conditions.from_time), time_of(conditions.to_time)
    now = local.time()
    if begin is None or end is None:
        after = begin is None or now >= begin
        return after and (end is None or end == _MIDNIGHT or now < end)
    if end > begin:
        return begin <= now < end
    return now >= begin or now < end


def time_of(text: str | None) -> time | None:
    """`HH:MM` as a time; None: nothing is said, or nonsense."""
    if text is None:
        return None
    try:
        return time.fromisoformat(text)
    except ValueError:
        return None


def conditions_of(tariff: Tariff) -> tuple[PriceConditions, ...]:
    """Of all prices that are evaluated again and again."""
    lists = (tariff.energy, tariff.charging_time, tariff.idle_time)
    prices: list[Price] = [price for each in lists if each is not None for price in each.prices]
    return tuple(price.conditions for price in prices if price.conditions is not None)


def clock_boundaries(
    conditions: tuple[PriceConditions, ...], begin: datetime, end: datetime, zone: tzinfo
) -> Iterator[datetime]:
    """The moments between begin and end at which a condition about local time may change."""
    local = [each for each in conditions if _is_local(each)]
    if not local:
        return
    times = {time_of(text) for each in local for text in (each.from_time, each.to_time)} - {None} | {_MIDNIGHT}
    day, last = begin.astimezone(zone).date(), end.astimezone(zone).date()
    last = min(last, day + timedelta(days=DAYS_MAX))
    while day <= last:
        for moment in times:
            yield from _instants(day, moment, zone)
        day += timedelta(days=1)
    yield from _jumps(begin, end, zone)


def _is_local(conditions: PriceConditions) -> bool:
    said = (conditions.from_time, conditions.to_time, conditions.from_date, conditions.to_date)
    return bool(conditions.days) or any(each is not None for each in said)


def _instants(day: date, moment: time | None, zone: tzinfo) -> Iterator[datetime]:
    """A local time as it comes on that day: twice where clocks are set back."""
    if moment is None:
        return
    for fold in (0, 1):
        yield datetime.combine(day, moment, zone).replace(fold=fold).astimezone(UTC)


def _jumps(begin: datetime, end: datetime, zone: tzinfo) -> Iterator[datetime]:
    """The moment at which local time jumps, to the second."""
    before = begin.astimezone(zone).utcoffset()
    if end.astimezone(zone).utcoffset() == before:
        return
    while end - begin > timedelta(seconds=1):
        middle = begin + (end - begin) / 2
        if middle.astimezone(zone).utcoffset() == before:
            begin = middle
        else:
            end = middle
    yield end.replace(microsecond=0)
