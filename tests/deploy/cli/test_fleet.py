"""`narke fleet` through the CLI: options, lists, mixes, scenarios, result file, exit status."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from deploy import run_file
from deploy.cli import fleet as fleet_command
from deploy.run_file import RunInfo
from deploy.servers.data_dir import DataDir
from loadtests import fleet as fleet_module
from loadtests.behaviours import BEHAVIOURS
from loadtests.scenarios import SCENARIOS, Blackout

NOWHERE = "ws://127.0.0.1:1/ocpp"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith("NARKE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NARKE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def narke():
    app = typer.Typer()
    fleet_command.register(app)
    app.command()(lambda: None)  # with one command alone typer takes no name

    def call(*words):
        return CliRunner().invoke(app, list(words), catch_exceptions=False)

    return call


@pytest.fixture
def asked(monkeypatch):
    """What `run_fleet` is called with; running a fleet is another test's."""
    seen = []

    def run_fleet(options, _show):
        seen.append(options)
        return fleet_module.Fleet(options).result()

    monkeypatch.setattr(fleet_module, "run_fleet", run_fleet)
    return seen


def said(result):
    return " ".join((result.stdout + result.stderr).split())


def running(pid, tmp_path):
    return RunInfo(
        pid=pid,
        started_at="",
        http_url="http://127.0.0.1:8080",
        ocpp_url=NOWHERE,
        api_key_file="",
        data_dir=str(tmp_path),
        version="",
    )


def test_it_wants_a_running_narke_or_a_url(narke):
    result = narke("fleet")
    assert (result.exit_code, "--url" in said(result)) == (1, True)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--version", "1.5"], "unknown OCPP version 1.5"),
        (["--url", "http://h"], "ws://"),
        (["--scenario", "storm"], "there is no scenario 'storm'; expected one of steady_day"),
        (["--scenario", "blackout:share=2"], "share must be 0 to 1, not 2"),
        (["--scenario", "blackout:when=2"], "there is no 'when'; expected one of at_s"),
        (["--scenario", "blackout", "--duration", "5"], "the scenario needs"),
        (["--mix", "nowhere.toml"], "nowhere.toml cannot be read"),
        (["--stations", "3", "--processes", "4"], "a station for each at least"),
        (["--result", "/nowhere/r.json"], "there is no folder /nowhere"),
    ],
)
def test_wrong_options_say_what_to_do(narke, words, expected):
    result = narke("fleet", "--url", NOWHERE, *words)
    assert (result.exit_code, expected in said(result)) == (1, True), said(result)


def test_it_goes_to_the_narke_that_runs_here(narke, tmp_path, asked):
    DataDir(tmp_path).prepare()
    run_file.write(tmp_path, running(os.getpid(), tmp_path))
    result = narke("fleet", "--stations", "3", "--version", "2.1, 1.6", "--tokens", "A,B", "--duration", "1", "--json")
    assert json.loads(result.stdout)["stations"] == 3
    assert result.exit_code == 1  # nobody was connected
    (options,) = asked
    assert options.url == NOWHERE
    assert (options.versions, options.tokens, options.duration_s) == (("2.1", "1.6"), ("A", "B"), 1.0)


def test_mix_scenario_and_processes_reach_the_fleet(narke, asked):
    narke("fleet", "--url", NOWHERE, "--mix", "field", "--scenario", "blackout:share=0.5", "--stations", "5000")
    (options,) = asked
    assert options.scenario == Blackout(share=0.5)
    assert options.versions_spoken == ("1.6", "2.0.1", "2.1")
    assert len(options.mix.behaviours) > 3
    assert options.connect_s == 10.0


def test_a_version_goes_before_that_of_the_mix(narke, asked):
    narke("fleet", "--url", NOWHERE, "--mix", "field", "--version", "2.1", "--connect", "0")
    (options,) = asked
    assert options.versions_spoken == ("2.1",)
    assert options.connect_s == 0.0


def test_a_mix_of_the_users_own_is_checked_with_its_line(narke, tmp_path):
    (tmp_path / "my.toml").write_text("[behaviours]\nrude = 1\n")
    result = narke("fleet", "--url", NOWHERE, "--mix", str(tmp_path / "my.toml"))
    assert result.exit_code == 1
    assert "line 2: behaviours.rude: there is no such behaviour" in said(result)


def test_the_result_file_says_what_was_asked_on_what_and_what_came_out(narke, tmp_path, asked):
    path = tmp_path / "r.json"
    narke("fleet", "--url", NOWHERE, "--mix", "hostile", "--password", "s3cret", "--tokens", "T", "--result", str(path))
    assert len(asked) == 1
    written = json.loads(path.read_text())
    assert written["machine"]["cores"] >= 1
    assert written["options"]["stations"] == written["result"]["stations"] == 24
    assert {each["name"] for each in written["options"]["mix"]["behaviours"]} >= {"good", "malformed"}
    assert {each["invariant"] for each in written["result"]["invariants"]}
    assert "s3cret" not in path.read_text()


def test_ctrl_c_ends_it_with_its_result(narke, monkeypatch):
    def run_fleet(options, show):
        show(fleet_module.Fleet(options))
        raise KeyboardInterrupt

    monkeypatch.setattr(fleet_module, "run_fleet", run_fleet)
    result = narke("fleet", "--stations", "2", "--url", NOWHERE)
    assert "stations 2" in said(result)
    assert "VIOLATED nobody is dead at the end" in said(result)
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("option", "names"),
    [
        ("--list-scenarios", SCENARIOS),
        ("--list-behaviours", BEHAVIOURS),
        ("--list-mixes", ("field", "hostile", "office", "offline")),
    ],
)
def test_what_there_is_can_be_listed(narke, option, names):
    result = narke("fleet", option)
    assert result.exit_code == 0
    assert [name for name in names if f"{name} " not in result.stdout] == []


def test_help_loads_no_fleet():
    code = (
        "import sys, deploy.cli.fleet; print([m for m in ('ray', 'pydantic', 'loadtests.fleet') if m in sys.modules])"
    )
    folder = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=folder)
    assert done.stdout.strip() == "[]"
