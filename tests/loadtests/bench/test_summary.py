"""The result's keys: always all of them, from the rows that there are."""

import pytest

from loadtests.bench.summary import TARGETS, figures, targets

NAMED_BY_THE_ISSUE = {
    "cpu_us_per_message",
    "ratio_to_echo",
    "ratio_to_library",
    "messages_per_second",
    "throughput_10k_over_100",
    "p99_ms_paced_1000",
    "storm_10k_s",
    "kib_per_station",
    "command_p99_ms",
    "projector_lag_p99_ms",
}


def compared(cost, echo, library):
    narke = {
        "cpu_us_per_message": {"ray": cost / 4, "ingress": cost * 3 / 4},
        "cpu_us_per_message_all": cost,
        "generator_us_per_message": 12.0,
    }
    return {"narke": narke, "ratios": {"echo": echo, "library": library}}


LATENCIES = {"p50": 1.0, "p99": 2.0, "p99_9": 3.0, "max": 4.0}
TOLD = {
    "closed_2000": compared(100.0, 2.5, 0.2),
    "closed_64": compared(140.0, 8.0, 0.3),
    "closed_100": {"stations": 100, "messages_per_second": 1_000.0, "paced": {"messages_per_second": 900.0}},
    "closed_1000": {"stations": 1_000, "messages_per_second": 2_000.0},
    "closed_10000": {
        "stations": 10_000,
        "messages_per_second": 3_000.0,
        "in_flight_100": {"messages_per_second": 950.0},
        "paced": {"messages_per_second": 810.0},
    },
    "paced_1000": {"latency_ms": LATENCIES},
    "storm": {"seconds": 12.0, "timeouts": 0},
    "storm_tls": {"seconds": 31.0, "timeouts": 0},
    "memory": {"kib_per_station": 31.0},
    "commands": {"idle_ms": LATENCIES, "loaded_ms": None},
    "projector_lag": {"lag_ms": LATENCIES},
}


def test_every_key_that_the_issue_names_is_there_even_where_nothing_was_measured():
    values = figures({})
    assert values.keys() >= NAMED_BY_THE_ISSUE
    assert set(values.values()) == {None}
    assert {target["met"] for target in targets(values).values()} == {None}


def test_figures_come_from_their_rows():
    values = figures(TOLD)
    assert values["cpu_us_per_message"] == {"ingress": 75.0, "ray": 25.0, "all": 100.0}
    assert list(values["cpu_us_per_message"]) == ["ingress", "ray", "all"]
    assert (values["ratio_to_echo"], values["ratio_to_library"], values["ratio_to_echo_64"]) == (2.5, 0.2, 8.0)
    assert values["messages_per_second"] == {"100": 1_000.0, "1000": 2_000.0, "10000": 3_000.0}
    assert (values["p50_ms_paced_1000"], values["p99_ms_paced_1000"], values["p99_9_ms_paced_1000"]) == (1.0, 2.0, 3.0)
    assert values["p99_ms_paced_3000"] is None
    assert (values["command_p99_ms"], values["command_p99_ms_paced_1000"]) == (2.0, None)
    assert values["literal_messages_per_second"] is None


def test_throughput_is_compared_at_the_same_offered_load_and_in_two_other_ways():
    values = figures(TOLD)
    assert values["throughput_10k_over_100"] == pytest.approx(0.9)
    assert values["throughput_10k_over_100_in_flight"] == pytest.approx(0.95)
    assert values["throughput_10k_over_100_closed_loop"] == pytest.approx(3.0)


def test_targets_are_judged_in_their_direction():
    judged = targets(figures(TOLD))
    assert {key: target["met"] for key, target in judged.items()} == {
        "ratio_to_echo": True,
        "ratio_to_library": True,
        "ratio_to_echo_64": False,
        "throughput_10k_over_100": True,
        "storm_10k_s": True,
        "storm_10k_timeouts": True,
        "storm_tls_5k_s": False,
        "storm_tls_5k_timeouts": True,
        "p99_ms_paced_1000": True,
        "kib_per_station": False,
        "cap_s": None,
    }


def test_a_target_is_met_at_its_bound():
    assert all(target.met_by(target.limit) for target in TARGETS)
