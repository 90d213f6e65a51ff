"""The wire of a site: what goes out when, and what stations come to hold."""

from datetime import timedelta

import numpy as np
import pytest

from engine.model.charging_profiles import ProfilePurpose
from engine.model.commands import Outcome, Result
from engine.model.sites import TimedLimit
from engine.model.smart_charging import GetCompositeSchedule
from smartcharging.network import Network
from smartcharging.wire import SiteWire, Sources
from smartcharging.words import Step, Told
from tests.smartcharging.wire.fleet import (
    ACCEPTED,
    Bench,
    booted,
    connected,
    copied,
    gone,
    limits_of,
    site_of,
    target,
)

TX, DEFAULT = ProfilePurpose.TX, ProfilePurpose.TX_DEFAULT


def purposes(orders):
    return [(order.station, order.command.profile.purpose) for order in orders]


def test_a_new_station_gets_its_default_before_anything_else():
    bench = Bench(2)
    bench.plug_in(0)
    bench.want(target(0, 16.0, bench.now))
    first = bench.orders()
    assert purposes(first) == [("CP0", DEFAULT), ("CP1", DEFAULT)]
    assert bench.orders() == []  # one order at a time


def test_a_default_is_the_idle_share_until_a_common_boundary_and_then_the_static_share_for_ever():
    bench = Bench(3, 60.0, idle_a=6.0)
    order = bench.orders()[0]
    start = order.command.profile.schedules[0].start_at
    (first_s, idle), (later_s, share) = limits_of(order)
    assert (first_s, idle, share) == (0, 6.0, 20.0)
    boundary = start + timedelta(seconds=later_s - bench.settings.clock_s)
    assert boundary.minute in (0, 30)
    assert boundary.second == 0
    assert boundary >= bench.now + timedelta(seconds=bench.settings.lease_s)


def test_a_transaction_gets_its_current_until_the_lease_ends_a_moment_early():
    bench = Bench(3, 60.0, idle_a=0.0)
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, 32.0, bench.now))
    (order,) = bench.run()
    (_, current), (later_s, share) = limits_of(order)
    assert (current, share) == (32.0, 20.0)
    ends = order.command.profile.schedules[0].start_at + timedelta(seconds=later_s + bench.settings.clock_s)
    assert (ends.minute, ends.second) in ((0, 0), (30, 0))
    assert bench.may_draw_a(0) == 32.0


def test_if_everything_dies_all_fall_to_shares_that_fit_together():
    bench = Bench(4, 48.0, idle_a=6.0)
    bench.plug_in(0, 1)
    bench.run()
    bench.want(target(0, 24.0, bench.now), target(1, 12.0, bench.now))
    bench.run()
    assert bench.draws_a() == [24.0, 12.0, 6.0, 6.0]
    for later_s in range(0, 200_000, 97):
        assert sum(bench.draws_a(later_s)) <= 48.0
    assert bench.draws_a(200_000) == [12.0, 12.0, 12.0, 12.0]


def test_decreases_go_first_and_increases_wait_for_their_yes():
    bench = Bench(2, 32.0, idle_a=0.0)
    bench.plug_in(0, 1)
    bench.run()
    bench.want(target(0, 26.0, bench.now), target(1, 6.0, bench.now))
    bench.run()
    bench.wait(60)
    bench.want(target(0, 6.0, bench.now), target(1, 26.0, bench.now))
    (down,) = bench.orders()
    assert down.station == "CP0"
    assert bench.wire.told() == {"e0": Told.SENT, "e1": Told.WAITS}
    assert bench.orders() == []
    bench.wire.settled(down.order_id, bench.stations["CP0"].do(down.command), bench.now)
    (up,) = bench.orders()
    assert (up.station, limits_of(up)[0][1]) == ("CP1", 26.0)


def test_after_a_while_an_increase_takes_what_fits():
    bench = Bench(2, 40.0, idle_a=0.0)
    bench.plug_in(0, 1)
    bench.run()
    bench.want(target(0, 20.0, bench.now), target(1, 10.0, bench.now))
    bench.run()
    bench.wait(60)
    bench.want(target(0, 6.0, bench.now), target(1, 30.0, bench.now))
    assert [order.station for order in bench.orders()] == ["CP0"]
    bench.wait(bench.settings.patience_s + 1)
    (part,) = bench.orders()
    assert (part.station, limits_of(part)[0][1]) == ("CP1", 20.0)


def test_a_part_that_no_car_can_charge_with_is_not_sent():
    bench = Bench(2, 37.0, idle_a=0.0)
    bench.plug_in(0, 1)
    bench.run()
    bench.want(target(0, 32.0, bench.now))
    bench.run()
    gone(bench.wire, "CP0", bench.now)
    bench.want(target(0, 32.0, bench.now), target(1, 16.0, bench.now))
    bench.wait(60)
    assert bench.run() == []  # 5 A are left
    assert bench.wire.told()["e1"] is Told.WAITS


def test_small_changes_are_not_sent():
    bench = Bench(2)
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, 16.0, bench.now))
    bench.run()
    bench.wait(60)
    bench.want(target(0, 15.2, bench.now))
    assert bench.run() == []
    assert bench.wire.told()["e0"] is Told.SMALL
    bench.want(target(0, 14.9, bench.now))
    assert len(bench.run()) == 1


def test_a_small_decrease_that_a_limit_demands_is_sent():
    bench = Bench(2, 40.0, idle_a=0.0)
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, 16.0, bench.now))
    bench.run()
    bench.wait(60)
    bench.wire.limits_changed(Sources(lambda _start, slot_s: {"": np.full(len(slot_s), 0.69 * 15.5)}), bench.now)
    bench.want(target(0, 15.5, bench.now))
    bench.run()
    assert bench.may_draw_a(0) == 15.5


def test_messages_to_an_outlet_are_spaced_but_urgent_ones_are_not():
    bench = Bench(2)
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, 16.0, bench.now))
    bench.run(1)
    bench.want(target(0, 10.0, bench.now))
    assert bench.run(1) == []
    bench.want(target(0, 10.0, bench.now, urgent=True))
    (order,) = bench.run(1)
    assert order.urgent
    assert bench.may_draw_a(0) == 10.0


def test_leases_are_renewed_before_they_end_and_nobody_notices():
    bench = Bench(4, 48.0, idle_a=0.0)
    bench.plug_in(0, 1)
    bench.run()
    bench.want(target(0, 30.0, bench.now), target(1, 18.0, bench.now))
    bench.run()
    bench.sent.clear()
    for _ in range(12):
        bench.pass_time(1800)
        assert bench.draws_a() == [30.0, 18.0, 0.0, 0.0]
    assert len(bench.sent) <= 6 * 8  # six hours, four stations: a message per profile and hour


def test_nothing_is_renewed_where_the_share_is_what_is_wanted_anyway():
    bench = Bench(4, 48.0, idle_a=12.0)
    bench.run()
    assert len(bench.sent) == 4
    assert bench.pass_time(6 * 3600) == []


def test_what_an_offline_station_holds_counts_until_it_is_told():
    bench = Bench(2, 40.0, idle_a=0.0)
    bench.plug_in(0, 1)
    bench.run()
    bench.want(target(0, 30.0, bench.now))
    bench.run()
    gone(bench.wire, "CP0", bench.now)
    bench.want(target(0, 0.0, bench.now), target(1, 30.0, bench.now))
    bench.wait(60)
    bench.run()
    assert (bench.may_draw_a(0), bench.may_draw_a(1)) == (30.0, 10.0)
    assert bench.wire.told()["e0"] is Told.OFFLINE
    bench.wait(5)
    connected(bench.wire, "CP0", bench.now, session="s2")
    bench.wait(60)
    bench.run()
    assert (bench.may_draw_a(0), bench.may_draw_a(1)) == (0.0, 30.0)


def test_after_a_boot_everything_is_told_again_and_counts_as_unknown_until_then():
    bench = Bench(2, 40.0, idle_a=6.0)
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, 16.0, bench.now))
    bench.run()
    booted(bench.wire, "CP0", bench.now)
    worst = bench.wire.worst(bench.now, np.array([60.0]))
    assert worst["e0"].tolist() == [32.0]
    bench.stations["CP0"].profiles.clear()
    again = bench.run()
    assert purposes(again) == [("CP0", DEFAULT), ("CP0", TX)]
    assert bench.may_draw_a(0) == 16.0
    assert bench.wire.worst(bench.now, np.array([60.0]))["e0"].tolist() == [16.0]


def test_after_a_boot_nobody_is_told_more_than_it_held_before_that_fits():
    bench = Bench(4, 48.0, idle_a=6.0)
    bench.run()
    for number in (0, 1, 3):
        gone(bench.wire, f"CP{number}", bench.now)
    bench.wait(2 * 3600)  # they fell to their shares, 12 A each
    booted(bench.wire, "CP2", bench.now)
    bench.want(target(2, 24.0, bench.now, transaction=None))
    bench.run()
    assert bench.draws_a() == [12.0, 12.0, 12.0, 12.0]


def test_a_lost_answer_is_asked_again_and_the_larger_counts_meanwhile():
    bench = Bench(2, 40.0, idle_a=0.0)
    bench.plug_in(0, 1)
    bench.run()
    bench.want(target(0, 30.0, bench.now))
    (order,) = bench.orders()
    bench.wire.settled(order.order_id, Outcome(Result.TIMED_OUT), bench.now)
    bench.want(target(1, 30.0, bench.now))
    assert [(each.station, limits_of(each)[0][1]) for each in bench.orders()] == [("CP1", 10.0)]
    bench.wait(bench.settings.retry_s + 30)
    bench.want(target(0, 6.0, bench.now), target(1, 30.0, bench.now))
    (again,) = [each for each in bench.orders() if each.station == "CP0"]
    assert limits_of(again)[0][1] == 6.0


def test_failures_are_tried_again_ever_more_slowly():
    bench = Bench(1)
    waits = []
    last = bench.now
    for _ in range(2000):
        for order in bench.orders():
            bench.wire.settled(order.order_id, Outcome(Result.TIMED_OUT), bench.now)
            waits.append((bench.now - last).total_seconds())
            last = bench.now
        bench.wait(1)
    assert waits[:5] == [0, 5, 10, 20, 40]
    assert max(waits) <= bench.settings.retry_s_max + 1


def test_an_order_whose_end_is_never_heard_is_given_up():
    bench = Bench(1)
    bench.orders()
    bench.wait(bench.settings.deadline_s + 61)
    assert bench.orders() == []  # in doubt, and held back a moment
    bench.wait(bench.settings.retry_s)
    assert len(bench.orders()) == 1


def test_an_unknown_order_is_told_so():
    assert Bench(1).wire.settled("x.1", ACCEPTED, Bench(1).now) is False


def test_the_next_transaction_at_an_outlet_gets_a_profile_of_its_own():
    bench = Bench(2)
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, 16.0, bench.now))
    bench.run()
    bench.stations["CP0"].leaves()
    bench.stations["CP0"].plugs_in("9")
    bench.wait(60)
    bench.want(target(0, 16.0, bench.now, transaction="9"))
    (order,) = bench.run()
    assert order.command.profile.transaction_id == "9"
    assert bench.may_draw_a(0) == 16.0


def test_an_outlet_without_a_transaction_may_be_planned_too():
    bench = Bench(2, 60.0, idle_a=0.0)
    bench.run()
    bench.want(target(0, 13.0, bench.now, transaction=None))
    bench.wait(60)
    (order,) = bench.run()
    assert order.command.profile.purpose is DEFAULT
    assert bench.may_draw_a(0) == 13.0


def test_a_pause_also_takes_the_reserve_of_the_next_car():
    bench = Bench(2, 60.0, idle_a=6.0)
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, 0.0, bench.now))
    bench.wait(60)
    bench.run()
    assert bench.may_draw_a(0) == 0.0
    bench.want()
    bench.stations["CP0"].leaves()
    bench.wait(60)
    bench.run()
    assert bench.may_draw_a(0) == 6.0


def test_a_cap_below_the_shares_is_in_what_stations_fall_to():
    bench = Bench(4, 48.0, idle_a=6.0)
    bench.run()
    ends = bench.now + timedelta(hours=5)

    def caps(start, slot_s):
        edges = start.timestamp() + np.concatenate(([0.0], np.cumsum(slot_s)))
        return {"grid": np.where(edges[:-1] < ends.timestamp(), 17.0, np.inf)}

    bench.wire.limits_changed(Sources(caps), bench.now)
    bench.wait(60)
    bench.run()
    for later_s in range(0, 5 * 3600 - 60, 113):
        assert sum(bench.draws_a(later_s)) * 0.69 <= 17.0
    assert bench.draws_a(8 * 3600) == [12.0] * 4
    assert bench.wire.over() == ()


def test_shares_that_a_cap_lifted_come_back():
    bench = Bench(4, 48.0, idle_a=6.0)
    bench.wire.limits_changed(Sources(lambda _start, slot_s: {"grid": np.full(len(slot_s), 17.0)}), bench.now)
    bench.run()
    assert sum(bench.draws_a(90_000)) * 0.69 <= 17.0
    bench.wire.limits_changed(Sources(lambda _start, _slot_s: {}), bench.now)
    bench.pass_time(2 * 3600)
    assert bench.draws_a(90_000) == [12.0] * 4


def test_a_limit_of_certain_hours_is_kept_without_a_planner():
    site = site_of(4, 48.0, idle_a=6.0)
    grid = copied(site.nodes[0], timed=(TimedLimit(from_s=0, to_s=6 * 3600, limit_a=(28.0, 28.0, 28.0)),))
    bench = Bench(4, 48.0)
    bench.site = copied(site, nodes=(grid, *site.nodes[1:]))
    bench.wire = SiteWire(bench.site, Network(bench.site), bench.settings)
    for name in bench.stations:
        connected(bench.wire, name, bench.now)
        booted(bench.wire, name, bench.now)
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, 30.0, bench.now))
    bench.run()
    assert bench.may_draw_a(0) == 30.0
    for later_s in range(14 * 3600, 20 * 3600 - 500, 301):
        at = bench.now + timedelta(seconds=later_s)
        if at.hour < 6:
            assert sum(bench.draws_a(later_s)) <= 28.0


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"node": "x"}, "no such EVSE"),
        ({"steps": ()}, "no steps"),
        ({"steps": (Step(Bench(1).now, float("nan")),)}, "no number"),
        ({"steps": (Step(Bench(1).now, 6.0), Step(Bench(1).now, 7.0))}, "do not ascend"),
    ],
)
def test_a_target_that_cannot_be_is_refused(broken, words):
    bench = Bench(1)
    with pytest.raises(ValueError, match=words):
        bench.want(copied(target(0, 6.0, bench.now), **broken))


def test_planned_steps_are_in_what_is_sent_and_come_without_another_message():
    bench = Bench(2, 60.0, idle_a=0.0)
    bench.plug_in(0)
    bench.run()
    quarter = bench.now.replace(minute=30, second=0)
    bench.want(target(0, 0.0, bench.now, steps=(Step(bench.now, 20.0), Step(quarter, 8.0))))
    bench.run()
    assert bench.may_draw_a(0) == 20.0
    assert bench.may_draw_a(0, (quarter - bench.now).total_seconds()) == 8.0
    assert bench.pass_time((quarter - bench.now).total_seconds() + 60) == []


def test_a_wire_that_has_nothing_to_do_says_when_it_will():
    bench = Bench(2, 60.0, idle_a=0.0)
    bench.run()
    due = bench.wire.due_at(bench.now)
    assert bench.now < due <= bench.now + timedelta(minutes=15)


def test_a_clock_that_jumps_breaks_nothing():
    bench = Bench(2, 40.0, idle_a=6.0)
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, 30.0, bench.now))
    bench.run()
    for jump_s in (-7200, 86_400, -86_400, 1):
        bench.now += timedelta(seconds=jump_s)
        bench.run()
        assert bench.wire.over() == ()


def test_commands_of_an_audit_are_questions():
    bench = Bench(2, settings={"audit_s": 600.0})
    bench.run()
    asked = [order for order in bench.pass_time(1300) if isinstance(order.command, GetCompositeSchedule)]
    assert len(asked) in (4, 5)
