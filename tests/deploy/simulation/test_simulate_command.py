"""`narke simulate`: what it prints, and how it ends."""

import pytest
import typer
from typer.testing import CliRunner

from deploy.cli import simulate as command
from deploy.simulation.house import House

SMALL = ("--stations", "1", "--days", "0.1")


def narke(*arguments):
    app = typer.Typer()
    app.callback()(lambda: None)
    command.register(app)
    return CliRunner().invoke(app, ["simulate", *arguments])


def test_seeds_are_summed_up():
    done = narke("--seeds", "3", *SMALL)
    assert done.exit_code == 0, done.output
    for words in ("station-days per CPU second", "violations", "0 in 0 seeds", "messages answered", "faults"):
        assert words in done.output


def test_one_seed_is_traced():
    done = narke("--seed", "4", "--trace", *SMALL)
    assert done.exit_code == 0, done.output
    assert "BootNotification" in done.output
    assert "seed 4: no violation" in done.output


def test_a_violation_is_told_with_its_replay_and_its_trace(monkeypatch):
    monkeypatch.setattr(House, "state", lambda self, station: self.violated(station, "planted") or plant(self, station))
    done = narke("--seeds", "2", "--from", "7", "--faults", "link.cut", *SMALL)
    assert done.exit_code == 1
    assert "planted" in done.output
    assert "replay: narke simulate --seed 7 --stations 1 --days 0.1 --faults link.cut --trace" in done.output
    assert "seed 7, made small: narke simulate --seed 7 --stations 1 --days 0.1 --faults none --trace" in done.output
    assert "CP-0" in done.output


STATE = House.state


def plant(house, station):
    return STATE(house, station)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--faults", "crash.actor,earthquake"), "there is no fault earthquake"),
        (("--faults", ","), "there is no fault ','"),
        (("--trace",), "--trace tells of one seed"),
        (("--seeds", "0"), "--seeds"),
        (("--stations", "0"), "--stations"),
        (("--jobs", "0"), "--jobs"),
    ],
)
def test_what_cannot_be_run_is_refused_with_a_reason(arguments, said):
    done = narke(*arguments)
    assert done.exit_code == 2
    assert said in done.output
