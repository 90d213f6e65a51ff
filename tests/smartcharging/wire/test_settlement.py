"""Outcomes: what a station is taken to hold, what it is taken not to know, and when it is asked again."""

import msgspec
import pytest

from engine.model.charging_profiles import ProfileKind, ProfilePurpose, RateUnit
from engine.model.commands import Outcome, Result
from engine.model.smart_charging import SetChargingProfile, UpdateDynamicSchedule
from smartcharging.wire import NoticeKind, Rung
from smartcharging.words import Told
from tests.smartcharging.wire.fleet import REJECTED, Bench, booted, connected, copied, limits_of, target

TX, DEFAULT, STATION_MAX = ProfilePurpose.TX, ProfilePurpose.TX_DEFAULT, ProfilePurpose.STATION_MAX


def settle_until_quiet(bench, seconds=400):
    for _ in range(seconds):
        bench.run(1)


def rung_of(bench, number=0):
    view = bench.wire.abilities()[f"CP{number}"]
    return view.rung, view.unit


def test_a_station_that_refuses_tx_profiles_gets_its_plan_as_its_default():
    bench = Bench(2, 60.0, idle_a=6.0)
    bench.stations["CP0"].refuses = {TX}
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, 16.0, bench.now))
    settle_until_quiet(bench)
    assert rung_of(bench) == (Rung.DEFAULT, RateUnit.A)
    assert bench.may_draw_a(0) == 16.0
    assert bench.wire.told()["e0"] is Told.HELD
    assert bench.wire.abilities()["CP0"].refused == ("TxProfile in A",)
    bench.stations["CP0"].leaves()
    bench.want()
    settle_until_quiet(bench, 30)
    assert bench.may_draw_a(0) == 6.0


def test_then_its_maximum_as_a_station_where_it_has_one_outlet():
    bench = Bench(2, 60.0, idle_a=6.0)
    bench.stations["CP0"].refuses = {TX, DEFAULT}
    bench.plug_in(0)
    settle_until_quiet(bench)
    bench.want(target(0, 16.0, bench.now))
    settle_until_quiet(bench)
    assert rung_of(bench) == (Rung.STATION, RateUnit.A)
    assert bench.may_draw_a(0) == 16.0
    assert next(order.command.evse for order in bench.sent if order.command.profile.purpose is STATION_MAX) == 0


def test_then_the_other_unit():
    bench = Bench(2, 60.0, idle_a=6.0)
    bench.stations["CP0"].refuses_unit = RateUnit.A
    bench.plug_in(0)
    settle_until_quiet(bench, 900)
    bench.want(target(0, 16.0, bench.now))
    settle_until_quiet(bench, 900)
    assert rung_of(bench) == (Rung.TX, RateUnit.W)
    told = [limits_of(order) for order in bench.sent if order.command.profile.purpose is TX]
    assert told[-1][0] == (0, 16 * 690.0)
    assert bench.may_draw_a(0) == pytest.approx(16.0)


def test_a_station_that_takes_nothing_counts_with_its_outlets_maximum_and_is_told_to_people():
    bench = Bench(2, 50.0, idle_a=6.0)
    bench.stations["CP0"].refuses = {TX, DEFAULT, STATION_MAX}
    bench.plug_in(1)
    settle_until_quiet(bench, 3000)
    assert rung_of(bench)[0] is Rung.NONE
    assert bench.wire.told()["e0"] is Told.UNSUPPORTED
    assert NoticeKind.UNSUPPORTED in [notice.kind for notice in bench.wire.notices(bench.now)]
    bench.want(target(1, 32.0, bench.now))
    settle_until_quiet(bench, 60)
    assert bench.may_draw_a(1) == 18.0  # beside the 32 A of the other
    asked = len(bench.sent)
    settle_until_quiet(bench, 1000)
    assert len(bench.sent) <= asked + 2


def test_what_was_learned_holds_until_its_firmware_changes():
    bench = Bench(1, 60.0, idle_a=6.0)
    bench.stations["CP0"].refuses = {TX}
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, 16.0, bench.now))
    settle_until_quiet(bench)
    connected(bench.wire, "CP0", bench.now, session="s2")
    booted(bench.wire, "CP0", bench.now)
    assert rung_of(bench)[0] is Rung.DEFAULT
    booted(bench.wire, "CP0", bench.now, firmware="2")
    assert rung_of(bench)[0] is Rung.TX


def test_a_refusal_because_the_transaction_is_over_teaches_nothing():
    bench = Bench(1, 60.0, idle_a=6.0)
    bench.plug_in(0)
    bench.run()
    for number in range(6):
        transaction = str(number)
        bench.want(target(0, 10.0 + number, bench.now, transaction))
        for order in bench.orders():
            bench.want(target(0, 6.0, bench.now, "other"))
            bench.wire.settled(order.order_id, REJECTED, bench.now)
        bench.wait(700)
    assert rung_of(bench)[0] is Rung.TX


@pytest.mark.parametrize("reason", ["TxNotFound", "RateLimitExceeded"])
def test_reasons_that_are_of_the_moment_teach_nothing(reason):
    bench = Bench(1)
    info = msgspec.json.encode({"status": "Rejected", "statusInfo": {"reasonCode": reason}})
    for _ in range(6):
        for order in bench.orders():
            bench.wire.settled(order.order_id, Outcome(Result.REFUSED, "Rejected", payload=info), bench.now)
        bench.wait(700)
    assert rung_of(bench)[0] is Rung.TX


def test_a_station_that_names_a_wait_is_given_it():
    bench = Bench(1)
    info = {
        "status": "Rejected",
        "statusInfo": {"reasonCode": "RateLimitExceeded", "additionalInfo": "90 seconds before retry"},
    }
    (order,) = bench.orders()
    refused = Outcome(Result.REFUSED, "Rejected", payload=msgspec.json.encode(info))
    bench.wire.settled(order.order_id, refused, bench.now)
    bench.wait(85)
    assert bench.orders() == []
    bench.wait(6)
    assert len(bench.orders()) == 1


def test_our_own_objection_teaches_nothing():
    bench = Bench(1)
    for _ in range(6):
        for order in bench.orders():
            bench.wire.settled(order.order_id, Outcome(Result.REFUSED, detail="No transaction runs."), bench.now)
        bench.wait(700)
    assert rung_of(bench)[0] is Rung.TX


@pytest.mark.parametrize(
    ("result", "counts"),
    [
        (Result.OFFLINE, 6.0), (Result.EXPIRED, 6.0), (Result.CANCELLED, 6.0), (Result.REPLACED, 6.0),
        (Result.NOT_EXPRESSIBLE, 6.0), (Result.REFUSED, 6.0),
        (Result.TIMED_OUT, 20.0), (Result.LOST, 20.0), (Result.FAILED, 20.0), (Result.ACCEPTED, 20.0),
    ],
)  # fmt: skip
def test_what_was_not_sent_does_not_count_and_what_is_unclear_does(result, counts):
    bench = Bench(1, 60.0, idle_a=6.0)
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, 20.0, bench.now))
    bench.wait(60)
    (order,) = bench.orders()
    bench.wire.settled(order.order_id, Outcome(result), bench.now)
    assert bench.wire.held_a(bench.now)["e0"] == counts


def test_a_late_answer_makes_a_doubt_certain():
    bench = Bench(1, 60.0, idle_a=6.0)
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, 20.0, bench.now))
    bench.wait(60)
    (order,) = bench.orders()
    bench.wire.settled(order.order_id, Outcome(Result.TIMED_OUT), bench.now)
    bench.wire.settled(order.order_id, REJECTED, bench.now)
    assert bench.wire.held_a(bench.now)["e0"] == 6.0


def dynamic_bench(**more):
    bench = Bench(2, 60.0, version="2.1", idle_a=6.0, **more)
    for station in bench.wire._state.stations.values():
        station.told = copied(station.told, dynamic=True, offline=True)
        bench.wire._state.reckon(station)
    bench.plug_in(0)
    bench.run()
    return bench


def test_a_dynamic_profile_is_changed_by_short_messages():
    bench = dynamic_bench()
    bench.want(target(0, 16.0, bench.now))
    (first,) = bench.run()
    assert first.command.profile.kind is ProfileKind.DYNAMIC
    assert first.command.profile.offline_s_max == bench.settings.offline_s
    bench.wait(60)
    bench.want(target(0, 10.0, bench.now))
    (update,) = bench.run()
    assert isinstance(update.command, UpdateDynamicSchedule)
    assert (update.command.profile_id, update.command.update.limit) == (first.command.profile.id, 10.0)
    assert bench.may_draw_a(0) == 10.0
    assert bench.wire.told()["e0"] is Told.HELD


def test_a_dynamic_profile_ends_with_its_lease_and_is_renewed():
    bench = dynamic_bench()
    bench.want(target(0, 16.0, bench.now))
    bench.run()
    assert bench.may_draw_a(0, 6000) == 30.0  # its default then: the share
    sent = bench.pass_time(4 * 3600)
    assert bench.may_draw_a(0) == 16.0
    assert any(isinstance(order.command, SetChargingProfile) for order in sent)


def test_a_station_that_refuses_dynamic_profiles_gets_others():
    bench = dynamic_bench()
    bench.stations["CP0"].refuses_dynamic = True
    bench.want(target(0, 16.0, bench.now))
    settle_until_quiet(bench)
    assert bench.may_draw_a(0) == 16.0
    assert rung_of(bench) == (Rung.TX, RateUnit.A)
    assert bench.sent[-1].command.profile.kind is ProfileKind.ABSOLUTE
