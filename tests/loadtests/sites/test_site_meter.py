"""What the meters of a site call a violation."""

import pytest

from loadtests.sites.site_meter import KEPT_MAX, SiteMeter
from loadtests.sites.tree import Cap, Draw, SiteTree

SITE = {
    "site": "S",
    "nodes": [
        {"node": "grid", "kind": "grid", "limit_a": [20, 20, 20], "limit_kw": 10.0},
        {"node": "e1", "parent": "grid", "outlet": {"station": "A", "evse": 1}},
        {"node": "e2", "parent": "grid", "outlet": {"station": "B", "evse": 1, "rotation": "231"}},
    ],
}


@pytest.fixture
def meter():
    return SiteMeter(SiteTree(SITE))


def drawing(a=0.0, b=0.0, phases=1):
    return {("A", 1): Draw(a, phases, a * phases * 230), ("B", 1): Draw(b, phases, b * phases * 230)}


def watch(meter, seconds, draws, start=0, loads=None, caps=()):
    for second in range(start, start + seconds):
        meter.look(float(second), draws, loads or {}, caps)
    return start + seconds


def test_what_stays_within_its_limits_is_no_violation(meter):
    watch(meter, 100, drawing(20, 20))
    meter.end()
    assert (meter.counted, meter.counted_shorter, meter.looks) == (0, 0, 100)
    assert meter.highest["grid L1"] == meter.highest["grid L2"] == 1.0


def test_what_is_longer_above_a_limit_than_the_grace_is_one_violation_of_its_row(meter):
    after = watch(meter, 8, drawing(21))
    after = watch(meter, 3, drawing(23), after)
    watch(meter, 5, drawing(5), after)
    (found,) = meter.violations
    assert (found.row, found.lasted_s, found.value, found.limit) == ("grid L1", 11, 23, 20)
    assert "23.00 A at a limit of 20.00 A, for 11 s" in str(found)


def test_what_is_shorter_is_told_and_is_none(meter):
    after = watch(meter, 5, drawing(21))
    watch(meter, 5, drawing(5), after)
    assert (meter.counted, meter.counted_shorter) == (0, 1)
    assert meter.shorter[0].over == 1


def test_what_goes_on_at_the_end_is_judged(meter):
    watch(meter, 20, drawing(21))
    assert meter.counted == 0
    meter.end()
    assert meter.counted == 1


def test_power_and_lines_have_limits_of_their_own(meter):
    watch(meter, 20, drawing(10, 10, 3))
    meter.end()
    assert [each.row for each in meter.violations] == ["grid kW"]


def test_what_others_draw_alone_is_no_violation_of_the_cars(meter):
    after = watch(meter, 20, drawing(0), loads={"grid": (9.0, 0, 0)})
    watch(meter, 20, drawing(3), after, loads={"grid": (9.0, 0, 0)})
    meter.end()
    assert [each.row for each in meter.violations] == ["grid L1"]


def test_a_cap_counts_from_its_time_on(meter):
    after = watch(meter, 20, drawing(15), caps=[Cap("dso", "", 20.0, 3.0)])
    assert meter.counted + meter.counted_shorter == 0
    watch(meter, 20, drawing(15), after, caps=[Cap("dso", "", 20.0, 3.0)])
    meter.end()
    assert [each.row for each in meter.violations] == ["grid kW"]


def test_the_energy_is_that_of_the_cars(meter):
    watch(meter, 3601, drawing(10, 10), loads={"grid": (1.0, 1.0, 1.0)})
    assert meter.energy_kwh == pytest.approx(4.6)


def test_all_are_counted_and_not_all_kept(meter):
    second = 0
    for _ in range(KEPT_MAX + 5):
        second = watch(meter, 1, drawing(21), second)
        second = watch(meter, 1, drawing(1), second)
    assert (meter.counted_shorter, len(meter.shorter)) == (KEPT_MAX + 5, KEPT_MAX)
