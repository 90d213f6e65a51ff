"""Commands about the running system, through the CLI."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from deploy import run_file
from deploy.cli import server
from deploy.processes import is_alive
from deploy.run_file import RunInfo

HOLD = """
import sys, signal
from pathlib import Path
from deploy.servers.data_dir import DataDir, DataDirLock
data_dir = DataDir(Path(sys.argv[1])); data_dir.prepare()
lock = DataDirLock(data_dir.path).acquire()
if sys.argv[2] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def app():
    app = typer.Typer()
    server.register(app)
    return app


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith("NARKE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NARKE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def narke(app):
    def call(*words):
        return CliRunner().invoke(app, list(words), catch_exceptions=False)

    return call


def said(result):
    return " ".join((result.stdout + result.stderr).split())


@pytest.fixture
def started(monkeypatch):
    """What `deploy.up.run` is called with; bringing the real system up is another test's."""
    calls = []
    monkeypatch.setitem(sys.modules, "deploy.up", type(sys)("deploy.up"))
    sys.modules["deploy.up"].run = lambda settings, *, fleet: calls.append((settings, fleet)) or 3
    return calls


def info(pid, tmp_path, **more):
    return RunInfo(
        pid=pid,
        started_at="",
        http_url="http://127.0.0.1:8080",
        ocpp_url="ws://127.0.0.1:1/ocpp",
        api_key_file="",
        data_dir=str(tmp_path),
        version="",
        **more,
    )


def hold(tmp_path, how="hears"):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path), how], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"up\n"
    return process


@pytest.fixture
def running(tmp_path):
    process = hold(tmp_path)
    yield process
    process.kill()
    process.communicate()


def test_up_turns_flags_into_settings_and_passes_the_exit_status_on(narke, started, tmp_path):
    result = narke(
        "up", "--port", "9100", "--http-port", "8100", "--fleet", "5", "--address", "auto",
        "--postgres-url", "postgresql://h/d", "--redis-url", "redis://h", "--stations-per-actor", "1",
        "--log-level", "debug", "--log-format", "json", "--set", "ocpp.host=0.0.0.0", "--set", "ocpp.compression=true",
        "--set", 'actors.data_transfer_vendors=["a"]', "--set", "actors.station_actors=none",
    )  # fmt: skip
    assert result.exit_code == 3, said(result)
    ((settings, fleet),) = started
    assert fleet == 5
    assert settings.data_dir == tmp_path
    assert (settings.ocpp.port, settings.http.port, settings.ocpp.host) == (9100, 8100, "0.0.0.0")
    assert (settings.ray.address, settings.actors.stations_per_actor) == ("auto", 1)
    assert (settings.log.level, settings.log.format) == ("debug", "json")
    assert settings.ocpp.compression
    assert settings.actors.data_transfer_vendors == ("a",)
    assert settings.servers.redis_url.get_secret_value() == "redis://h"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--port", "70000"], "--port (ocpp.port) is '70000': expected an integer, 0 to 65535"),
        (["--log-level", "loud"], "--log-level (log.level) is 'loud'"),
        (["--set", "ocpp.prot=1"], "--set ocpp.prot=1: there is no such setting; did you mean ocpp.port?"),
        (["--set", "nonsense"], "--set nonsense: expected NAME=VALUE"),
        (["--config", "/no/such.toml"], "config file /no/such.toml: there is no such file"),
        (["--port", "8080"], "ocpp.port and http.port are both 8080"),
        (["--redis-url", "http://h"], "--redis-url (servers.redis_url)"),
    ],
)
def test_up_with_wrong_flags_says_which_and_starts_nothing(narke, started, words, expected):
    result = narke("up", *words)
    assert result.exit_code == 2
    assert expected in said(result)
    assert started == []


def test_config_show_tells_origins_and_masks_secrets(narke, tmp_path, monkeypatch):
    (tmp_path / "narke.toml").write_text("[ocpp]\nport = 9001\n")
    monkeypatch.setenv("NARKE_HTTP__PORT", "8081")
    result = narke("config", "show", "--set", "servers.redis_url=redis://:sesame@h/0")
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["ocpp.port", "9001", str(tmp_path / "narke.toml")] in rows
    assert ["http.port", "8081", "NARKE_HTTP__PORT"] in rows
    assert ["ocpp.backlog", "4096", "default"] in rows
    assert "sesame" not in result.stdout
    assert "redis://:********@h/0" in result.stdout


def test_config_show_as_json_is_for_machines(narke, tmp_path):
    shown = json.loads(narke("config", "show", "--json", "--set", "ocpp.port=9001").stdout)
    assert shown["config_file"] is None
    assert shown["settings"]["ocpp.port"] == {"value": 9001, "origin": "--set ocpp.port"}
    assert shown["settings"]["data_dir"] == {"value": str(tmp_path), "origin": "NARKE_DATA_DIR"}
    assert shown["settings"]["servers.redis_url"] == {"value": None, "origin": "default"}


def test_config_check_judges(narke, tmp_path):
    good = narke("config", "check")
    assert good.exit_code == 0
    assert "the settings are right" in said(good)
    (tmp_path / "narke.toml").write_text("[ocpp]\nport = 'x'\nbacklog = 'y'\n")
    bad = narke("config", "check")
    assert bad.exit_code == 2
    assert "port in section [ocpp]" in said(bad)
    assert "backlog in section [ocpp]" in said(bad)


def test_down_where_nothing_runs_is_well(narke, tmp_path):
    result = narke("down")
    assert (result.exit_code, f"no Narke runs on {tmp_path}" in said(result)) == (0, True)


def test_down_ends_what_runs(narke, running, tmp_path):
    run_file.write(tmp_path, info(running.pid, tmp_path))
    result = narke("down")
    assert (result.exit_code, f"Narke (process {running.pid}) stopped" in said(result)) == (0, True)
    assert running.wait(10) == -signal.SIGTERM


def test_down_ends_one_that_is_still_starting(narke, running):
    assert narke("down").exit_code == 0
    assert running.wait(10) == -signal.SIGTERM


def test_down_removes_the_run_file_of_a_killed_narke(narke, running, tmp_path):
    run_file.write(tmp_path, info(running.pid, tmp_path))
    running.kill()
    running.wait()
    result = narke("down")
    assert (result.exit_code, "removed its run file" in said(result)) == (0, True)
    assert run_file.read(tmp_path) is None


def test_down_never_signals_a_stranger_with_the_same_number(narke, tmp_path):
    stranger = subprocess.Popen(["/bin/sleep", "60"])
    try:
        run_file.write(tmp_path, info(stranger.pid, tmp_path, pid_birth=1))
        assert narke("down").exit_code == 0
        assert is_alive(stranger.pid)
    finally:
        stranger.kill()
        stranger.wait()


def test_down_says_when_it_does_not_end(narke, tmp_path):
    deaf = hold(tmp_path, "deaf")
    try:
        run_file.write(tmp_path, info(deaf.pid, tmp_path))
        result = narke("down", "--timeout", "0.2")
        assert result.exit_code == 1
        assert f"kill -9 {deaf.pid}" in said(result)
        assert deaf.poll() is None
    finally:
        deaf.kill()
        deaf.communicate()


def test_down_with_a_damaged_run_file_still_finds_the_holder_of_the_lock(narke, running, tmp_path):
    (tmp_path / run_file.FILE).write_text("{")
    result = narke("down")
    assert "is damaged" in said(result)
    assert running.wait(10) == -signal.SIGTERM


def test_down_works_with_settings_that_are_broken(narke, tmp_path):
    (tmp_path / "narke.toml").write_text("nonsense")
    assert narke("down").exit_code == 0


@pytest.mark.integration
def test_doctor_reports_and_sets_the_exit_status(narke):
    well = narke("doctor", "--port", "0", "--http-port", "0")
    assert well.exit_code == 0, said(well)
    assert "0 in the way" in said(well)
    assert "\x1b" not in well.stdout
    ill = narke("doctor", "--port", "0", "--http-port", "0", "--data-dir", "/proc/narke", "--json")
    assert ill.exit_code == 1
    (finding,) = [check for check in json.loads(ill.stdout) if check["name"] == "data directory"]
    assert (finding["status"], "--data-dir" in finding["advice"]) == ("fail", True)


def test_help_loads_nothing_heavy():
    code = (
        "import sys, deploy.cli.server; print([m for m in ('ray', 'pydantic', 'psycopg', 'redis') if m in sys.modules])"
    )
    folder = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=folder)
    assert done.stdout.strip() == "[]"
