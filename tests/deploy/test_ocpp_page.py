"""The generated page of OCPP actions."""

from pathlib import Path

import pytest

from deploy.ocpp_page import page, rows
from engine.ocpp.catalogue import DIALECT_OF_VERSION, actions
from engine.ocpp.versions import Version

COMMITTED = Path(__file__).parents[2] / "docs" / "ocpp.md"


def test_the_committed_page_is_fresh():
    assert COMMITTED.read_text(encoding="utf-8") == page(), "run `make docs`"


@pytest.mark.parametrize("version", Version)
def test_every_action_is_on_the_page_in_each_direction_that_its_version_has(version):
    expected = {
        (name, direction)
        for name, action in actions(version).items()
        for direction, call in (("station → Narke", action.from_station), ("Narke → station", action.from_csms))
        if call is not None
    }
    actual = [(row.action, row.direction) for _, row in rows() if version in row.versions]
    assert sorted(expected) == sorted(actual)


def test_every_row_is_in_a_table_of_the_page():
    text = page()
    for _, row in rows():
        line = f"| `{row.action}` | {', '.join(row.versions)} | {row.direction} | {row.does} |"
        assert line in text.splitlines()


def test_what_has_a_translator_of_its_own_is_understood_and_the_rest_recorded():
    does = {(row.action, row.direction): row.does for _, row in rows()}
    assert does["BootNotification", "station → Narke"] == "understood"
    assert does["TransactionEvent", "station → Narke"] == "understood"
    assert does["SignCertificate", "station → Narke"] == 'recorded verbatim; answered with `{"status":"Rejected"}`'
    assert does["NotifyPeriodicEventStream", "station → Narke"] == "recorded verbatim; a SEND has no answer"


@pytest.mark.parametrize("version", Version)
def test_every_command_of_a_dialect_is_named_by_its_word(version):
    words = {row.does.split("`")[1] for _, row in rows() if version in row.versions and row.does.startswith("command")}
    assert len(DIALECT_OF_VERSION[version].commands) == len(words)


def test_links_of_the_page_lead_to_headings_that_exist():
    docs = COMMITTED.parent
    assert "\n### Commands\n" in (docs / "api.md").read_text(encoding="utf-8")
    assert "\n## Security\n" in (docs / "operating.md").read_text(encoding="utf-8")
