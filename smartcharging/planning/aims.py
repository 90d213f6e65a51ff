"""What is wanted beside the energy, slot by slot: prices and CO2 from series or the site's own table, base load, peak.

A series that was told counts where it reaches; beyond it, and before it, the time-of-use prices of the site's goals.
CO2 becomes money by its price, so that one objective has both.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from engine.model.sites import DAY_S, Goal, Goals, SeriesKind, Site, SiteSeries, TimedPrice
from smartcharging.problem import Aims, Floats
from smartcharging.words import NodeLoad

CO2_PRICE_PER_KG = 0.1
"""With CO2 as the goal and no price said: what a kg is worth, in the site's currency. Any positive one orders alike."""
CHANGE_PRICE = 0.05
"""Of sites that do not say; `smart-bench` replays with it, too (docs/smart-bench.md has what came of it)."""
EARLY_PRICE = 0.001
_SAMPLES = 3
"""Moments of a slot at which a price is read; a slot is a quarter of an hour, prices change by the hour."""


def aims_of(
    site: Site,
    series: Mapping[SeriesKind, SiteSeries],
    start: datetime,
    slot_s: Floats,
    *,
    loads: Sequence[NodeLoad],
    peak_kw: float,
) -> Aims:
    """The aims of a plan.

    Args:
        site: Its goals, time zone.
        series: What was told lately.
        start: When slot 0 begins.
        slot_s: (t,) how long each lasts.
        loads: What else draws, for the demand charge.
        peak_kw: The highest quarter of an hour of this billing period so far.
    """
    goals = site.goals
    price = prices_of(goals, series.get(SeriesKind.PRICE), ZoneInfo(site.time_zone), start, slot_s)
    exported = series.get(SeriesKind.EXPORT_PRICE)
    export = np.full(len(slot_s), goals.export_price)
    if exported is not None:
        export = _overlaid(export, exported, start, slot_s)
    base = np.zeros(len(slot_s))
    for load in loads:
        base = base + load.kw.sum(axis=0)
    return Aims(
        price=_with_goal(goals, price, series, start, slot_s),
        export_price=export,
        base_kw=base,
        demand_price=goals.demand_price,
        peak_kw=peak_kw,
        unserved_price=goals.unserved_price,
        early_price=EARLY_PRICE,
        change_price=CHANGE_PRICE if goals.change_price is None else goals.change_price,
    )


def _with_goal(
    goals: Goals, price: Floats, series: Mapping[SeriesKind, SiteSeries], start: datetime, slot_s: Floats
) -> Floats:
    """The price per kWh that counts for the site's goal: nothing, money, or CO2 beside money where it has a price."""
    co2 = series.get(SeriesKind.CO2)
    per_kg = goals.co2_price_per_kg
    if goals.goal is Goal.EARLY:
        return np.zeros(len(slot_s))
    if goals.goal is Goal.CO2:
        per_kg, price = per_kg or CO2_PRICE_PER_KG, price if per_kg else np.zeros(len(slot_s))
    if co2 is None or not per_kg:
        return price
    grams = _overlaid(np.full(len(slot_s), float(np.mean(co2.values or (0.0,)))), co2, start, slot_s)
    return price + grams / 1000.0 * per_kg


def prices_of(goals: Goals, told: SiteSeries | None, zone: ZoneInfo, start: datetime, slot_s: Floats) -> Floats:
    """(t,) price of a kWh drawn: as told, else by time of use, else 0."""
    own = np.zeros(len(slot_s))
    if goals.prices:
        middles = np.cumsum(slot_s) - slot_s / 2
        for slot, after_s in enumerate(middles.tolist()):
            own[slot] = _price_at(goals.prices, (start + timedelta(seconds=after_s)).astimezone(zone))
    return own if told is None else _overlaid(own, told, start, slot_s)


def _price_at(prices: Sequence[TimedPrice], local: datetime) -> float:
    """The last of the table that counts at this time of a day; 0: none does."""
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    second = (local - midnight).total_seconds()
    today, yesterday = local.isoweekday(), (local - timedelta(days=1)).isoweekday()
    for price in reversed(prices):
        over_midnight = price.to_s <= price.from_s
        to_s = DAY_S if over_midnight else price.to_s
        if price.from_s <= second < to_s and (not price.weekdays or today in price.weekdays):
            return price.price
        if over_midnight and second < price.to_s and (not price.weekdays or yesterday in price.weekdays):
            return price.price
    return 0.0


def _overlaid(own: Floats, told: SiteSeries, start: datetime, slot_s: Floats) -> Floats:
    """(t,) the told values where they reach, as means over the slot; elsewhere our own."""
    values = np.asarray(told.values, dtype=np.float64)
    ends = np.cumsum(slot_s)
    begin_s = (start - told.start_at).total_seconds()
    shares = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    moments = (ends - slot_s)[:, None] + slot_s[:, None] * shares[None, :] + begin_s
    places = np.floor(moments / told.step_s).astype(np.int64)
    inside = (places >= 0) & (places < len(values))
    read = np.where(inside, values[np.clip(places, 0, max(len(values) - 1, 0))], own[:, None])
    found: Floats = read.mean(axis=1)
    return found
