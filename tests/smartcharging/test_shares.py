import numpy as np
import pytest
from hypothesis import given

from smartcharging.network import Network
from smartcharging.shares import idle_shares, static_shares
from tests.smartcharging.trees import FEW, board, evse, flat, grid, random_sites, site_of


def static(site):
    network = Network(site)
    return static_shares(site, network, network.least())


def idle(site):
    network = Network(site)
    return idle_shares(site, network, network.least())


def test_a_site_with_room_for_all_gives_all_their_most():
    assert static(flat(3)) == {"e0": 32.0, "e1": 32.0, "e2": 32.0}


def test_static_shares_are_equal_and_in_steps():
    assert static(flat(3, 50.0)) == {"e0": 16.7, "e1": 16.7, "e2": 16.6}


def test_one_phase_outlets_count_only_on_their_phase():
    site = site_of(
        grid(limit_a=(20.0, 20.0, 20.0)),
        *(evse(f"e{turn}", "grid", phases=1, rotation=turn) for turn in ("1", "2", "3")),
    )
    assert set(static(site).values()) == {20.0}


def test_those_that_cannot_have_their_floor_get_nothing_and_the_others_their_room():
    assert static(flat(4, 20.0)) == {"e0": 6.7, "e1": 6.7, "e2": 6.6, "e3": 0.0}


def test_the_lowest_priority_goes_without_first():
    site = site_of(
        grid(limit_a=(13.0,) * 3), evse("a", "grid"), evse("b", "grid", priority=1), evse("c", "grid", priority=1)
    )
    assert static(site) == {"a": 0.0, "b": 6.5, "c": 6.5}


def test_weights_share_what_is_above_the_floors():
    site = site_of(grid(limit_a=(30.0,) * 3), evse("a", "grid"), evse("b", "grid", weight=2.0))
    assert static(site) == {"a": 12.0, "b": 18.0}


def test_an_outlet_that_cannot_give_its_own_floor_holds_nothing():
    assert static(site_of(grid(), evse("a", "grid", current_a_max=5.0))) == {"a": 0.0}


def test_nothing_is_left_where_others_draw_more_than_the_limit():
    site = flat(2)
    network = Network(site)
    assert set(static_shares(site, network, network.least() - 2000.0).values()) == {0.0}


@FEW
@given(random_sites())
def test_static_shares_fit_together_whatever_conductors_cars_use(site):
    network = Network(site)
    shares = static(site)
    worst = network.worst_load({node: np.array([amperes]) for node, amperes in shares.items()})[:, 0]
    assert (worst <= network.least() * (1 + 2e-9)).all()
    for node, amperes in shares.items():
        outlet = network.evses[node].outlet
        assert amperes == 0 or outlet.current_a_min <= amperes <= network.current_a_max(node)


@FEW
@given(random_sites())
def test_idle_shares_fit_together_and_are_nothing_or_the_floor(site):
    network = Network(site)
    for said in (None, 0.0, 6.0):
        asked = type(site)(**{name: getattr(site, name) for name in site.__struct_fields__} | {"idle_a": said})
        shares = idle(asked)
        worst = network.worst_load({node: np.array([amperes]) for node, amperes in shares.items()})[:, 0]
        assert (worst <= network.least() * (1 + 2e-9)).all()
        assert set(shares.values()) <= {0.0, 6.0}


def test_idle_evses_keep_a_floor_only_where_that_takes_a_tenth_at_most():
    wide, narrow = board("wide", limit_a=(600.0,) * 3), board("narrow", limit_a=(100.0,) * 3)
    site = site_of(grid(), wide, narrow, *(evse(f"{at}{n}", at) for at in ("wide", "narrow") for n in range(5)))
    shares = idle(site)
    assert {shares[f"wide{n}"] for n in range(5)} == {6.0}
    assert {shares[f"narrow{n}"] for n in range(5)} == {0.0}


def test_a_limit_of_one_evse_alone_takes_nothing_from_others():
    assert idle(site_of(grid(), board("b", limit_a=(16.0,) * 3), evse("e", "b"))) == {"e": 6.0}


def test_a_site_that_says_what_idle_evses_may_is_followed_as_far_as_all_fit():
    three = [evse(f"e{n}", "grid", priority=n) for n in range(3)]
    assert idle(site_of(grid(limit_a=(100.0,) * 3), *three, idle_a=6.0)) == {"e0": 6.0, "e1": 6.0, "e2": 6.0}
    assert idle(site_of(grid(limit_a=(12.0,) * 3), *three, idle_a=6.0)) == {"e0": 0.0, "e1": 6.0, "e2": 6.0}
    assert set(idle(site_of(grid(), *three, idle_a=0.0)).values()) == {0.0}
    assert set(idle(site_of(grid(), *three, idle_a=4.0)).values()) == {0.0}


def test_limits_of_another_shape_and_another_sites_network_are_refused():
    site = flat(2)
    network = Network(site)
    with pytest.raises(ValueError, match="limits without NaN"):
        static_shares(site, network, np.ones(2))
    with pytest.raises(ValueError, match="limits without NaN"):
        idle_shares(site, network, network.least() * np.nan)
    with pytest.raises(ValueError, match="of site s, not of other"):
        static_shares(site_of(grid(), site="other"), network, network.least())


def test_a_site_without_evses_has_no_shares():
    assert static(site_of(grid(limit_kw=5.0))) == {}
    assert idle(site_of(grid(limit_kw=5.0))) == {}
