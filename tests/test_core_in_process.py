"""The whole core in one process, in storms: whatever dies, what was answered is true, once.

A run that fails is a seed: `simulated(seed)` plays it again.
"""

import pytest

from actors import projector
from engine.model.commands import Result
from tests.simulation.house import House, simulated
from tests.simulation.stations import Charged, Station
from tests.simulation.virtual_time import loop_time

SEEDS = range(40)
SEEDS_LITERAL = range(100, 110)


@pytest.fixture(autouse=True)
def _virtual_seconds(monkeypatch):
    """The projector measures durations by a clock of its own."""
    monkeypatch.setattr(projector, "monotonic", loop_time)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_answered_is_true_once(seed):
    with simulated(seed) as house:
        check(house)


@pytest.mark.parametrize("seed", SEEDS_LITERAL)
def test_with_one_actor_per_station_too(seed):
    with simulated(seed, literal=True) as house:
        check(house)


def test_the_storms_are_storms():
    """What a run must have survived, added up over a few seeds."""
    deaths, repeats, sent_back = 0, 0, 0
    for seed in range(5):
        with simulated(seed) as house:
            deaths += sum(process.pid - 1 for process in house.network.processes.values())
            repeats += sum(station.repeats for station in house.stations)
            sent_back += sum(line["event"] == "deliveries sent back" for line in house.logs)
    assert min(deaths, repeats, sent_back) > 20


def test_a_run_is_its_seed():
    runs = []
    for _ in range(2):
        with simulated(7) as house:
            runs.append((house.tables.transactions, house.tables.meter_values, house.tables.settled))
    assert runs[0] == runs[1]


def check(house: House) -> None:
    """All invariants."""
    assert [line for line in house.logs if line["log_level"] in {"error", "critical"}] == []
    assert house.tables.bad_entries == []
    for station in house.stations:
        assert station.refused == []
        check_transactions(house, station)
        check_readings(house, station)
        check_beliefs(house, station)
    check_commands(house)


def check_transactions(house: House, station: Station) -> None:
    """Each transaction is there once, as the station knows it; its energy is the meters' difference."""
    rows = {row.transaction_id: row for row in house.tables.transactions.values() if row.station == station.identity}
    assert rows.keys() == {charged.transaction_id for charged in station.charged}
    assert len(rows) == len(station.charged)
    for charged in station.charged:
        row = rows[charged.transaction_id]
        assert (row.meter_start_wh, row.meter_stop_wh) == (charged.meter_start_wh, charged.meter_stop_wh)
        assert (row.ended_at is None) == (charged.meter_stop_wh is None)
        assert row.energy_wh == energy_wh(charged)
        assert row.token == "T"
        assert row.flags == ()


def energy_wh(charged: Charged) -> float | None:
    """What the projection must say of it: so far while open, None before anything was read after the start."""
    if charged.meter_stop_wh is not None:
        return charged.meter_stop_wh - charged.meter_start_wh
    last_wh = max((wh for wh in charged.readings_wh if wh != charged.meter_start_wh), default=None)
    return None if last_wh is None else last_wh - charged.meter_start_wh


def check_readings(house: House, station: Station) -> None:
    """Each reading is there exactly once."""
    found = sorted(
        (row.transaction_id, row.value) for row in house.tables.meter_values if row.station == station.identity
    )
    assert found == sorted((charged.transaction_id, wh) for charged in station.charged for wh in charged.readings_wh)


def check_beliefs(house: House, station: Station) -> None:
    """The station's actor, whoever is it now, believes what the projection shows."""
    state = house.state(station.identity)
    open_ids = {charged.transaction_id for charged in station.charged if charged.meter_stop_wh is None}
    assert {known.transaction_id for known in state.ledger.open} == open_ids
    assert state.queue.open == ()


def check_commands(house: House) -> None:
    """No command is done twice; what was told of it is on record, and true."""
    obeyed = {station.identity: station.obeyed for station in house.stations}
    for command_id, (station, outcome) in house.commands.items():
        done = obeyed[station].count(command_id)
        settled = house.tables.settled.get(command_id)
        assert done <= 1
        assert (command_id in house.tables.requested) == (settled is not None)
        if outcome is None:
            continue
        assert settled is not None
        uncertain = {Result.TIMED_OUT, Result.LOST}
        assert outcome.result in uncertain or settled.result == outcome.result.value
        if outcome.result is Result.ACCEPTED:
            assert done == 1
        if outcome.result in {Result.OFFLINE, Result.REFUSED, Result.NOT_EXPRESSIBLE}:
            assert done == 0
