import pytest

from engine.model.sites import NodeKind, SiteNode, Wiring
from smartcharging.tree import Tree
from tests.smartcharging.trees import board, evse, grid, site_of


def test_a_path_goes_from_a_node_to_the_root_whatever_the_order_of_the_file():
    site = site_of(evse("e", "b"), board("b", "f"), board("f"), grid())
    tree = Tree(site)
    assert [site.nodes[place].node for place in tree.path(0)] == ["e", "b", "f", "grid"]
    assert [site.nodes[place].node for place in tree.order] == ["grid", "f", "b", "e"]


def test_evses_are_in_the_order_of_the_site():
    assert Tree(site_of(evse("z", "grid"), grid(), evse("a", "grid"))).evses.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("nodes", "match"),
    [
        ((grid(), board("b", "nowhere")), r"node b: its parent nowhere"),
        ((grid(), board("a", "b"), board("b", "a")), r"node [ab]: hangs below itself"),
        ((grid(), board("b", None)), r"2 roots"),
        ((board("b", "b"),), r"0 roots"),
        ((grid(), evse("e", "grid"), board("b", "e")), r"node b: hangs below the EVSE e"),
        ((grid(), SiteNode(node="e", kind=NodeKind.EVSE, parent="grid")), r"node e: an EVSE has an outlet"),
        ((grid(), board("b"), board("b")), r"same id"),
    ],
)
def test_what_is_no_tree_is_refused_with_the_name_of_the_node(nodes, match):
    with pytest.raises(ValueError, match=match):
        Tree(site_of(*nodes))


def test_wiring_is_of_what_hangs_below():
    site = site_of(
        grid(),
        board("d", wiring=Wiring.DELTA),
        board("dd", "d"),
        evse("inherits", "dd"),
        evse("plain", "grid"),
        wiring=Wiring.WYE,
    )
    wirings = dict(zip((node.node for node in site.nodes), Tree(site).wirings, strict=True))
    assert wirings["inherits"] is Wiring.DELTA
    assert wirings["plain"] is Wiring.WYE


def test_values_are_inherited_from_above():
    site = site_of(grid(), board("a"), board("b", "a"), evse("e", "b"))
    tree = Tree(site)
    assert tree.inherited({1: 5.0}, 0.0) == [0.0, 5.0, 5.0, 5.0]
