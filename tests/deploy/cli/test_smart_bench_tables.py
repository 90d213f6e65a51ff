"""What `narke smart-bench` prints of figures: shares, violations, and what is won back."""

import json

import pytest

from deploy.cli import smart_bench_tables as tables
from smartcharging.replay.bench import Bench
from smartcharging.replay.figures import Figures
from smartcharging.replay.loaders import load


def figures(allocator, departures="true", delivered_kwh=90.0, **more):
    return Figures(
        allocator=allocator,
        cap_kw=20.0,
        departures=departures,
        sessions=10,
        requested_kwh=200.0,
        delivered_kwh=delivered_kwh,
        served=5,
        changes=3,
        ev_hours=4.0,
        **more,
    )


BEST = figures("optimum", delivered_kwh=100.0)


def test_violations_stand_out(capsys):
    tables.print_cap(20.0, [BEST, figures("uncontrolled", violations=17, worst_over_a=3.25)])
    line = next(line for line in capsys.readouterr().out.splitlines() if "uncontrolled" in line)
    assert line.split() == [
        "uncontrolled",
        "true",
        "45.0",
        "90.00",
        "50.0",
        "100.0",
        "0.75",
        "17",
        "3.25",
        "0.00",
        "0.00",
    ]


def test_without_the_optimum_shares_of_it_are_not_made_up(capsys):
    tables.print_foot([BEST], [20.0])
    assert "wins back" not in capsys.readouterr().out


def test_what_is_won_back_is_told_for_both_edfs(capsys):
    told = [
        BEST,
        figures("edf", "estimated", 90.0),
        figures("acn-edf", "estimated", 80.0),
        figures("acn-edf", "true", 95.0),
        figures("narke", "forecast", 95.0),
    ]
    tables.print_foot(told, [20.0])
    out = capsys.readouterr().out
    assert "narke (forecast) wins back of what edf loses to the optimum under drivers' estimates: 50 % at 20 kW" in out
    assert (
        "narke (forecast) wins back of what acn-edf loses to the optimum under drivers' estimates: 75 % at 20 kW" in out
    )
    assert "narke (forecast) wins back of what estimates cost acn-edf: 100 % at 20 kW" in out
    assert "estimates cost edf" not in out


def test_json_keeps_what_is_not_known_as_null(capsys):
    loaded = load()
    tables.print_as_json(loaded, Bench(sessions=loaded.sessions), [BEST, figures("edf")])
    told = json.loads(capsys.readouterr().out)
    assert told["sessions"] == 3527
    assert told["figures"][1]["energy_of_optimum_percent"] == pytest.approx(90)
    assert told["figures"][1]["won_back_percent"] is None
    assert "given_kwh" not in told["figures"][1]
