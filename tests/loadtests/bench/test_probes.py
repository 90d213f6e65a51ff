"""The projector's lag: the arithmetic. The probe itself runs in test_bench.py against a whole Narke."""

import pytest

from loadtests.bench import probes
from loadtests.bench.driving import Failed
from loadtests.bench.probes import _Watch


def at(monkeypatch, seconds):
    monkeypatch.setattr(probes, "perf_counter", lambda: seconds)


async def test_a_row_makes_all_before_it_visible(monkeypatch):
    watch = _Watch(answered={1: 10.0, 2: 10.1, 3: 10.2})
    at(monkeypatch, 10.15)
    watch.visible(2)
    at(monkeypatch, 10.5)
    watch.visible(3)
    watch.visible(3)
    assert watch.lags_s() == pytest.approx([0.15, 0.05, 0.3])
    await watch.wait_for_all()


async def test_a_row_that_is_there_before_the_reply_has_no_lag(monkeypatch):
    watch = _Watch()
    at(monkeypatch, 9.9)
    watch.visible(1)
    watch.answered[1] = 10.0
    assert watch.lags_s() == [0.0]


async def test_rows_that_do_not_come_are_a_failure(monkeypatch):
    monkeypatch.setattr(probes, "LAST_S_MAX", 0.01)
    watch = _Watch(answered={1: 1.0, 2: 2.0})
    watch.visible(1)
    with pytest.raises(Failed, match="of 2 probes 1 had a row"):
        await watch.wait_for_all()
