"""Honest percentiles in bounded memory."""

import random

import pytest

from loadtests.statistics import BUCKETS, NAMES_MAX, OTHER, Latencies, Statistics, merged


def test_percentiles_are_never_flattered_and_two_percent_off_at_most():
    chance = random.Random(7)
    values = sorted(chance.lognormvariate(-5, 2) for _ in range(5_000))
    latencies = Latencies()
    for value in values:
        latencies.add(value)
    for share in (0.01, 0.5, 0.9, 0.99, 0.999, 1.0):
        true = values[max(1, -int(-share * len(values) // 1)) - 1]
        assert true * (1 - 1e-9) <= latencies.percentile_s(share) <= true * 1.021


def test_memory_is_bounded_whatever_comes():
    latencies = Latencies()
    for value in (0.0, -1.0, 1e-9, 1e9):
        latencies.add(value)
    assert len(latencies._buckets) == BUCKETS
    assert latencies.count == 4
    assert latencies.percentile_s(1.0) == 1e9


def test_nothing_counted_is_zero():
    assert Statistics().percentile_ms(0.99) == 0.0


def test_one_value_is_every_percentile():
    latencies = Latencies()
    latencies.add(0.5)
    assert latencies.percentile_s(0.01) == latencies.percentile_s(0.99) == pytest.approx(0.5)


def test_a_call_without_reply_makes_the_percentile_worse():
    counted = Statistics()
    counted.answered("Heartbeat", 0.001)
    counted.failed("Heartbeat", "timeout", 30.0)
    assert counted.percentile_ms(0.99) == pytest.approx(30_000)
    assert counted.messages == 1


def test_names_of_failures_are_bounded():
    counted = Statistics()
    for number in range(3 * NAMES_MAX):
        counted.failed("Heartbeat", f"InternalError: {number}", 0.1)
    assert len(counted.failures) == NAMES_MAX + 1
    assert counted.failures[OTHER] == 2 * NAMES_MAX


def test_what_two_processes_counted_is_one():
    chance = random.Random(3)
    whole, first, second = Statistics(), Statistics(), Statistics()
    for number in range(1_000):
        part, latency_s = (first, second)[number % 2], chance.lognormvariate(-5, 2)
        action = ("Heartbeat", "MeterValues")[number % 3 == 0]
        for counted in (whole, part):
            counted.answered(action, latency_s)
            counted.connecting.add(latency_s)
    second.failed("Heartbeat", "timeout", 30.0)
    whole.failed("Heartbeat", "timeout", 30.0)
    second.connection_failed("HTTP 401", "InvalidStatus: 401")
    together = merged([first, second])
    assert together.actions == whole.actions
    assert together.failures == {"Heartbeat: timeout": 1}
    assert together.latencies.summary() == whole.latencies.summary()
    assert together.latencies_of["MeterValues"].summary() == whole.latencies_of["MeterValues"].summary()
    assert together.connecting.count == 1_000
    assert together.last_connection_error == "InvalidStatus: 401"


def test_a_summary_names_count_and_percentiles():
    latencies = Latencies()
    for milliseconds in range(1, 1_001):
        latencies.add(milliseconds / 1_000)
    summary = latencies.summary()
    assert summary["count"] == 1_000
    for name, true_ms in (("p50_ms", 500), ("p90_ms", 900), ("p99_ms", 990), ("p99_9_ms", 999), ("max_ms", 1_000)):
        assert true_ms <= summary[name] <= true_ms * 1.021
