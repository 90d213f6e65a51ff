"""A Narke as its data directory shows it, on folders and processes made for the test."""

import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from loadtests.audit.options import AuditError
from loadtests.audit.running import RunningNarke, is_narkes

PRINTS = (sys.executable, "-c", "import sys; print(sys.argv[1:])")
FAILS = (sys.executable, "-c", "import sys; sys.exit('no such token')")


def write(folder, **content):
    (folder / "run").mkdir(exist_ok=True)
    (folder / "run" / "narke.json").write_text(json.dumps(content))


def test_the_run_file_tells_urls_and_processes(tmp_path):
    write(tmp_path, ocpp_url="ws://127.0.0.1:9/ocpp", processes={"redis": 5})
    narke = RunningNarke(tmp_path, PRINTS)
    assert narke.ocpp_url == "ws://127.0.0.1:9/ocpp"
    assert narke.processes == {"redis": 5}


@pytest.mark.parametrize("content", [None, "{", "[1]"])
def test_a_run_file_that_cannot_be_read_is_told(tmp_path, content):
    if content is not None:
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "narke.json").write_text(content)
    with pytest.raises(AuditError, match=r"narke\.json"):
        _ = RunningNarke(tmp_path, PRINTS).processes


def test_the_url_of_the_embedded_postgres_has_its_password(tmp_path):
    (tmp_path / "servers.json").write_text('{"postgres": {"port": 5}}')
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "postgres.password").write_text("a/b\n")
    assert RunningNarke(tmp_path, PRINTS).postgres_url == "postgresql://narke:a%2Fb@127.0.0.1:5/narke"
    assert RunningNarke(tmp_path, PRINTS, "postgresql://x").postgres_url == "postgresql://x"


def test_without_an_embedded_postgres_the_option_is_named(tmp_path):
    with pytest.raises(AuditError, match="--postgres-url"):
        _ = RunningNarke(tmp_path, PRINTS).postgres_url


def test_a_command_is_told_the_data_directory_and_its_failure_is_told(tmp_path):
    assert str(tmp_path) in RunningNarke(tmp_path, PRINTS).command("tokens", "add", "X")
    with pytest.raises(AuditError, match="`narke tokens add X` failed: no such token"):
        RunningNarke(tmp_path, FAILS).command("tokens", "add", "X")


def test_it_is_ready_when_it_says_so(tmp_path):
    narke = RunningNarke(tmp_path, PRINTS)
    assert not narke.is_ready(), "no run file"
    statuses = [503, 200]

    class Ready(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(statuses.pop(0))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Ready) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        write(tmp_path, http_url=f"http://127.0.0.1:{server.server_port}")
        assert not narke.is_ready()
        assert narke.is_ready()
        server.shutdown()
    assert not narke.is_ready(), "nobody listens"


def test_only_living_processes_of_their_kind_are_narkes(tmp_path):
    sleeps = "import sys; print(1, flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", sleeps, "redis-server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        child.stdout.readline()
        assert is_narkes("redis", child.pid)
        assert not is_narkes("postgres", child.pid), "a number that somebody else has now"
        assert not is_narkes("ingress-0", os.getpid()), "pytest is no actor of Ray"
        write(tmp_path, processes={"redis": child.pid, "stations-0": child.pid})
        assert RunningNarke(tmp_path, PRINTS).living == {"redis": child.pid}
        child.stdin.close()
    assert not is_narkes("redis", child.pid)
