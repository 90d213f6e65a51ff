"""The wheel: pings, dead connections, idle ones, stalled ones; spread over its slots."""

import asyncio

from ingress.ocpp.liveness import TICK_S, Wheel
from ingress.settings import OcppSettings


class Station:
    def __init__(self, wheel):
        self.wheel = wheel
        self.heard_tick = self.message_tick = wheel.tick
        self.stalled_tick = self.silence_ticks = self.pong_ticks = 0
        self.wants_pings = True
        self.silences = []
        self.deaf = False
        self.pings = []
        self.given_up = []

    def ping(self):
        self.pings.append(self.wheel.tick)

    def fall_silent(self, silent_s):
        self.silences.append(silent_s)

    def give_up(self, code, reason):
        self.given_up.append((code, reason))


def make_wheel(**settings):
    ticks = []
    wheel = Wheel(OcppSettings(**settings), lambda: ticks.append(None))
    return wheel, ticks


def turn(wheel, seconds):
    for _ in range(round(seconds / TICK_S)):
        wheel.advance()


def test_each_station_is_pinged_once_per_interval():
    wheel, ticks = make_wheel(ping_interval_s=10, pong_timeout_s=5)
    station = Station(wheel)
    wheel.add(station)
    for _ in range(60):
        turn(wheel, TICK_S)
        station.heard_tick = wheel.tick
    assert len(station.pings) == 3
    assert station.given_up == []
    assert len(ticks) == 60


def test_pings_of_many_stations_are_spread():
    wheel, _ = make_wheel(ping_interval_s=10, pong_timeout_s=5)
    stations = [Station(wheel) for _ in range(40)]
    for station in stations:
        wheel.add(station)
    turn(wheel, 10)
    at = [station.pings[0] for station in stations]
    assert {at.count(tick) for tick in at} == {2}


def test_a_silent_station_is_given_up_after_the_deadline_and_not_before():
    wheel, _ = make_wheel(ping_interval_s=10, pong_timeout_s=5)
    station = Station(wheel)
    slot = wheel.add(station)
    while not station.pings:
        turn(wheel, TICK_S)
    turn(wheel, 5)
    assert station.given_up == []
    turn(wheel, TICK_S)
    assert station.given_up == [(1011, "no sign of life within 5 s of a ping")]
    wheel.remove(station, slot)
    turn(wheel, 60)
    assert len(station.given_up) == 1


def test_anything_heard_after_the_ping_is_a_sign_of_life():
    wheel, _ = make_wheel(ping_interval_s=10, pong_timeout_s=5)
    station = Station(wheel)
    wheel.add(station)
    while not station.pings:
        turn(wheel, TICK_S)
    turn(wheel, 4)
    station.heard_tick = wheel.tick
    turn(wheel, 3)
    assert station.given_up == []


def test_a_station_that_we_do_not_read_from_is_not_called_silent():
    wheel, _ = make_wheel(ping_interval_s=10, pong_timeout_s=5, idle_timeout_s=20)
    station = Station(wheel)
    wheel.add(station)
    station.deaf = True
    turn(wheel, 100)
    assert (station.pings, station.given_up) == ([], [])
    station.deaf = False
    while not station.pings and not station.given_up:
        turn(wheel, TICK_S)


def test_no_pings_where_they_are_off():
    wheel, _ = make_wheel(ping_interval_s=0)
    station = Station(wheel)
    wheel.add(station)
    turn(wheel, 300)
    assert (station.pings, station.given_up) == ([], [])


def test_a_station_without_messages_is_closed_where_that_is_asked_for():
    wheel, _ = make_wheel(ping_interval_s=10, pong_timeout_s=5, idle_timeout_s=30)
    station = Station(wheel)
    slot = wheel.add(station)
    while not station.given_up:
        turn(wheel, TICK_S)
        station.heard_tick = wheel.tick
    wheel.remove(station, slot)
    assert station.given_up[0][0] == 1000
    assert 30 <= wheel.tick * TICK_S <= 41


def test_a_station_that_leaves_data_unread_is_given_up_unless_it_reads_again():
    wheel, _ = make_wheel(ping_interval_s=0, write_stall_s=3)
    slow, better = Station(wheel), Station(wheel)
    for station in (slow, better):
        slot = wheel.add(station)
        wheel.stalled(station)
    turn(wheel, 2)
    better.stalled_tick = 0
    turn(wheel, 2)
    assert slow.given_up[0][0] == 1008
    assert better.given_up == []
    wheel.remove(slow, slot)


async def test_the_wheel_turns_by_itself_and_survives_a_tick_that_fails():
    seen = asyncio.Event()
    fail = [True]

    def each_tick():
        if fail.pop() if fail else False:
            raise RuntimeError("a bug")
        seen.set()

    wheel = Wheel(OcppSettings(), each_tick)
    wheel.start()
    await seen.wait()
    await wheel.stop()
    assert wheel.tick >= 3


def test_a_station_that_is_sent_no_pings_gets_none_and_is_not_given_up():
    wheel, _ = make_wheel(ping_interval_s=10, pong_timeout_s=5)
    station = Station(wheel)
    station.wants_pings = False
    wheel.add(station)
    turn(wheel, 100)
    assert (station.pings, station.given_up) == ([], [])


def test_a_patient_time_out_is_waited_for_and_not_longer():
    wheel, _ = make_wheel(ping_interval_s=10, pong_timeout_s=5)
    quick, slow = Station(wheel), Station(wheel)
    slow.pong_ticks = round(30 / TICK_S)
    for station in (quick, slow):
        wheel.add(station)
    turn(wheel, 20)
    assert (len(quick.given_up), len(slow.given_up)) == (1, 0)
    turn(wheel, 22)
    assert len(slow.given_up) == 1
    assert "within 30 s" in slow.given_up[0][1]


def test_a_late_pong_saves_a_patient_one_and_it_is_pinged_again():
    wheel, _ = make_wheel(ping_interval_s=10, pong_timeout_s=5)
    slow = Station(wheel)
    slow.pong_ticks = round(30 / TICK_S)
    wheel.add(slow)
    for _ in range(6):
        turn(wheel, 20)
        slow.heard_tick = wheel.tick
    assert slow.given_up == []
    assert len(slow.pings) >= 3


def test_a_patient_one_that_left_is_forgotten():
    wheel, _ = make_wheel(ping_interval_s=10, pong_timeout_s=5)
    slow = Station(wheel)
    slow.pong_ticks = round(30 / TICK_S)
    slot = wheel.add(slow)
    turn(wheel, 20)
    wheel.remove(slow, slot)
    turn(wheel, 60)
    assert slow.given_up == []


def test_silence_is_told_each_time_it_is_looked_at_and_pings_go_on():
    wheel, _ = make_wheel(ping_interval_s=10, pong_timeout_s=5)
    station = Station(wheel)
    station.silence_ticks = round(25 / TICK_S)
    wheel.add(station)
    for _ in range(5):
        turn(wheel, 10)
        station.heard_tick = wheel.tick
    assert [silent >= 25 for silent in station.silences] == [True, True, True]
    assert len(station.pings) >= 4


def test_one_that_we_do_not_read_from_is_not_silent():
    wheel, _ = make_wheel(ping_interval_s=10, pong_timeout_s=5)
    station = Station(wheel)
    station.silence_ticks, station.deaf = 1, True
    wheel.add(station)
    turn(wheel, 50)
    assert station.silences == []
