"""The everyday commands against a running Narke."""

import asyncio
import csv
import io
import json
from datetime import timedelta

import msgspec
import pytest

from deploy.cli.client import Api
from deploy.cli.connection import Named, address_of
from deploy.cli.following import follow_arrivals, follow_transactions
from engine.model.authorization import Token
from engine.model.commands import Outcome, Result
from engine.model.ids import EvseRef
from engine.model.notices import RawCommand
from engine.model.provisioning import ResetKind, ResetStation
from engine.model.remote_control import RequestStart, RequestStop, TriggerMessage, UnlockConnector
from ingress.ocpp.passwords import verify_password
from tests.ingress.http.house import NOW


def ok(result):
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"], ["stations"], ["station", "show", "CP-1"], ["transactions"], ["messages", "CP-1"],
        ["events", "CP-1"], ["tokens", "list"], ["tokens", "show", "T"], ["command", "list"],
        ["campaign", "list"], ["records"], ["records", "campaigns"], ["keys", "list"],
        ["version"], ["transaction", "CP-1", "tx-0"], ["reset", "CP-1"],
    ],
)  # fmt: skip
def test_everything_speaks_json_and_fits_100_columns(narke, arguments):
    house = narke.house
    house.add_station("CP-1")
    house.add_transactions("CP-1", 2)
    house.add_message("CP-1", "Heartbeat")
    house.add_event("CP-1", "booted")
    house.add_meter_value("CP-1", "tx-0", 5.0)
    house.add_command("CP-1")
    house.add_campaign()
    asyncio.run(house.add_token("T"))
    json.loads(ok(narke.run(*arguments, "--json")))
    told = ok(narke.run(*arguments))
    assert told
    assert max(map(len, told.splitlines())) <= 100


@pytest.mark.parametrize("limit", ["0", "2500", "1001"])
def test_a_listing_walks_over_as_many_pages_as_it_needs(narke, limit):
    narke.house.add_transactions("CP-1", 2300)
    rows = json.loads(ok(narke.run("transactions", "--json", "--limit", limit)))
    wanted = 2300 if limit == "0" else min(2300, int(limit))
    assert [row["transaction_id"] for row in rows] == [f"tx-{number}" for number in range(wanted)]


def test_what_is_cut_off_is_said(narke):
    narke.house.add_transactions("CP-1", 5)
    assert "--limit 0" in narke.run("transactions", "--limit", "3").stderr
    assert "--limit 0" not in narke.run("transactions").stderr


def test_transactions_are_filtered(narke):
    narke.house.add_transactions("CP-1", 3, lambda n: {"token": f"T{n}", "ended_at": NOW if n else None})
    narke.house.add_transactions("CP-2", 1)
    found = json.loads(ok(narke.run("transactions", "--station", "CP-1", "--open", "--json")))
    assert [row["transaction_id"] for row in found] == ["tx-0"]
    found = json.loads(ok(narke.run("transactions", "--token", "t2", "--json")))
    assert [row["transaction_id"] for row in found] == ["tx-2"]
    found = json.loads(ok(narke.run("transactions", "--station", "CP-1", "--since", "2026-05-01T11:59Z", "--json")))
    assert [row["transaction_id"] for row in found] == ["tx-0", "tx-1"]
    assert json.loads(ok(narke.run("transactions", "--since", "1h", "--until", "1s", "--json"))) == []


def test_exports_are_whole_files(narke, tmp_path):
    narke.house.add_transactions("CP-1", 1200)
    table, array, empty = tmp_path / "t.csv", tmp_path / "t.json", tmp_path / "e.json"
    ok(narke.run("transactions", "--csv", "-o", str(table)))
    ok(narke.run("transactions", "--json", "--limit", "0", "-o", str(array)))
    ok(narke.run("transactions", "--json", "--station", "none", "-o", str(empty)))
    with table.open(newline="") as file:
        assert [row["transaction_id"] for row in csv.DictReader(file)] == [f"tx-{number}" for number in range(1200)]
    assert len(json.loads(array.read_text())) == 1200
    assert json.loads(empty.read_text()) == []
    assert [file.name for file in tmp_path.iterdir() if file.name.endswith(".part")] == []
    printed = ok(narke.run("transactions", "--csv"))
    assert len(list(csv.reader(io.StringIO(printed, newline="")))) == 1201


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["start", "--token", "T", "--evse", "2"], RequestStart(Token("T"), EvseRef(2), 1)),
        (["stop", "42"], RequestStop("42")),
        (["stop", "--transaction", "42"], RequestStop("42")),
        (["reset"], ResetStation(ResetKind.ON_IDLE)),
        (["reset", "--soft"], ResetStation(ResetKind.ON_IDLE)),
        (["reset", "--hard"], ResetStation(ResetKind.IMMEDIATE)),
        (["unlock", "2"], UnlockConnector(EvseRef(2, 1))),
        (
            ["trigger", "StatusNotification", "--evse", "1", "--connector", "2"],
            TriggerMessage("StatusNotification", EvseRef(1, 2)),
        ),
        (["send", "ClearCache"], RawCommand("ClearCache", b"{}")),
        (["send", "GetLog", '{"a": [1, "\u00e9"]}'], RawCommand("GetLog", '{"a":[1,"\u00e9"]}'.encode())),
    ],
)
def test_a_command_reaches_the_station_as_its_word(narke, arguments, word):
    narke.house.add_station("CP-1")
    name, *rest = arguments
    assert "CP-1: accepted Accepted" in ok(narke.run(name, "CP-1", *rest, "--deadline", "7"))
    (request,) = narke.house.gateway.requests
    assert request.command == word
    assert request.deadline_at - request.requested_at == timedelta(seconds=7)


def test_a_payload_comes_from_a_file_or_from_stdin_too(narke, tmp_path):
    narke.house.add_station("CP-1")
    file = tmp_path / "payload.json"
    file.write_text('{"from": "file"}')
    ok(narke.run("send", "CP-1", "A", f"@{file}"))
    ok(narke.run("send", "CP-1", "A", "-", stdin='{"from": "stdin"}'))
    assert [request.command.payload for request in narke.house.gateway.requests] == [
        b'{"from":"file"}',
        b'{"from":"stdin"}',
    ]


def test_the_answer_of_the_station_is_shown(narke):
    narke.house.add_station("CP-1")
    narke.house.gateway.outcome = Outcome(Result.ACCEPTED, payload=b'{"listVersion": 7}')
    assert '"listVersion": 7' in ok(narke.run("send", "CP-1", "GetLocalListVersion"))


def test_stop_finds_the_only_open_transaction(narke):
    narke.house.add_station("CP-1")
    narke.house.add_transactions("CP-1", 2, lambda number: {"ended_at": NOW if number else None})
    ok(narke.run("stop", "CP-1"))
    assert narke.house.gateway.requests[0].command == RequestStop("tx-0")
    narke.house.add_transactions("CP-1", 2)
    assert narke.run("stop", "CP-1").exit_code == 2


def test_tokens_live_from_add_to_remove(narke):
    ok(narke.run("tokens", "add", "AbC", "--group", "g", "--expires", "2027-01-01", "--note", "n"))
    token = json.loads(ok(narke.run("tokens", "show", "abc", "--json")))
    assert (token["token"], token["group"], token["note"], token["blocked"]) == ("AbC", "g", "n", False)
    assert token["expires_at"].startswith("202")
    ok(narke.run("tokens", "remove", "ABC"))
    assert narke.run("tokens", "show", "abc").exit_code == 3


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "t.csv",
            "token,blocked,group\n"
            + "".join(f"T{number},{'yes' if number == 7 else ''},g\n" for number in range(2500)),
        ),
        (
            "t.csv",
            "\ufefftoken,blocked,group\r\n" + "".join(f"T{number},{number == 7},g\r\n" for number in range(2500)),
        ),
        (
            "t.json",
            json.dumps([{"token": f"T{number}", "blocked": number == 7, "group": "g"} for number in range(2500)]),
        ),
    ],
)
def test_an_import_saves_every_token_of_the_file(narke, tmp_path, name, content):
    file = tmp_path / name
    file.write_bytes(content.encode())
    assert "2500 tokens saved" in ok(narke.run("tokens", "import", str(file)))
    records = [asyncio.run(narke.house.book.token(f"t{number}")) for number in (0, 7, 2499)]
    assert [(record.blocked, record.group) for record in records] == [(False, "g"), (True, "g"), (False, "g")]


def test_a_station_is_registered_and_changed_bit_by_bit(narke):
    ok(narke.run("station", "register", "NEW", "--note", "north"))
    ok(narke.run("station", "log", "NEW", "on"))
    ok(narke.run("station", "passwd", "NEW", "--stdin", stdin="0123456789abcdef\n"))
    record = asyncio.run(narke.house.book.station("NEW"))
    assert (record.note, record.message_log, record.security_profile) == ("north", True, 1)
    assert verify_password(record.password_hash, b"0123456789abcdef")
    ok(narke.run("station", "passwd", "NEW", stdin="another-password\nanother-password\n"))
    assert verify_password(asyncio.run(narke.house.book.station("NEW")).password_hash, b"another-password")
    ok(narke.run("station", "passwd", "NEW", "--remove"))
    ok(narke.run("station", "log", "NEW", "default"))
    ok(narke.run("station", "register", "NEW", "--registration", "Pending"))
    record = asyncio.run(narke.house.book.station("NEW"))
    assert (record.password_hash, record.security_profile, record.message_log) == (None, 0, None)
    assert (record.note, record.registration) == ("north", "Pending")


def test_messages_come_oldest_first_and_filtered(narke):
    narke.house.add_station("CP-1")
    for action in ("BootNotification", "Heartbeat", "Reset"):
        narke.house.add_message("CP-1", action, direction="out" if action == "Reset" else "in", outcome="ok")
    lines = ok(narke.run("messages", "CP-1")).splitlines()
    assert [word in line for word, line in zip(("BootNotification", "Heartbeat", "Reset"), lines, strict=True)] == [
        True
    ] * 3
    assert " > call" in lines[0]
    assert " < call" in lines[2]
    assert len(ok(narke.run("messages", "CP-1", "--direction", "out")).splitlines()) == 1
    assert len(ok(narke.run("messages", "CP-1", "--action", "Heartbeat")).splitlines()) == 1


def test_a_station_cannot_write_to_the_terminal(narke):
    narke.house.add_station("CP-1", vendor="[red]\x1b[2Jgone", model="[/]")
    narke.house.add_message("CP-1", "X", frame="\x1b]0;owned\x07")
    for arguments in (["stations"], ["station", "show", "CP-1"], ["messages", "CP-1"]):
        assert "\x1b" not in ok(narke.run(*arguments))
    assert "[red]?[2Jgone" in ok(narke.run("stations"))


def api_of(narke):
    return Api(address_of(Named(data_dir=narke.data_dir)))


def take(rows, count):
    return [next(rows) for _ in range(count)]


def test_followed_messages_come_once_each_in_order(narke):
    narke.house.add_station("CP-1")
    added = [narke.house.add_message("CP-1", "A").id for _ in range(5)]

    def meanwhile():
        added.append(narke.house.add_message("CP-1", "B").id)

    with api_of(narke) as api:
        rows = follow_arrivals(api, "/api/v1/stations/CP-1/messages", {}, 3, meanwhile)
        seen = [row["id"] for row in take(rows, 7)]
    assert seen == added[2:9]


def test_following_an_empty_listing_begins_with_what_comes(narke):
    narke.house.add_station("CP-1")
    with api_of(narke) as api:
        where = "/api/v1/stations/CP-1/messages"
        rows = follow_arrivals(api, where, {}, 0, lambda: narke.house.add_message("CP-1", "B"))
        assert [row["action"] for row in take(rows, 2)] == ["B", "B"]


def test_followed_transactions_come_once_per_change(narke):
    narke.house.add_transactions("CP-1", 2)
    key = ("CP-1", "tx-0")
    table = narke.house.projection.tables.transactions
    steps = iter(range(1, 100))

    def meanwhile():
        step = next(steps)
        if step % 2 == 0:  # every other look finds nothing new
            later = NOW + timedelta(seconds=step)
            table[key] = msgspec.structs.replace(table[key], updated_at=later, energy_wh=1000.0 * step)

    with api_of(narke) as api:
        seen = take(follow_transactions(api, {}, 10, meanwhile), 4)
    assert sorted(row["transaction_id"] for row in seen[:2]) == ["tx-0", "tx-1"]
    assert [(row["transaction_id"], row["energy_wh"]) for row in seen[2:]] == [("tx-0", 2000.0), ("tx-0", 4000.0)]


def test_global_options_work_before_and_after_the_command(narke, tmp_path):
    narke.house.add_station("CP-1")
    elsewhere = {"NARKE_DATA_DIR": str(tmp_path / "none")}
    ok(narke.run("--data-dir", str(narke.data_dir), "stations", env=elsewhere))
    ok(narke.run("stations", "--data-dir", str(narke.data_dir), env=elsewhere))
    key = (narke.data_dir / "api-key").read_text().strip()
    ok(narke.run("--url", narke.url, "--key", key, "stations", env=elsewhere))
    ok(narke.run("stations", env=elsewhere | {"NARKE_URL": f"{narke.url}/", "NARKE_API_KEY": key}))


def test_keys_are_made_listed_and_removed(narke):
    key = json.loads(ok(narke.run("keys", "add", "grafana", "--json")))["key"]
    assert narke.run("stations", "--key", key).exit_code == 0
    listed = json.loads(ok(narke.run("keys", "list", "--json")))
    assert [(row["name"], row["scope"]) for row in listed] == [("first", "admin"), ("grafana", "read")]
    assert key not in json.dumps(listed)
    assert narke.run("keys", "add", "grafana").exit_code == 2
    ok(narke.run("keys", "remove", "grafana"))
    assert narke.run("stations", "--key", key).exit_code == 5
