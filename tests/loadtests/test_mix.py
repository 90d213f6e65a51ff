"""Mix files: what they say, and what is said of those that are not right."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest

import loadtests
from loadtests.behaviours import Flapping
from loadtests.mix import Mix, MixError, dealt, load_mix
from loadtests.scenarios import Blackout

SHIPPED = sorted((Path(loadtests.__file__).parent / "mixes").glob("*.toml"))


def written(tmp_path, text):
    path = tmp_path / "mix.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_mixes_that_come_with_narke_are_right_and_say_what_they_are(path):
    assert load_mix(path).description


def test_there_are_mixes():
    assert len(SHIPPED) >= 4


def test_a_mix_says_what_its_file_says(tmp_path):
    mix = load_mix(
        written(
            tmp_path,
            """
description = "mine"
[versions]
"1.6" = 7
"2.1" = 3
[behaviours]
good = 90
flapping = { share = 10, period_s = 5 }
[[habits]]
share = 1
connectors = 2
patience = { answer_s_max = 9.5 }
[[habits]]
share = 3
charge_s = [1, 2]
[scenario]
name = "blackout"
share = 0.5
""",
        )
    )
    assert mix.description == "mine"
    assert mix.versions == ((7.0, "1.6"), (3.0, "2.1"))
    assert mix.behaviours[1] == (10.0, ("flapping", Flapping(period_s=5.0)))
    assert mix.habits == (
        (1.0, {"connectors": 2, "patience": {"answer_s_max": 9.5}}),
        (3.0, {"charge_s": [1, 2]}),
    )
    assert mix.scenario == Blackout(share=0.5)


def test_an_empty_mix_is_the_default(tmp_path):
    assert load_mix(written(tmp_path, "")) == Mix()


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("x = = 1", 1, "not TOML"),
        ("\n[version]\n", 2, "there is no 'version'; expected some of description, versions"),
        ('[versions]\n"1.6" = 1\n"1.5" = 2', 3, r'unknown OCPP version; expected one of "1.6"'),
        ('[versions]\n"1.6" = 0', 2, "expected a share, a number more than 0, not 0"),
        ("[versions]\n1.6 = 1", 1, "unknown OCPP version"),
        ("versions = 3", 1, r"expected a table: \[versions\]"),
        ("\n\n[behaviours]\ngood = 1\nrude = 1", 5, "there is no such behaviour; expected one of good, flapping"),
        ("[behaviours]\nflapping = { period_s = 5 }", 2, "expected a share among its values"),
        (
            "[behaviours]\nflapping = { share = 1, speed = 5 }",
            2,
            "there is no 'speed'; expected one of depth, period_s",
        ),
        ("[behaviours]\n[behaviours.flapping]\nshare = 1\nduty = 2", 2, "duty must be 0 to 1, not 2"),
        ("[behaviours]\npipelining = { share = 1, depth = 9 }", 2, "depth is 1 to 8"),
        ("[habits]\nmeter_interval_s = 'x'", 2, "meter_interval_s: expected a number, not 'x'"),
        ("[[habits]]\nshare = 1\n[[habits]]\nshare = 1\nconnectors = 1.5", 5, "expected a whole number"),
        ("[[habits]]\nconnectors = 1", 1, "expected a share"),
        ("habits = 1", 1, "expected a table, or 1 to"),
        ("[scenario]\nname = 'storm'", 2, "there is no scenario 'storm'; expected one of steady_day"),
        ("[scenario]\nname = 'blackout'\nshare = 2", 1, "share must be 0 to 1"),
        ("description = 1", 1, "expected a text"),
    ],
)
def test_what_is_not_right_is_told_with_file_line_and_what_was_expected(tmp_path, text, line, says):
    with pytest.raises(MixError, match=says) as caught:
        load_mix(written(tmp_path, text))
    assert str(tmp_path / "mix.toml") in str(caught.value)
    assert f"line {line}" in str(caught.value)


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    with pytest.raises(MixError, match=r"nowhere\.toml cannot be read: No such file"):
        load_mix(tmp_path / "nowhere.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(MixError, match="not UTF-8"):
        load_mix(tmp_path / "binary.toml")


@pytest.mark.parametrize("count", [1, 2, 7, 100, 1_001])
def test_shares_are_dealt_as_exactly_as_whole_numbers_allow(count):
    hand = dealt([(5.0, "a"), (3.0, "b"), (1.0, "c")], count, Random(1))
    assert len(hand) == count
    for thing, weight in (("a", 5), ("b", 3), ("c", 1)):
        assert abs(Counter(hand)[thing] - count * weight / 9) < 1


def test_the_same_chance_deals_the_same():
    shares = [(1.0, "a"), (1.0, "b")]
    assert dealt(shares, 50, Random(3)) == dealt(shares, 50, Random(3)) != dealt(shares, 50, Random(4))
