"""Rates: bursts, refill, reservations, takeovers."""

import pytest

from ingress.ocpp.admission import Buckets, Failures, Takeovers, TokenBucket, network_of


def test_a_bucket_gives_its_burst_then_its_rate():
    bucket = TokenBucket(10, 3, now=100.0)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.wait_s() == pytest.approx(0.1)
    assert not bucket.take(100.05)
    assert bucket.take(100.11)


def test_a_bucket_never_holds_more_than_its_burst():
    bucket = TokenBucket(10, 2, now=0.0)
    assert [bucket.take(1_000.0) for _ in range(3)] == [True, True, False]


def test_a_clock_that_stands_still_or_goes_back_gives_nothing():
    bucket = TokenBucket(1, 1, now=10.0)
    assert bucket.take(10.0)
    assert not bucket.take(9.0)
    assert not bucket.take(10.0)


def test_reservations_queue_up_and_can_be_given_back():
    bucket = TokenBucket(10, 1, now=0.0)
    assert [bucket.reserve(0.0) for _ in range(3)] == pytest.approx([0.0, 0.1, 0.2])
    bucket.give_back()
    assert bucket.reserve(0.0) == pytest.approx(0.2)


def test_takeovers_are_counted_for_each_identity():
    takeovers = Takeovers(per_min=2)
    assert [takeovers.allowed("CP1", 0.0) for _ in range(3)] == [True, True, False]
    assert takeovers.allowed("CP2", 0.0)
    assert takeovers.allowed("CP1", 31.0)


def test_a_bucket_per_name_and_the_least_known_are_forgotten():
    buckets = Buckets(per_min=1, known_max=2)
    assert buckets.take("a", 0.0) == 0.0
    assert buckets.take("a", 0.0) == pytest.approx(60)
    assert buckets.take("b", 0.0) == 0.0
    assert buckets.take("c", 0.0) == 0.0
    assert (len(buckets), "a" in buckets) == (2, False)
    assert buckets.take("a", 0.0) == 0.0


def test_no_rate_is_no_limit_and_no_memory():
    buckets = Buckets(per_min=0, known_max=2)
    assert [buckets.take("a", 0.0) for _ in range(9)] == [0.0] * 9
    assert len(buckets) == 0


def test_an_address_that_failed_too_often_must_wait():
    failures = Failures(2, 100, 1_000)
    for guess in range(2):
        assert failures.wait_s("203.0.113.7", "CP1", 0.0) == 0.0
        failures.add("203.0.113.7", "CP1", guess, 0.0)
    assert failures.wait_s("203.0.113.7", "CP2", 0.0) == pytest.approx(30)
    assert failures.wait_s("203.0.113.8", "CP1", 0.0) == 0.0
    assert failures.wait_s("203.0.113.7", "CP1", 31.0) == 0.0


def test_a_station_under_attack_stays_open_to_addresses_that_have_not_failed():
    failures = Failures(100, 3, 1_000)
    for number in range(9):
        failures.add(f"198.51.100.{number}", "CP1", "guess", 0.0)
    assert failures.wait_s("198.51.100.1", "CP1", 0.0) > 0
    assert failures.wait_s("203.0.113.7", "CP1", 0.0) == 0.0


def test_the_same_mistake_of_the_same_address_counts_once():
    failures = Failures(2, 2, 1_000)
    for _ in range(50):
        failures.add("203.0.113.7", "CP1", "old password", 0.0)
    assert failures.wait_s("203.0.113.7", "CP1", 0.0) == 0.0


def test_an_ipv6_network_is_one_address():
    assert network_of("2001:db8:1:2:3::4") == network_of("2001:db8:1:2::") == "2001:db8:1:2::/64"
    assert network_of("::ffff:203.0.113.7") == network_of("203.0.113.7") == "203.0.113.7"
    assert network_of("unix") == "unix"
