"""The generated page of all OCPP actions."""

from pathlib import Path
from random import Random

import pytest

from deploy.ocpp_support_page import FROM_CSMS, FROM_STATION, TEST_OF_DIRECTION, page, rows, words_of
from engine.model.notices import StationNotice
from engine.ocpp.catalogue import DIALECT_OF_VERSION, actions, command_call, understand
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version
from ingress.http.api.words import name_of, word_of
from tests.conformance import test_every_action
from tests.conformance.samples.every import FROM_STATION as SAID
from tests.conformance.samples.typed import TYPED
from tests.conformance.words import draw, numbered

DOCS = Path(__file__).parents[2] / "docs"


def test_the_committed_page_is_fresh():
    assert (DOCS / "ocpp-support.md").read_text(encoding="utf-8") == page(), "run `make docs`"


@pytest.mark.parametrize("version", Version)
def test_every_action_is_on_the_page_in_each_direction_that_its_version_has(version):
    expected = {
        (name, direction)
        for name, action in actions(version).items()
        for direction, call in ((FROM_STATION, action.from_station), (FROM_CSMS, action.from_csms))
        if call is not None
    }
    actual = [(row.action, row.direction) for _, row in rows() if version in row.versions]
    assert sorted(expected) == sorted(actual)


def test_every_row_is_in_a_table_of_the_page():
    lines = page().splitlines()
    for _, row in rows():
        start = f"| `{row.action}` | {', '.join(row.versions)} | {row.direction} | {row.does} | `"
        assert [line for line in lines if line.startswith(start)], row


@pytest.mark.parametrize(("direction", "attribute"), [(FROM_STATION, "from_station"), (FROM_CSMS, "from_csms")])
def test_every_test_that_the_page_names_exists(direction, attribute):
    name = TEST_OF_DIRECTION[direction]
    assert callable(getattr(test_every_action, name))
    ids = {f"{name}[{case.id}]" for case in test_every_action.cases(attribute)}
    named = {test for _, row in rows() if row.direction == direction for test in row.tests}
    assert named == ids


@pytest.mark.parametrize("version", Version)
def test_what_the_page_calls_understood_is_no_notice_and_is_the_word_that_the_sample_becomes(version):
    does = {row.action: row.does for _, row in rows() if version in row.versions and row.direction == FROM_STATION}
    for action, payload in SAID[version].items():
        word = type(understand(version, action, payload).report)
        assert does[action].startswith("recorded verbatim") == (word is StationNotice), action
        assert word is StationNotice or f"`{word.__name__}`" in does[action], action


@pytest.mark.parametrize("version", Version)
def test_every_command_stands_at_the_action_that_says_it(version):
    for action, samples in TYPED[version].items():
        for word, fields, _ in samples:
            assert command_call(version, numbered(word_of(word, fields)))[0] == action
            assert word in words_of(action, version), (action, word)


@pytest.mark.parametrize("version", Version)
def test_every_command_of_a_dialect_is_on_the_page_unless_the_version_cannot_say_it_at_all(version):
    shown = {word for action in actions(version) for word in words_of(action, version)}
    chance = Random(1)
    for word in DIALECT_OF_VERSION[version].commands:
        if name_of(word) not in shown:
            for _ in range(200):
                with pytest.raises(NotExpressible):
                    command_call(version, draw(word, chance))
    assert shown <= {name_of(word) for word in DIALECT_OF_VERSION[version].commands}


def test_links_of_the_page_lead_to_headings_that_exist():
    assert "\n### Commands\n" in (DOCS / "api.md").read_text(encoding="utf-8")
