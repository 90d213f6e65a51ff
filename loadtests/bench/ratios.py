"""The rows `closed_64` and `closed_2000`: the whole pipeline's CPU per message against both yardsticks, in turns."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from loadtests.bench.crew import Way
from loadtests.bench.driving import Generator
from loadtests.bench.measuring import Load, Measured, System, measure, middle, spread, warm_up
from loadtests.bench.plan import GROW_S_MAX, POLITE_PER_S, Plan

NARKE = "narke"
YARDSTICKS = ("echo", "library")
YARDSTICK_WARM_S_MAX = 1.0
CHARGING = Way(per_s=POLITE_PER_S, statuses=False, transaction=True, deadline_s=GROW_S_MAX)
"""The way up of stations whose MeterValues are measured: each has a running transaction."""


def in_turns(
    contenders: Mapping[str, tuple[System, Generator]], stations: int, plan: Plan, say: Callable[[str], None]
) -> dict[str, list[Measured]]:
    """Measures each contender `plan.rounds` times, in turns, so that the machine's mood meets all of them alike.

    Raises:
        Failed: One of them did not answer as it should.
    """
    for _, generator in contenders.values():
        generator.grow(stations, CHARGING)
    rounds: dict[str, list[Measured]] = {name: [] for name in contenders}
    for _ in range(plan.rounds):
        for name, (system, generator) in contenders.items():
            own = name == NARKE
            warm_up(generator, Load(stations, plan.warm_s if own else min(YARDSTICK_WARM_S_MAX, plan.warm_s)))
            one = measure(system, generator, Load(stations, plan.load_s if own else plan.yardstick_s))
            rounds[name].append(one)
            say(f"{name}: {one.cpu_us_all:.1f} us of CPU per message, {one.per_s:,.0f} messages a second")
    return rounds


def compared(rounds: Mapping[str, Sequence[Measured]], stations: int) -> dict[str, Any]:
    """The row as the result file has it: the median round of each, their spread, and the ratios of the medians."""
    medians = {name: middle(each) for name, each in rounds.items()}
    own = medians[NARKE].cpu_us_all
    return {
        "stations": stations,
        **{name: measured.told() for name, measured in medians.items()},
        "rounds_cpu_us": {name: spread([one.cpu_us_all for one in each]) for name, each in rounds.items()},
        "ratios": {name: round(own / medians[name].cpu_us_all, 3) for name in medians if name != NARKE},
    }
