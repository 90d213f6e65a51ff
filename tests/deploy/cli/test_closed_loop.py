"""`narke smart-bench --closed-loop` as far as it goes without a Narke."""

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from loadtests.sites.loop_report import LoopReport
from loadtests.sites.site_crowd import Counted
from loadtests.sites.site_meter import Excess

EXCESS = Excess("loop-1", "loop-1-grid L1", "A", 1000.0, 7.0, 66.0, 60.0, 40.0)


def report(**changes):
    given = {
        "command": "narke smart-bench --closed-loop",
        "stations": 3,
        "sites": 1,
        "seconds": 60.0,
        "rows": 4,
        "looks": 60,
        "violations": (),
        "counted": 0,
        "shorter": (),
        "counted_shorter": 0,
        "highest": {},
        "energy_kwh": 1.0,
        "transactions": 3,
        "seen": Counted(),
        "commands": {},
    }
    return LoopReport(**(given | changes))


@pytest.fixture
def loop(monkeypatch):
    """What is run, and what comes of it."""
    asked = []
    answers = [report()]

    def run_closed_loop(options, programs, show):
        asked.append(options)
        del programs, show
        if isinstance(answers[-1], Exception):
            raise answers[-1]
        return answers[-1]

    monkeypatch.setattr("loadtests.sites.closed_loop.run_closed_loop", run_closed_loop)
    return asked, answers


def run(*arguments):
    return CliRunner().invoke(app, ["smart-bench", "--closed-loop", *arguments])


def test_it_is_run_as_asked_and_good_is_0(loop):
    done = run("--stations", "8", "--minutes", "2", "--seed", "7")
    assert done.exit_code == 0
    assert "0 violations" in done.stdout
    assert (loop[0][0].stations, loop[0][0].minutes, loop[0][0].seed) == (8, 2.0, 7)


def test_a_broken_limit_is_1(loop):
    loop[1].append(report(violations=(EXCESS,), counted=1))
    done = run("--json")
    assert done.exit_code == 1
    assert '"violations": 1' in done.stdout


def test_what_cannot_be_run_is_told(loop):
    from loadtests.sites.loop_options import LoopError  # noqa: PLC0415 (as the command does)

    loop[1].append(LoopError("Narke did not start"))
    done = run()
    assert done.exit_code == 1
    assert "Narke did not start" in done.stderr


@pytest.mark.parametrize("wrong", [("--stations", "0"), ("--minutes", "0.1")])
def test_what_makes_no_sense_is_2(wrong):
    done = run(*wrong)
    assert done.exit_code == 2
    assert wrong[0] in done.stderr
