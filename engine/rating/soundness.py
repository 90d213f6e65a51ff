"""Whether a tariff can be reckoned with, and told to a station of OCPP 2.1."""

import re
from datetime import date
from decimal import Decimal

from engine.model.tariffs import CostBound, Price, PriceConditions, PriceList, Tariff
from engine.rating.conditions import time_of

ID_LENGTH_MAX = 60
PRICES_MAX = 64
"""Of one list."""
TAXES_MAX = 5
_CURRENCY = re.compile(r"[A-Z]{3}")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_LISTS = ("energy", "charging_time", "idle_time", "fixed_fee", "reservation_time", "reservation_fixed")
_ONCE = frozenset({"fixed_fee", "reservation_fixed"})
_RANGES = (
    ("energy_wh_min", "energy_wh_max"),
    ("current_a_min", "current_a_max"),
    ("power_w_min", "power_w_max"),
    ("time_s_min", "time_s_max"),
    ("charging_s_min", "charging_s_max"),
    ("idle_s_min", "idle_s_max"),
)


def fault_of(tariff: Tariff) -> str | None:
    """What is wrong with a tariff and where; None: nothing."""
    if not 1 <= len(tariff.id) <= ID_LENGTH_MAX:
        return f"id: 1 to {ID_LENGTH_MAX} characters, not {len(tariff.id)}"
    if _CURRENCY.fullmatch(tariff.currency) is None:
        return f"currency: three capital letters as of ISO 4217, not {tariff.currency[:10]!r}"
    for name in _LISTS:
        prices: PriceList | None = getattr(tariff, name)
        fault = None if prices is None else _fault_of_list(prices, once=name in _ONCE)
        if fault is not None:
            return f"{name}: {fault}"
    for name in ("cost_min", "cost_max"):
        bound: CostBound | None = getattr(tariff, name)
        fault = None if bound is None else _fault_of_bound(bound)
        if fault is not None:
            return f"{name}: {fault}"
    return None


def _fault_of_list(prices: PriceList, *, once: bool) -> str | None:
    if not 1 <= len(prices.prices) <= PRICES_MAX:
        return f"1 to {PRICES_MAX} prices, not {len(prices.prices)}"
    if len(prices.taxes) > TAXES_MAX or any(tax.percent < 0 or tax.stack < 0 for tax in prices.taxes):
        return f"at most {TAXES_MAX} taxes, none of them negative"
    for place, price in enumerate(prices.prices):
        fault = _fault_of_price(price, once=once)
        if fault is not None:
            return f"price {place + 1}: {fault}"
    return None


def _fault_of_price(price: Price, *, once: bool) -> str | None:
    if not price.amount.is_finite() or price.amount < 0:
        return f"an amount is 0 or more, not {price.amount}"
    if price.conditions is None:
        return None
    return _fault_of_conditions(price.conditions, once=once)


def _fault_of_conditions(conditions: PriceConditions, *, once: bool) -> str | None:
    for name in ("from_time", "to_time"):
        text = getattr(conditions, name)
        if text is not None and (_TIME.fullmatch(text) is None or time_of(text) is None):
            return f"{name}: HH:MM, not {text[:10]!r}"
    payment = conditions.payment_brand is not None or conditions.payment_recognition is not None
    measured = [name for pair in _RANGES for name in pair if getattr(conditions, name) is not None]
    if payment and not once:
        return "how somebody pays is a condition of fixed fees alone"
    if measured and once:
        return f"{measured[0]} is no condition of a fixed fee, which is judged once, at the start"
    for least, most in (*_RANGES, ("from_date", "to_date")):
        low: Decimal | date | None = getattr(conditions, least)
        high: Decimal | date | None = getattr(conditions, most)
        if low is not None and high is not None and not low < high:  # type: ignore[operator]  # both are of one type
            return f"{most} is not above {least}: it would never hold"
    return None


def _fault_of_bound(bound: CostBound) -> str | None:
    said = [amount for amount in (bound.excl, bound.incl) if amount is not None]
    if not said:
        return "say excl, incl or both"
    if any(not amount.is_finite() or amount < 0 for amount in said):
        return "an amount is 0 or more"
    return None
