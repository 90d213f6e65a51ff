"""A run is its seed: everywhere, every time; what is asked for is what is run."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from actors import directory, projector, station_actor
from deploy.simulation.campaign import run_seeds, shrink
from deploy.simulation.chance import KINDS, Chance
from deploy.simulation.house import INGRESSES, House, Setting
from deploy.simulation.run import simulate

ROOT = Path(__file__).parents[3]
SMALL = Setting(stations=2, days=0.2, often=0.01)
PROGRAM = """
from deploy.simulation.house import Setting
from deploy.simulation.run import simulate
for seed in (3, 4):
    run = simulate(seed, Setting(stations=2, days=0.2, often=0.01), traced=True)
    print(seed, len(run.trace), run.digest, run.seen.steps)
"""


@pytest.mark.timeout(240)  # two processes that import everything, on a machine that may be busy
def test_the_same_seed_has_the_same_trace_in_every_process():
    def told(hash_seed):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    one = told("1")
    assert len(one.splitlines()) == 2
    assert told("2") == one


def test_a_run_does_not_depend_on_those_before_it():
    alone = simulate(5, SMALL, traced=True).digest
    simulate(6, SMALL)
    gc.collect()
    assert simulate(5, SMALL, traced=True).digest == alone


def test_the_trace_changes_nothing():
    assert simulate(5, SMALL, traced=True).seen.steps == simulate(5, SMALL).seen.steps


def test_other_seeds_are_other_runs():
    assert len({simulate(seed, SMALL, traced=True).digest for seed in range(5)}) == 5


def test_calm_weather_has_no_faults_and_no_repeats():
    run = simulate(1, Setting(kinds=()))
    assert run.violations == []
    assert run.seen.faults == {}
    assert run.seen.events["messages repeated by stations"] == 0
    assert run.seen.events["messages answered"] > 100


def test_only_the_faults_that_were_asked_for_strike():
    faults = set()
    for seed in range(20):
        faults |= simulate(
            seed, Setting(stations=1, days=0.2, often=0.02, kinds=("crash.actor", "link.cut"))
        ).seen.faults.keys()
    assert faults == {"crash.actor", "link.cut"}


def test_every_kind_of_fault_strikes_some_time():
    struck = set()
    for seed in range(300):
        chance = Chance(seed, KINDS, 0.05)
        for place in ("call", "redis", "frame", "command", "apply"):
            for _ in range(20):
                chance.strikes(place)
        struck |= chance.struck.keys()
    assert struck == {*KINDS}


def test_the_product_lives_in_real_time_again_afterwards():
    before = (station_actor.TICK_S, directory.REVIVE_INTERVAL_S, directory.CHANGE_WAIT_S, projector.monotonic)
    logging = structlog.get_config()
    simulate(1, SMALL)
    assert before == (
        station_actor.TICK_S, directory.REVIVE_INTERVAL_S, directory.CHANGE_WAIT_S, projector.monotonic,
    )  # fmt: skip
    assert type(station_actor.TICK_S) is float
    assert structlog.get_config() == logging
    assert gc.isenabled()


def test_a_station_that_never_gets_through_is_told_as_a_violation(monkeypatch):
    def never(self):
        self.chance.stormy = False
        for name in INGRESSES:
            self.kill(self.network.processes[name])

    monkeypatch.setattr(House, "_calm", never)
    assert any("not through" in violation for violation in simulate(1, Setting(days=0.02)).violations)


def test_seeds_add_up_in_any_number_of_processes():
    def totals(jobs):
        told = []
        campaign = run_seeds(range(10, 14), SMALL, jobs=jobs, on_run=lambda run: told.append(run.seed))
        assert sorted(told) == [10, 11, 12, 13]
        return campaign.seeds, campaign.seen.steps, campaign.seen.faults, campaign.seen.events, campaign.failed

    assert totals(1) == totals(2)


def test_what_ran_before_ctrl_c_counts():
    def stop(run):
        if run.seed == 2:
            raise KeyboardInterrupt

    campaign = run_seeds(range(100), SMALL, jobs=1, on_run=stop)
    assert (campaign.seeds, campaign.interrupted) == (3, True)


@pytest.mark.parametrize("stations", [1, 4])
def test_a_station_day_is_a_day_of_a_station(stations):
    assert simulate(1, Setting(stations=stations, days=0.1)).seen.station_days == pytest.approx(stations * 0.1)


def test_a_failing_seed_is_made_small(monkeypatch):
    monkeypatch.setattr(House, "role_of", lambda _self, _name: "actor")
    monkeypatch.setattr(House, "_about_to_answer", lambda self, station, _text: (
        self.violated(station.identity, "planted") if self.chance.struck["link.cut"] else None
    ))  # fmt: skip
    small = shrink(2, Setting(stations=3, days=0.3, often=0.03))
    assert small.stations == 1
    assert "link.cut" in small.kinds
    assert len(small.kinds) < len(KINDS) / 2
