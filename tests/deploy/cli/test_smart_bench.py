"""`narke smart-bench`: what it replays, what it prints, and command lines that make no sense."""

import json
import sys

import pytest
from typer.testing import CliRunner

from deploy.cli import app

SHORT = ("--from", "2019-05-03T00:00-07:00", "--to", "2019-05-03T10:00-07:00", "--jobs", "1", "--caps", "10")


@pytest.fixture
def run():
    def run(*arguments):
        return CliRunner().invoke(app, ["smart-bench", *arguments])

    return run


def test_a_table_per_cap_shows_every_allocator_beside_the_optimum(run):
    done = run(*SHORT, "--allocators", "edf,max-min", "--departures", "true,estimated", "--no-referee")
    assert done.exit_code == 0, done.output
    for word in ("10 kW", "optimum", "edf", "max-min", "estimated", "changes/EV-h", "Caltech", "CC BY 4.0", "history"):
        assert word in done.output


def test_json_has_the_figures_and_their_shares(run):
    done = run(*SHORT, "--allocators", "edf", "--departures", "true,forecast", "--no-referee", "--json")
    told = json.loads(done.stdout)
    assert [one["allocator"] for one in told["figures"]] == ["optimum", "edf", "edf"]
    assert told["network"] == "caltech"
    assert told["history"] > 0
    edf = told["figures"][1]
    assert edf["energy_of_optimum_percent"] == pytest.approx(100 * edf["delivered_kwh"] / edf["optimum_kwh"])
    assert edf["violations"] == 0


def test_processes_come_to_what_one_comes_to(run):
    def figures(jobs):
        words = (*SHORT[:4], "--caps", "10", "--allocators", "fcfs", "--departures", "true", "--no-referee", "--json")
        told = json.loads(run(*words, "--jobs", jobs).stdout)
        return [(one["allocator"], one["delivered_kwh"], one["changes"]) for one in told["figures"]]

    assert figures("2") == figures("1")


def test_a_file_of_ones_own_is_replayed_and_its_bad_rows_are_told(run, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(
        "arrival,departure,delivered_energy,station_id\n"
        "2026-01-05 08:00:00+01:00,2026-01-05 12:00:00+01:00,9.5,north\n"
        "2026-01-05 09:00:00+01:00,2026-01-05 08:00:00+01:00,9.5,south\n"
    )
    done = run(
        "--sessions",
        str(path),
        "--network",
        "single",
        "--caps",
        "3",
        "--allocators",
        "edf",
        "--no-referee",
        "--jobs",
        "1",
    )
    assert done.exit_code == 0, done.output
    for word in ("1 sessions", "mine.csv", "dropped: 1 x the departure is not after the arrival", "network single"):
        assert word in done.output


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--caps", "some"), "--caps: 'some' are no numbers"),
        (("--caps", "0"), "a cap is a number of kW above 0"),
        (("--allocators", "magic"), "no allocator is called 'magic'"),
        (("--departures", "late"), "there are true, estimated, forecast, history"),
        (("--network", "moon"), "no network 'moon'"),
        (("--time-zone", "Mars/Base"), "there is no 'Mars/Base'"),
        (("--from", "2019-06-01", "--to", "2019-05-01"), "is not before"),
        (("--from", "2030-06-01"), "no session arrives in that time"),
        (("--sessions", "/nowhere.csv"), "cannot be read"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_refused(run, arguments, word):
    done = run(*arguments)
    assert done.exit_code == 2
    assert word in done.output


def test_a_referee_that_is_not_installed_is_asked_for_in_vain(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "acnportal", None)
    done = run(*SHORT, "--allocators", "edf", "--departures", "true", "--referee")
    assert done.exit_code == 2
    assert "--no-referee" in done.output
