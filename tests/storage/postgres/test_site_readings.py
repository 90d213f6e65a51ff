"""What goes on at the stations of a site, from real tables."""

from datetime import timedelta

import pytest

from engine.model.ids import EvseRef
from engine.model.metering import Reading, ReadingsRecorded
from engine.model.transactions import TransactionEnded, TransactionOpened
from storage.projection import Projector
from storage.queries.site_readings import CURRENT, POWER, Measured, SiteReadings
from tests.storage.postgres.stories import TAG, at, entry

TENANT = "default"
pytestmark = pytest.mark.integration


@pytest.fixture
def projector(pool):
    return Projector(pool, TENANT)


def sampled(seconds, evse=1, **values):
    """`p`: W; `a`, `a1`, `a2`, `a3`: A of all, or of one phase; `e`: Wh."""
    kinds = {"p": (POWER, "W", None), "a": (CURRENT, "A", None), "e": ("Energy.Active.Import.Register", "Wh", None)}
    kinds |= {f"a{phase}": (CURRENT, "A", f"L{phase}") for phase in (1, 2, 3)}
    told = tuple(Reading(at(seconds), value, *kinds[name][:2], phase=kinds[name][2]) for name, value in values.items())
    return ReadingsRecorded(told, at(seconds), evse=EvseRef(evse, 1))


async def measured(pool, stations=("CP-1",), since=0, until=3_600, step_s=300):
    return await SiteReadings(pool, TENANT).measured(list(stations), at(since), at(until), step_s)


async def test_means_of_slots_by_evse_measurand_and_phase(pool, projector):
    facts = [
        sampled(10, p=1_000.0, a1=4.0, a2=5.0, e=1.0),
        sampled(299, p=3_000.0, a1=6.0),
        sampled(300, p=500.0),
        sampled(20, evse=2, p=7_000.0),
    ]
    await projector.apply([entry("5-1", *facts)])
    assert set(await measured(pool)) == {
        Measured("CP-1", 1, CURRENT, "L1", 0, 5.0),
        Measured("CP-1", 1, CURRENT, "L2", 0, 5.0),
        Measured("CP-1", 1, POWER, None, 0, 2_000.0),
        Measured("CP-1", 1, POWER, None, 1, 500.0),
        Measured("CP-1", 2, POWER, None, 0, 7_000.0),
    }


async def test_other_stations_times_main_meters_and_holes_are_left_out(pool, projector):
    facts = [
        sampled(-1, p=1.0),
        sampled(3_600, p=2.0),
        sampled(60, evse=0, p=3.0),
        ReadingsRecorded((Reading(at(60), None, POWER, "W"),), at(60), evse=EvseRef(1, 1)),
    ]
    await projector.apply([entry("5-1", *facts), entry("5-2", sampled(60, p=4.0), station="CP-2")])
    assert await measured(pool) == []
    assert [each.value for each in await measured(pool, ("CP-1", "CP-2"))] == [4.0]
    assert await SiteReadings(pool, "another").measured(["CP-2"], at(0), at(3_600), 300) == []


async def test_open_charges_are_those_that_did_not_end(pool, projector):
    opened = [
        TransactionOpened(name, at(second), at(second), evse=EvseRef(evse, 1), token=TAG, meter_start_wh=0.0)
        for name, second, evse in (("a", 5, 1), ("b", 1, 2), ("c", 9, 1))
    ]
    ended = TransactionEnded("a", at(8), at(8))
    await projector.apply([entry("5-1", opened[0], opened[1], ended, opened[2])])
    found = await SiteReadings(pool, TENANT).open_charges(["CP-1", "CP-9"])
    assert [(each.transaction_id, each.evse, each.token) for each in found] == [
        ("b", 2, TAG.value),
        ("c", 1, TAG.value),
    ]
    assert found[0].started_at == at(1)
    assert found[1].started_at - found[0].started_at == timedelta(seconds=8)
