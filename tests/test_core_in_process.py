"""The whole core in one process, in bad weather: whatever dies, what was answered is true, once.

A seed that fails is seen again by `narke simulate --seed N --trace`.
"""

from collections import Counter

import pytest

from deploy.simulation.house import Setting
from deploy.simulation.run import simulate

STEP = 10


@pytest.mark.parametrize("first", range(0, 200, STEP))
def test_what_was_answered_is_true_once(first):
    for seed in range(first, first + STEP):
        assert (seed, simulate(seed, Setting(days=0.25)).violations) == (seed, [])


@pytest.mark.parametrize("first", range(1_000, 1_040, STEP))
def test_with_one_actor_per_station_too(first):
    for seed in range(first, first + STEP):
        assert (seed, simulate(seed, Setting(days=0.25, literal=True)).violations) == (seed, [])


@pytest.mark.parametrize("first", range(2_000, 2_040, STEP))
def test_in_the_worst_weather_too(first):
    for seed in range(first, first + STEP):
        assert (seed, simulate(seed, Setting(days=0.25, often=0.01)).violations) == (seed, [])


def test_bad_weather_is_bad():
    """What a run must have survived, added up over a few seeds."""
    events: Counter[str] = Counter()
    for seed in range(10):
        events.update(simulate(seed, Setting(days=0.25, often=0.01)).seen.events)
    gone_through = ("processes killed", "messages repeated by stations", "deliveries sent back by actors",
                    "units taken over", "batches delivered again", "commands")  # fmt: skip
    assert {name: events[name] for name in gone_through if events[name] < 20} == {}
