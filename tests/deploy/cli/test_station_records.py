"""`narke station add, register, import, passwd, list`, through a real HTTP door."""

import asyncio
import csv
import io
import json
import stat

import pytest

from engine.model.stations import StationRecord
from ingress.ocpp.passwords import is_quick, verify_password
from tests.ingress.http.house import NOW


def ok(result):
    assert result.exit_code == 0, result.output
    return result.output


def record(narke, station="CP-1"):
    return asyncio.run(narke.house.book.station(station))


def save(narke, saved):
    asyncio.run(narke.house.book.save_station(saved, NOW))


def test_a_station_is_added_with_a_password_that_is_shown_once(narke):
    result = narke.run("station", "add", "CP-1", "--profile", "2", "--generate-password", "--note", "gate")
    (password,) = [line.removeprefix("password: ") for line in ok(result).splitlines() if line.startswith("password: ")]
    kept = record(narke)
    assert (kept.security_profile, kept.note, is_quick(kept.password_hash)) == (2, "gate", True)
    assert verify_password(kept.password_hash, password.encode())
    assert password not in ok(narke.run("station", "show", "CP-1"))


def test_a_station_is_added_once(narke):
    ok(narke.run("station", "add", "CP-1"))
    again = narke.run("station", "add", "CP-1", "--note", "x")
    assert (again.exit_code, "registered already" in again.output) == (5, True)
    assert record(narke).note is None


def test_a_station_that_needs_a_password_is_not_added_without(narke):
    result = narke.run("station", "add", "CP-1", "--profile", "1")
    assert (result.exit_code, "password" in result.output) == (5, True) or result.exit_code == 2


def test_switches_are_set_and_taken_back(narke):
    ok(narke.run("station", "add", "CP-1", "--profile", "3", "--certificate-name", "SN-1", "--allow-downgrade",
                 "--assume-ocpp16", "--lenient-upgrade"))  # fmt: skip
    assert record(narke) == StationRecord(
        "CP-1",
        security_profile=3,
        certificate_name="SN-1",
        downgrade_allowed=True,
        assume_ocpp16=True,
        lenient_upgrade=True,
    )
    shown = ok(narke.run("station", "show", "CP-1"))
    assert "3 (or 2)" in shown
    assert "ocpp1.6 is assumed; may lack Connection: Upgrade" in shown
    ok(narke.run("station", "register", "CP-1", "--no-downgrade", "--no-assume-ocpp16", "--strict-upgrade"))
    assert record(narke) == StationRecord("CP-1", security_profile=3, certificate_name="SN-1")


def test_a_next_password_is_set_and_given_up(narke):
    ok(narke.run("station", "add", "CP-1"))
    ok(narke.run("station", "passwd", "CP-1", "--stdin", stdin="0123456789abcdef\n"))
    ok(narke.run("station", "passwd", "CP-1", "--next", "--generate"))
    assert record(narke).password_hash_next is not None
    assert "another is on its way" in ok(narke.run("station", "show", "CP-1"))
    ok(narke.run("station", "passwd", "CP-1", "--drop-next"))
    kept = record(narke)
    assert kept.password_hash_next is None
    assert verify_password(kept.password_hash, b"0123456789abcdef")


@pytest.mark.parametrize(("profile", "left"), [(1, 0), (2, 0), (3, 3)])
def test_removing_a_password_leaves_profile_3_as_it_is(narke, profile, left):
    save(narke, StationRecord("CP-1", security_profile=profile, password_hash="x", password_hash_next="y"))
    ok(narke.run("station", "passwd", "CP-1", "--remove"))
    assert record(narke) == StationRecord("CP-1", security_profile=left)


def test_setting_a_password_does_not_lower_the_profile(narke):
    save(narke, StationRecord("CP-1", security_profile=2, password_hash="x"))
    ok(narke.run("station", "passwd", "CP-1", "--generate"))
    assert record(narke).security_profile == 2


def test_a_file_of_stations_is_imported_and_generated_passwords_go_to_a_file_of_their_own(narke, tmp_path):
    save(narke, StationRecord("CP-3", note="kept"))
    file = tmp_path / "stations.csv"
    file.write_text(
        "station,security_profile,password,note\n"
        "CP-1,2,,north\n"
        "CP-2,1,9f86d081884c7d659a2feaa0c55ad015,\n"
        "CP-3,3,,\n"
    )  # fmt: skip
    out = tmp_path / "passwords.csv"
    said = ok(narke.run("station", "import", str(file), "--generate-passwords", "--random-passwords", "-o", str(out)))
    assert "3 stations saved" in said
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert [row["station"] for row in rows] == ["CP-1"]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert verify_password(record(narke, "CP-1").password_hash, rows[0]["password"].encode())
    assert rows[0]["password"] not in said
    assert is_quick(record(narke, "CP-2").password_hash)
    assert (record(narke, "CP-3").note, record(narke, "CP-3").security_profile) == ("kept", 3)


def test_generated_passwords_are_not_lost_when_their_file_cannot_be_written(narke, tmp_path):
    file, out = tmp_path / "stations.json", tmp_path / "there-already"
    file.write_text(json.dumps(["CP-1"]))
    out.write_text("precious")
    said = ok(narke.run("station", "import", str(file), "--generate-passwords", "-o", str(out)))
    (line,) = [line for line in said.splitlines() if line.startswith("CP-1,")]
    assert verify_password(record(narke).password_hash, line.removeprefix("CP-1,").encode())
    assert out.read_text() == "precious"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "columns are missing"),
        ("identity\nCP-1\n", "columns are identity"),
        ("station,note\n,x\n", "line 2 names no station"),
        ("station\nCP-1\ncp-1\n", "line 2 already"),
        ("station,security_profile\nCP-1,two\n", "security_profile is 'two'"),
        ("station,lenient_upgrade\nCP-1,maybe\n", "lenient_upgrade is 'maybe'"),
        ("station\n", "holds no stations"),
        ("[1", "is no JSON"),
        ('[{"note": "x"}]', "item 1 names no station"),
        ("station,security_profile\nCP-1,0\nCP-2,1\n", "line 3: password"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(narke, tmp_path, content, words):
    file = tmp_path / "stations.csv"
    file.write_text(content)
    result = narke.run("station", "import", str(file))
    assert result.exit_code != 0
    assert words in " ".join(result.output.split())


def test_the_list_is_filtered(narke):
    for number, fields in enumerate(({}, {"security_profile": 2}, {"password_hash_next": "x"})):
        save(narke, StationRecord(f"CP-{number}", **fields))
    for arguments in (["--profile", "2"], ["--changing"], ["--registration", "Accepted"], ["--registered"]):
        json.loads(ok(narke.run("station", "list", *arguments, "--json")))
