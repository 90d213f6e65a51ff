"""Distributions of what only grows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays

from smartcharging.forecast.curves import KNOTS_MAX, Curve


def curve(values, weights=None, tail=1.0):
    values = np.array(values, dtype=float)
    return Curve(values, np.ones(len(values)) if weights is None else np.array(weights, dtype=float), tail)


def test_the_median_of_many_samples_is_their_middle():
    assert curve(range(1, 1002)).quantile(0.5) == pytest.approx(500, rel=0.03)


def test_heavy_samples_count_more():
    assert curve([1, 10], [1, 99]).quantile(0.5) > 5
    assert curve([1, 10], [99, 1]).quantile(0.5) < 5


def test_who_is_still_here_is_later_than_who_is_gone():
    found = curve(range(1, 101))
    assert found.quantile(0.3, 50.0) > 50.0
    assert found.quantile(0.5, 50.0) == pytest.approx(75, abs=2)


def test_beyond_all_samples_there_is_always_somebody():
    found = curve([1.0, 2.0, 3.0], tail=2.0)
    assert 100.0 < found.quantile(0.5, 100.0) < 103.0
    assert found.left(100.0) > 0.0
    assert np.isfinite(found.quantile(0.999999, 1e9))


def test_one_sample_is_enough():
    assert 0 < curve([5.0]).quantile(0.5) <= 6.0


def test_thinning_many_samples_is_not_felt():
    chance = np.random.default_rng(3)
    values = np.sort(chance.lognormal(9.0, 1.0, 5000))
    found = curve(values, tail=3600.0)
    assert len(found._rising) == KNOTS_MAX + 1
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        assert found.quantile(share) == pytest.approx(np.quantile(values, share), rel=0.07)


samples = arrays.arrays(float, some.integers(1, 300), elements=some.floats(1, 1e6))


@given(samples, some.floats(0.1, 1e4), some.floats(0, 2e6), some.floats(0.01, 0.99))
def test_quantiles_and_survival_are_each_others_inverse(values, tail, already, share):
    found = Curve(np.sort(values), np.ones(len(values)), tail)
    value = found.quantile(share, already)
    assert value >= already
    here = float(found.alive(already, np.array([value - already]))[0])
    assert here <= 1.0 - share + 0.02


@given(samples, some.floats(0.1, 1e4), some.floats(0, 2e6))
def test_survival_falls_from_one_and_stays_above_nothing(values, tail, already):
    found = Curve(np.sort(values), np.ones(len(values)), tail)
    ahead = found.alive(already, np.linspace(0.0, 1e6, 50))
    assert ahead[0] == pytest.approx(1.0)
    assert (np.diff(ahead) <= 1e-12).all()
    assert (ahead >= 0).all()


@given(samples, some.floats(0, 2e6))
def test_the_array_and_the_single_value_agree(values, value):
    found = Curve(np.sort(values), np.ones(len(values)), 10.0)
    assert float(found.alive(0.0, np.array([value]))[0]) == pytest.approx(found.left(value), abs=1e-9)


def cut_curve(values, cut):
    return Curve(np.array(values, dtype=float), np.ones(len(values)), 1.0, np.array(cut))


def test_who_stays_through_a_slot_is_between_its_ends():
    found = curve(range(1, 101))
    slots = np.array([10.0, 20.0, 5.0])
    staying = found.staying(20.0, slots)
    ends = found.alive(20.0, np.array([0.0, 10.0, 30.0, 35.0]))
    assert (ends[1:] <= staying).all()
    assert (staying <= ends[:-1]).all()


def test_what_was_cut_off_counts_for_what_is_beyond():
    values = list(range(1, 101))
    whole, cut = curve(values), cut_curve(values, [value % 2 == 0 for value in values])
    assert cut.quantile(0.5) > whole.quantile(0.5) + 10
    assert cut_curve(values, [False] * 100).quantile(0.5) == pytest.approx(whole.quantile(0.5))


def test_a_cap_does_not_teach_that_cars_want_little():
    chance = np.random.default_rng(2)
    wanted, kept = chance.gamma(4.0, 3.0, 3000), chance.gamma(6.0, 2.0, 3000)
    had = np.minimum(wanted, kept)
    order = np.argsort(had)
    found = Curve(had[order], np.ones(3000), 3.0, (kept < wanted)[order])
    naive = Curve(had[order], np.ones(3000), 3.0)
    for share in (0.3, 0.5, 0.7):
        truth = np.quantile(wanted, share)
        assert found.quantile(share) == pytest.approx(truth, rel=0.06)
        assert naive.quantile(share) < 0.92 * truth


@given(samples, some.randoms(use_true_random=False))
def test_whatever_was_cut_off_a_curve_is_sound(values, chance):
    cut = np.array([chance.random() < 0.5 for _ in values])
    found = Curve(np.sort(values), np.ones(len(values)), 10.0, cut)
    quantiles = [found.quantile(share) for share in (0.01, 0.3, 0.5, 0.7, 0.99)]
    assert quantiles == sorted(quantiles)
    assert np.isfinite(quantiles).all()
