"""Ratios: from medians of rounds."""

import pytest

from loadtests.bench.measuring import Measured
from loadtests.bench.ratios import compared


def measured(cost):
    return Measured(100, 10.0, {"part": cost}, 5.0, 0.0, None, None)


def test_ratios_are_of_the_medians():
    told = compared(
        {
            "echo": [measured(cost) for cost in (30.0, 20.0, 25.0)],
            "narke": [measured(cost) for cost in (90.0, 50.0, 75.0)],
            "library": [measured(cost) for cost in (250.0, 300.0, 900.0)],
        },
        64,
    )
    assert told["ratios"] == {"echo": pytest.approx(3.0), "library": pytest.approx(0.25)}
    assert told["stations"] == 64
    assert told["narke"]["cpu_us_per_message"] == {"part": 75.0}
    assert told["rounds_cpu_us"]["library"] == {"median": 300.0, "min": 250.0, "max": 900.0}
