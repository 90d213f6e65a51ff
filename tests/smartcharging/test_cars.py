"""A day of a site: cars come, charge, are forecast by what was learned of them, and leave."""

from datetime import timedelta

import numpy as np
import pytest

from engine.model.authorization import Token
from engine.model.ids import EvseRef
from engine.model.sites import DriverRequest, Load, LoadKind
from engine.model.transactions import TransactionEnded, TransactionOpened, TransactionUpdated
from smartcharging.cars import CarKeeper
from smartcharging.forecast import Forecaster, ForecastSettings
from smartcharging.words import NeedSource
from tests.smartcharging.forecast.past import at
from tests.smartcharging.sites import depot

SITE = depot(time_zone="UTC", loads=(Load(load="house", node="grid", kind=LoadKind.CONSTANT, kw=3.0),))


def day_of(keeper, forecaster, day, *, hours, kwh, token="tag"):
    """A car from eight o'clock on; what was expected of it at noon."""
    begun, name = at(8, day), f"t{day}"
    start = TransactionOpened(name, begun, begun, evse=EvseRef(1, 1), token=Token(token), meter_start_wh=0.0)
    keeper.hear("CP-1", start, begun)
    noon = begun + timedelta(hours=4)
    keeper.hear("CP-1", TransactionUpdated(name, noon, noon, meter_last_wh=500.0 * kwh), noon)
    (view,) = keeper.cars(noon, forecaster)
    end = begun + timedelta(hours=hours)
    keeper.hear("CP-1", TransactionEnded(name, end, end, energy_wh=1000.0 * kwh), end)
    for stay in keeper.departed():
        forecaster.learn(stay)
    return view


def test_what_a_driver_does_every_day_is_expected_of_him():
    keeper, forecaster = CarKeeper(SITE), Forecaster(settings=ForecastSettings.of(SITE))
    seen = [day_of(keeper, forecaster, day, hours=9, kwh=12.0) for day in range(30) if day % 7 < 5]
    assert seen[0].need.departure_source is NeedSource.DEFAULT
    last = seen[-1].need
    assert (last.departure_source, last.energy_source) == (NeedSource.TOKEN, NeedSource.TOKEN)
    assert abs((last.departs_at_median - at(17, 29)).total_seconds()) < 1800
    assert last.energy_kwh == pytest.approx(6.0, abs=1.0)
    assert "this token" in last.detail


def test_what_he_asks_for_today_comes_before_his_habits():
    keeper, forecaster = CarKeeper(SITE), Forecaster(settings=ForecastSettings.of(SITE))
    for day in range(5):
        day_of(keeper, forecaster, day, hours=9, kwh=12.0)
    keeper.ask(DriverRequest(token="tag", energy_kwh=30.0, departs_at=at(14, 7)), at(7, 7))
    need = day_of(keeper, forecaster, 7, hours=6, kwh=20.0).need
    assert (need.departure_source, need.energy_source) == (NeedSource.DRIVER, NeedSource.DRIVER)
    assert need.energy_kwh > 6.0
    assert at(12, 7) < need.departs_at < at(17, 7)


def test_loads_are_those_of_the_site():
    (load,) = CarKeeper(SITE).loads(at(0), np.array([900.0]), at(0))
    assert (load.node, load.kw.sum()) == ("grid", pytest.approx(3.0))
