"""Quirks as data: which switches a station has, by its make and by what its record names."""

import pytest

from engine.model.codec import encode
from engine.model.quirks import PLAIN, SWITCHES, Make, QuirkBook, QuirkProfile, Quirks, UnknownQuirk, checked

ACME = Make("ACME", "One", "1.4.2")


def profile(name="p", *, vendor=(), model=(), firmware=(), **switches):
    return QuirkProfile(
        name=name, reason="r", source="s", switches=switches, vendor=vendor, model=model, firmware=firmware
    )


def test_a_station_without_a_profile_is_as_the_specification_wants_it():
    assert QuirkBook().effective(ACME) is PLAIN
    assert QuirkBook([profile(vendor=("Other",), ping=False)]).effective(ACME) is PLAIN
    assert encode(PLAIN) == encode(Quirks())


@pytest.mark.parametrize(
    ("patterns", "fits"),
    [
        ({"vendor": ("acme",)}, True),
        ({"vendor": ("AC*",)}, True),
        ({"vendor": ("Other", "ac?e")}, True),
        ({"vendor": ("Acme",), "model": ("Two",)}, False),
        ({"model": ("o*",)}, True),
        ({"vendor": ("Acme",), "firmware": ("1.*",)}, True),
        ({"vendor": ("Acme",), "firmware": ("2.*", "1.3.*")}, False),
        ({}, False),
        ({"firmware": ("1.*",)}, False),
    ],
)
def test_a_profile_is_for_the_stations_that_its_patterns_fit(patterns, fits):
    book = QuirkBook([profile(ping=False, **patterns)])
    assert (book.effective(ACME) == Quirks(ping=False)) is fits
    assert book.effective(None) is PLAIN


def test_what_the_record_names_is_added_and_wins():
    book = QuirkBook([profile("jitter", vendor=("acme",), meter_jitter_wh=1.0), profile("no-ping", ping=False)])
    assert book.effective(ACME, ("no-ping",)) == Quirks(meter_jitter_wh=1.0, ping=False)
    assert book.effective(ACME, ("meter_jitter_wh=3", "no-ping")) == Quirks(meter_jitter_wh=3.0, ping=False)


def test_later_profiles_win_and_lists_and_tables_are_joined():
    book = QuirkBook(
        [
            profile("a", vendor=("acme",), lenient_actions=["Authorize"], answer_delay_ms={"Authorize": 5}),
            profile("b", model=("one",), lenient_actions=["*", "Authorize"], answer_delay_ms={"Authorize": 9, "*": 1}),
        ]
    )
    effective = book.effective(ACME)
    assert effective.lenient_actions == ("Authorize", "*")
    assert effective.answer_delay_ms == {"Authorize": 9, "*": 1}


def test_each_switch_comes_with_its_reason():
    book = QuirkBook([profile("jitter", vendor=("acme",), meter_jitter_wh=1.0)])
    by_make, by_name = book.applied(ACME, ("ping=false",))
    assert (by_make.switch, by_make.value, by_make.profile, by_make.by) == ("meter_jitter_wh", 1.0, "jitter", "make")
    assert (by_name.switch, by_name.value, by_name.by) == ("ping", False, "station")


def test_a_name_that_is_none_any_more_counts_for_nothing():
    assert QuirkBook().effective(ACME, ("gone", "ping=false")) == Quirks(ping=False)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gone", "no quirk profile 'gone': there are jitter"),
        ("pin=false", "'pin' is no switch"),
        ("ping=3", "ping"),
        ("utc_offset_min=5000", "utc_offset_min"),
    ],
)
def test_a_name_that_is_none_is_told(name, words):
    with pytest.raises(UnknownQuirk, match=words):
        QuirkBook([profile("jitter", meter_jitter_wh=1.0)]).find(name)


def test_what_is_effective_is_found_once():
    book = QuirkBook([profile(vendor=("acme",), ping=False)])
    assert book.effective(Make("ACME", "One", "1.4.2")) is book.effective(ACME)


def test_every_switch_has_a_default_that_counts_for_nothing():
    assert checked({}) == PLAIN
    assert {name: getattr(PLAIN, name) for name in SWITCHES} == {name: getattr(Quirks(), name) for name in SWITCHES}
