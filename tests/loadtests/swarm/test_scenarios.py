"""The named scenarios."""

import pytest

from loadtests.scenarios import SCENARIOS
from loadtests.swarm.options import SHAPES
from loadtests.swarm.scenarios import PLANS, Happening, happening_of


def test_scenarios_have_the_names_that_the_fleet_has():
    assert list(PLANS) == list(SHAPES)
    assert set(PLANS) == set(SCENARIOS)


@pytest.mark.parametrize("name", SHAPES)
def test_all_that_happens_is_within_the_scenario_and_leaves_time_to_recover(name):
    plan = PLANS[name]
    assert all(0 <= at_s <= plan.lasts_s - 30 for at_s, _ in plan.happenings)
    assert [at_s for at_s, _ in plan.happenings] == sorted(at_s for at_s, _ in plan.happenings)
    assert all(0.0 <= plan.demand(at_s) <= 1.0 for at_s in range(int(plan.lasts_s)))


def test_the_morning_peak_begins_empty_and_ends_nearly_full():
    demand = PLANS["morning_peak"].demand
    assert demand(0.0) < 0.01
    assert demand(60.0) == pytest.approx(0.45)
    assert demand(120.0) > 0.89


def test_a_happening_survives_the_way_to_another_process():
    happening = Happening("power_cut", 0.3, away_s=15.0)
    assert happening_of(happening.as_message()) == happening
