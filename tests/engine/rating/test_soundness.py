"""Tariffs that cannot be reckoned with are named, and where."""

from datetime import date
from decimal import Decimal

import pytest

from engine.model.tariffs import CostBound, Price, PriceConditions, PriceList, Tariff, TaxRate
from engine.rating.soundness import fault_of


def listed(amount="1", taxes=(), **conditions):
    return PriceList((Price(Decimal(amount), PriceConditions(**conditions)),), taxes)


def test_a_sound_tariff_has_no_fault():
    sound = listed(from_time="08:00", to_time="00:00", energy_wh_min=Decimal(0), energy_wh_max=Decimal(1))
    assert fault_of(Tariff(id="t", currency="EUR", energy=sound, fixed_fee=listed(payment_brand="x"))) is None


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        ("id: 1 to 60", {"id": ""}),
        ("currency: three capital", {"currency": "euro"}),
        ("energy: 1 to 64 prices", {"energy": PriceList(())}),
        ("energy: price 1: an amount is 0 or more", {"energy": listed("-1")}),
        ("energy: price 1: an amount is 0 or more", {"energy": listed("NaN")}),
        ("none of them negative", {"energy": listed(taxes=(TaxRate("x", Decimal(-1)),))}),
        ("from_time: HH:MM", {"idle_time": listed(from_time="8:00")}),
        ("to_time: HH:MM", {"idle_time": listed(to_time="24:00")}),
        ("it would never hold", {"energy": listed(energy_wh_min=Decimal(5), energy_wh_max=Decimal(5))}),
        ("it would never hold", {"energy": listed(from_date=date(2026, 1, 2), to_date=date(2026, 1, 1))}),
        ("condition of fixed fees alone", {"energy": listed(payment_brand="x")}),
        ("no condition of a fixed fee", {"fixed_fee": listed(time_s_min=5)}),
        ("cost_min: say excl", {"cost_min": CostBound()}),
        ("cost_max: an amount is 0 or more", {"cost_max": CostBound(excl=Decimal(-1))}),
    ],
)
def test_a_fault_names_its_place(words, fields):
    assert words in (fault_of(Tariff(**{"id": "t", "currency": "EUR", **fields})) or "nothing")
