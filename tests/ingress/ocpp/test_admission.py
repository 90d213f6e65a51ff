"""Rates: bursts, refill, reservations, takeovers."""

import pytest

from ingress.ocpp.admission import Takeovers, TokenBucket


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
