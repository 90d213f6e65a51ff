"""The shape of the tree: each fault is found once, and by name."""

import pytest

from engine.model.sites import NodeKind, Outlet, Site, SiteNode
from smartcharging.site_check import check
from smartcharging.site_problems import PROBLEMS_MAX, Severity
from smartcharging.tree_check import EVSES_MAX
from tests.smartcharging.sites import BOARD, EVSE, GRID, STATION, changed, depot, node, outlet


def told(site: Site) -> list[tuple[str, str, str]]:
    return [(problem.severity.value, problem.node, problem.what) for problem in check(site)]


def one(site: Site):
    (problem,) = check(site)
    return problem


def test_a_sound_site_has_no_problems():
    assert check(depot()) == ()


def test_a_site_without_nodes():
    found = told(Site(site="empty", nodes=()))
    assert ("error", "", "it has no nodes") in found
    assert ("warning", "", "it has no EVSE") in found


def test_no_root():
    found = told(depot(changed(GRID, parent="board", kind=NodeKind.FEEDER)))
    assert ("error", "", "no node is the root") in found
    assert any("lead back to itself: board -> grid -> board" in what for _, _, what in found)


def test_two_roots_are_named():
    problem = one(depot(node("grid-2", "grid", None)))
    assert (problem.node, problem.field) == ("grid-2", "parent")
    assert "'grid' has none" in problem.what


def test_the_root_is_the_connection_to_the_grid_and_nothing_else_is():
    assert told(depot(changed(GRID, kind=NodeKind.FEEDER))) == [("error", "grid", "the root is a feeder")]
    assert told(depot(changed(BOARD, kind=NodeKind.GRID))) == [
        ("error", "board", "a connection to the grid hangs below another node")
    ]


def test_an_orphan_is_told_once_with_what_hangs_below_it_and_the_name_that_was_meant():
    problem = one(depot(changed(STATION, parent="baord")))
    assert problem.node == "CP-1"
    assert problem.what == "its parent 'baord' is no node of this site, nor have the 2 nodes below it"
    assert "did you mean 'board'" in problem.todo


def test_a_circle_is_told_once_by_its_way():
    found = told(depot(node("a", parent="c"), node("b", parent="a"), node("c", parent="b"), node("d", parent="c")))
    assert found == [("error", "a", "its parents lead back to itself: a -> c -> b -> a")]


def test_a_node_that_is_its_own_parent():
    assert told(depot(node("a", parent="a"))) == [("error", "a", "its parents lead back to itself: a -> a")]


def test_an_id_that_is_given_twice():
    site = depot()
    site = changed(site, nodes=(*site.nodes, changed(BOARD, limit_a=None)))
    assert told(site) == [("error", "board", "two nodes have this id")]


@pytest.mark.parametrize("name", ["", " a", "a\n", "x" * 65])
def test_names_can_be_shown(name):
    assert any("is no name of a node" in what for _, _, what in told(depot(node(name))))


def test_an_EVSE_is_an_end():
    problem = one(depot(node("deeper", parent="CP-1/1")))
    assert (problem.node, problem.what) == ("CP-1/1", "an EVSE has nodes below it: deeper")


def test_an_EVSE_has_an_outlet_and_nothing_else_has():
    assert told(depot(changed(EVSE, outlet=None))) == [("error", "CP-1/1", "an EVSE has no outlet")]
    assert told(depot(changed(BOARD, outlet=outlet("CP-9")))) == [("error", "board", "a board has an outlet")]


def test_a_station_has_its_identity_and_nothing_else_has():
    assert told(depot(changed(STATION, station=None))) == [("error", "CP-1", "a station has no identity")]
    assert told(depot(changed(BOARD, station="CP-7"))) == [("error", "board", "a board has the identity of a station")]


@pytest.mark.parametrize("identity", ["", "a:b", " CP", "x" * 49, "CP\x07"])
def test_identities_are_those_of_OCPP(identity):
    found = told(depot(changed(STATION, station=identity), changed(EVSE, outlet=outlet(identity)), without=("CP-1/2",)))
    assert [node for _, node, what in found if "is no identity of a station" in what] == ["CP-1", "CP-1/1"]


def test_a_station_and_an_EVSE_have_one_place():
    again = node("again", "station", "board", station="CP-1")
    assert "station CP-1 is at 'CP-1' already" in [what for _, _, what in told(depot(again))]
    problem = one(depot(node("twice", "evse", "CP-1", outlet=outlet(evse=2))))
    assert (problem.node, problem.what) == ("twice", "EVSE 2 of station CP-1 is at 'CP-1/2' already")


@pytest.mark.parametrize("number", [0, -1, 2**31])
def test_EVSEs_count_from_1(number):
    found = told(depot(changed(EVSE, outlet=outlet(evse=number))))
    assert found == [("error", "CP-1/1", f"EVSE {number} is none")]


def test_an_EVSE_hangs_below_no_other_station():
    problem = one(depot(node("x", "evse", "CP-1", outlet=outlet("CP-9"))))
    assert (problem.node, problem.what) == ("x", "an EVSE of station CP-9 hangs below station CP-1")


def test_a_station_hangs_below_no_station():
    problem = one(depot(node("CP-2", "station", "CP-1", station="CP-2")))
    assert (problem.node, problem.what) == ("CP-2", "a station hangs below the station 'CP-1'")


def test_an_EVSE_beside_its_station_is_hardly_meant():
    problem = one(depot(changed(EVSE, parent="board")))
    assert (problem.severity, problem.node) == (Severity.WARNING, "CP-1/1")
    assert "does not hang below 'CP-1'" in problem.what


def test_EVSEs_need_no_node_of_their_station():
    assert check(depot(node("x", "evse", "board", outlet=outlet("CP-9")))) == ()


def test_a_tree_is_so_deep_at_most():
    chain = [node(f"n{number}", parent="grid" if not number else f"n{number - 1}") for number in range(40)]
    problem = one(depot(*chain))
    assert (problem.node, problem.what) == ("n39", "it is 41 levels deep")
    assert check(depot(*chain[:31])) == ()


def test_a_tree_of_a_very_long_chain_and_a_very_long_circle_ends():
    chain = [node(f"n{number}", parent=f"n{number - 1}") for number in range(1, 5_000)]
    assert "levels deep" in one(depot(*chain, node("n0"))).what
    circle = told(depot(*chain, node("n0", parent="n4999")))
    assert [name for _, name, _ in circle] == ["n1"]


def huge(evses: int, **more) -> Site:
    outlets = (Outlet(station=f"CP-{number}", evse=1) for number in range(evses))
    nodes = [SiteNode(node=f"e{n}", kind=NodeKind.EVSE, parent="grid", outlet=one) for n, one in enumerate(outlets)]
    return Site(site="huge", nodes=(GRID, *nodes), **more)


def test_a_site_may_have_as_many_EVSEs_as_fit():
    assert check(huge(EVSES_MAX)) == ()


def test_a_site_has_so_many_EVSEs_at_most():
    assert f"it has {EVSES_MAX + 1} EVSEs" in [what for _, _, what in told(huge(EVSES_MAX + 1))]


def test_a_site_of_nonsense_has_so_many_problems_at_most_and_tells_of_the_rest():
    site = huge(3_000)
    broken = changed(site, nodes=tuple(changed(one, parent="gird") if one.parent else one for one in site.nodes))
    found = check(broken)
    assert len(found) == PROBLEMS_MAX + 1
    assert found[-1].what == "2000 more problems were found"
