"""What stations are told: discharging as far as it may flow up, watts as they may flow, modes of 2.1."""

import numpy as np
import pytest

from engine.model.charging_profiles import OperationMode, ProfileKind, ProfilePurpose, RateUnit
from smartcharging.wire import Sources
from smartcharging.wire.telling import numbers, updated
from tests.smartcharging.wire.fleet import Bench, copied, target
from tests.smartcharging.wire.test_profiles import START, made

V2X = {"discharge_kw_max": 11.04}


def bench_v2x(export_kw=10.0, version="2.1", **more):
    bench = Bench(2, 60.0, version=version, idle_a=6.0, outlet=V2X)
    grid = copied(bench.site.nodes[0], export_kw=export_kw)
    site = copied(bench.site, nodes=(grid, *bench.site.nodes[1:]))
    again = Bench(2, 60.0, version=version, site=site, idle_a=6.0, outlet=V2X, **more)
    again.plug_in(0, 1)
    again.run()
    return again


def run(bench):
    """What is told of transactions."""
    return [order for order in bench.run() if order.command.profile.purpose is ProfilePurpose.TX]


def periods(order):
    return order.command.profile.schedules[0].periods


def test_a_car_gives_back_as_much_as_may_flow_up():
    bench = bench_v2x()
    bench.want(
        target(0, -10.0, bench.now, mode=OperationMode.CENTRAL_SETPOINT),
        target(1, -16.0, bench.now, mode=OperationMode.CENTRAL_SETPOINT),
    )
    bench.wait(60)
    first, second = run(bench)
    now = periods(first)[0]
    assert (now.limit, now.discharge_limit, now.setpoint) == (0.0, -10.0, -10.0)
    assert now.operation_mode is OperationMode.CENTRAL_SETPOINT
    assert periods(second)[0].setpoint == -4.4  # 10 kW are 14.4 A
    last = periods(first)[-1]
    assert (last.limit, last.setpoint, last.operation_mode) == (30.0, None, None)


def test_nothing_flows_up_where_nothing_may():
    bench = bench_v2x(export_kw=0.0)
    bench.want(target(0, -10.0, bench.now, mode=OperationMode.CENTRAL_SETPOINT))
    bench.wait(60)
    (order,) = run(bench)
    assert (periods(order)[0].limit, periods(order)[0].discharge_limit) == (0.0, 0.0)


def test_a_cap_of_exports_counts():
    bench = bench_v2x()
    bench.wire.limits_changed(
        Sources(lambda _a, _b: {}, None, lambda _start, slot_s: {"": np.full(len(slot_s), 3.5)}), bench.now
    )
    bench.want(target(0, -10.0, bench.now, mode=OperationMode.CENTRAL_SETPOINT))
    bench.wait(60)
    (order,) = run(bench)
    assert periods(order)[0].setpoint == -5.0


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_older_versions_only_charge(version):
    bench = bench_v2x(version=version)
    bench.want(target(0, -10.0, bench.now, mode=OperationMode.CENTRAL_SETPOINT))
    bench.wait(60)
    (order,) = run(bench)
    assert (periods(order)[0].limit, periods(order)[0].operation_mode) == (0.0, None)


def test_an_idle_car_is_told_nothing_but_that():
    bench = bench_v2x()
    bench.want(target(0, 0.0, bench.now, mode=OperationMode.IDLE))
    bench.wait(60)
    (order,) = run(bench)
    assert (periods(order)[0].limit, periods(order)[0].operation_mode) == (None, OperationMode.IDLE)
    assert bench.wire.held_a(bench.now)["e0"] == 0.0


def test_a_positive_setpoint_is_its_limit_too():
    bench = bench_v2x()
    bench.want(target(0, 12.0, bench.now, mode=OperationMode.CENTRAL_SETPOINT))
    bench.wait(60)
    (order,) = run(bench)
    assert (periods(order)[0].limit, periods(order)[0].setpoint) == (12.0, 12.0)


def test_what_is_given_back_changes_alone_too():
    bench = bench_v2x()
    bench.want(target(0, -10.0, bench.now, mode=OperationMode.CENTRAL_SETPOINT))
    bench.wait(60)
    run(bench)
    bench.want(target(0, -5.0, bench.now, mode=OperationMode.CENTRAL_SETPOINT))
    bench.wait(60)
    (order,) = run(bench)
    assert periods(order)[0].setpoint == -5.0
    bench.wait(60)
    assert run(bench) == []
    bench.want(target(0, 0.0, bench.now))
    bench.wait(60)
    (order,) = run(bench)
    assert periods(order)[0].operation_mode is None


def test_one_that_may_not_give_all_that_is_wanted_is_not_told_again_and_again():
    bench = bench_v2x(export_kw=3.5)
    bench.want(target(0, -10.0, bench.now, mode=OperationMode.CENTRAL_SETPOINT))
    bench.wait(60)
    assert periods(run(bench)[0])[0].setpoint == -5.0
    bench.wait(600)
    assert run(bench) == []


def watts(bench, number=0):
    station = bench.wire._state.stations[f"CP{number}"]
    station.told = copied(station.told, units=(RateUnit.W,))
    bench.wire._state.reckon(station)


def test_watts_for_three_phases_count_as_if_they_flowed_on_one_until_the_meter_shows():
    bench = Bench(2, 100.0, idle_a=6.0)
    watts(bench)
    bench.plug_in(0)
    bench.run()
    bench.want(target(0, 8.0, bench.now))
    bench.wait(60)
    (order,) = bench.run()
    assert periods(order)[0].limit == 8.0 * 690
    assert bench.wire.held_a(bench.now)["e0"] == pytest.approx(24.0)
    bench.want(target(0, 10.0, bench.now, conductors=(1, 2, 3)))
    bench.wait(60)
    bench.run()
    assert bench.wire.held_a(bench.now)["e0"] == pytest.approx(10.0)


def test_watts_take_only_the_room_that_they_may_fill():
    bench = Bench(2, 40.0, idle_a=0.0)
    watts(bench)
    bench.plug_in(0, 1)
    bench.run()
    bench.want(target(1, 20.0, bench.now))
    bench.run()
    bench.want(target(0, 16.0, bench.now), target(1, 20.0, bench.now))
    bench.wait(60)
    (order,) = bench.run()
    assert periods(order)[0].limit == pytest.approx(20.0 / 3 * 690, abs=1)


def test_the_share_of_a_station_in_watts_is_what_one_phase_may_carry():
    bench = Bench(2, 40.0, idle_a=6.0)
    watts(bench)
    (order, _) = bench.orders()
    assert periods(order)[0].limit == 6.0 * 230
    assert periods(order)[-1].limit == 20.0 * 230


def test_numbers_that_are_not_said_stay():
    profile = made(dynamic_until=START.replace(hour=12))
    assert profile.kind is ProfileKind.DYNAMIC
    update = copied(numbers(profile), limit=None, setpoint=3.0)
    period = updated(profile, update).schedules[0].periods[0]
    assert (period.limit, period.setpoint) == (16.0, 3.0)
