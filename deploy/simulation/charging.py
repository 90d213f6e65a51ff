"""A station's day: cars come, charge and leave.

What a station-day holds, on average: 48 heartbeats (one in 30 minutes), a boot, and at 1.6 connectors 1.3 cars each.
A car means a status when it plugs in, an Authorize, the start, statuses while it charges, meter values of three
measurands every 15 minutes (one in ten cars: every minute, and briefly), the end, and two statuses when it leaves:
some 100 messages a day in all, each through schema, translator, courier, actor, journal and projection.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from deploy.simulation.processes import WORLD
from deploy.simulation.station import Said, Station
from deploy.simulation.wording import Evidence, Payload

TOKENS: Final = ("TAG-1", "TAG-2", "TAG-3")
CARS_PER_DAY: Final = 1.3
DAY_S: Final = 86_400.0


class Charged(msgspec.Struct, eq=False):
    """A transaction as its station knows it. `transaction_id` None: a 1.6 start without its answer."""

    connector: int
    token: str
    meter_start_wh: int
    transaction_id: str | None = None
    meter_stop_wh: int | None = None
    readings_wh: list[int] = []
    sequence: int = 0
    started: bool = False
    """The start was answered."""
    ended: bool = False
    """The end was answered."""


class Place:
    """One connector of a station and its cars."""

    def __init__(self, station: Station, connector: int, days: float) -> None:
        self.charged: Final[list[Charged]] = []
        self._station = station
        self._connector = connector
        self._dice = station.dice
        self._meter_wh = connector * 10_000_000 + self._dice.randrange(1_000, 1_000_000)
        self._now: Charged | None = None
        self._car = 0
        loop = station.world.loop
        ends_s = days * DAY_S
        arrivals = sorted(
            self._dice.uniform(60, ends_s) for _ in range(round(CARS_PER_DAY * days + self._dice.random()))
        )
        for at in arrivals:
            loop.call_at(at, self._plug_in, context=WORLD)
        loop.call_at(ends_s, self._close, context=WORLD)
        self._closed = False

    def lose_power(self) -> None:
        """A car that charges is cut off: its transaction ends."""
        if self._now is not None and self._now.meter_stop_wh is None:
            self._end("PowerLoss")

    def _later(self, seconds: float, step: Callable[[int], None]) -> None:
        """What happens to this very car, if it is still there then."""
        self._station.world.loop.call_later(seconds, self._if_there, self._car, step, context=WORLD)

    def _if_there(self, car: int, step: Callable[[int], None]) -> None:
        if car == self._car and not self._closed:
            step(car)

    def _close(self) -> None:
        """The day is over: a car that charges goes on charging, no other comes."""
        self._closed = True

    def _plug_in(self) -> None:
        if self._now is not None or self._closed:
            return
        self._car += 1
        self._now = Charged(self._connector, self._dice.choice(TOKENS), self._meter_wh, readings_wh=[])
        self._status("Preparing")
        token = self._now.token
        self._station.say(Said(lambda: self._station.wording.authorize(token)))
        self._later(self._dice.uniform(5, 30), self._begin)

    def _begin(self, _car: int) -> None:
        charged = self._now
        assert charged is not None, "a car begins to charge where it is plugged in"
        self.charged.append(charged)
        charged.meter_start_wh = self._meter_wh
        station, wording, at = self._station, self._station.wording, self._station.now()
        evidence: tuple[Evidence, ...] = (("open", charged.meter_start_wh),)
        if wording.is_v16:
            build = lambda: wording.started_v16(charged.connector, charged.token, charged.meter_start_wh, at)  # noqa: E731 (a thunk)
        else:
            charged.transaction_id = f"{station.identity}-{self._connector}-{self._car}"
            build = self._event("Started", charged)
            evidence += (("reading", charged.meter_start_wh),)
        station.say(Said(build, evidence, self._named(charged), keeps=True, same_id=self._dice.random() < 0.5))
        if wording.is_v16:
            self._status("Charging")
        brief = self._dice.random() < 0.1
        interval_s = 60.0 if brief else 900.0
        updates = self._dice.randrange(2, 12) if brief else self._dice.randrange(1, 16)
        self._later(interval_s, lambda _car: self._update(interval_s, updates))

    def _named(self, charged: Charged) -> Callable[[Payload], None]:
        def named(answer: Payload) -> None:
            charged.started = True
            if charged.transaction_id is None:
                charged.transaction_id = str(answer["transactionId"])

        return named

    def _update(self, interval_s: float, left: int) -> None:
        charged = self._now
        assert charged is not None, "a car that charges is plugged in"
        if left == 0:
            self._end("Local")
            return
        self._meter_wh += self._dice.randrange(1, 2_000)
        meter_wh, station, at = self._meter_wh, self._station, self._station.now()
        charged.readings_wh.append(meter_wh)
        if station.wording.is_v16:
            build = lambda: station.wording.updated_v16(  # noqa: E731 (a thunk: the number is known when it is said)
                charged.connector, int(charged.transaction_id or "0"), meter_wh, at
            )
        else:
            build = self._event("Updated", charged)
        same_id = station.wording.is_v16 or self._dice.random() < 0.5
        station.say(Said(build, (("reading", meter_wh),), keeps=True, same_id=same_id))
        self._later(interval_s, lambda _car: self._update(interval_s, left - 1))

    def _end(self, reason: str) -> None:
        charged, self._now = self._now, None
        self._car += 1
        if charged is None or charged not in self.charged:
            return  # its transaction never began
        self._meter_wh += self._dice.randrange(1, 2_000)
        meter_wh = charged.meter_stop_wh = self._meter_wh
        station, at = self._station, self._station.now()
        evidence: tuple[Evidence, ...] = (("end", meter_wh),)
        if station.wording.is_v16:
            build = lambda: station.wording.ended_v16(  # noqa: E731 (a thunk: the number is known when it is said)
                int(charged.transaction_id or "0"), charged.token, meter_wh, at, reason
            )
        else:
            build = self._event("Ended", charged, reason)
            evidence = (("reading", meter_wh), *evidence)

        def ended(_answer: Payload) -> None:
            charged.ended = True

        station.say(Said(build, evidence, ended, keeps=True, same_id=self._dice.random() < 0.5))
        self._meter_wh += 1  # the next transaction's readings are its own
        if station.wording.is_v16:
            self._status("Finishing")
        self._status("Available")

    def _event(self, stage: str, charged: Charged, reason: str = "Local") -> Callable[[], tuple[str, Payload]]:
        station, sequence, at, meter_wh = self._station, charged.sequence, self._station.now(), self._meter_wh
        charged.sequence += 1
        offline = station.line is None
        token = charged.token if stage == "Started" else None
        transaction_id = charged.transaction_id or ""
        return lambda: station.wording.event_v2(
            stage, transaction_id, sequence, meter_wh, at, charged.connector, token, offline=offline, reason=reason
        )

    def _status(self, status: str) -> None:
        station, at = self._station, self._station.now()
        evidence = ("status", (self._connector, at))
        station.say(Said(lambda: station.wording.status(self._connector, status, at), (evidence,)))
