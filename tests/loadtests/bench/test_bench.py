"""The run: stages, rows that fail, time that ends; and the real rows against a whole Narke at a small size."""

import dataclasses
import os
import time
from contextlib import contextmanager

import pytest

from loadtests.bench import bench, system
from loadtests.bench.bench import Row, Run, Stage, elapsed_printer
from loadtests.bench.driving import Failed
from loadtests.bench.plan import QUICK, WHOLE
from loadtests.bench.rows import ROWS
from loadtests.bench.summary import figures

TINY = dataclasses.replace(
    QUICK,
    minutes_max=4.5,
    warm_s=0.1,
    load_s=0.4,
    yardstick_s=0.3,
    ratio_stations=16,
    throughput_stations=(4, 8, 12, 20),
    paced_stations=12,
    paced_s=0.5,
    commands=4,
    probes_s=0.5,
    storm_stations=20,
    storm_tls_stations=20,
    rest_s=0.1,
)


class FakeNarke:
    def __init__(self, pid):
        self.start_s = 1.0
        self.run_file = {"pid": pid}

    def durability(self):
        return {"appendfsync": "always"}


@pytest.fixture
def narkes(monkeypatch):
    """What was started and stopped, in order; no Narke runs."""
    events = []

    @contextmanager
    def running(folder, *, settings=None):
        events.append(("start", folder.name, settings))
        yield FakeNarke(os.getpid())
        events.append(("stop", folder.name))

    monkeypatch.setattr(system, "running", running)
    return events


def run_of(tmp_path, plan=WHOLE, **options):
    return Run(plan, tmp_path, lambda _line: None, **options)


def row(name, stage=Stage.MAIN, run=None):
    return Row(name, f"what {name} is", stage, run or (lambda _bench: {"row": name}))


def fails(error):
    def run(_bench):
        raise error

    return run


def test_each_stage_has_a_narke_of_its_own(tmp_path, narkes):
    run = run_of(tmp_path)
    run.all([row("c", Stage.LITERAL), row("a", Stage.FRESH), row("b")])
    assert list(run.told) == ["a", "b", "c"]
    assert run.failed == {}
    assert narkes == [
        ("start", "fresh", None),
        ("stop", "fresh"),
        ("start", "main", None),
        ("stop", "main"),
        ("start", "literal", {"actors.stations_per_actor": "1"}),
        ("stop", "literal"),
    ]
    assert run.notes["main"] == {"start_s": 1.0, "redis": {"appendfsync": "always"}}


def test_a_quick_run_starts_one_narke_less(tmp_path, narkes):
    run_of(tmp_path, QUICK).all([row("a", Stage.FRESH), row("b")])
    assert [event[1] for event in narkes if event[0] == "start"] == ["main"]


def test_no_narke_is_started_for_no_row(tmp_path, narkes):
    run_of(tmp_path).all([row("b")])
    assert [event[1] for event in narkes if event[0] == "start"] == ["main"]


@pytest.mark.parametrize(
    ("error", "words"), [(Failed("no air"), "no air"), (ConnectionResetError("gone"), "ConnectionResetError: gone")]
)
def test_a_row_that_fails_says_why_and_the_next_one_runs(tmp_path, narkes, error, words):
    run = run_of(tmp_path)
    run.all([row("a", run=fails(error)), row("b")])
    assert run.failed == {"a": words}
    assert run.told == {"b": {"row": "b"}}
    assert narkes[-1] == ("stop", "main")


def test_a_narke_that_does_not_come_up_fails_its_own_rows_only(tmp_path, narkes, monkeypatch):
    sound = system.running

    def running(folder, *, settings=None):
        if folder.name == "fresh":
            raise Failed("Narke ended at once")
        return sound(folder, settings=settings)

    monkeypatch.setattr(system, "running", running)
    run = run_of(tmp_path)
    run.all([row("a", Stage.FRESH), row("b")])
    assert run.failed == {"a": "Narke ended at once"}
    assert run.told.keys() == {"b"}
    assert narkes[-1] == ("stop", "main")


def test_a_narke_that_died_is_not_measured(tmp_path, monkeypatch):
    @contextmanager
    def running(_folder, *, settings=None):
        del settings
        yield FakeNarke(2**22 + 1)

    monkeypatch.setattr(system, "running", running)
    run = run_of(tmp_path)
    run.all([row("a")])
    assert run.failed == {"a": "Narke has ended meanwhile"}


def test_when_the_time_is_over_everything_is_stopped_and_what_is_missing_is_named(tmp_path, narkes, monkeypatch):
    monkeypatch.setattr(bench, "STOP_RESERVE_S", 0.0)
    plan = dataclasses.replace(WHOLE, minutes_max=0.3 / 60)
    run = run_of(tmp_path, plan)
    run.all([row("a"), row("b", run=lambda _bench: time.sleep(30)), row("c")])
    assert run.told.keys() == {"a"}
    assert run.failed.keys() == {"b", "c"}
    assert "minutes" in run.failed["c"]
    assert narkes[0][:2] == ("start", "main")


def test_ctrl_c_stops_everything(tmp_path, narkes, monkeypatch):
    stopped = []
    sound = system.running

    @contextmanager
    def running(folder, *, settings=None):
        with sound(folder, settings=settings) as narke:
            try:
                yield narke
            finally:
                stopped.append(folder.name)

    monkeypatch.setattr(system, "running", running)
    with pytest.raises(KeyboardInterrupt):
        run_of(tmp_path).all([row("a", run=fails(KeyboardInterrupt())), row("b")])
    assert stopped == ["main"]
    assert len(narkes) == 1


def test_what_needs_a_narke_of_its_own_is_not_measured_on_a_given_one(tmp_path):
    run = run_of(tmp_path, attached=tmp_path)
    run.all([row("c", Stage.LITERAL)])
    assert run.failed == {"c": "needs a Narke of its own: leave --data-dir out"}


def test_a_given_data_directory_without_narke_fails_all_rows_with_the_reason(tmp_path):
    run = run_of(tmp_path, attached=tmp_path)
    run.all([row("a"), row("b")])
    assert run.failed.keys() == {"a", "b"}
    assert "no Narke runs on" in run.failed["a"]


def test_progress_has_the_time_before_it():
    lines = []
    elapsed_printer(lines.append)("hello")
    assert lines == ["[   0 s] hello"]


@pytest.mark.integration
@pytest.mark.timeout(300)
def test_the_rows_measure_a_whole_narke(narke, tmp_path):
    run = run_of(tmp_path, TINY, attached=narke.data_dir)
    run.all([each for each in ROWS if each.stage not in {Stage.LITERAL, Stage.TLS}])  # those want a Narke of their own
    assert run.failed == {}
    values = figures(run.told)
    assert [key for key, value in values.items() if value is None and "literal" not in key and "tls" not in key] == []
    assert values["cpu_us_per_message"].keys() >= {
        "ingress",
        "stations",
        "redis",
        "projector",
        "postgres",
        "ray",
        "all",
    }
    assert values["ratio_to_echo"] > 1
    assert values["messages_per_second"].keys() == {"4", "8", "12", "20"}
    assert values["storm_10k_timeouts"] == 0
    assert run.notes["main"]["redis"] == {"appendonly": "yes", "appendfsync": "always"}
    assert run.told["storm"]["retries"] == {}
    measured = run.told["closed_2000"]["narke"]
    assert measured["failures"] == {}
    assert sum(measured["cpu_us_per_message"].values()) == pytest.approx(measured["cpu_us_per_message_all"], abs=1)
    rows = narke.sql("SELECT count(*) AS rows FROM meter_values WHERE station = 'BENCH-000000'")
    sent = narke.sql("SELECT count(*) AS rows FROM stations")
    assert rows[0]["rows"] > 0
    assert sent[0]["rows"] >= 20
