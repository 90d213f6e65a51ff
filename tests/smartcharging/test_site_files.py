"""Site files: what people write, and what is refused with its line."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.sites import (
    Load,
    NodeKind,
    Outlet,
    Site,
    SiteNode,
)
from smartcharging import site_files
from smartcharging.site_check import check
from smartcharging.site_files import BadSiteFile, load
from smartcharging.site_writing import dump
from tests.smartcharging.site_texts import SMALL, faults, one

PAGE = Path(__file__).parents[2] / "docs" / "sites.md"


def test_the_example_of_the_page_is_a_sound_site():
    example = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    site = one(example)
    assert check(site) == ()
    assert len([node for node in site.nodes if node.kind is NodeKind.EVSE]) == 5
    assert one(dump([site])) == site


def test_a_small_site():
    assert one(SMALL) == Site(
        site="depot",
        nodes=(
            SiteNode(node="main", kind=NodeKind.GRID, limit_a=(63.0, 63.0, 63.0)),
            SiteNode(node="CP-1", kind=NodeKind.STATION, parent="main", station="CP-1"),
            SiteNode(node="CP-1/1", kind=NodeKind.EVSE, parent="CP-1", outlet=Outlet(station="CP-1", evse=1)),
        ),
    )


def test_lines_of_nodes_and_loads_are_known():
    (found,) = load(SMALL + "loads:\n  - {load: hall, node: main, kw: 3}\n")
    assert dict(found.lines) == {"": 2, "main": 4, "CP-1": 7, "CP-1/1": 9, "hall": 11}


@pytest.mark.parametrize(
    ("written", "expected"),
    [("123", "123"), ('"231"', "231"), ("2", "231"), ("L3", "312"), ("23", "231"), ("13", "132"), ("L2, L1", "213")],
)
def test_rotations(written, expected):
    assert one(SMALL.replace("evse: 1", f"evse: 1\n          rotation: {written}")).nodes[2].outlet.rotation == expected


@pytest.mark.parametrize("written", ["4", "11", "1234", "abc", "''"])
def test_what_is_no_rotation(written):
    assert [line for line, _ in faults(SMALL.replace("evse: 1", f"evse: 1\n          rotation: {written}"))] == [10]


def test_an_unknown_field_is_told_with_its_line_and_the_one_that_was_meant():
    with pytest.raises(BadSiteFile) as raised:
        load(SMALL.replace("limit_a", "limt_a"))
    (fault,) = raised.value.faults
    assert (fault.line, fault.what) == (5, "the tree has no field 'limt_a'")
    assert str(fault) == "line 5: the tree has no field 'limt_a'; did you mean 'limit_a'?"


def test_all_faults_are_told_at_once():
    text = SMALL.replace("63", "many").replace("evse: 1", "evse: one") + "goals: {goal: cheap}\ncolour: red\n"
    assert [line for line, _ in faults(text)] == [11, 5, 9, 10]


def test_what_must_be_there():
    assert faults("name: x\n") == [(1, "the site has no site")]
    assert faults("site: x\n") == [(1, "the site has no tree")]
    assert faults("site: x\ntree: {limit_a: 3}\n") == [(2, "the tree has no name")]
    assert faults("site: x\ntree: {grid: a, board: b}\n") == [(2, "the tree is named grid and board")]
    assert faults(SMALL + "loads: [{node: main}]\n") == [(10, "a load has no name, or two")]
    assert faults(SMALL + "loads: [{load: a}]\n") == [(10, "load 'a' has no node")]
    assert faults(SMALL + "batteries: [{battery: a, node: main}]\n") == [
        (10, "a battery has no capacity_kwh and no charge_kw_max and no discharge_kw_max")
    ]
    assert faults(SMALL + "goals: {prices: [{times: 7:00-8:00}]}\n") == [(10, "a price has no price")]


def test_an_EVSE_says_its_station_or_hangs_below_it():
    assert faults("site: x\ntree: {grid: g, children: [{evse: 1}]}\n") == [(2, "EVSE 1 has no station")]
    assert one("site: x\ntree: {grid: g, children: [{evse: 1, station: A}]}\n").nodes[1].outlet.station == "A"


def test_fields_of_EVSEs_stand_at_EVSEs():
    assert faults(SMALL.replace("limit_a: 63", "current_a_max: 16")) == [(5, "grid 'main' has 'current_a_max'")]
    assert "EVSE" in faults(SMALL.replace("evse: 1", "evse: 1\n          children: []"))[0][1].upper()


def test_who_feeds_is_a_pv():
    site = one(SMALL + "loads:\n  - {pv: roof, node: main, kw: 9, share: L2}\n")
    assert site.loads == (Load(load="roof", node="main", kw=9.0, generation=True, share=(0.0, 1.0, 0.0)),)


def test_a_file_has_so_many_bytes_at_most(monkeypatch):
    monkeypatch.setattr(site_files, "BYTES_MAX", 100)
    assert "more than 100 bytes" in faults(SMALL + "# ä" * 40)[0][1]


def test_an_empty_file():
    assert faults("") == [(0, "the file is empty")]
    assert faults("# nothing\n") == [(0, "the file is empty")]


def test_texts_of_a_windows_editor():
    assert one("\ufeff" + SMALL.replace("\n", "\r\n")) == one(SMALL)


EXAMPLE = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
SPLINTERS = st.sampled_from(
    ["[", "]", "{", "}", ": ", "- ", "&a ", "*a", "!!x ", "<<: ", "\t", "'", '"', "|", "~", "\n", "%", "?"]
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(EXAMPLE)), st.integers(0, 12), SPLINTERS | st.text(max_size=3)), max_size=3)
)
def test_a_file_that_was_spoiled_is_read_or_told_of(spoils):
    text = EXAMPLE
    for place, length, splinter in spoils:
        text = text[:place] + splinter + text[place + length :]
    found: tuple[object, ...] = ()
    try:
        found = load(text)
    except BadSiteFile as error:
        found = error.faults
    assert found
