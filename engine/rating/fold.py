"""The fold: samples of a transaction become usage, cut where prices change.

`begin` with the start, `advance` with each sample, `engine.rating.costs.cost_of` at any time; `rate` does all of it.
Energy flows evenly between two samples; whether the car charges in between is what was said at the earlier one.
The pieces add up to the whole exactly, however it is cut.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, tzinfo
from fractions import Fraction

from msgspec.structs import replace

from engine.model.tariffs import CostDetails, EvseKind, PriceList, Tariff
from engine.model.usage import Usage
from engine.rating.conditions import Moment, clock_boundaries, conditions_of, first_that_holds
from engine.rating.costs import cost_of, share_below_max
from engine.rating.samples import US, UWH, Sample

PIECES_MAX = 5_000
"""Of one stretch between two samples; what would be cut finer counts at the price of its beginning."""
_US = timedelta(microseconds=1)


def rate(tariff: Tariff, start: Usage, samples: Iterable[Sample], zone: tzinfo) -> CostDetails:
    """What a transaction costs in the end. `start`: of `begin`."""
    usage = start
    for sample in samples:
        usage = advance(tariff, usage, sample, zone)
    return cost_of(tariff, usage, final=True)


def begin(
    tariff: Tariff,
    at: datetime,
    zone: tzinfo,
    *,
    charging: bool = False,
    reserved_s: int | None = None,
    evse_kind: EvseKind | None = None,
) -> Usage:
    """A transaction that starts now. `reserved_s`: how long it was reserved before; None: it was not (I12.FR.06)."""
    moment = Moment(at=at, evse_kind=evse_kind)

    def place(prices: PriceList | None) -> int:
        found = first_that_holds(prices, moment, zone)
        return -1 if found is None else found

    reserved = reserved_s is not None
    usage = Usage(
        begun_at=at,
        at=at,
        charging=charging,
        energy=_zeros(tariff.energy),
        charged=_zeros(tariff.charging_time),
        idled=_zeros(tariff.idle_time),
        fixed=place(tariff.fixed_fee),
        reservation_fixed=place(tariff.reservation_fixed) if reserved else -1,
        reservation_time=place(tariff.reservation_time) if reserved else -1,
        reserved_s=reserved_s,
        evse_kind=evse_kind,
    )
    bare = replace(usage, fixed=-1, reservation_fixed=-1, reservation_time=-1)
    return replace(usage, capped=True) if share_below_max(tariff, bare, usage) < 1 else usage


def advance(tariff: Tariff, usage: Usage, sample: Sample, zone: tzinfo) -> Usage:
    """The usage after a sample. An older one counts as if it were read now; a meter that goes back stands still."""
    end = max(sample.at, usage.at)
    energy_uwh = usage.energy_uwh
    if sample.energy_wh is not None:
        energy_uwh = max(energy_uwh, round(sample.energy_wh * UWH))
    power_w = sample.power_w
    whole_us = (end - usage.at) // _US
    if power_w is None and whole_us:
        power_w = (energy_uwh - usage.energy_uwh) * 3600 / whole_us
    for until, until_uwh in list(_cuts(tariff, usage, end, energy_uwh, zone)):
        usage = _piece(tariff, usage, until, until_uwh, (power_w, sample.current_a), zone)
    return usage if sample.charging is None else replace(usage, charging=sample.charging)


def fits(tariff: Tariff, usage: Usage) -> bool:
    """Whether the usage was counted by a tariff of this shape; False: its content was changed under its id."""
    counted = (len(usage.energy), len(usage.charged), len(usage.idled))
    return counted == tuple(len(_zeros(each)) for each in (tariff.energy, tariff.charging_time, tariff.idle_time))


def _cuts(tariff: Tariff, usage: Usage, end: datetime, energy_uwh: int, zone: tzinfo) -> Iterator[tuple[datetime, int]]:
    """Where to cut: (when, micro-Wh since the start), the end last."""
    whole_us = (end - usage.at) // _US
    gained_uwh = energy_uwh - usage.energy_uwh
    offsets = {(moment - usage.at) // _US for moment in clock_boundaries(conditions_of(tariff), usage.at, end, zone)}
    offsets |= _durations(tariff, usage)
    cuts = {(offset, usage.energy_uwh + gained_uwh * offset // whole_us) for offset in offsets if 0 < offset < whole_us}
    for conditions in conditions_of(tariff):
        for bound_wh in (conditions.energy_wh_min, conditions.energy_wh_max):
            bound_uwh = -1 if bound_wh is None else int(bound_wh * UWH)
            if usage.energy_uwh < bound_uwh < energy_uwh:
                cuts.add(((bound_uwh - usage.energy_uwh) * whole_us // gained_uwh, bound_uwh))
    for offset, until_uwh in sorted(cuts)[:PIECES_MAX]:
        yield usage.at + offset * _US, until_uwh
    yield end, energy_uwh


def _durations(tariff: Tariff, usage: Usage) -> set[int]:
    """Microseconds from now at which a duration in a condition is over."""
    since_begin_us = (usage.at - usage.begun_at) // _US
    so_far_us = usage.charging_us if usage.charging else usage.idle_us
    found = set()
    for each in conditions_of(tariff):
        own = (each.charging_s_min, each.charging_s_max) if usage.charging else (each.idle_s_min, each.idle_s_max)
        found |= {
            seconds * US - since_begin_us for seconds in (each.time_s_min, each.time_s_max) if seconds is not None
        }
        found |= {seconds * US - so_far_us for seconds in own if seconds is not None}
    return found


def _piece(
    tariff: Tariff,
    usage: Usage,
    until: datetime,
    until_uwh: int,
    flow: tuple[float | None, float | None],
    zone: tzinfo,
) -> Usage:
    """One piece in which no condition changes, at the prices that count at its beginning."""
    moment = Moment(
        at=usage.at,
        energy_uwh=usage.energy_uwh,
        whole_us=(usage.at - usage.begun_at) // _US,
        charging_us=usage.charging_us,
        idle_us=usage.idle_us,
        power_w=flow[0],
        current_a=flow[1],
        evse_kind=usage.evse_kind,
    )
    lasted_us = max(0, (until - usage.at) // _US)
    gained_uwh = max(0, until_uwh - usage.energy_uwh)
    after = replace(
        usage,
        at=max(until, usage.at),
        energy_uwh=usage.energy_uwh + gained_uwh,
        charging_us=usage.charging_us + (lasted_us if usage.charging else 0),
        idle_us=usage.idle_us + (0 if usage.charging else lasted_us),
    )
    if usage.capped:
        return after
    energy_at = first_that_holds(tariff.energy, moment, zone)
    time_at = first_that_holds(tariff.charging_time if usage.charging else tariff.idle_time, moment, zone)

    def counted(share: Fraction) -> Usage:
        lasted = int(lasted_us * share)
        return replace(
            after,
            energy=_added(usage.energy, energy_at, int(gained_uwh * share)),
            charged=_added(usage.charged, time_at, lasted) if usage.charging else usage.charged,
            idled=usage.idled if usage.charging else _added(usage.idled, time_at, lasted),
        )

    whole = counted(Fraction(1))
    share = share_below_max(tariff, usage, whole)
    return whole if share == 1 else replace(counted(share), capped=True)


def _added(volumes: tuple[int, ...], place: int | None, more: int) -> tuple[int, ...]:
    if place is None or not more:
        return volumes
    return (*volumes[:place], volumes[place] + more, *volumes[place + 1 :])


def _zeros(prices: PriceList | None) -> tuple[int, ...]:
    return () if prices is None else (0,) * len(prices.prices)
