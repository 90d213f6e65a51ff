"""Sites that are written are read back, and are always written alike."""

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
from smartcharging.outlet_check import ROTATIONS
from smartcharging.site_files import load
from smartcharging.site_writing import dump, in_order_of_the_tree
from tests.smartcharging.site_texts import one
from tests.smartcharging.sites import depot


def test_several_sites_in_one_file():
    found = load(dump([depot(), depot(without=("CP-1/2",), name="two")]))
    assert [file.site.name for file in found] == [None, "two"]


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
