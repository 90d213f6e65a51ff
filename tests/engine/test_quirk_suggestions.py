"""What is suggested, from what was noticed."""

import tomllib

import pytest

from engine.model.quirks import Make, Oddity
from engine.quirk_files import load, parse
from engine.quirk_suggestions import RULES, Observation, profile_text, suggestions

ACME = Make("Acme", "One", "1.0")
BOOK = load()


def seen(oddity, count, station="CP-1", make=ACME, example=None):
    return Observation(station, str(oddity), count, make, example)


def quirks_of(*observations, chosen=None):
    return [each.quirk for each in suggestions(observations, BOOK, chosen or {})]


@pytest.mark.parametrize(
    ("oddity", "example", "quirk"),
    [
        (Oddity.METER_BACKWARDS, "1", "meter-jitter"),
        (Oddity.SEQUENCE_ZERO, None, "zero-sequence"),
        (Oddity.PONG_MISSING, None, "no-ping"),
        (Oddity.TOO_LONG, None, "lenient"),
        (Oddity.REFUSED, None, "lenient"),
        (Oddity.CLOCK_OFF_BY_ZONE, "-120", "utc_offset_min=-120"),
        (Oddity.TIME_WITHOUT_ZONE, "timestamp", "utc_offset_min=60"),
        (Oddity.TIME_UNREADABLE, None, "european-times"),
        (Oddity.UNKNOWN_ACTION, None, "silent-on-unknown"),
        (Oddity.NEVER_BOOTED, None, "asked-to-boot"),
    ],
)
def test_what_is_noticed_often_suggests_its_quirk(oddity, example, quirk):
    least = RULES[oddity].least
    assert quirks_of(seen(oddity, least, example=example)) == [quirk]
    assert quirks_of(seen(oddity, least - 1, example=example)) == []


def test_every_suggestion_is_one_that_a_record_can_name():
    for rule in RULES.values():
        BOOK.find(rule.quirk if rule.quirk in BOOK.profiles else f"{rule.quirk}=60")


def test_what_a_station_has_already_is_not_suggested():
    assert quirks_of(seen(Oddity.METER_BACKWARDS, 9), chosen={"CP-1": ("meter-jitter",)}) == []
    assert quirks_of(seen(Oddity.METER_BACKWARDS, 9), chosen={"CP-1": ("meter_jitter_wh=2",)}) == []


def test_stations_of_one_make_are_one_suggestion_the_most_frequent_first():
    found = suggestions(
        [
            seen(Oddity.METER_BACKWARDS, 3, "A"),
            seen(Oddity.METER_BACKWARDS, 7, "B"),
            seen(Oddity.METER_BACKWARDS, 2, "C", Make("Other", "X")),
            seen(Oddity.SEQUENCE_ZERO, 50, "A"),
        ],
        BOOK,
        {},
    )
    assert [(each.quirk, each.vendor, each.stations, each.count) for each in found] == [
        ("zero-sequence", "Acme", ("A",), 50),
        ("meter-jitter", "Acme", ("B", "A"), 10),
        ("meter-jitter", "Other", ("C",), 2),
    ]


def test_what_nobody_knows_any_more_is_passed_over():
    assert quirks_of(seen("of_the_future", 1_000)) == []
    assert quirks_of(seen(Oddity.REPAIRED, 1_000)) == []


@pytest.mark.parametrize("make", [ACME, Make('A*c"me [x]', "", ""), Make("Ümlaut", "Größe", "1?")])
@pytest.mark.parametrize("oddity", RULES)
def test_a_suggestion_is_a_profile_for_the_operator_s_file(make, oddity):
    (found,) = suggestions([seen(oddity, 1_000, make=make)], BOOK, {})
    text = profile_text(found, BOOK)
    assert tomllib.loads(text)
    _, (profile,) = parse(text, "own.toml")
    assert profile.fits(make)
    assert not profile.fits(Make("Another", make.model, make.firmware))
