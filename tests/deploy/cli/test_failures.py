"""Failures: what, where, what to do, on stderr, and an exit status that scripts can tell them by."""

import json
import os

import pytest

from deploy import run_file
from engine.model.commands import Outcome, Result
from ingress.http.keys import KEY_FILE
from tests.ingress.http.house import NOW


def told(result, code, *parts):
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    for part in ("error: ", "to do: ", *parts):
        assert part in result.stderr, result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("payload", "parts"),
    [
        ('{"a": 1,}', ["line 1, column 9", '{"a": 1,}', "        ^"]),
        ("{a: 1}", ["line 1, column 2"]),
        ("", ["line 1, column 1"]),
        ("[1]", ["is a list", "JSON object"]),
        ("7", ["is a number"]),
        ("null", ["is null"]),
        ('{"a": NaN}', ["NaN"]),
        ("@/nowhere/payload.json", ["/nowhere/payload.json", "No such file"]),
        ("[" * 100_000, ["no JSON"]),
    ],
)
def test_wrong_json_is_shown_with_its_place(narke, payload, parts):
    narke.house.add_station("CP-1")
    told(narke.run("send", "CP-1", "Reset", payload), 2, *parts)
    assert narke.house.gateway.requests == []


def test_wrong_json_in_a_file_and_on_stdin_is_told_likewise(narke, tmp_path):
    file = tmp_path / "payload.json"
    file.write_text('{\n  "a": 1,\n  b\n}')
    told(narke.run("send", "CP-1", "Reset", f"@{file}"), 2, str(file), "line 3, column 3", "  b\n")
    told(narke.run("send", "CP-1", "Reset", "-", stdin="{"), 2, "standard input", "line 1, column 2")


@pytest.mark.parametrize(
    "arguments",
    [
        ["station", "show", "NOPE"],
        ["messages", "NOPE"],
        ["send", "NOPE", "Reset"],
        ["start", "NOPE", "--token", "T"],
        ["stop", "NOPE"],
        ["reset", "NOPE"],
        ["transaction", "NOPE", "1"],
        ["tokens", "show", "NOPE"],
        ["tokens", "remove", "NOPE"],
        ["command", "show", "NOPE"],
        ["keys", "remove", "NOPE"],
    ],
)
def test_what_is_not_there_is_exit_3_with_the_command_that_lists_what_is(narke, arguments):
    result = narke.run(*arguments)
    told(result, 3, "NOPE", "`narke ")
    assert "GET /api" not in result.stderr


@pytest.mark.parametrize(
    ("outcome", "code", "part"),
    [
        (Outcome(Result.OFFLINE), 4, "not connected"),
        (Outcome(Result.TIMED_OUT), 4, "did not answer"),
        (Outcome(Result.LOST), 4, "connection of CP-1 ended"),
        (Outcome(Result.NOT_EXPRESSIBLE, detail="OCPP 1.6 has no action GetFoo"), 5, "no action GetFoo"),
        (Outcome(Result.NOT_EXPRESSIBLE, detail="connectorId: must be of type integer"), 5, "connectorId"),
    ],
)
def test_a_station_that_does_not_do_it_has_its_exit_status(narke, outcome, code, part):
    narke.house.add_station("CP-1")
    narke.house.gateway.outcome = outcome
    told(narke.run("send", "CP-1", "GetFoo", "{}"), code, part)


@pytest.mark.parametrize("result", [Result.REFUSED, Result.FAILED])
def test_a_no_of_the_station_is_exit_5_and_its_answer_is_printed(narke, result):
    narke.house.add_station("CP-1")
    narke.house.gateway.outcome = Outcome(result, status="Rejected", detail="busy", payload=b'{"status":"Rejected"}')
    said = narke.run("reset", "CP-1")
    assert said.exit_code == 5
    assert f"CP-1: {result} Rejected (busy)" in said.stdout
    assert json.loads(narke.run("reset", "CP-1", "--json").stdout)["result"] == result


def test_no_narke_is_running(narke, tmp_path):
    told(narke.run("stations", "--data-dir", str(tmp_path / "none")), 6, str(tmp_path / "none"), "narke up", "--url")


def test_a_stale_run_file_is_no_running_narke(narke, tmp_path):
    other = tmp_path / "stale"
    info = run_file.RunInfo(
        pid=os.getpid(), pid_birth=1, started_at=NOW.isoformat(), http_url=narke.url, ocpp_url="", api_key_file="",
        data_dir=str(other), version="1",
    )  # fmt: skip
    run_file.write(other, info)
    told(narke.run("stations", "--data-dir", str(other)), 6, "is gone", "narke up")


def test_a_broken_run_file_is_told(narke, tmp_path):
    (tmp_path / "b" / "run").mkdir(parents=True)
    (tmp_path / "b" / "run" / "narke.json").write_text("{")
    told(narke.run("stations", "--data-dir", str(tmp_path / "b")), 6, "run file", "damaged")


def test_nobody_at_the_url(narke):
    told(narke.run("--url", "http://127.0.0.1:1", "stations"), 6, "http://127.0.0.1:1", "refused")


@pytest.mark.parametrize("url", ["foo", "ftp://x", "http://", "http://x:y"])
def test_a_url_that_is_none(narke, url):
    told(narke.run("stations", "--url", url), 2, url)


def test_a_wrong_key(narke):
    told(narke.run("stations", "--key", "narke_wrong"), 5, "API key", "--key")
    told(narke.run("stations", env={"NARKE_API_KEY": "narke_wrong"}), 5, "API key")
    told(narke.run("stations", "--key", "with space"), 2, "API key")


def test_no_key_on_disk(narke):
    (narke.data_dir / KEY_FILE).unlink()
    told(narke.run("stations"), 2, KEY_FILE, "--key")


def test_the_key_on_disk_does_not_travel_to_another_machine(narke):
    told(narke.run("stations", "--url", "http://narke.example"), 2, "no API key", "--key")


def test_a_key_that_does_not_reach_far_enough(narke):
    key = narke.run("keys", "add", "reader", "--scope", "read").stdout.strip()
    assert narke.run("stations", "--key", key).exit_code == 0
    told(narke.run("tokens", "add", "T", "--key", key), 5, "operate")


def test_something_else_at_the_url(narke):
    told(narke.run("stations", "--url", f"{narke.url}/elsewhere"), 3, "nothing is here")


def test_postgres_down_is_6(narke):
    narke.house.projection.down = True
    told(narke.run("stations"), 6, "PostgreSQL", "narke doctor")
    status = narke.run("status")
    assert status.exit_code == 6
    assert "PostgreSQL does not answer" in status.stdout


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "5x", ""])
def test_a_time_that_is_none(narke, text):
    told(narke.run("transactions", "--since", text), 2, "--since", "2026-05-01")


@pytest.mark.parametrize(
    "arguments",
    [
        ["stationz"],
        ["send", "CP-1"],
        ["start", "CP-1"],
        ["stations", "--limit", "-1"],
        ["messages", "CP-1", "--direction", "up"],
        ["transactions", "--csv", "--json"],
        ["transactions", "--output", "x"],
        ["stop", "CP-1", "1", "--transaction", "2"],
        ["station", "log", "CP-1", "maybe"],
        ["station", "passwd", "CP-1", "--stdin", "--remove"],
    ],
)
def test_a_wrong_command_line_is_exit_2(narke, arguments):
    result = narke.run(*arguments)
    assert result.exit_code == 2
    assert result.stderr
    assert narke.house.gateway.requests == []


def test_a_file_that_cannot_be_written(narke, tmp_path):
    narke.house.add_transactions("CP-1", 1)
    told(narke.run("transactions", "--csv", "-o", str(tmp_path / "no" / "x.csv")), 2, "x.csv", "cannot be written")


@pytest.mark.parametrize(
    ("name", "content", "parts"),
    [
        ("a.csv", "tokn\nA\n", ["line 1", "tokn"]),
        ("a.csv", "token,blocked\nA,maybe\n", ["line 2", "blocked", "maybe"]),
        ("a.csv", "token,note\nA,b,c\n", ["line 2", "more values"]),
        ("a.csv", "token,note\n,b\n", ["line 2", "names no token"]),
        ("a.csv", "token\nA\na\n", ["line 3", "line 2 already"]),
        ("a.csv", "token,expires_at\nA,soon\n", ["line 2", "soon"]),
        ("a.csv", "token\n", ["holds no tokens"]),
        ("a.csv", "", ["line 1", "missing"]),
        ("a.json", '["A", {"note": "x"}]', ["item 2", "names no token"]),
        ("a.json", '["A",', ["line 1"]),
        ("a.json", '["A", {"token": "B", "blokced": true}]', ["item 2", "blokced"]),
    ],
)
def test_a_wrong_file_of_tokens_saves_nothing_and_says_where(narke, tmp_path, name, content, parts):
    file = tmp_path / name
    file.write_text(content)
    result = narke.run("tokens", "import", str(file))
    assert result.exit_code in {2, 5}
    told(result, result.exit_code, str(file), *parts)
    assert narke.house.store.values == {}
