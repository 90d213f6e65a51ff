"""What flows in the lines of a site, and what may."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from loadtests.sites.tree import WITHOUT_LIMIT, Cap, Draw, SiteTree


def evse(number, parent="board", **outlet):
    return {
        "node": f"e{number}",
        "kind": "evse",
        "parent": parent,
        "outlet": {"station": f"ST{number}", "evse": 1} | outlet,
    }


def tree(*evses, board=None, **site):
    nodes = [
        {"node": "grid", "kind": "grid", "limit_kw": 50.0},
        {"node": "board", "kind": "board", "parent": "grid", "limit_a": [40, 30, 20]} | (board or {}),
        *evses,
    ]
    return SiteTree({"site": "S", "nodes": nodes} | site)


def amperes(site, draws, loads=None):
    board = site.names.index("board")
    return [round(each, 6) for each in site.currents(draws, loads or {})[board].tolist()]


def test_cars_of_one_two_and_three_phases_add_up_on_their_own_lines():
    site = tree(evse(1), evse(2, rotation="231"), evse(3, rotation="312"))
    assert amperes(site, [Draw(16, 3), Draw(10, 1), Draw(8, 2)]) == [24, 26, 24]


def test_an_outlet_of_one_phase_gives_one_phase_whatever_the_car_has():
    site = tree(evse(1, phases=1, rotation="3"))
    assert amperes(site, [Draw(16, 3)]) == [0, 0, 16]


def test_a_load_flows_in_its_lines_and_all_above():
    site = tree(evse(1))
    assert amperes(site, [Draw(10, 3)], {"board": (2.3, 0, -2.3)}) == [20, 10, 0]
    assert site.powers([Draw(10, 3, 6_900)], {"board": (2.3, 0, -1.3)}).tolist() == pytest.approx([7.9, 7.9, 6.9])
    grid = site.names.index("grid")
    assert site.currents([Draw(10, 3)], {"board": (2.3, 0, 0)})[grid].tolist() == pytest.approx([20, 10, 10])


def test_between_phases_the_lines_share_by_their_angles():
    site = tree(evse(1, phases=1, rotation="12"), evse(2, phases=1, rotation="23"), wiring="delta", voltage_v=208.0)
    assert amperes(site, [Draw(10, 1), Draw(0, 1)]) == [10, 10, 0]
    assert amperes(site, [Draw(10, 1), Draw(10, 1)]) == [10, pytest.approx(17.320508), 10]


def test_a_board_may_be_wired_otherwise_than_its_site():
    site = tree(evse(1, phases=1, rotation="12"), board={"wiring": "delta"})
    assert amperes(site, [Draw(10, 1)]) == [10, 10, 0]


def test_the_least_of_a_limit_its_times_and_all_caps_counts():
    timed = [{"from_s": 8 * 3600, "to_s": 18 * 3600, "weekdays": [1], "limit_kw": 20.0, "limit_a": [25, 35, 35]}]
    site = tree(evse(1), board={"timed": timed, "limit_kw": 30.0}, time_zone="Europe/Berlin")
    monday = datetime(2026, 11, 23, 8, 0, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    board, grid = site.names.index("board"), site.names.index("grid")

    def limits(at, *caps):
        current, power = site.limits(at, caps)
        return current[board].tolist(), power[board], power[grid]

    assert limits(monday) == ([25, 30, 20], 20, 50)
    assert limits(monday - 1) == ([40, 30, 20], 30, 50)
    assert limits(monday + 86_400) == ([40, 30, 20], 30, 50)
    caps = (Cap("dso", "", monday, 11.0), Cap("me", "board", monday, 12.0), Cap("dso", "", monday + 60, None))
    assert limits(monday, *caps) == ([25, 30, 20], 12, 11)
    assert limits(monday + 60, *caps) == ([25, 30, 20], 12, 50)
    assert limits(monday - 1, *caps) == ([40, 30, 20], 30, 50)


def test_a_limit_over_midnight_belongs_to_the_day_when_it_begins():
    timed = [{"from_s": 22 * 3600, "to_s": 6 * 3600, "weekdays": [5], "limit_kw": 5.0}]
    site = tree(evse(1), board={"timed": timed})
    board = site.names.index("board")

    def kw(day, hour):
        return site.limits(datetime(2026, 11, day, hour, tzinfo=ZoneInfo("UTC")).timestamp())[1][board]

    assert (kw(20, 23), kw(21, 3)) == (5, 5)  # from Friday to Saturday
    assert (kw(20, 3), kw(20, 12), kw(21, 23)) == (WITHOUT_LIMIT,) * 3


def test_a_circle_is_no_tree():
    with pytest.raises(ValueError, match="below itself"):
        SiteTree(
            {
                "site": "S",
                "nodes": [{"node": "grid"}, {"node": "a", "parent": "b"}, {"node": "b", "parent": "a"}, evse(1, "a")],
            }
        )
