"""Quirk files: what they may hold, and errors that name file, line and key."""

import pytest

from engine.model.quirks import PLAIN, SWITCHES, Make, Quirks, checked
from engine.quirk_files import BadQuirkFile, load, parse

GOOD = """
disabled = ["wallbox-boot-first"]

[[profile]]
name = "acme-local-time"
vendor = "ACME*"
model = ["One", "Two"]
firmware = "1.*"
reason = "local time"
source = "ticket 4711"
utc_offset_min = 60
zulu_is_local = true
"""
HEAD = '[[profile]]\nname = "a"\nreason = "r"\nsource = "s"\n'


def written(tmp_path, text):
    file = tmp_path / "quirks.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_built_in_profiles_are_sound_and_say_why():
    book = load()
    assert len(book.profiles) >= 10
    for name, profile in book.profiles.items():
        assert profile.origin == "built-in"
        assert len(profile.reason) > 20, name
        assert profile.source, name
        assert checked(profile.switches) != PLAIN, name


def test_nothing_is_in_force_for_an_ordinary_station():
    assert load().effective(Make("Acme", "One", "1")) is PLAIN


def test_a_wallbox_is_asked_nothing_before_it_has_booted():
    effective = load().effective(Make("Wall Box Chargers", "PLP2-M-2-4", "6.6.12"))
    assert effective.call_after_boot_s > 0


def test_a_file_of_the_operator_s_adds_and_disables(tmp_path):
    book = load(written(tmp_path, GOOD))
    assert book.effective(Make("Acme Ltd", "Two", "1.9")) == Quirks(utc_offset_min=60, zulu_is_local=True)
    assert book.effective(Make("Acme Ltd", "Two", "2.0")) is PLAIN
    assert book.effective(Make("Wall Box Chargers", "PLP2-M-2-4", "6.6.12")) is PLAIN
    assert book.profiles["acme-local-time"].origin.endswith("quirks.toml")


def test_a_profile_of_the_operator_s_takes_the_place_of_a_built_in_one(tmp_path):
    text = HEAD.replace('"a"', '"meter-jitter"') + "meter_jitter_wh = 5\n"
    assert load(written(tmp_path, text)).effective(None, ("meter-jitter",)).meter_jitter_wh == 5


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("x =", ":1", "no TOML"),
        ("\n\nfoo = 1\n", ":3", "foo: is not known here"),
        ("disabled = 3\n", ":1", "disabled: must be a list"),
        ("profile = 3\n", ":1", "must be tables"),
        (HEAD + "pin = false\n", ":5", "pin: is no switch: did you mean ping?"),
        (HEAD + "\nping = 3\n", ":6", "ping: Expected `bool`, got `int`"),
        (HEAD + "utc_offset_min = 9000\n", ":5", "utc_offset_min: Expected `int` <= 900"),
        (HEAD + "[profile.unit_means]\nWh = 3\n", ":5", "unit_means: Expected `str`, got `int`"),
        (HEAD, ":2", "sets no switch"),
        (HEAD + 'firmware = "1"\nping = false\n', ":5", "firmware: says nothing without"),
        (HEAD + "vendor = 3\nping = false\n", ":5", "vendor: must be a pattern"),
        (HEAD + "vendor = []\nping = false\n", ":5", "vendor: must be a pattern"),
        ('[[profile]]\nname = "a"\nsource = "s"\nping = false\n', ":1", "reason: must be a text"),
        (HEAD.replace('"a"', '"a b"') + "ping = false\n", ":2", "name: 'a b' must have"),
        (HEAD + "ping = false\n" + HEAD + "ping = false\n", ":7", "'a' is taken by the profile in line 2"),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_key(tmp_path, text, place, words):
    file = written(tmp_path, text)
    with pytest.raises(BadQuirkFile) as told:
        load(file)
    assert str(told.value).startswith(f"{file}{place}: ")
    assert words in str(told.value)


def test_a_built_in_profile_that_is_none_cannot_be_disabled(tmp_path):
    with pytest.raises(BadQuirkFile, match="there is no built-in profile 'x'"):
        load(written(tmp_path, 'disabled = ["x"]'))


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(BadQuirkFile, match="cannot be read"):
        load(tmp_path / "none.toml")


def test_every_switch_can_be_written_in_a_file():
    values = {
        "lenient_actions": '["*"]', "utc_offset_min": "60", "zulu_is_local": "true", "time_formats": '["epoch_s"]',
        "unit_means": '{ "Wh" = "kWh" }', "multiplier_ignored": "true", "meter_factor": "1000.0",
        "sequence_ignored": "true", "meter_jitter_wh": "1", "heartbeat_s": "3600", "ping": "false",
        "pong_timeout_s": "60", "call_after_connect_s": "3", "call_after_boot_s": "3", "boot_trigger_after_s": "5",
        "answer_delay_ms": "{ StartTransaction = 25 }", "message_ids": '"digits"', "unknown_actions_silent": "true",
        "error_code": '"GenericError"',
    }  # fmt: skip
    assert values.keys() == SWITCHES
    for switch, value in values.items():
        _, (profile,) = parse(HEAD + f"{switch} = {value}\n", "f.toml")
        assert checked(profile.switches) != PLAIN, switch
