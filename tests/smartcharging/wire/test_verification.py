"""Stations that do not keep to their limits: told again, then left at their share; cars that do not wake."""

import numpy as np
import pytest

from smartcharging.wire import NoticeKind
from smartcharging.words import Told
from tests.smartcharging.wire.fleet import Bench, target

NOW_S = np.array([60.0])


def planned(current_a=10.0, **settings):
    bench = Bench(3, 60.0, idle_a=6.0, settings=settings)
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, current_a, bench.now))
    bench.run()
    bench.wait(bench.settings.verify_s + 60)
    return bench


def kinds(bench):
    return [notice.kind for notice in bench.wire.notices(bench.now) if notice.node == "e0"]


def meter(bench, current_a, seconds, every_s=15, *, run=True):
    sent = []
    for _ in range(int(seconds / every_s)):
        bench.wire.metered("e0", (current_a, current_a - 0.3, 0.0), bench.now)
        sent += bench.run(1) if run else []
        bench.wait(every_s - 1)
    return sent


@pytest.mark.parametrize("current_a", [0.0, 9.9, 10.9, 11.0])
def test_what_is_within_the_tolerance_is_fine(current_a):
    bench = planned()
    assert meter(bench, current_a, 600) == []
    assert kinds(bench) == []


def test_a_station_that_draws_more_is_told_once_more_and_then_left_at_its_share():
    bench = planned()
    again = meter(bench, 16.0, 60)
    assert [order.station for order in again] == ["CP0", "CP0"]  # its default and its own
    assert kinds(bench) == [NoticeKind.OVERDRAWN]
    meter(bench, 16.0, 90)
    assert "draws 16.0 A, may draw 10.0 A" in bench.wire.quarantined()["e0"]
    assert bench.wire.told()["e0"] is Told.QUARANTINED
    assert kinds(bench)[0] is NoticeKind.QUARANTINE
    bench.wait(60)
    bench.run()
    assert bench.may_draw_a(0) == pytest.approx(bench.wire.shares(bench.now)["e0"], abs=1.0)


def test_one_in_quarantine_counts_with_its_outlets_maximum():
    bench = planned()
    meter(bench, 16.0, 200)
    assert bench.wire.worst(bench.now, NOW_S)["e0"].tolist() == [32.0]
    bench.plug_in(1)
    bench.want(target(0, 10.0, bench.now), target(1, 32.0, bench.now))
    bench.wait(60)
    bench.run()
    assert bench.may_draw_a(1) <= 60.0 - 32.0 - 6.0


def test_a_station_that_follows_after_the_second_time_is_left_alone():
    bench = planned()
    meter(bench, 16.0, 30)
    meter(bench, 10.0, 300)
    assert bench.wire.quarantined() == {}
    assert kinds(bench) == []


def test_a_station_has_its_time_to_follow_after_each_yes():
    bench = planned(24.0)
    for current_a in (20.0, 16.0, 12.0, 8.0):
        bench.want(target(0, current_a, bench.now))
        bench.run()
        meter(bench, current_a + 4.0, 75)  # a step behind, always
    assert kinds(bench) == []
    meter(bench, 12.0, 120)
    assert kinds(bench) != []


def test_changes_do_not_hide_one_that_never_follows():
    bench = planned(10.0)
    for number in range(12):
        bench.want(target(0, 8.0 + number % 2 * 2, bench.now))
        bench.run()
        meter(bench, 20.0, 30)
    assert "e0" in bench.wire.quarantined()


def test_one_in_quarantine_is_not_told_its_share_again_and_again():
    bench = planned()
    meter(bench, 16.0, 240)
    assert "e0" in bench.wire.quarantined()
    before = len(bench.sent)
    meter(bench, 16.0, 600)
    assert len(bench.sent) == before


def test_an_operator_lets_it_go():
    bench = planned()
    meter(bench, 16.0, 200)
    assert bench.wire.release("e0")
    assert not bench.wire.release("e0")
    assert not bench.wire.release("elsewhere")
    bench.wait(60)
    bench.run()
    assert bench.wire.worst(bench.now, NOW_S)["e0"][0] <= 10.0
    assert bench.wire.told()["e0"] in (Told.HELD, Told.SMALL)


def test_it_leaves_by_itself_after_quiet_hours():
    bench = planned(quarantine_quiet_s=3600.0)
    meter(bench, 16.0, 200)
    assert "e0" in bench.wire.quarantined()
    bench.wait(120)
    meter(bench, 8.0, 1800, 60)
    meter(bench, 30.0, 60, 60)
    meter(bench, 8.0, 3500, 60)
    assert "e0" in bench.wire.quarantined()
    meter(bench, 8.0, 300, 60)
    assert bench.wire.quarantined() == {}


def test_quarantine_can_be_switched_off():
    bench = planned(quarantine=False)
    meter(bench, 16.0, 600)
    assert bench.wire.quarantined() == {}
    assert kinds(bench) == [NoticeKind.OVERDRAWN]


@pytest.mark.parametrize("values", [(), (float("nan"),), (-16.0,), (float("inf"),)])
def test_readings_that_are_none_accuse_nobody(values):
    bench = planned()
    for _ in range(20):
        bench.wire.metered("e0", values, bench.now)
        bench.wait(30)
    assert bench.wire.quarantined() == {}
    bench.wire.metered("elsewhere", (99.0,), bench.now)


def test_a_car_that_does_not_wake_after_a_pause_is_reported_and_not_prodded():
    bench = planned(10.0)
    bench.want(target(0, 0.0, bench.now))
    bench.run()
    meter(bench, 0.0, 180)
    bench.want(target(0, 10.0, bench.now))
    bench.run()
    before = len(bench.sent)
    meter(bench, 0.0, bench.settings.wake_s + 60)
    assert kinds(bench) == [NoticeKind.ASLEEP]
    assert len(bench.sent) == before
    meter(bench, 9.0, 30)
    assert kinds(bench) == []


def test_a_car_that_just_draws_nothing_is_full_and_not_asleep():
    bench = planned(10.0)
    meter(bench, 0.0, 3600, 60)
    assert kinds(bench) == []
