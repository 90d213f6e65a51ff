"""Stations of sites under trouble, and what their meters see of them."""

import asyncio
import contextlib
from time import time

import pytest

from loadtests.sites.plan_of_sites import plans_of
from loadtests.sites.site_crowd import SiteCrowd, Trouble
from loadtests.sites.tree import Cap
from tests.loadtests.scripted import Csms

QUICK = Trouble(delay_s=0.01, lost_share=0.0, rejections=False, reaction_s=(0.0, 0.0), garage="plain", meter_s=0.05)
NAMES = ("A", "B", "C")


@contextlib.asynccontextmanager
async def crowd_at(csms, trouble=QUICK, names=NAMES):
    crowd = SiteCrowd(plans_of(names, 1, name="loop"), csms.url, ("TOKEN",), 1, trouble)
    try:
        await crowd.start()
        yield crowd
    finally:
        await crowd.leave()


def limit_all(crowd, limit_a):
    for name in NAMES:
        station = crowd.stations[name]
        old = station.version == "1.6"
        schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit_a}]}
        profile = {"stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Relative"}
        if old:
            payload = {"connectorId": 1, "csChargingProfiles": profile | {"chargingProfileId": 1}}
            payload["csChargingProfiles"]["chargingSchedule"] = schedule
        else:
            payload = {"evseId": 1, "chargingProfile": profile | {"id": 1, "chargingSchedule": [{"id": 1} | schedule]}}
        assert station.link.obey("SetChargingProfile", payload) == {"status": "Accepted"}


async def charging(crowd):
    while crowd.statistics.charging < len(NAMES):
        await asyncio.sleep(0.01)


async def test_nobody_charges_before_the_doors_are_open_and_all_are_bare():
    async with Csms() as csms, crowd_at(csms) as crowd:
        assert set(crowd.bare) == set(NAMES)
        crowd.look(time())
        assert crowd.counted.charging_s == 0
        limit_all(crowd, 10)
        assert crowd.bare == []
        crowd.open_doors(0.1)
        await charging(crowd)


async def test_the_meters_see_what_cars_draw_and_call_what_is_too_much_a_violation():
    async with Csms() as csms, crowd_at(csms) as crowd:
        (site,) = crowd.sites.values()
        limit_all(crowd, 0)
        crowd.open_doors(0.05)
        await charging(crowd)
        now = time()
        crowd.look(now)
        assert crowd.energy_kwh == 0
        site.caps.append(Cap("me", "", now, 0.1))
        limit_all(crowd, 32)
        for name in NAMES:
            car = crowd.stations[name].connectors[0].car
            car.charging_s, car.soc = 99.0, 0.3
            crowd.stations[name].connectors[0].poke()
        while not all(crowd.stations[name].connectors[0].power_w for name in NAMES):
            await asyncio.sleep(0.01)
        for second in range(1, 10):
            crowd.look(now + second)
        await crowd.leave()
        assert crowd.energy_kwh > 0
        assert any(each.row.endswith("grid kW") for each in crowd.violations)
        assert crowd.counted.changes == len(NAMES)
        assert crowd.counted.charging_s == pytest.approx(9 * len(NAMES))
        assert crowd.counted.uncontrolled_s == 0


async def test_time_without_a_profile_is_counted():
    async with Csms() as csms, crowd_at(csms) as crowd:
        crowd.open_doors(0.05)
        await charging(crowd)
        crowd.look(100.0)
        crowd.look(101.0)
        assert crowd.counted.uncontrolled_s == pytest.approx(len(NAMES))


async def test_the_building_is_metered_at_the_main_meter():
    async with Csms() as csms, crowd_at(csms) as crowd:
        (site,) = crowd.sites.values()
        assert sum(site.loads(time())[site.meter.tree.root]) > 0
        values = (await csms.until_heard("MeterValues"))[0]
        assert values.get("connectorId", values.get("evseId")) == 0


async def test_connections_are_lost_and_come_back():
    async with Csms() as csms, crowd_at(csms) as crowd:
        lost = crowd.lose_connections(0.3, 0.1)
        assert len(lost) == 1
        assert set(lost) < set(NAMES)
        assert not crowd.stations[lost[0]].link.is_up
        await crowd.stations[lost[0]].link.up()
