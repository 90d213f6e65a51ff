"""The measured Narke: found or not found, up or not up. That it is measured is test_bench.py's business."""

import json
import os
import sys
from pathlib import Path

import pytest

from loadtests.bench import system
from loadtests.bench.driving import Failed


def test_no_narke_on_a_data_directory_says_how_to_start_one(tmp_path):
    with pytest.raises(Failed, match=f"no Narke runs on {tmp_path} .*narke up --data-dir"):
        system.attach(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "{}", json.dumps({"pid": 2**22 + 1})])
def test_a_run_file_that_is_stale_or_broken_is_no_narke(tmp_path, text):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/narke.json").write_text(text)
    with pytest.raises(Failed, match="no Narke runs"):
        system.attach(tmp_path)


def test_foreign_servers_are_refused_with_the_reason(tmp_path):
    narke = system.Narke(tmp_path, {"pid": os.getpid(), "processes": {}})
    with pytest.raises(Failed, match="names no embedded redis"):
        narke.redis()


def fake_narke(folder, monkeypatch, body):
    """A program `narke` that is run instead of the real one."""
    program = folder / "narke"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))


def test_a_narke_that_ends_at_once_shows_the_end_of_its_log(tmp_path, monkeypatch):
    fake_narke(tmp_path, monkeypatch, 'echo "port 9000 is taken"; echo "$@"; exit 1')
    with (
        pytest.raises(Failed, match=r"Narke ended before it was ready(.*\n)*.*port 9000 is taken") as failed,
        system.running(tmp_path / "run", settings={"actors.stations_per_actor": "1"}),
    ):
        pass
    assert f"up --data-dir {tmp_path}/run/data --port" in str(failed.value)
    assert "--set ocpp.messages_per_s=100000" in str(failed.value)
    assert "--set actors.stations_per_actor=1" in str(failed.value)


def test_a_narke_that_does_not_come_up_is_given_up_and_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(system, "START_S_MAX", 0.5)
    monkeypatch.setattr(system, "STOP_S_MAX", 5)  # where the tests run in the background, sleep ignores SIGINT
    fake_narke(tmp_path, monkeypatch, f"echo $$ > {tmp_path}/pid; echo thinking; exec sleep 60")
    with pytest.raises(Failed, match=r"was not ready within 0 s(.*\n)*.*thinking"), system.running(tmp_path / "run"):
        pass
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


def test_settings_of_the_user_are_not_for_the_measured_narke(tmp_path, monkeypatch):
    monkeypatch.setenv("NARKE_OCPP__PORT", "1")
    fake_narke(tmp_path, monkeypatch, "env; exit 1")
    with pytest.raises(Failed), system.running(tmp_path / "run"):
        pass
    assert "NARKE_OCPP__PORT" not in (tmp_path / "run/narke.log").read_text()
