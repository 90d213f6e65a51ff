"""The table, from results as the file has them."""

import pytest

from loadtests.bench.report import WORDS, table
from loadtests.bench.summary import figures, targets
from tests.loadtests.bench.test_summary import TOLD


def result(told, **changes):
    values = figures(told)
    machine = {"processor": "Some CPU", "cores": 2, "memory_gib": 23.5, "system": "Linux 6", "python": "3.11"}
    return {
        "quick": False,
        "made_at": "2026-11-21T14:00:00+00:00",
        "seconds": 700.0,
        "machine": machine | {"load_average_at_start": [0.1, 0.2, 0.3]},
        "warning": None,
        "versions": {"narke": "0.1.0", "ray": "2.60"},
        "attached": None,
        "settings": {"ocpp.messages_per_s": "100000"},
        "narke": {"main": {"start_s": 12.3, "redis": {"appendonly": "yes", "appendfsync": "always"}}},
        **values,
        "targets": targets(values),
        "failed": {},
        "rows": {},
        **changes,
    }


def line_of(words, text):
    [line] = [line for line in text.splitlines() if line.startswith(words)]
    return line


def test_figures_stand_beside_their_targets():
    text = table(result(TOLD))
    assert line_of("CPU against the echo server, 2,000", text).split()[-4:] == ["2.5", "<=", "3", "met"]
    assert line_of("CPU against the echo server, 64", text).split()[-4:] == ["8", "<=", "7", "MISSED"]
    assert line_of("throughput, 10,000", text).split()[-4:] == ["0.9", ">=", "0.85", "met"]
    assert line_of("messages a second, 10000 stations", text).split()[-1] == "3,000"


def test_conditions_are_told():
    text = table(result(TOLD, warning="the machine is busy"))
    for words in ("Some CPU, 2 cores", "load average at start 0.1", "appendfsync always", "ray 2.60"):
        assert words in text
    assert "not default: ocpp.messages_per_s=100000" in text
    assert "WARNING: the machine is busy" in text
    assert "quick run" in table(result(TOLD, quick=True))
    assert "as the Narke on /tmp/n was started" in table(result(TOLD, settings=None, attached="/tmp/n"))


def test_what_nobody_asked_for_is_left_out():
    text = table(result({"storm": TOLD["storm"]}))
    assert "storm: seconds" in text
    assert "literal" not in text
    assert "not measured" not in text


def test_what_failed_is_told_with_its_reason_once():
    text = table(result({}, failed={"storm": "no air", "memory": "no air", "literal": "no actor"}))
    assert "not measured: storm, memory: no air" in text
    assert "not measured: literal: no actor" in text
    assert line_of("storm: seconds", text).split()[-2:] == ["not", "measured"]


def test_cost_is_told_by_part_and_for_both_yardsticks():
    def told(cost):
        spent = {"ingress": cost - 1, "redis": 1.0} if cost == 100 else {"all": cost}
        return {
            "cpu_us_per_message": spent,
            "cpu_us_per_message_all": cost,
            "generator_us_per_message": 9.5,
            "messages_per_second": 5_000.0,
        }

    costs = {"narke": 100.0, "echo": 40.0, "library": 300.0}
    row = {"stations": 2_000} | {who: told(cost) for who, cost in costs.items()}
    row["rounds_cpu_us"] = {who: {"median": cost, "min": cost, "max": cost + 9} for who, cost in costs.items()}
    text = table(result({}, rows={"closed_2000": row}))
    assert line_of("  ingress", text).split()[-1] == "99.0"
    assert line_of("library, in all", text).split()[-1] == "300.0"
    assert "2,000 stations" in text
    assert "100-109" in text
    assert line_of("the generator against echo", text).split()[-1] == "9.5"
    assert line_of("messages a second, narke", text).split()[-1] == "5,000"


@pytest.mark.parametrize("key", sorted(WORDS))
def test_every_line_of_the_table_is_a_key_of_the_result(key):
    assert key in figures({})
