"""Children of the benchmark: real generators against real yardsticks, and children that fail or stay."""

import contextlib
import signal
import subprocess
import sys
import time

import psutil
import pytest
from websockets.sync.client import connect

from loadtests.bench.crew import Way
from loadtests.bench.driving import Failed, Generator, Yardstick, free_port, last_lines, running_yardstick, start, stop
from loadtests.bench.measuring import Load, measure

QUICKLY = Way(per_s=0.0, statuses=True, transaction=True, deadline_s=20.0)


@pytest.mark.integration
@pytest.mark.parametrize("name", ["echo", "library"])
def test_a_yardstick_answers_the_generator_and_its_cpu_is_read(name, tmp_path):
    with running_yardstick(name, tmp_path) as (yardstick, generator):
        assert generator.grow(8, QUICKLY)["retries"] == {}
        measured = measure(yardstick, generator, Load(8, 0.3))
        assert measured.answered > 8
        assert measured.failures == {}
        assert measured.cpu_us.keys() == {name}
        assert measured.cpu_us_all > 0
        assert measured.generator_us > 0
        children = psutil.Process().children()
    assert not any(child.is_running() for child in children if "loadtests.bench" in " ".join(_command(child)))


def _command(process):
    with contextlib.suppress(psutil.Error):
        return process.cmdline()
    return []


@pytest.mark.integration
def test_the_library_validates(tmp_path):
    """A yardstick that let everything pass would flatter nobody but itself."""
    with running_yardstick("library", tmp_path) as (yardstick, _generator):
        options = {"subprotocols": ["ocpp1.6"], "proxy": None}
        with connect(f"{yardstick.url}/A", **options) as station:
            station.send('[2,"1","MeterValues",{"connectorId":"one"}]')
            assert station.recv(timeout=10).startswith('[4,"1","TypeConstraintViolation"')


@pytest.mark.integration
def test_stations_that_cannot_connect_are_a_failure_that_says_why(tmp_path):
    generator = Generator(f"ws://127.0.0.1:{free_port()}/ocpp", tmp_path, "B-", "T")
    try:
        with pytest.raises(Failed, match=r"only 0 of 2 stations came up within 0 s: .*refused"):
            generator.grow(2, Way(0.0, statuses=False, transaction=False, deadline_s=0.4))
    finally:
        generator.stop()


@pytest.mark.integration
def test_a_generator_that_died_is_a_failure_that_shows_its_log(tmp_path):
    generator = Generator("ws://127.0.0.1:1/ocpp", tmp_path, "B-", "T")
    try:
        generator._ask({"do": "mark"})
        with pytest.raises(Failed, match=r"the generator ended; its log says:\n(.*\n)*.*an order that is not known"):
            generator._ask({"do": "dance"})
        with pytest.raises(Failed, match="the generator ended"):
            generator.mark()
    finally:
        generator.stop()


@pytest.mark.integration
def test_a_server_whose_port_is_taken_is_a_failure_that_shows_its_log(tmp_path, monkeypatch):
    first = Yardstick("echo", tmp_path)
    monkeypatch.setattr("loadtests.bench.driving.free_port", lambda: first._port)
    try:
        first.wait_until_up()
        second = Yardstick("echo", tmp_path)
        assert second._process.wait(20) != 0
        with pytest.raises(Failed, match=r"does not listen on port(.*\n)*.*address already in use"):
            second.wait_until_up()
    finally:
        first.stop()


def test_a_child_that_does_not_want_to_end_is_killed(tmp_path):
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); signal.pause()"
    child = start([sys.executable, "-c", stubborn], tmp_path / "log", asked=True)
    assert child.stdout.readline() == b"1\n"
    stop(child, signal.SIGTERM, 0.05)
    assert child.returncode == -signal.SIGKILL
    child.stdin.close()
    child.stdout.close()


def test_a_child_ends_with_its_parent(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from loadtests.bench.driving import start;"
        f"print(start(['sleep', '60'], Path({str(tmp_path / 'log')!r})).pid, flush=True); sys.stdin.readline()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 20
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_log_that_is_not_there_has_no_last_lines(tmp_path):
    assert last_lines(tmp_path / "none") == ""
    (tmp_path / "log").write_text("\n".join(map(str, range(100))))
    assert last_lines(tmp_path / "log", 2) == "    98\n    99"
