"""Tariffs and costs in the shape of OCPP 2.1's TariffType and CostDetailsType (part 2 section I.1.2). Money is exact.

A price list is gone through from the top: the first price whose conditions hold now counts. Prices are without tax.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from engine.model.word import Word


class Weekday(StrEnum):
    """In the order of `datetime.weekday`."""

    MONDAY = "Monday"
    TUESDAY = "Tuesday"
    WEDNESDAY = "Wednesday"
    THURSDAY = "Thursday"
    FRIDAY = "Friday"
    SATURDAY = "Saturday"
    SUNDAY = "Sunday"


class EvseKind(StrEnum):
    """What a price may be for."""

    AC = "AC"
    DC = "DC"


class TaxRate(Word, frozen=True, tag=False):
    """A tax in percent. `stack` 0: on the net price; 1: on the result of 0; ..."""

    type: str
    percent: Decimal
    stack: int = 0


class PriceConditions(Word, frozen=True, tag=False, kw_only=True):
    """When a price counts: all that is said must hold. Minima are inclusive, maxima exclusive.

    `from_time`, `to_time`: local, `HH:MM`; to before from: over midnight. `from_date` inclusive, `to_date` exclusive,
    local. Power is in W, current the sum of all phases in A, energy in Wh since the start, times in s since the start
    or of charging and idling so far. The payment fields are for fixed fees.
    """

    from_time: str | None = None
    to_time: str | None = None
    days: tuple[Weekday, ...] = ()
    from_date: date | None = None
    to_date: date | None = None
    evse_kind: EvseKind | None = None
    energy_wh_min: Decimal | None = None
    energy_wh_max: Decimal | None = None
    current_a_min: Decimal | None = None
    current_a_max: Decimal | None = None
    power_w_min: Decimal | None = None
    power_w_max: Decimal | None = None
    time_s_min: int | None = None
    time_s_max: int | None = None
    charging_s_min: int | None = None
    charging_s_max: int | None = None
    idle_s_min: int | None = None
    idle_s_max: int | None = None
    payment_brand: str | None = None
    payment_recognition: str | None = None


class Price(Word, frozen=True, tag=False):
    """An amount of money per kWh, per minute or once, and when it counts; None: always."""

    amount: Decimal
    conditions: PriceConditions | None = None


class PriceList(Word, frozen=True, tag=False):
    """Prices of one kind, and their taxes."""

    prices: tuple[Price, ...]
    taxes: tuple[TaxRate, ...] = ()


class CostBound(Word, frozen=True, tag=False):
    """The least or most that a transaction costs, without and with taxes."""

    excl: Decimal | None = None
    incl: Decimal | None = None
    taxes: tuple[TaxRate, ...] = ()


class TariffText(Word, frozen=True, tag=False):
    """The tariff for people. `format`: ASCII, UTF8, HTML, URI or QRCODE."""

    content: str
    format: str = "UTF8"
    language: str | None = None


class Tariff(Word, frozen=True, tag=False, kw_only=True):
    """What charging costs. `currency`: ISO 4217. Energy per kWh, times per minute, fees once.

    Another content needs another id (2.1 I08.FR.08): old bills name theirs. `valid_from`: of default tariffs.
    """

    id: str
    currency: str
    energy: PriceList | None = None
    charging_time: PriceList | None = None
    idle_time: PriceList | None = None
    fixed_fee: PriceList | None = None
    reservation_time: PriceList | None = None
    reservation_fixed: PriceList | None = None
    cost_min: CostBound | None = None
    cost_max: CostBound | None = None
    valid_from: datetime | None = None
    description: tuple[TariffText, ...] = ()


class Money(Word, frozen=True, tag=False):
    """Without and with taxes."""

    excl: Decimal = Decimal(0)
    incl: Decimal = Decimal(0)


class CostKind(StrEnum):
    """2.1 TariffCostEnumType."""

    NORMAL = "NormalCost"
    MIN = "MinCost"
    MAX = "MaxCost"


class CostItem(Word, frozen=True, tag=False):
    """What one price of a list came to. `volume`: kWh, minutes or 1. `price`: its place in the list, from 0."""

    dimension: str
    price: int
    volume: Decimal
    amount: Decimal
    excl: Decimal


class CostDetails(Word, frozen=True, tag=False, kw_only=True):
    """What a transaction costs, and for what. `items`: what Narke's own figures are made of.

    `failure`: why a station could not say all of it (2.1 I12.FR.14).
    """

    currency: str
    total: Money
    kind: CostKind = CostKind.NORMAL
    tariff_id: str | None = None
    energy: Money | None = None
    charging_time: Money | None = None
    idle_time: Money | None = None
    fixed: Money | None = None
    reservation_time: Money | None = None
    reservation_fixed: Money | None = None
    energy_wh: Decimal = Decimal(0)
    charging_s: int = 0
    idle_s: int = 0
    reserved_s: int | None = None
    items: tuple[CostItem, ...] = ()
    failure: str | None = None
