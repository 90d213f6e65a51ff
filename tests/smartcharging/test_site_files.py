"""Site files: what people write, what is refused with its line, and that what is written is read back."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.model.sites import (
    DAY_S,
    Battery,
    Goal,
    Goals,
    Load,
    LoadKind,
    NodeKind,
    Outlet,
    Site,
    SiteNode,
    TimedLimit,
    TimedPrice,
    Wiring,
)
from smartcharging import site_files
from smartcharging.outlet_check import ROTATIONS
from smartcharging.site_check import check
from smartcharging.site_files import BadSiteFile, load
from smartcharging.site_writing import dump, in_order_of_the_tree
from tests.smartcharging.sites import depot

PAGE = Path(__file__).parents[2] / "docs" / "sites.md"
SMALL = """
site: depot
tree:
  grid: main
  limit_a: 63
  children:
    - station: CP-1
      children:
        - evse: 1
"""


def one(text: str) -> Site:
    (found,) = load(text)
    return found.site


def faults(text: str) -> list[tuple[int, str]]:
    with pytest.raises(BadSiteFile) as raised:
        load(text)
    return [(fault.line, fault.what) for fault in raised.value.faults]


def small(**lines: str) -> str:
    """The small site with lines added at its top."""
    return "\n".join(f"{name}: {value}" for name, value in lines.items()) + SMALL


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


@pytest.mark.parametrize(
    ("written", "expected"),
    [("123", "123"), ('"231"', "231"), ("2", "231"), ("L3", "312"), ("23", "231"), ("13", "132"), ("L2, L1", "213")],
)
def test_rotations(written, expected):
    assert one(SMALL.replace("evse: 1", f"evse: 1\n          rotation: {written}")).nodes[2].outlet.rotation == expected


@pytest.mark.parametrize("written", ["4", "11", "1234", "abc", "''"])
def test_what_is_no_rotation(written):
    assert [line for line, _ in faults(SMALL.replace("evse: 1", f"evse: 1\n          rotation: {written}"))] == [10]


def test_limits_by_phase():
    assert one(SMALL.replace("63", "[63, 50, 40.5]")).root.limit_a == (63.0, 50.0, 40.5)
    assert "has 2 numbers" in faults(SMALL.replace("63", "[63, 50]"))[0][1]


def test_an_unknown_field_is_told_with_its_line_and_the_one_that_was_meant():
    with pytest.raises(BadSiteFile) as raised:
        load(SMALL.replace("limit_a", "limt_a"))
    (fault,) = raised.value.faults
    assert (fault.line, fault.what) == (5, "the tree has no field 'limt_a'")
    assert str(fault) == "line 5: the tree has no field 'limt_a'; did you mean 'limit_a'?"


def test_all_faults_are_told_at_once():
    text = SMALL.replace("63", "many").replace("evse: 1", "evse: one") + "goals: {goal: cheap}\ncolour: red\n"
    assert [line for line, _ in faults(text)] == [11, 5, 9, 10]


def test_a_field_that_is_there_twice():
    ((line, what),) = faults(SMALL + "site: yard\n")
    assert (line, what) == (10, "the site has 'site' twice (also in line 2)")


@pytest.mark.parametrize("written", ["", "~", "null"])
def test_an_empty_field_is_no_value(written):
    assert faults(small(name=written)) == [(1, "name of the site is empty")]


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


def test_several_sites_in_one_file():
    found = load(dump([depot(), depot(without=("CP-1/2",), name="two")]))
    assert [file.site.name for file in found] == [None, "two"]


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


def test_a_file_has_so_many_bytes_at_most(monkeypatch):
    monkeypatch.setattr(site_files, "BYTES_MAX", 100)
    assert "more than 100 bytes" in faults(SMALL + "# ä" * 40)[0][1]


def test_an_empty_file():
    assert faults("") == [(0, "the file is empty")]
    assert faults("# nothing\n") == [(0, "the file is empty")]


def test_texts_of_a_windows_editor():
    assert one("\ufeff" + SMALL.replace("\n", "\r\n")) == one(SMALL)


NAMES = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Cn", "Co", "Zs", "Zl", "Zp", "Cf"), blacklist_characters=":/"),
    min_size=1,
    max_size=8,
) | st.sampled_from(["NO", "yes", "12:30", "null", "~", "1e3", "0x1", "- a", "#x", "{", "a b", "007", "=", "<<", "'"])
KW = st.floats(0, 1e5, allow_nan=False) | st.integers(0, 1000).map(float)
TIMES = st.builds(
    lambda begin, end, days: {"from_s": begin, "to_s": end, "weekdays": tuple(sorted(days))},
    st.integers(0, DAY_S - 1),
    st.integers(0, DAY_S),
    st.sets(st.integers(1, 7)),
)
LIMIT_A = st.none() | KW.map(lambda a: (a, a, a)) | st.tuples(KW, KW, KW)
TIMED = st.builds(lambda a, kw, times: TimedLimit(limit_a=a, limit_kw=kw, **times), LIMIT_A, st.none() | KW, TIMES)


@st.composite
def sites(draw) -> Site:
    """Sites of any shape, with nodes in any order; not necessarily sensible ones."""
    names = iter(draw(st.lists(NAMES, min_size=12, max_size=12, unique=True)))
    common = {
        "limit_a": LIMIT_A, "limit_kw": st.none() | KW, "export_kw": st.none() | KW, "name": st.none() | NAMES,
        "timed": st.lists(TIMED, max_size=2).map(tuple), "wiring": st.none() | st.sampled_from(Wiring),
    }  # fmt: skip

    def node(kind: NodeKind, parent: str | None, **more) -> SiteNode:
        given = {name: draw(strategy) for name, strategy in common.items()}
        return SiteNode(**({"node": next(names), "kind": kind, "parent": parent} | given | more))

    nodes = [node(NodeKind.GRID, None)]
    for _ in range(draw(st.integers(0, 9))):
        parent = draw(st.sampled_from([one for one in nodes if one.kind is not NodeKind.EVSE]))
        kind = draw(st.sampled_from([kind for kind in NodeKind if kind is not NodeKind.GRID]))
        more: dict[str, object] = {}
        if kind is NodeKind.STATION:
            more = {"station": draw(NAMES)}
        elif kind is NodeKind.EVSE:
            outlet = Outlet(
                station=draw(st.just(parent.station) if parent.station and draw(st.booleans()) else NAMES),
                evse=draw(st.integers(1, 99)),
                phases=draw(st.integers(1, 3)),
                rotation=draw(st.sampled_from(ROTATIONS)),
                current_a_max=draw(KW),
                dc=draw(st.booleans()),
                power_kw_max=draw(st.none() | KW),
                weight=draw(KW),
                priority=draw(st.integers(-9, 9)),
            )
            more = {"outlet": outlet}
        nodes.append(node(kind, parent.node, **more))
    load = st.builds(
        Load, load=NAMES, node=NAMES, kind=st.sampled_from(LoadKind), kw=KW,
        profile_kw=st.lists(KW, max_size=3).map(tuple), station=st.none() | NAMES, evse=st.integers(0, 9),
        stale_s=KW, share=st.tuples(KW, KW, KW), reserve_kw=KW, generation=st.booleans(), kw_certain=KW,
    )  # fmt: skip
    battery = st.builds(
        Battery, battery=NAMES, node=NAMES, capacity_kwh=KW, charge_kw_max=KW, discharge_kw_max=KW, soc_percent=KW,
        soc_percent_min=KW, soc_percent_max=KW, efficiency=KW,
    )  # fmt: skip
    price = st.builds(lambda price, times: TimedPrice(price=price, **times), st.floats(-9, 9), TIMES)
    goals = st.builds(
        Goals, goal=st.sampled_from(Goal), prices=st.lists(price, max_size=2).map(tuple), export_price=KW,
        demand_price=KW, co2_price_per_kg=KW, unserved_price=KW, change_price=st.none() | KW, departure_quantile=KW,
    )  # fmt: skip
    return Site(
        site=draw(NAMES), nodes=(nodes[0], *draw(st.permutations(nodes[1:]))), name=draw(st.none() | NAMES),
        time_zone=draw(NAMES), currency=draw(NAMES), wiring=draw(st.sampled_from(Wiring)), voltage_v=draw(KW),
        loads=draw(st.lists(load, max_size=2).map(tuple)), batteries=draw(st.lists(battery, max_size=2).map(tuple)),
        goals=draw(goals), allocator=draw(NAMES), idle_a=draw(st.none() | KW), enabled=draw(st.booleans()),
        energy_kwh_default=draw(st.none() | KW), stay_s_default=draw(st.none() | KW),
    )  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(site=sites())
def test_what_is_written_is_read_back(site: Site):
    text = dump([site])
    again = one(text)
    assert again == in_order_of_the_tree(site)
    assert dump([again]) == text, "and written the same again"
