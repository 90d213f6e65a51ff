"""Tariffs and costs in 2.0.1 and 2.1."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from engine.model.authorization import TokenAnswer, TokenStatus, TokenVerdict
from engine.model.commands import Result
from engine.model.tariff_and_cost import (
    ChangeTransactionTariff,
    ClearTariffs,
    GetTariffs,
    HeldTariff,
    SetDefaultTariff,
    TariffsCleared,
    TariffsFound,
    UpdateCost,
)
from engine.model.tariffs import (
    CostBound,
    EvseKind,
    Price,
    PriceConditions,
    PriceList,
    Tariff,
    TariffText,
    TaxRate,
    Weekday,
)
from engine.ocpp.catalogue import answer_payload, command_call, outcome_of
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

V201, V21 = Version.V201, Version.V21
VAT = (TaxRate("vat", Decimal(19)), TaxRate("city", Decimal("0.5"), stack=1))
CONDITIONS = PriceConditions(
    from_time="08:00",
    to_time="18:00",
    days=(Weekday.MONDAY, Weekday.SUNDAY),
    from_date=date(2026, 1, 1),
    to_date=date(2027, 1, 1),
    evse_kind=EvseKind.DC,
    energy_wh_min=Decimal("0.5"),
    energy_wh_max=Decimal(10),
    current_a_min=Decimal(1),
    current_a_max=Decimal(2),
    power_w_min=Decimal(3),
    power_w_max=Decimal(4),
    time_s_min=5,
    time_s_max=6,
    charging_s_min=7,
    charging_s_max=8,
    idle_s_min=9,
    idle_s_max=10,
)
PRICES = PriceList((Price(Decimal("0.40"), CONDITIONS), Price(Decimal("0.25"))), VAT)
ONCE = PriceList((Price(Decimal(1), PriceConditions(payment_brand="x", payment_recognition="CC")),))
WHOLE = Tariff(
    id="t",
    currency="EUR",
    energy=PRICES,
    charging_time=PRICES,
    idle_time=PRICES,
    fixed_fee=ONCE,
    reservation_time=PRICES,
    reservation_fixed=ONCE,
    cost_min=CostBound(excl=Decimal(1), incl=Decimal("1.19"), taxes=VAT),
    cost_max=CostBound(incl=Decimal(50)),
    valid_from=datetime(2026, 1, 1, tzinfo=UTC),
    description=(TariffText("dear", language="en"), TariffText("teuer")),
)


def test_all_of_a_tariff_passes_the_schema():
    tariff = command_call(V21, SetDefaultTariff(WHOLE, evse=2))[1]["tariff"]
    assert tariff["energy"]["prices"][0]["conditions"]["dayOfWeek"] == ["Monday", "Sunday"]
    assert tariff["energy"]["prices"][0]["conditions"]["minEnergy"] == 0.5
    assert [next(iter(tariff[name]["prices"][1])) for name in ("energy", "idleTime")] == ["priceKwh", "priceMinute"]
    assert tariff["fixedFee"]["prices"][0]["priceFixed"] == 1
    assert tariff["energy"]["taxRates"] == [{"type": "vat", "tax": 19}, {"type": "city", "tax": 0.5, "stack": 1}]
    assert len(tariff["energy"]["prices"][0]["conditions"]) == 18


def test_TC_I_01_the_running_cost_is_a_number_in_both_versions():
    for version in (V201, V21):
        expected = {"totalCost": 2.5, "transactionId": "t-1"}
        assert command_call(version, UpdateCost("t-1", Decimal("2.50"))) == ("CostUpdated", expected)


@pytest.mark.parametrize(
    "command",
    [SetDefaultTariff(WHOLE), GetTariffs(), ClearTariffs(("t",), 1), ChangeTransactionTariff("t-1", WHOLE)],
)
def test_stations_of_2_0_1_hold_no_tariffs(command):
    command_call(V21, command)
    with pytest.raises(NotExpressible, match="sends UpdateCost itself"):
        command_call(V201, command)


def test_I08_FR_01_a_driver_tariff_goes_with_the_verdict_in_2_1_alone():
    answer = TokenAnswer(TokenVerdict(TokenStatus.ACCEPTED), tariff=WHOLE)
    assert answer_payload(V21, "Authorize", answer)["tariff"]["tariffId"] == "t"
    assert "tariff" not in answer_payload(V201, "Authorize", answer)


def test_I09_what_a_station_holds_is_found():
    held = {"tariffId": "t", "tariffKind": "DefaultTariff", "evseIds": [1, 2]}
    found = outcome_of(V21, "GetTariffs", {"status": "Accepted", "tariffAssignments": [held]}).found
    assert found == TariffsFound((HeldTariff("t", "DefaultTariff", evses=(1, 2)),))
    none = outcome_of(V21, "GetTariffs", {"status": "NoTariff"})
    assert (none.result, none.found) == (Result.ACCEPTED, TariffsFound())


@pytest.mark.parametrize(
    ("results", "result", "gone"),
    [
        (
            [{"status": "Accepted", "tariffId": "a"}, {"status": "NoTariff", "tariffId": "b"}],
            Result.ACCEPTED,
            ("a", "b"),
        ),
        ([{"status": "Accepted", "tariffId": "a"}, {"status": "Rejected", "tariffId": "b"}], Result.REFUSED, ("a",)),
        ([{"status": "NoTariff"}], Result.ACCEPTED, ()),
    ],
)
def test_I10_what_is_gone_is_found(results, result, gone):
    outcome = outcome_of(V21, "ClearTariffs", {"clearTariffsResult": results})
    assert (outcome.result, outcome.found) == (result, TariffsCleared(gone))
