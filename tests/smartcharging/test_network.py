from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.sites import Load, LoadKind, TimedLimit, Wiring
from smartcharging.conductors import table_of
from smartcharging.network import Network
from smartcharging.words import NodeLoad, Plug
from tests.smartcharging.trees import FEW, NOW, board, evse, flat, grid, random_sites, site_of

HOUR = 3600
ONE = np.array([900.0])


def row(network, name, values):
    return values[network.row_names.index(name)]


def limits(network, start=NOW, slot_s=ONE, caps=None, loads=()):
    return network.limits(start, slot_s, caps=caps or {}, loads=list(loads))


def carried(network, plugs):
    return dict(zip(network.row_names, network.rows(plugs).matrix.toarray().tolist(), strict=True))


def test_a_car_loads_its_node_and_all_above_it_and_nothing_else():
    network = Network(site_of(grid(), board("a"), board("b"), evse("e", "a"), evse("f", "b")))
    found = carried(network, [Plug("e"), Plug("f", (2,))])
    assert found["grid L1"] == [1.0, 0.0]
    assert found["grid L2"] == [1.0, 1.0]
    assert found["a L2"] == [1.0, 0.0]
    assert found["b L2"] == [0.0, 1.0]
    assert found["grid kW"] == pytest.approx([0.69, 0.23])
    assert found["e kW"] == pytest.approx([0.69, 0.0])


def test_one_phase_cars_load_the_phase_that_their_connector_is_rotated_to():
    network = Network(
        site_of(grid(), *(evse(f"e{at}", "grid", rotation=turn) for at, turn in enumerate(("123", "231", "312"))))
    )
    found = carried(network, [Plug(f"e{at}", (1,)) for at in range(3)])
    assert [found[f"grid L{phase}"] for phase in (1, 2, 3)] == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_rows_are_those_of_the_site_whoever_charges():
    network = Network(flat(3))
    assert network.rows([]).matrix.shape == (len(network), 0)
    assert network.rows([Plug("e1")]).names == network.row_names
    assert network.rows([Plug("e1")]).nodes == network.row_nodes
    assert set(network.row_units) == {"A", "kW"}


def test_the_same_cars_get_the_same_rows_without_making_them_again():
    network = Network(flat(3))
    first = network.rows([Plug("e0"), Plug("e1")])
    assert network.rows([Plug("e0"), Plug("e1")]) is first
    assert network.rows([Plug("e1"), Plug("e0")]) is not first


def test_stations_and_evses_have_rows_in_amperes_only_where_they_are_limited():
    network = Network(site_of(grid(), evse("free", "grid"), board("b"), evse("e", "grid")))
    assert [name for name in network.row_names if name.startswith("free")] == ["free kW"]
    limited = Network(site_of(grid(), board("b"), evse("e", "b"), time_zone="UTC"))
    assert "b L3" in limited.row_names


def test_limits_are_those_of_the_nodes_and_inf_where_there_is_none():
    network = Network(site_of(grid(limit_a=(63, 50, 40), limit_kw=30), board("b")))
    found = limits(network)
    assert [row(network, f"grid L{phase}", found)[0] for phase in (1, 2, 3)] == [63, 50, 40]
    assert row(network, "grid kW", found).tolist() == [30.0]
    assert row(network, "b L1", found).tolist() == [np.inf]


def test_timed_limits_count_in_the_time_zone_of_the_site_beside_the_nodes_own():
    timed = (
        TimedLimit(from_s=7 * HOUR, to_s=9 * HOUR, limit_a=(20, 99, 10), limit_kw=5),
        TimedLimit(from_s=8 * HOUR, to_s=10 * HOUR, limit_kw=4),
    )
    network = Network(site_of(grid(limit_a=(32, 32, 32), timed=timed), time_zone="Europe/Berlin"))
    found = limits(network, datetime(2026, 7, 1, 4, tzinfo=UTC), np.full(5, 3600.0))
    assert row(network, "grid L1", found).tolist() == [32, 20, 20, 32, 32]
    assert row(network, "grid L2", found).tolist() == [32, 32, 32, 32, 32]
    assert row(network, "grid kW", found).tolist() == [np.inf, 5, 4, 4, np.inf]


def test_a_slot_that_a_change_falls_into_gets_the_least():
    timed = (TimedLimit(from_s=8 * HOUR, to_s=9 * HOUR, limit_kw=5),)
    network = Network(site_of(grid(timed=timed)))
    start = datetime(2026, 7, 1, 7, 50, tzinfo=UTC)
    assert row(network, "grid kW", limits(network, start, np.full(6, 900.0))).tolist() == [5, 5, 5, 5, 5, np.inf]


def test_caps_count_beside_limits_on_any_node_even_one_without_a_limit():
    network = Network(site_of(grid(limit_kw=30), board("b"), evse("e", "b")))
    slots = np.full(2, 900.0)
    caps = {"": np.array([50.0, 20.0]), "b": np.array([np.inf, 7.0]), "e": np.array([0.0, np.inf])}
    found = limits(network, slot_s=slots, caps=caps)
    assert row(network, "grid kW", found).tolist() == [30, 20]
    assert row(network, "b kW", found).tolist() == [np.inf, 7]
    assert row(network, "e kW", found).tolist() == [0, np.inf]


def test_loads_are_taken_per_phase_from_their_node_and_all_above():
    network = Network(
        site_of(grid(limit_a=(63, 63, 63), limit_kw=40), board("b", limit_a=(32, 32, 32)), board("c", limit_kw=9))
    )
    load = NodeLoad("b", np.array([[2.3], [4.6], [0.0]]))
    found = limits(network, loads=[load, NodeLoad("b", load.kw)])
    assert [row(network, f"grid L{phase}", found)[0] for phase in (1, 2, 3)] == pytest.approx([43, 23, 63])
    assert [row(network, f"b L{phase}", found)[0] for phase in (1, 2, 3)] == pytest.approx([12, -8, 32])
    assert row(network, "grid kW", found)[0] == pytest.approx(40 - 13.8)
    assert row(network, "c kW", found)[0] == 9


def test_load_above_a_limit_leaves_less_than_nothing_and_says_by_how_much():
    network = Network(site_of(grid(limit_kw=10)))
    assert row(network, "grid kW", limits(network, loads=[NodeLoad("grid", np.full((3, 1), 5.0))])).tolist() == [-5.0]


def test_what_feeds_makes_room():
    network = Network(site_of(grid(limit_a=(10, 10, 10), limit_kw=6.9)))
    found = limits(network, loads=[NodeLoad("grid", np.full((3, 1), -1.15))])
    assert row(network, "grid L1", found)[0] == pytest.approx(15)
    assert row(network, "grid kW", found)[0] == pytest.approx(10.35)


@pytest.mark.parametrize(
    ("caps", "loads", "match"),
    [
        ({"nowhere": np.ones(1)}, [], "no node nowhere"),
        ({"grid": np.ones(2)}, [], "2,.* values for 1 slots"),
        ({"grid": np.array([np.nan])}, [], "cap of grid: negative or NaN"),
        ({"": np.array([-1.0])}, [], "cap of the root: negative"),
        ({}, [NodeLoad("nowhere", np.zeros((3, 1)))], "no node nowhere"),
        ({}, [NodeLoad("grid", np.zeros((3, 2)))], "load at grid"),
        ({}, [NodeLoad("grid", np.full((3, 1), np.nan))], "load at grid"),
    ],
)
def test_caps_and_loads_that_make_no_sense_are_refused(caps, loads, match):
    with pytest.raises(ValueError, match=match):
        limits(Network(flat(1)), caps=caps, loads=loads)


def test_nothing_may_be_fed_in_unless_a_node_says_so_and_children_may_as_much_as_their_parent():
    network = Network(site_of(grid(limit_a=(63, 63, 63)), board("b", export_kw=10), evse("e", "b")))
    found = network.exports(NOW, ONE, caps={})
    assert row(network, "grid kW", found).tolist() == [0]
    assert row(network, "b kW", found).tolist() == [10]
    assert row(network, "e kW", found).tolist() == [10]
    assert row(network, "grid L1", found).tolist() == [63]
    assert row(network, "b L1", found).tolist() == [np.inf]


def test_exports_are_capped_and_what_feeds_already_takes_its_part_but_draws_give_none():
    network = Network(site_of(grid(export_kw=20)))
    fed = network.exports(NOW, ONE, caps={"": np.array([8.0])}, loads=[NodeLoad("grid", np.full((3, 1), -1.0))])
    assert row(network, "grid kW", fed).tolist() == [5]
    drawn = network.exports(NOW, ONE, caps={}, loads=[NodeLoad("grid", np.full((3, 1), 4.0))])
    assert row(network, "grid kW", drawn).tolist() == [20]
    much = network.exports(NOW, ONE, caps={}, loads=[NodeLoad("grid", np.full((3, 1), -40.0))])
    assert row(network, "grid kW", much).tolist() == [0]


def test_amperes_flow_up_as_far_as_down_at_every_time_of_the_day():
    timed = (TimedLimit(from_s=10 * HOUR, to_s=11 * HOUR, limit_a=(9, 9, 9), limit_kw=1),)
    network = Network(site_of(grid(limit_a=(63, 63, 63), export_kw=20, timed=timed)))
    found = network.exports(NOW, np.full(2, 3600.0), caps={})
    assert row(network, "grid L1", found).tolist() == [9, 63]
    assert row(network, "grid kW", found).tolist() == [20, 20]


def test_the_least_of_all_times_takes_timed_limits_and_the_highest_of_loads():
    timed = (TimedLimit(from_s=0, to_s=60, weekdays=(3,), limit_kw=8),)
    network = Network(site_of(grid(limit_kw=30, limit_a=(63, 63, 63), timed=timed)))
    load = NodeLoad("grid", np.array([[0.0, 2.3], [1.15, 0.0], [0.0, 0.0]]))
    found = network.least([load])
    assert row(network, "grid kW", found) == pytest.approx(8 - 3.45)
    assert row(network, "grid L1", found) == pytest.approx(53)
    assert row(network, "grid L3", found) == 63


def test_power_and_default_plugs_follow_the_outlet():
    network = Network(
        site_of(
            grid(),
            evse("three", "grid"),
            evse("one", "grid", phases=1),
            evse("dc", "grid", dc=True, power_kw_max=50.0, phases=1),
        )
    )
    assert network.default_plug("three") == Plug("three", (1, 2, 3))
    assert network.default_plug("one") == Plug("one", (1,))
    assert network.default_plug("dc") == Plug("dc", (1, 2, 3))
    assert network.kw_per_a(Plug("three", (1, 2))) == pytest.approx(0.46)
    assert network.kw_per_a(network.default_plug("dc")) == pytest.approx(0.69)
    assert network.current_a_max("dc") * 0.69 == pytest.approx(50)
    assert network.current_a_max("one") == 32


def test_unknown_evses_are_refused_by_name():
    network = Network(flat(1))
    for ask in (
        lambda: network.rows([Plug("grid")]),
        lambda: network.kw_per_a(Plug("x")),
        lambda: network.default_plug("x"),
        lambda: network.current_a_max("x"),
        lambda: network.worst_load({"x": np.ones(1)}),
    ):
        with pytest.raises(ValueError, match="no EVSE"):
            ask()


def test_an_unknown_time_zone_is_refused():
    with pytest.raises(ValueError, match="Mars/Olympus"):
        Network(site_of(grid(), time_zone="Mars/Olympus"))


def test_the_worst_is_all_conductors_and_never_relies_on_what_feeds():
    network = Network(site_of(grid(), evse("a", "grid"), evse("b", "grid", phases=1, rotation="2"), evse("c", "grid")))
    found = network.worst_load({"a": np.array([10.0, 6.0]), "b": np.array([20.0, 0.0]), "c": np.array([-8.0, -8.0])})
    assert row(network, "grid L1", found).tolist() == [10, 6]
    assert row(network, "grid L2", found).tolist() == [30, 6]
    assert row(network, "grid kW", found) == pytest.approx([6.9 + 4.6, 4.14])
    assert network.worst_load({}).tolist() == [[0.0]] * len(network)


@FEW
@given(random_sites(), st.data())
def test_no_choice_of_conductors_is_worse_than_the_worst(site, data):
    network = Network(site)
    plugs = [
        Plug(node, data.draw(st.sampled_from([(1,), (2,), (3,), (1, 2), (2, 3), (1, 3), (1, 2, 3)])))
        for node in network.evses
    ]
    currents = np.array([data.draw(st.floats(0, 32)) for _ in plugs])
    worst = network.worst_load({plug.node: np.array([current]) for plug, current in zip(plugs, currents, strict=True)})[
        :, 0
    ]
    assert (network.rows(plugs).matrix @ currents <= worst + 1e-9).all()
    few = dict(list(zip(network.evses, currents, strict=True))[: max(1, len(plugs) // 3)])
    assert network.worst_load({node: np.array([value]) for node, value in few.items()})[:, 0] == pytest.approx(
        network.worst_rows.matrix[:, : len(few)] @ np.array(list(few.values()))
    )


def lines(network, site, plugs, currents):
    """Length of the currents on the root's three phases, added up as phasors: an independent sum."""
    turn = np.exp(-2j * np.pi / 3 * np.arange(3))
    total = np.zeros(3, dtype=complex)
    for plug, current in zip(plugs, currents, strict=True):
        outlet = network.evses[plug.node].outlet
        kind = (site.wiring, outlet.dc, outlet.phases, outlet.rotation)
        mask = sum(1 << (phase - 1) for phase in plug.phases)
        total += table_of(kind, network.neutral_v)[mask, :3] * turn * current
    return np.abs(total)


@FEW
@given(random_sites(wirings=(Wiring.DELTA,)), st.data())
def test_what_delta_rows_allow_stays_within_the_limit_as_phasors(site, data):
    network = Network(site)
    plugs = [Plug(node, data.draw(st.sampled_from([(1,), (2, 3), (1, 2, 3)]))) for node in network.evses]
    currents = np.array([data.draw(st.floats(0, 32)) for _ in plugs])
    rows = network.rows(plugs)
    assert (rows.matrix.data > 0).all()
    amperes = np.array([node == "grid" and unit == "A" for node, unit in zip(rows.nodes, rows.units, strict=True)])
    found = limits(network)[:, 0]
    worst = max(float(np.max((rows.matrix @ currents)[amperes] / found[amperes])), 1e-9)
    assert (lines(network, site, plugs, currents / worst) <= np.array(site.nodes[0].limit_a) * (1 + 1e-9)).all()


def test_a_delta_site_of_balanced_cars_alone_needs_no_polygon():
    site = site_of(grid(limit_a=(80,) * 3), evse("e", "grid", dc=True), wiring=Wiring.DELTA, voltage_v=208.0)
    assert len([name for name in Network(site).row_names if name == "grid L1"]) == 1


def test_cars_between_phases_have_a_polygon_of_sides_with_the_same_name():
    site = site_of(
        grid(limit_a=(80,) * 3),
        evse("ab", "grid", phases=1, rotation="12"),
        evse("ca", "grid", phases=1, rotation="31"),
        wiring=Wiring.DELTA,
        voltage_v=208.0,
    )
    network = Network(site)
    names = network.row_names
    assert (names.count("grid L1"), names.count("grid L2"), names.count("grid L3")) == (6, 1, 1)
    both = network.worst_load({"ab": np.array([46.0]), "ca": np.array([46.0])})
    assert max(both[:6, 0]) == pytest.approx(46 * np.sqrt(3) / np.cos(np.radians(5)) * np.cos(np.radians(5)), rel=5e-3)
    assert network.kw_per_a(Plug("ab", (1,))) == pytest.approx(0.208)


def delta_with(load, **outlet):
    return site_of(
        grid(limit_a=(50.0,) * 3, export_kw=100),
        evse("ab", "grid", phases=1, rotation="12", **outlet),
        evse("ca", "grid", phases=1, rotation="31", **outlet),
        wiring=Wiring.DELTA,
        voltage_v=208.0,
        loads=(load,) if load else (),
    )


@FEW
@given(st.floats(-80, 60), st.floats(0, 80), st.floats(0, 80), st.booleans())
def test_phasors_with_loads_and_with_what_feeds_stay_within_the_limit(load_a, ab, ca, declared):
    """The load of L1 is in phase with its voltage; what feeds makes room, but never more than there is."""
    load = Load(load="pv", node="grid", kind=LoadKind.METERED) if declared else None
    network = Network(delta_with(load))
    kw = np.array([[load_a * network.neutral_v / 1000], [0.0], [0.0]])
    rows = network.rows([Plug("ab", (1,)), Plug("ca", (1,))])
    left = limits(network, loads=[NodeLoad("grid", kw)])[:, 0]
    cars = np.array([ab, ca])
    first = np.array([name == "grid L1" for name in rows.names])
    if (rows.matrix @ cars <= left)[first].all():
        total = abs(ab * np.exp(1j * np.pi / 6) + ca * np.exp(-1j * np.pi / 6) + load_a)
        assert total <= max(50.0, -load_a) * (1 + 1e-9)


def test_what_feeds_makes_room_in_a_delta_site_that_knows_of_it():
    network = Network(delta_with(Load(load="pv", node="grid", kind=LoadKind.METERED)))
    kw = np.array([[-20 * network.neutral_v / 1000], [0.0], [0.0]])
    left = limits(network, loads=[NodeLoad("grid", kw)])[:, 0]
    sides = network.rows([Plug("ab", (1,)), Plug("ca", (1,))])
    loaded = sides.matrix @ np.array([38.0, 38.0])
    first = np.array([name == "grid L1" for name in sides.names])
    assert (loaded <= left)[first].all()
    assert not (loaded <= limits(network)[:, 0])[first].all()


@FEW
@given(st.floats(-80, 80), st.floats(-80, 80))
def test_cars_that_discharge_between_phases_stay_within_the_limit_too(ab, ca):
    network = Network(delta_with(None, discharge_kw_max=10.0))
    rows = network.rows([Plug("ab", (1,)), Plug("ca", (1,))])
    first = np.array([name == "grid L1" for name in rows.names])
    if (rows.matrix @ np.array([ab, ca]) <= limits(network)[:, 0])[first].all():
        assert abs(ab * np.exp(1j * np.pi / 6) + ca * np.exp(-1j * np.pi / 6)) <= 50 * (1 + 1e-9)


def test_limits_of_a_week_agree_with_limits_of_each_slot_on_its_own():
    timed = (TimedLimit(from_s=22 * HOUR, to_s=6 * HOUR, weekdays=(5, 6), limit_kw=3),)
    network = Network(site_of(grid(timed=timed), time_zone="America/Los_Angeles"))
    start = datetime(2026, 10, 29, tzinfo=UTC)
    whole = limits(network, start, np.full(24 * 7, 3600.0))
    each = [limits(network, start + timedelta(hours=hour), np.array([3600.0]))[:, 0] for hour in range(24 * 7)]
    assert whole.T.tolist() == np.array(each).tolist()
