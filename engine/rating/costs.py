"""Costs: usage times prices, taxes, the least and the most. OCPP 2.1 I12.

Every sum is an exact fraction; each part is rounded once, half up, to the currency's smallest coin, and the total is
the sum of its parts (I12.FR.17).
"""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from engine.model.tariffs import CostBound, CostDetails, CostItem, CostKind, Money, PriceList, Tariff, TaxRate
from engine.model.usage import Usage
from engine.rating.samples import US, UWH

_DIGITS_OF_CURRENCY = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV"), 0),
    **dict.fromkeys(("XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""ISO 4217; all others have 2."""
_KWH = 1000 * UWH
_MINUTE = 60 * US
_VOLUME_DIGITS = Decimal("0.000001")

Sums = dict[str, Fraction]
"""Cost without taxes by dimension: energy, charging_time, idle_time, fixed, reservation_time, reservation_fixed."""


def cost_of(tariff: Tariff, usage: Usage, *, final: bool) -> CostDetails:
    """What the transaction costs so far, or (`final`) in the end, when the least amount counts (I12.FR.38)."""
    sums = exact(tariff, usage)
    money = {name: _money(tariff, name, sum_) for name, sum_ in sums.items()}
    total = Money(sum((each.excl for each in money.values()), _zero(tariff)), _incl(tariff, money))
    kind = CostKind.MAX if usage.capped else CostKind.NORMAL
    least = tariff.cost_min
    if final and least is not None and _is_below(total, least):
        kind, total = CostKind.MIN, _whole(least, tariff.currency)
        money = {"fixed": total}
    return CostDetails(
        currency=tariff.currency,
        total=total,
        kind=kind,
        tariff_id=tariff.id,
        energy_wh=Decimal(usage.energy_uwh) / UWH,
        charging_s=usage.charging_us // US,
        idle_s=usage.idle_us // US,
        reserved_s=usage.reserved_s,
        items=_items(tariff, usage),
        energy=money.get("energy"),
        charging_time=money.get("charging_time"),
        idle_time=money.get("idle_time"),
        fixed=money.get("fixed"),
        reservation_time=money.get("reservation_time"),
        reservation_fixed=money.get("reservation_fixed"),
    )


def exact(tariff: Tariff, usage: Usage) -> Sums:
    """Costs without taxes, unrounded, of the dimensions that the tariff has prices for."""
    sums: Sums = {}
    for name, prices, volumes in volumes_of(tariff, usage):
        sums[name] = sum(
            (Fraction(price.amount) * volume for price, volume in zip(prices.prices, volumes, strict=True)), Fraction(0)
        )
    return sums


def volumes_of(tariff: Tariff, usage: Usage) -> list[tuple[str, PriceList, tuple[Fraction, ...]]]:
    """By dimension: the list, and what each price of it applies to, in kWh, minutes or times."""
    reserved = Fraction(usage.reserved_s or 0, 60)
    found = [
        ("energy", tariff.energy, tuple(Fraction(each, _KWH) for each in usage.energy)),
        ("charging_time", tariff.charging_time, tuple(Fraction(each, _MINUTE) for each in usage.charged)),
        ("idle_time", tariff.idle_time, tuple(Fraction(each, _MINUTE) for each in usage.idled)),
        ("fixed", tariff.fixed_fee, _once(tariff.fixed_fee, usage.fixed, Fraction(1))),
        ("reservation_time", tariff.reservation_time, _once(tariff.reservation_time, usage.reservation_time, reserved)),
        (
            "reservation_fixed",
            tariff.reservation_fixed,
            _once(tariff.reservation_fixed, usage.reservation_fixed, Fraction(1)),
        ),
    ]
    return [(name, prices, volumes) for name, prices, volumes in found if prices is not None]


def share_below_max(tariff: Tariff, before: Usage, after: Usage) -> Fraction:
    """How much of a piece of usage may still be charged for, 0 to 1, until the most is reached (I12.FR.39)."""
    most = tariff.cost_max
    if most is None:
        return Fraction(1)
    share = Fraction(1)
    for bound, taxed in ((most.excl, False), (most.incl, True)):
        if bound is None:
            continue
        was, would = (_sum(tariff, usage, taxed=taxed) for usage in (before, after))
        if would > Fraction(bound):
            left = max(Fraction(bound) - was, Fraction(0))
            share = min(share, left / (would - was) if would > was else Fraction(0))
    return share


def factor_of(taxes: tuple[TaxRate, ...]) -> Fraction:
    """What a net amount is multiplied by: taxes of one stack add up, the next stack is on the result (I12.FR.13)."""
    factor = Fraction(1)
    for stack in sorted({tax.stack for tax in taxes}):
        factor *= 1 + sum((Fraction(tax.percent) for tax in taxes if tax.stack == stack), Fraction(0)) / 100
    return factor


def rounded(amount: Fraction, currency: str) -> Decimal:
    """To the smallest coin, half up."""
    digits = _DIGITS_OF_CURRENCY.get(currency, 2)
    coins = amount * 10**digits
    whole = (2 * abs(coins.numerator) + coins.denominator) // (2 * coins.denominator)
    return Decimal(whole if coins >= 0 else -whole).scaleb(-digits)


def _sum(tariff: Tariff, usage: Usage, *, taxed: bool) -> Fraction:
    sums = exact(tariff, usage)
    parts = (_taxed(tariff, name, part) if taxed else part for name, part in sums.items())
    return sum(parts, Fraction(0))


def _once(prices: PriceList | None, place: int, volume: Fraction) -> tuple[Fraction, ...]:
    if prices is None:
        return ()
    return tuple(volume if index == place else Fraction(0) for index in range(len(prices.prices)))


def _taxes(tariff: Tariff, dimension: str) -> tuple[TaxRate, ...]:
    prices: PriceList | None = getattr(tariff, "fixed_fee" if dimension == "fixed" else dimension)
    return () if prices is None else prices.taxes


def _taxed(tariff: Tariff, dimension: str, amount: Fraction) -> Fraction:
    return amount * factor_of(_taxes(tariff, dimension))


def _money(tariff: Tariff, dimension: str, amount: Fraction) -> Money:
    currency = tariff.currency
    return Money(rounded(amount, currency), rounded(_taxed(tariff, dimension, amount), currency))


def _incl(tariff: Tariff, money: dict[str, Money]) -> Decimal:
    return sum((each.incl for each in money.values()), _zero(tariff))


def _zero(tariff: Tariff) -> Decimal:
    return rounded(Fraction(0), tariff.currency)


def _is_below(total: Money, least: CostBound) -> bool:
    excl = least.excl is not None and total.excl < least.excl
    return excl or (least.incl is not None and total.incl < least.incl)


def _whole(bound: CostBound, currency: str) -> Money:
    """Both amounts of a bound, one worked out from the other and the taxes where it is not said."""
    factor = factor_of(bound.taxes)
    excl = Fraction(bound.incl or 0) / factor if bound.excl is None else Fraction(bound.excl)
    incl = excl * factor if bound.incl is None else Fraction(bound.incl)
    return Money(rounded(excl, currency), rounded(incl, currency))


def _items(tariff: Tariff, usage: Usage) -> tuple[CostItem, ...]:
    """One for each price that applied to something."""
    items = []
    for name, prices, volumes in volumes_of(tariff, usage):
        for place, (price, volume) in enumerate(zip(prices.prices, volumes, strict=True)):
            if volume:
                whole = Decimal(volume.numerator) / Decimal(volume.denominator)
                shown = whole.quantize(_VOLUME_DIGITS, ROUND_HALF_UP)
                excl = rounded(Fraction(price.amount) * volume, tariff.currency)
                items.append(CostItem(name, place, shown, price.amount, excl))
    return tuple(items)
