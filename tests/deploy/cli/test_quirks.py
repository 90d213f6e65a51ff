"""`narke quirks` against a running HTTP door."""

import asyncio
import json

import pytest

from engine.model.facts import JournalEntry, StationFacts
from engine.model.quirks import Make, OdditiesCounted
from engine.model.sessions import StationUnresponsive
from engine.model.stations import StationRecord
from engine.quirk_files import load
from ingress.http.app import create_app
from ingress.http.keys import ApiKeys
from storage.journal_reader import StreamEntry
from tests.ingress.http.house import NOW, TestHouse


@pytest.fixture
def narke(narke, door, tmp_path):
    narke.house = TestHouse(keys=ApiKeys(tmp_path), quirks=load())
    narke.house.add_station("CP-1", vendor="Acme", model="One", firmware_version="1")
    asyncio.run(narke.house.book.save_station(StationRecord("CP-1"), NOW))
    door.app = create_app(narke.house.services)
    return narke


def tell(narke, *facts):
    entry = JournalEntry(tenant="default", recorded_at=NOW, records=(StationFacts("CP-1", facts),))

    async def apply():
        await narke.house.projection.positions()
        await narke.house.projection.apply([StreamEntry("s0", "1-0", entry)])

    asyncio.run(apply())


def chosen(narke):
    return asyncio.run(narke.house.book.station("CP-1")).quirks


def test_the_profiles_are_listed(narke):
    result = narke.run("quirks", "list", env={"COLUMNS": "300"})
    assert result.exit_code == 0
    assert "meter-jitter" in result.stdout
    assert "stations that name it" in result.stdout
    assert "vendor Wall Box* or Wallbox*" in result.stdout


def test_quirks_are_applied_and_taken_away(narke):
    assert narke.run("quirks", "apply", "CP-1", "meter-jitter", "utc_offset_min=60").exit_code == 0
    assert chosen(narke) == ("meter-jitter", "utc_offset_min=60")
    assert narke.run("quirks", "apply", "CP-1", "--remove", "meter-jitter").exit_code == 0
    assert chosen(narke) == ("utc_offset_min=60",)
    assert narke.run("quirks", "apply", "CP-1", "--clear", "no-ping").exit_code == 0
    assert chosen(narke) == ("no-ping",)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["apply", "CP-1"], "nothing to do"),
        (["apply", "CP-1", "--remove", "no-ping"], "does not have no-ping"),
        (["apply", "CP-1", "no-such"], "no-such"),
        (["show", "CP-9"], "CP-9"),
    ],
)
def test_what_is_wrong_is_told(narke, arguments, words):
    result = narke.run("quirks", *arguments)
    assert result.exit_code != 0
    assert words in result.stderr
    assert chosen(narke) == ()


def test_a_station_s_quirks_are_shown_with_their_reasons(narke):
    narke.run("quirks", "apply", "CP-1", "meter-jitter")
    result = narke.run("quirks", "show", "CP-1", env={"COLUMNS": "200"})
    assert "meter_jitter_wh=1.0" in result.stdout
    assert "Its register goes back by 1 Wh" in result.stdout
    shown = json.loads(narke.run("quirks", "show", "CP-1", "--json").stdout)
    assert shown["effective"] == {"meter_jitter_wh": 1.0}


def test_what_was_noticed_is_suggested(narke):
    assert "nothing that a quirk could help" in narke.run("quirks", "suggest").output
    tell(narke, OdditiesCounted({"meter_backwards": 5}, NOW, Make("Acme", "One", "1"), {"meter_backwards": "1"}))
    result = narke.run("quirks", "suggest", "CP-1", env={"COLUMNS": "300"})
    assert "meter-jitter" in result.stdout
    assert "narke quirks apply STATION QUIRK" in result.stderr
    profile = narke.run("quirks", "suggest", "--toml").stdout
    assert 'vendor = "Acme"' in profile


def test_a_suggestion_is_a_file_that_can_be_checked(narke, tmp_path):
    tell(narke, OdditiesCounted({"meter_backwards": 5}, NOW, Make("Acme", "One", "1"), {}))
    file = tmp_path / "own.toml"
    file.write_text(narke.run("quirks", "suggest", "--toml").stdout, encoding="utf-8")
    result = narke.run("quirks", "check", str(file))
    assert result.exit_code == 0, result.output
    assert "acme-one-meter-jitter" in result.stdout


def test_a_bad_file_is_told_with_its_line(narke, tmp_path):
    file = tmp_path / "own.toml"
    file.write_text('[[profile]]\nname = "a"\nreason = "r"\nsource = "s"\npin = 1\n', encoding="utf-8")
    result = narke.run("quirks", "check", str(file))
    assert result.exit_code != 0
    assert f"{file}:5: pin: is no switch" in result.stderr.replace("\n", "")


def test_silent_stations_are_listed(narke):
    assert "no station is unresponsive" in narke.run("stations", "--unresponsive").output
    tell(narke, StationUnresponsive("i:1:1", 900.0, NOW))
    assert "CP-1" in narke.run("stations", "--unresponsive").stdout
