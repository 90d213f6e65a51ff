"""What cars did before and what their meters said last, from real tables."""

from datetime import timedelta

import pytest

from engine.model.authorization import Token
from engine.model.ids import EvseRef
from engine.model.sites import DriverAsked, DriverRequest
from engine.model.smart_charging import AcNeeds, EvNeeds, NeedsRecorded, NeedsReported, NeedsVerdict
from engine.model.transactions import (
    ChargingState,
    TransactionEnded,
    TransactionFlag,
    TransactionOpened,
    TransactionUpdated,
)
from storage.projection import Projector
from storage.queries import Queries, charging_history
from tests.storage.postgres.stories import TAG, at, entry, operator_entry, readings

TENANT = "default"
LONG_AGO = at(-10 * 86400)
pytestmark = pytest.mark.integration


@pytest.fixture
def projector(pool):
    return Projector(pool, TENANT)


@pytest.fixture
def queries(pool):
    return Queries(pool, TENANT)


def opened(name="a", seconds=0, evse=1, **more):
    fields = {"evse": EvseRef(evse, 1), "token": TAG, "meter_start_wh": 0.0}
    return TransactionOpened(name, at(seconds), at(seconds), **(fields | more))


def ended(name="a", seconds=3600, **more):
    return TransactionEnded(name, at(seconds), at(seconds), **({"energy_wh": 5000.0} | more))


async def test_stays_are_told_the_newest_first(projector, queries):
    facts = [opened(), ended(), opened("b", 4000), ended("b", 9000, energy_wh=None), opened("c", 9500)]
    await projector.apply([entry("5-1", *facts), entry("5-2", opened(), ended(), station="CP-9")])
    younger, older = await queries.past_stays(["CP-1", "CP-2"], LONG_AGO)
    assert (younger.arrived_at, younger.departed_at, younger.energy_wh) == (at(4000), at(9000), None)
    assert (older.station, older.energy_wh, older.token_key) == ("CP-1", 5000.0, TAG.key)
    assert (older.claimed_departs_at, older.claimed_kwh) == (None, None)


async def test_a_car_that_left_while_it_was_charging_is_told(projector, queries):
    facts = [opened(charging_state=ChargingState.CHARGING), ended(), opened("b", 4000), ended("b", 9000)]
    await projector.apply([entry("5-1", *facts)])
    assert [stay.still_taking for stay in await queries.past_stays(["CP-1"], LONG_AGO)] == [False, True]


async def test_what_nobody_knows_the_end_of_is_left_out(projector, queries):
    await projector.apply([entry("5-1", opened(), ended(reason="Abandoned"), opened("b", -20 * 86400), ended("b", 1))])
    assert await queries.past_stays(["CP-1"], LONG_AGO) == []


async def test_a_clock_that_is_off_does_not_count(projector, queries):
    odd = (TransactionFlag.CLOCK_SKEW,)
    wrong = TransactionOpened("a", at(-7000), at(0), evse=EvseRef(1, 1), flags=odd)
    offline = TransactionOpened("b", at(-7000), at(0), evse=EvseRef(2, 1), flags=odd, offline=True)
    await projector.apply([entry("5-1", wrong, ended("a", 3600), offline, ended("b", 3600))])
    found = await queries.past_stays(["CP-1"], LONG_AGO)
    assert {(stay.arrived_at, stay.departed_at) for stay in found} == {(at(0), at(3600)), (at(-7000), at(3600))}


async def test_both_bounds_hold(projector, queries, pool, monkeypatch):
    facts = [fact for n in range(6) for fact in (opened(f"a{n}", 100 * n), ended(f"a{n}", 100 * n + 90))]
    await projector.apply([entry("5-1", *facts), entry("5-2", *facts, station="CP-2")])
    two = await charging_history.past_stays(pool, TENANT, ["CP-1", "CP-2"], since=LONG_AGO, limit=2)
    assert [stay.arrived_at for stay in two] == [at(500), at(500)]
    monkeypatch.setattr(charging_history, "STAYS_OF_STATION_MAX", 3)
    assert len(await queries.past_stays(["CP-1", "CP-2"], LONG_AGO)) == 6


def needs(seconds, departs_s, energy_wh, transaction_id="a"):
    ac = AcNeeds(energy_wh=energy_wh, current_a_min=6.0, current_a_max=16.0, voltage_v_max=400.0)
    wanted = EvNeeds(energy_transfer="AC_three_phase", ac=ac, departure_at=at(departs_s))
    return NeedsRecorded(NeedsReported(1, wanted), NeedsVerdict.PROCESSING, at(seconds), transaction_id)


def asked(seconds, **request):
    return operator_entry(f"6-{seconds + 10_000}", DriverAsked(DriverRequest(**request), "app", at(seconds)))


async def test_what_the_car_said_is_its_claim_and_the_drivers_word_comes_first(projector, queries):
    await projector.apply([entry("5-1", opened(), needs(10, 7200, 9000.0), ended())])
    (stay,) = await queries.past_stays(["CP-1"], LONG_AGO)
    assert (stay.claimed_departs_at, stay.claimed_kwh) == (at(7200), 9.0)
    await projector.apply([asked(20, station="CP-1", evse=1, departs_at=at(8000))])
    (stay,) = await queries.past_stays(["CP-1"], LONG_AGO)
    assert (stay.claimed_departs_at, stay.claimed_kwh) == (at(8000), 9.0)


async def test_a_token_asks_wherever_it_charges_and_others_do_not(projector, queries):
    await projector.apply([entry("5-1", opened(token=Token("AB12")), ended())])
    await projector.apply([asked(-100, token="ab12", energy_kwh=12.0), asked(-90, token="other", energy_kwh=1.0)])
    await projector.apply([asked(4000, station="CP-1", evse=1, energy_kwh=2.0)])
    await projector.apply([asked(-4000, station="CP-1", evse=1, energy_kwh=3.0)])
    (stay,) = await queries.past_stays(["CP-1"], LONG_AGO)
    assert stay.claimed_kwh == 12.0


async def test_the_last_words_of_open_transactions_are_told_oldest_first(projector, queries):
    facts = [
        opened("7"),
        readings(10, 1.0),
        readings(2000, 100.0),
        readings(2060, 200.0),
        TransactionUpdated("7", at(2060), at(2060), meter_last_wh=200.0),
        opened("8", 5, 2),
        readings(2000, 5.0, transaction_id="8"),
        ended("8", 2100),
        readings(2000, 9.0, transaction_id=None),
    ]
    await projector.apply([entry("5-1", *facts)])
    found = await queries.last_readings(["CP-1", "CP-2"])
    told = [(station, fact.transaction_id, fact.received_at, fact.readings[0].value) for station, fact in found]
    assert told == [("CP-1", "7", at(2000), 100.0), ("CP-1", "7", at(2060), 200.0)]
    assert found[0][1].evse == EvseRef(1, 1)
    assert found[0][1].readings[0].at is not None


async def test_readings_are_bounded(projector, queries, monkeypatch):
    monkeypatch.setattr(charging_history, "READINGS_OF_TRANSACTION_MAX", 3)
    facts = [opened("7"), *(readings(10 * number, float(number)) for number in range(1, 20))]
    await projector.apply([entry("5-1", *facts)])
    found = await queries.last_readings(["CP-1"])
    assert [fact.readings[0].value for _, fact in found] == [17.0, 18.0, 19.0]
    assert found[-1][1].received_at - found[0][1].received_at == timedelta(seconds=20)
