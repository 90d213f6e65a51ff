"""What the wire tells of itself."""

import numpy as np
import pytest

from engine.model.charging_profiles import RateUnit
from smartcharging.wire import NoticeKind, Rung, Sources
from smartcharging.words import Told
from tests.smartcharging.wire.fleet import Bench, gone, target


def planned(**more):
    bench = Bench(2, 40.0, idle_a=6.0, **more)
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, 16.0, bench.now))
    bench.run()
    return bench


def test_the_worst_case_is_told_by_slot_with_some_seconds_of_doubt_around_each_change():
    bench = planned()
    found = bench.wire.worst(bench.now, np.array([600.0, 3600.0, 100_000.0]))
    assert {node: row.tolist() for node, row in found.items()} == {"e0": [16.0, 16.0, 20.0], "e1": [6.0, 6.0, 20.0]}


def test_each_target_has_its_word():
    bench = planned()
    assert bench.wire.told() == {"e0": Told.HELD, "e1": Told.HELD}
    bench.wait(60)
    bench.want(target(0, 15.5, bench.now))
    bench.run()
    assert bench.wire.told()["e0"] is Told.SMALL
    bench.want(target(0, 10.0, bench.now))
    bench.orders()
    assert bench.wire.told()["e0"] is Told.SENT


def test_a_station_that_cannot_be_told_to_draw_less_is_reported_when_it_matters():
    bench = planned()
    gone(bench.wire, "CP0", bench.now)
    bench.wait(120)
    assert bench.wire.notices(bench.now) == ()
    bench.wire.limits_changed(Sources(lambda _start, slot_s: {"": np.full(len(slot_s), 10.0)}), bench.now)
    bench.want(target(0, 6.0, bench.now))
    bench.run()
    (notice,) = bench.wire.notices(bench.now)
    assert (notice.node, notice.kind) == ("e0", NoticeKind.UNREACHABLE)
    assert "not connected" in notice.detail


def test_rows_that_may_be_over_are_named_with_how_much_and_when():
    bench = planned()
    assert bench.wire.over() == ()
    bench.wire.limits_changed(Sources(lambda _start, slot_s: {"": np.full(len(slot_s), 10.0)}), bench.now)
    first = bench.wire.over()[0]
    assert (first.row, first.unit, first.limit) == ("grid kW", "kW", 10.0)
    assert first.over == pytest.approx(40.0 * 0.69 - 10.0)


def test_abilities_are_told_for_people():
    view = planned().wire.abilities()["CP0"]
    assert (view.station, view.online, view.rung, view.unit, view.refused) == ("CP0", True, Rung.TX, RateUnit.A, ())


def test_held_limits_are_told_for_now():
    assert planned().wire.held_a(planned().now) == {"e0": 16.0, "e1": 6.0}
