"""The generated page about OCPP: connecting, leniency, bad input."""

from pathlib import Path

from deploy.ocpp_page import MEANING_OF_CODE, page
from engine.ocpp.errors import TEXT_OF_CODE, ErrorCode
from engine.ocpp.versions import Version

COMMITTED = Path(__file__).parents[2] / "docs" / "ocpp.md"


def test_the_committed_page_is_fresh():
    assert COMMITTED.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_every_code_that_is_sent_stands_in_the_table_as_each_version_spells_it():
    text = page()
    for code, meaning in MEANING_OF_CODE.items():
        spellings = [TEXT_OF_CODE[version][code] for version in (Version.V16, Version.V201)]
        assert f"| {' | '.join(spellings)} | {meaning} |" in text.splitlines()


def test_codes_that_are_never_sent_are_the_two_that_say_nothing_to_a_station():
    assert set(ErrorCode) - set(MEANING_OF_CODE) == {ErrorCode.GENERIC_ERROR, ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED}


def test_nothing_of_the_template_is_left():
    assert "{" not in page().replace('{"', "").replace("`{}`", "")


def test_links_of_the_page_lead_to_headings_that_exist():
    docs = COMMITTED.parent
    assert "\n## Security\n" in (docs / "operating.md").read_text(encoding="utf-8")
    assert (docs / "ocpp-support.md").is_file()
    assert (docs / "conformance.md").is_file()
