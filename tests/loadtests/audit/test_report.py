"""The report says what died, what was compared, what differs, and how to repeat it."""

import json
from pathlib import Path

import pytest

from loadtests.audit.comparison import Difference, Differences
from loadtests.audit.killer import Kill
from loadtests.audit.probe import Felt
from loadtests.audit.report import SHOWN_PER_KIND, Report

KILLS = (
    Kill(12.3, "redis", "redis", 4711, back_s=1.4, felt=Felt(8.0, 1500.0, 2, 1.6)),
    Kill(20.0, "node", "node-1", 4712, problem="node-1 was not back within 120 s"),
    Kill(30.0, "http"),
)


def report_of(*found):
    differences = Differences()
    differences.compared.update(stations=2, transactions=9)
    differences.add(found)
    kept = Path("/tmp/kept") if found else None
    return Report("narke audit --seed 3", 60.2, 2, 1234, KILLS, differences, {"messages repeated": 4}, kept)


def test_a_good_report_says_so_and_shows_each_kill():
    text = report_of().as_text()
    assert "0 differences" in text
    assert "2 stations, 60 s of load, 1234 answered calls, 2 parts killed" in text
    assert "9 transactions" in text
    [redis] = [line for line in text.splitlines() if "redis" in line]
    assert redis.split() == ["12.3", "s", "redis", "4711", "1.4", "s", "8", "ms", "1500", "ms", "2", "1.6", "s"]
    assert "node-1 was not back within 120 s" in text
    assert "(http)" in text
    assert "was down already" in text
    assert "To repeat: narke audit --seed 3" in text


def test_differences_are_shown_by_kind_with_station_and_transaction():
    text = report_of(
        *(Difference("transaction lost", "S1", str(number), "gone") for number in range(SHOWN_PER_KIND + 3)),
        Difference("reply to no call", "", None, "1"),
    ).as_text()
    assert f"{SHOWN_PER_KIND + 4} DIFFERENCES" in text
    assert "S1 transaction 0: gone" in text
    assert "and 3 more" in text
    assert "Narke: 1" in text
    assert "kept in /tmp/kept" in text


@pytest.mark.parametrize("name", ["report.json", "report.txt"])
def test_it_is_written_in_the_form_that_the_name_says(tmp_path, name):
    file = tmp_path / name
    report_of(Difference("transaction lost", "S1", "7", "gone")).write(file)
    text = file.read_text()
    if name.endswith(".json"):
        shown = json.loads(text)
        assert shown["good"] is False
        assert shown["differences_by_kind"] == {"transaction lost": 1}
        assert shown["kills"][0]["felt"]["max_ms"] == 1500.0
        assert shown["command"] == "narke audit --seed 3"
    else:
        assert "1 DIFFERENCES" in text
