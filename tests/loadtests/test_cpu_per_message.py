"""CPU per message: the arithmetic, and processes that come and go."""

import os

from loadtests.cpu_per_message import cpu_s, report
from loadtests.fleet import FleetResult

RESULT = FleetResult(
    stations=2,
    seconds=10.0,
    connected=2,
    messages=1_000,
    messages_per_second=100.0,
    transactions=2,
    energy_wh=1.0,
    p50_ms=1.0,
    p99_ms=2.0,
    actions={},
    failures={},
    events={},
)


def test_what_was_spent_is_shared_out_over_the_messages():
    table = report(RESULT, {"redis": 1.0, "gone": 5.0}, {"redis": 1.25, "new": 9.0})
    assert "redis              250 us of CPU per message" in table
    assert "in all             250 us of CPU per message" in table
    assert "gone" not in table
    assert "new" not in table


def test_a_process_that_is_gone_is_left_out():
    spent = cpu_s({"me": os.getpid(), "nobody": 2**22})
    assert spent.keys() == {"me"}
    assert spent["me"] > 0
