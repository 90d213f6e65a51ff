"""Fields of YAML files: read by what is expected, refused with their line."""

import pytest

from engine.model.sites import (
    DAY_S,
    Outlet,
)
from smartcharging.site_writing import dump
from tests.smartcharging.site_texts import SMALL, faults, one, small


@pytest.mark.parametrize("name", ["NO", "yes", "12:30", "007", "1e3", "null-1", "2026-01-01", "0x10", "~a", "1_000"])
def test_what_YAML_takes_for_something_else_is_a_name_where_a_name_is_meant(name):
    text = SMALL.replace("site: depot", f"site: {name}").replace("CP-1", name)
    site = one(text)
    assert (site.site, site.nodes[1].station, site.nodes[2].outlet.station) == (name, name, name)
    assert one(dump([site])) == site


@pytest.mark.parametrize("written", ["63", "63.0", "+63", "6.3e1", "'63'"])
def test_numbers(written):
    assert one(SMALL.replace("63", written)).root.limit_a == (63.0, 63.0, 63.0)


@pytest.mark.parametrize("written", ["1:03", "063", "0x3F", "6_3", "63A", ".nan", ".inf", "yes", "sixty", "1,5", "."])
def test_what_is_no_plain_number_is_none(written):
    ((line, what),) = faults(SMALL.replace("63", written))
    assert line == 5
    assert "no number" in what


@pytest.mark.parametrize(("written", "expected"), [("true", True), ("No", False), ("off", False), ("on", True)])
def test_flags(written, expected):
    assert one(small(enabled=written)).enabled is expected


@pytest.mark.parametrize("written", ["1", "y", "'da'", "[]"])
def test_what_is_no_flag(written):
    assert faults(small(enabled=written))[0][0] == 1


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("07:00-19:30", (25_200, 70_200)),
        ('"22:00-06:00"', (79_200, 21_600)),
        ("00:00-24:00", (0, DAY_S)),
        ("7:05 - 8:00:30", (25_500, 28_830)),
    ],
)
def test_times_of_the_day(written, expected):
    site = one(SMALL.replace("limit_a: 63", f"timed: [{{limit_kw: 9, times: {written}}}]"))
    (timed,) = site.root.timed
    assert (timed.from_s, timed.to_s) == expected


@pytest.mark.parametrize("written", ["07:00", "7-19", "07:00-25:00", "24:00-06:00", "07:60-08:00", "soon", "[7, 8]"])
def test_what_is_no_time_of_the_day(written):
    assert [
        line for line, _ in faults(SMALL.replace("limit_a: 63", f"timed: [{{limit_kw: 9, times: {written}}}]"))
    ] == [5]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("mon-fri", (1, 2, 3, 4, 5)),
        ("sat-mon", (6, 7, 1)),
        ("Sunday", (7,)),
        ("[mon, Wednesday, 5]", (1, 3, 5)),
        ("[mon-tue, sun]", (1, 2, 7)),
    ],
)
def test_days_of_the_week(written, expected):
    site = one(SMALL.replace("limit_a: 63", f"timed: [{{limit_kw: 9, weekdays: {written}}}]"))
    assert site.root.timed[0].weekdays == expected


@pytest.mark.parametrize("written", ["mo", "mon-tue-wed", "0", "8", "[mon, doomsday]", "weekdays"])
def test_what_is_no_day_of_the_week(written):
    assert faults(SMALL.replace("limit_a: 63", f"timed: [{{limit_kw: 9, weekdays: {written}}}]"))[0][0] == 5


def test_limits_by_phase():
    assert one(SMALL.replace("63", "[63, 50, 40.5]")).root.limit_a == (63.0, 50.0, 40.5)
    assert "has 2 numbers" in faults(SMALL.replace("63", "[63, 50]"))[0][1]


def test_a_field_that_is_there_twice():
    ((line, what),) = faults(SMALL + "site: yard\n")
    assert (line, what) == (10, "the site has 'site' twice (also in line 2)")


@pytest.mark.parametrize("written", ["", "~", "null"])
def test_an_empty_field_is_no_value(written):
    assert faults(small(name=written)) == [(1, "name of the site is empty")]


def test_anchors_and_merges_spare_writing():
    text = """
site: depot
tree:
  grid: main
  children:
    - station: A
      children:
        - &wallbox {evse: 1, current_a_max: 16, phases: 1}
    - station: B
      children:
        - {<<: *wallbox, phases: 3}
"""
    outlets = [node.outlet for node in one(text).nodes if node.outlet]
    assert outlets == [
        Outlet(station="A", evse=1, current_a_max=16.0, phases=1),
        Outlet(station="B", evse=1, current_a_max=16.0, phases=3),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['touch /tmp/x']",
        "site: !!python/name:os.system x\ntree: {grid: a}",
        "!site {site: x}",
        "site: x\ntree: !!set {grid}",
        "site: !!binary aGk=\ntree: {grid: a}",
    ],
)
def test_tags_make_nothing(text):
    assert faults(text)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "- " * 100_000,
        "{" * 3_000,
        "? " * 100_000,
        "\0",
        "a: b: c",
        "a\n\t- b",
        "&a [*a]",
        "*a",
        "\ud800",
        "%",
    ],
    ids=lambda text: repr(text[:8]),
)
def test_nonsense_is_told_and_breaks_nothing(text):
    assert faults(text)


def test_an_alias_that_holds_itself_ends():
    assert "levels deep" in faults("site: x\ntree: &t\n  grid: g\n  children: [*t]\n")[0][1]


def test_aliases_that_stand_for_very_much_end(monkeypatch):
    monkeypatch.setattr("smartcharging.yaml_fields.ITEMS_MAX", 10_000)
    lines = ["site: x", "tree:", "  grid: g", "  children:", "    - &n0 {board: b, children: []}"]
    lines += [f"    - &n{depth} {{board: b, children: [{', '.join([f'*n{depth - 1}'] * 9)}]}}" for depth in range(1, 9)]
    assert any("more than 10000 items" in what for _, what in faults("\n".join(lines)))
