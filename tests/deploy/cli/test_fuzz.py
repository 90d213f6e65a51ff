"""`narke fuzz`: its summary, its exit status, and a CSMS that is not there."""

import pytest
from typer.testing import CliRunner

from deploy import fuzzing
from deploy.cli import app
from deploy.fuzzing import Failure, Result
from tests.running import free_port


@pytest.fixture
def run():
    def run(*arguments):
        return CliRunner().invoke(app, ["fuzz", *arguments])

    return run


def test_a_run_is_summed_up_by_answer_and_version(run):
    done = run("--frames", "900", "--seed", "3")
    assert done.exit_code == 0, done.output
    for word in ("900 (seed 3)", "failures", "CALLRESULT", "RpcFrameworkError", "FormationViolation", "2.0.1", "cut"):
        assert word in done.output


def test_a_failure_is_told_with_its_frame_and_the_way_to_see_it_again(run, monkeypatch):
    failure = Failure(7, "2.1", "key twice", "Traceback: planted", '[2,"x"]')
    monkeypatch.setattr(fuzzing, "fuzz", lambda frames, seed, _at: Result(seed, frames, 1.0, failures=[failure]))
    done = run("--frames", "10", "--seed", "5")
    assert done.exit_code == 1
    for word in ("frame 7, 2.1, key twice", '[2,"x"]', "planted", "narke fuzz --frames 10 --seed 5"):
        assert word in done.output


def test_a_leak_is_a_failure(run, monkeypatch):
    grown = Result(1, 10, 1.0, kib_warm=1, kib_end=10**9)
    monkeypatch.setattr(fuzzing, "fuzz", lambda *_: grown)
    done = run("--frames", "10")
    assert (done.exit_code, "memory grew" in done.output) == (1, True)


def test_a_csms_that_is_not_there_is_named(run):
    port = free_port()
    done = run("--frames", "10", "--url", f"ws://127.0.0.1:{port}/ocpp/")
    assert done.exit_code == 6
    assert f"ws://127.0.0.1:{port}/ocpp/FUZZ-" in done.output
    assert "is it running" in done.output
