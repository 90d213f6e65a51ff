"""Which differences matter, and when."""

import numpy as np
import pytest

from smartcharging.wire import Sources
from smartcharging.wire.choice import blows, changes, significance_a, window_s
from smartcharging.wire.settings import WireSettings
from smartcharging.wire.stations import PlaceName
from smartcharging.words import Step
from tests.smartcharging.wire.fleet import Bench, target


def seen(bench):
    """Places that matter now, by EVSE."""
    state = bench.wire._state
    return {(each.evse.node, each.place): each for each in changes(state, bench.wire._wishes, bench.now)}


def planned(current_a=16.0, **more):
    bench = Bench(2, 60.0, idle_a=6.0, **more)
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, current_a, bench.now))
    bench.run()
    return bench


def test_at_first_every_default_is_unknown():
    bench = Bench(2)
    bench.want()
    found = seen(bench)
    assert set(found) == {("e0", PlaceName.DEFAULT), ("e1", PlaceName.DEFAULT)}
    assert all(each.forced and not each.rises and each.falls for each in found.values())


def test_nothing_matters_where_all_is_held():
    assert seen(planned()) == {}


@pytest.mark.parametrize(("current_a", "there"), [(15.1, False), (15.0, True), (17.0, True), (16.9, False)])
def test_a_change_matters_from_the_threshold_on(current_a, there):
    bench = planned()
    bench.want(target(0, current_a, bench.now))
    assert (("e0", PlaceName.OWN) in seen(bench)) is there


def test_what_is_planned_for_later_does_not_matter_yet():
    bench = planned()
    later = bench.now.replace(minute=45)
    bench.want(target(0, 16.0, bench.now, steps=(Step(bench.now, 16.0), Step(later, 8.0))))
    assert seen(bench) == {}
    bench.now = later.replace(minute=44)
    bench.wire._refresh(bench.now)
    assert set(seen(bench)) == {("e0", PlaceName.OWN)}


def test_a_car_that_has_what_it_should_by_its_default_needs_no_profile():
    bench = planned(6.0)
    assert len(bench.sent) == 2


def test_whatever_a_limit_demands_matters():
    bench = planned()
    bench.wire.limits_changed(Sources(lambda _start, slot_s: {"": np.full(len(slot_s), 21.6 * 0.69)}), bench.now)
    bench.want(target(0, 15.6, bench.now))
    assert seen(bench)["e0", PlaceName.OWN].demanded


def test_leases_matter_before_they_end_defaults_first():
    bench = planned()
    evse = bench.wire._state.evses["e0"]
    own, default = (window_s(bench.settings, evse, name) for name in (PlaceName.OWN, PlaceName.DEFAULT))
    assert bench.settings.renew_s <= own < default < bench.settings.lease_s


def test_stations_may_ask_for_coarser_changes():
    evse = planned().wire._state.evses["e0"]
    assert significance_a(WireSettings(), evse, None) == 1.0
    assert significance_a(WireSettings(), evse, 10.0) == pytest.approx(3.2)


def test_amperes_are_what_they_are():
    bench = planned()
    assert blows(bench.wire._state, bench.wire._wishes).tolist() == [1.0, 1.0]
