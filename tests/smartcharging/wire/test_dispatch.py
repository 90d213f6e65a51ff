"""The order in which things go out, and the bounds on it."""

from engine.model.commands import Outcome, Result
from engine.model.device_model import VariableEntry, VariableSource, VariablesRecorded
from engine.model.provisioning import VariableRef
from engine.model.smart_charging import ClearChargingProfile, ProfileInstalled
from smartcharging.wire.dispatch import CLEAR_EVERY
from smartcharging.wire.stations import PlaceName
from tests.smartcharging.wire.fleet import Bench, connected, gone, limits_of, target
from tests.smartcharging.wire.test_hearing import profile_of


def planned(count=4, limit_a=60.0, **more):
    bench = Bench(count, limit_a, idle_a=0.0, **more)
    bench.plug_in(*range(count))
    bench.run()
    bench.sent.clear()
    bench.wait(60)
    return bench


def test_urgent_ones_go_first():
    bench = planned()
    bench.want(target(0, 10.0, bench.now), target(1, 10.0, bench.now), target(2, 10.0, bench.now, urgent=True))
    assert [order.station for order in bench.orders()] == ["CP2", "CP0", "CP1"]


def test_who_cannot_charge_yet_gets_room_first():
    bench = planned(3, 40.0)
    bench.want(target(0, 24.0, bench.now))
    bench.run()
    bench.wait(60)
    bench.want(target(0, 32.0, bench.now), target(1, 12.0, bench.now), target(2, 12.0, bench.now))
    bench.run()
    assert [order.station for order in bench.sent[1:]] == ["CP1", "CP0"]
    assert bench.draws_a() == [28.0, 12.0, 0.0]  # the 4 A that are left are nothing for the third


def test_no_more_orders_are_open_than_allowed():
    bench = planned(4, 200.0, settings={"orders_max": 2})
    bench.want(*(target(number, 16.0, bench.now) for number in range(4)))
    first = bench.orders()
    assert len(first) == 2
    assert bench.orders() == []
    for order in first:
        bench.wire.settled(order.order_id, bench.stations[order.station].do(order.command), bench.now)
    assert len(bench.orders()) == 2


def test_ids_of_orders_are_never_the_same():
    bench = planned()
    for number in range(20):
        bench.want(*(target(each, 8.0 + number % 2 * 2, bench.now) for each in range(4)))
        bench.run(2)
        bench.wait(30)
    ids = [order.order_id for order in bench.sent]
    assert len(set(ids)) == len(ids) > 40


def test_a_station_that_limits_the_rate_is_not_told_faster_even_if_it_is_urgent():
    bench = planned(1)
    ref = VariableRef(variable="UpdateRateLimit", component="SmartChargingCtrlr")
    entries = (VariableEntry(ref=ref, value="120"),)
    bench.wire.hear("CP0", VariablesRecorded(source=VariableSource.READ, at=bench.now, entries=entries), bench.now)
    bench.want(target(0, 16.0, bench.now))
    assert len(bench.run(1)) == 1
    bench.want(target(0, 10.0, bench.now, urgent=True))
    bench.wait(100)
    assert bench.run(1) == []
    bench.wait(20)
    assert len(bench.run(1)) == 1


def test_an_offline_station_is_sent_nothing():
    bench = planned(1)
    gone(bench.wire, "CP0", bench.now)
    bench.want(target(0, 16.0, bench.now))
    assert bench.run() == []
    connected(bench.wire, "CP0", bench.now)
    assert len(bench.run()) == 1


def test_an_offline_outcome_waits_for_the_station():
    bench = planned(1)
    bench.want(target(0, 16.0, bench.now))
    (order,) = bench.orders()
    bench.wire.settled(order.order_id, Outcome(Result.OFFLINE), bench.now)
    bench.wait(1000)
    assert bench.orders() == []
    connected(bench.wire, "CP0", bench.now)
    assert len(bench.orders()) == 1


def test_clearing_what_others_set_hinders_nothing_else():
    bench = planned(1)
    bench.wire.hear("CP0", ProfileInstalled(evse=1, profile=profile_of(20.0), at=bench.now), bench.now)
    bench.want(target(0, 16.0, bench.now))
    clears = told = 0
    for _ in range(100):
        for order in bench.orders():
            clear = isinstance(order.command, ClearChargingProfile)
            clears, told = clears + clear, told + (not clear)
            outcome = Outcome(Result.TIMED_OUT) if clear else bench.stations["CP0"].do(order.command)
            bench.wire.settled(order.order_id, outcome, bench.now)
        bench.wait(2)
    assert told == 1
    assert 1 <= clears <= 200 / CLEAR_EVERY.total_seconds() + 1


def test_one_message_says_all_that_is_planned():
    bench = planned(1)
    bench.want(target(0, 16.0, bench.now))
    (order,) = bench.run()
    assert [value for _, value in limits_of(order)] == [16.0, 32.0]
    assert bench.wire._state.evses["e0"].places[PlaceName.OWN].held.profile == order.command.profile
