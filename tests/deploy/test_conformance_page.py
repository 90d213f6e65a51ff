"""The generated ledger of requirements and certification cases."""

import re
from collections import Counter

import pytest

from deploy.conformance_page import BLOCKS, CASES_16, ROOT, named_tests, page, shown_by


def test_the_committed_page_is_fresh():
    assert (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8") == page(), "run `make docs`"


@pytest.mark.parametrize(
    ("name", "shows"),
    [
        ("test_E01_FR_11_a_token_is_judged", ["E01.FR.11"]),
        ("test_A00_FR_318_suites", ["A00.FR.318"]),
        ("test_M06_FR_02_03_08_the_status_is_answered", ["M06.FR.02", "M06.FR.03", "M06.FR.08"]),
        ("test_TC_001_cold_boot", ["TC_001"]),
        ("test_TC_001", ["TC_001"]),
        ("test_TC_004_1_identification_first", ["TC_004_1"]),
        ("test_TC_048_4_rejected", ["TC_048_4"]),
        ("test_TC_042_000_stations", ["TC_042"]),
        ("test_TC_073_1_6_is_told", ["TC_073"]),
        ("test_TC_B_30_pending", ["TC_B_30"]),
        ("test_TC_073_TC_A_09_a_new_password", ["TC_073", "TC_A_09"]),
        ("test_TC_074_A02_FR_11_14_a_station_asks", ["TC_074", "A02.FR.11", "A02.FR.14"]),
        ("test_E01_something_else", []),
        ("test_E01_FR_some", []),
        ("test_nothing_of_the_kind", []),
        ("test_T01_FR_01_no_such_block", []),
    ],
)
def test_names_tell_what_tests_show(name, shows):
    assert shown_by(name) == shows


def test_every_test_that_shows_something_is_on_the_page():
    text = page()
    for test in named_tests():
        assert f"[{test.name}](../{test.file})" in text


def test_cases_of_1_6_are_those_of_the_catalogue():
    """A test of a case that does not exist has a wrong name."""
    known = {f"TC_{case[:3]}" for cases in CASES_16.values() for case in cases}
    named = {test.shows[:6] for test in named_tests() if re.match(r"TC_\d", test.shows)}
    assert named <= known


def test_the_core_of_1_6_is_complete():
    named = {test.shows for test in named_tests()}
    missing = [
        case for profile in ("Core", "Remote trigger") for case in CASES_16[profile] if f"TC_{case}" not in named
    ]
    assert missing == []


def test_a_test_stands_once_under_its_name():
    counted = Counter((test.file, test.name, test.shows) for test in named_tests())
    assert [key for key, count in counted.items() if count > 1] == []


def test_blocks_are_the_letters_of_part_2():
    assert "".join(BLOCKS) == "ABCDEFGHIJKLMNOPQRS"
