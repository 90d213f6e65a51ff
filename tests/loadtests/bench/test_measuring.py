"""One measurement, with a system and a generator that follow a script."""

import pytest

from loadtests.bench import measuring
from loadtests.bench.driving import Failed
from loadtests.bench.measuring import Load, Measured, measure, middle, spread, warm_up


class Script:
    """Plays system and generator at once and notes the order in which it is asked."""

    def __init__(self, marks, cpu=({"redis": 1.0}, {"redis": 1.5, "postgres": 0.25})):
        self.asked = []
        self.marks, self.cpu = iter(marks), iter(cpu)

    def settle(self):
        self.asked.append("settle")
        return 0.5

    def cpu_s(self):
        self.asked.append("cpu")
        return next(self.cpu)

    def mark(self):
        self.asked.append("mark")
        return next(self.marks)

    def load(self, stations, *, in_flight=0, rate=0.0):
        self.asked.append(f"load {stations} {in_flight} {rate:g}")

    def halt(self):
        self.asked.append("halt")


def mark(at, cpu_s, answered, answered_at=0.0, failures=None):
    latencies = {"p50": 1.0, "p99": 2.0, "p99_9": 3.0, "max": 4.0}
    return {
        "at": at,
        "cpu_s": cpu_s,
        "answered": answered,
        "answered_at": answered_at,
        "failures": failures or {},
        "from_frame_ms": latencies,
        "from_due_ms": None,
    }


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(measuring.time, "sleep", lambda _seconds: None)


def test_the_bill_is_read_when_all_is_quiet_and_shared_out_over_all_that_was_answered():
    script = Script([mark(100.0, 1.0, 5), mark(110.0, 2.0, 900), mark(111.0, 2.1, 100, 110.5)])
    measured = measure(script, script, Load(64, 10.0))
    assert script.asked == ["settle", "cpu", "mark", "load 64 64 0", "mark", "halt", "mark", "settle", "cpu"]
    assert measured.answered == 1_000
    assert measured.per_s == pytest.approx(1_000 / 10.5)
    assert measured.cpu_us == pytest.approx({"redis": 500.0, "postgres": 250.0})
    assert measured.cpu_us_all == pytest.approx(750.0)
    assert measured.generator_us == pytest.approx(1_100.0)
    assert measured.told()["cpu_us_per_message_all"] == 750.0
    assert measured.told()["latency_from_due_ms"] is None


def test_messages_in_flight_and_pace_reach_the_generator():
    script = Script([mark(0.0, 0.0, 0), mark(1.0, 0.1, 9), mark(1.0, 0.1, 1, 1.0)])
    measure(script, script, Load(10_000, 1.0, in_flight=100, rate=7.0))
    assert "load 10000 100 7" in script.asked


def test_nothing_answered_is_a_failure():
    script = Script([mark(0.0, 0.0, 0), mark(1.0, 0.1, 0), mark(1.0, 0.1, 0)])
    with pytest.raises(Failed, match="no reply"):
        measure(script, script, Load(1, 1.0))


def test_failures_beyond_the_odd_one_are_a_failure_that_names_them():
    lost = {"connection lost": 2}
    marks = [mark(0.0, 0.0, 0), mark(1.0, 0.1, 1_000, failures=lost), mark(1.0, 0.1, 0, 1.0)]
    script = Script(marks)
    with pytest.raises(Failed, match="connection lost"):
        measure(script, script, Load(1, 1.0))


def test_one_failure_in_a_thousand_is_told_and_let_pass():
    lost = {"connection lost": 1}
    script = Script([mark(0.0, 0.0, 0), mark(1.0, 0.1, 1_000, failures=lost), mark(1.0, 0.1, 0, 1.0)])
    assert measure(script, script, Load(1, 1.0)).told()["failures"] == lost


def test_of_a_warm_up_nothing_is_kept():
    script = Script([mark(0.0, 0.0, 9)])
    warm_up(script, Load(3, 1.0))
    assert script.asked == ["load 3 3 0", "halt", "mark"]


def one(cost):
    return Measured(1, 1.0, {"all": cost}, 1.0, 0.0, None, None)


@pytest.mark.parametrize(("costs", "median"), [([3.0], 3.0), ([5.0, 1.0, 3.0], 3.0), ([1.0, 5.0], 5.0)])
def test_the_middle_round_is_a_whole_round(costs, median):
    assert middle([one(cost) for cost in costs]).cpu_us_all == median


def test_spread_has_the_extremes():
    assert spread([3.0, 1.0, 2.0]) == {"median": 2.0, "min": 1.0, "max": 3.0}
