"""The run file: whole or not at all, and honest about who lives."""

import json
import os
import subprocess
import sys

import pytest

from deploy import run_file
from deploy.processes import birth_of
from deploy.run_file import RunFileBroken, RunInfo


def info(pid, **more):
    return RunInfo(
        pid=pid,
        started_at="2026-01-01T00:00:00Z",
        http_url="http://127.0.0.1:8080",
        ocpp_url="ws://127.0.0.1:9000/ocpp",
        api_key_file="/k",
        data_dir="/d",
        version="0.1.0",
        **more,
    )


@pytest.fixture
def child():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def test_what_was_written_is_read(tmp_path):
    written = info(os.getpid(), processes={"redis": 12}, prometheus_targets_file="/t")
    run_file.write(tmp_path, written)
    state = run_file.read(tmp_path)
    assert state.running
    assert state.info.processes == {"redis": 12}
    assert state.info.pid_birth == birth_of(os.getpid())


def test_nothing_is_read_where_nothing_is(tmp_path):
    assert run_file.read(tmp_path) is None
    assert run_file.read(tmp_path / "no" / "such") is None


def test_a_file_whose_process_is_gone_is_stale(tmp_path, child):
    run_file.write(tmp_path, info(child.pid))
    assert run_file.read(tmp_path).running
    child.kill()
    child.wait()
    assert not run_file.read(tmp_path).running


def test_a_zombie_does_not_count_as_running(tmp_path, child):
    run_file.write(tmp_path, info(child.pid))
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, but not reaped
    assert not run_file.read(tmp_path).running


def test_a_reused_pid_is_not_taken_for_narke(tmp_path):
    run_file.write(tmp_path, info(os.getpid(), pid_birth=birth_of(os.getpid()) - 1))
    assert not run_file.read(tmp_path).running


def test_only_the_owner_or_a_stale_file_is_removed(tmp_path, child):
    run_file.write(tmp_path, info(child.pid))
    run_file.remove(tmp_path)
    assert run_file.read(tmp_path) is not None
    child.kill()
    child.wait()
    run_file.remove(tmp_path)
    assert run_file.read(tmp_path) is None
    run_file.write(tmp_path, info(os.getpid()))
    run_file.remove(tmp_path)
    assert run_file.read(tmp_path) is None
    run_file.remove(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": "x"}', b"\xff\xfe"])
def test_a_damaged_file_says_what_to_do(tmp_path, content):
    (tmp_path / "run").mkdir()
    (tmp_path / run_file.FILE).write_bytes(content)
    with pytest.raises(RunFileBroken, match=r"narke\.json is damaged .* delete the file"):
        run_file.read(tmp_path)
    run_file.remove(tmp_path)
    assert run_file.read(tmp_path) is None


def test_a_failed_write_leaves_the_old_file_and_no_part(tmp_path):
    path = tmp_path / "f.json"
    run_file.write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        run_file.write_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["f.json"]


def test_targets_have_the_form_of_prometheus(tmp_path):
    path = run_file.write_prometheus_targets(tmp_path, [{"targets": ["127.0.0.1:8080"], "labels": {"node": "a"}}])
    assert json.loads(path.read_text()) == [{"targets": ["127.0.0.1:8080"], "labels": {"node": "a"}}]
