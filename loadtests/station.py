"""A virtual station: boots, lets cars come and go, obeys the CSMS, and loses nothing it has to tell."""

import asyncio
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

from loadtests.car import NOMINAL_V, Car
from loadtests.commands import CommandsOfCsms
from loadtests.link import Link, Peer, Refused
from loadtests.statistics import Statistics
from loadtests.wording import WORDING_OF_VERSION, Charge, Meter, Payload

AMPS_MAX = 32.0


@dataclass(frozen=True)
class Habits:
    """How a station behaves; times in real seconds.

    Attributes:
        meter_interval_s: Between meter values while charging.
        charge_s: A charge lasts between these.
        idle_s: A connector is empty between these.
        speed: Battery time per real time, so that a demo shows whole charges in minutes.
        first_charge_s_max: The first car comes within this.
    """

    meter_interval_s: float = 10.0
    charge_s: tuple[float, float] = (60.0, 240.0)
    idle_s: tuple[float, float] = (5.0, 60.0)
    speed: float = 1.0
    first_charge_s_max: float = 10.0
    connectors: int = 1


class Connector:
    """One outlet: its meter, its status, the charge in progress. It remembers its register for ever."""

    def __init__(self, number: int, register_wh: float) -> None:
        self.number = number
        self.register_wh = register_wh
        self.status = "Available"
        self.operative = True
        self.car: Car | None = None
        self.charge: Charge | None = None
        self.stop = asyncio.Event()
        self.remote: asyncio.Queue[tuple[str, int | None]] = asyncio.Queue(maxsize=1)

    def meter(self, limit_w: float) -> Meter:
        """What the meter shows now."""
        car = self.car
        if car is None:
            return Meter(round(self.register_wh), 0.0, 0.0, 3, 0.0)
        power_w, current_a = car.power_w(limit_w), car.current_a(limit_w)
        return Meter(round(self.register_wh), power_w, current_a, car.phases, 100 * car.soc)


class Station:
    """A station of one OCPP version with some connectors.

    Args:
        peer: Its name, and where the CSMS is.
        version: 1.6, 2.0.1 or 2.1.
        tokens: What its drivers present.
        habits: How it behaves.
        seed: All its chance.
        statistics: Where everything is counted.
    """

    def __init__(
        self, peer: Peer, version: str, tokens: tuple[str, ...], habits: Habits, seed: int, statistics: Statistics
    ) -> None:
        self.identity = peer.identity
        self.version = version
        self.habits = habits
        self.chance = random.Random(seed)
        self.statistics = statistics
        self.wording = WORDING_OF_VERSION[version]
        self.tokens = tokens
        self.limit_w = AMPS_MAX * NOMINAL_V * 3
        self.registered = False
        self.connectors = [Connector(n + 1, self.chance.randrange(5_000_000)) for n in range(habits.connectors)]
        self._clock_offset = timedelta()
        self._boot_reason = "PowerUp"
        self._reboot = asyncio.Event()
        commands = CommandsOfCsms(self)
        self.link = Link(peer, self.wording.subprotocol, commands.answer, self.chance, statistics)

    def now(self) -> datetime:
        """The station's clock, set by the CSMS' heartbeats."""
        return datetime.now(UTC) + self._clock_offset

    async def run(self) -> None:
        """Lives until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.link.run())
            group.create_task(self._provision())
            for connector in self.connectors:
                group.create_task(self._serve(connector))

    def reboot(self, reason: str) -> None:
        """Ends all charges and boots anew, as after a reset."""
        self._boot_reason = reason
        for connector in self.connectors:
            if connector.charge is not None:
                connector.charge.stop_reason = "Reboot"
                connector.stop.set()
        self._reboot.set()

    def trigger(self, message: str, connector: int | None) -> bool:
        """Sends a message that the CSMS asked for; False: cannot."""
        if message == "Heartbeat":
            self.link.tell(lambda: ("Heartbeat", {}), lambda _: None)
        elif message == "StatusNotification":
            for each in self.connectors:
                if connector in (None, 0, each.number):
                    self.report_status(each)
        elif message in ("MeterValues", "TransactionEvent"):
            for each in self.connectors:
                if each.charge is not None:
                    self._tell_update(each, each.charge)
        else:
            return False
        return True

    def report_status(self, connector: Connector, status: str | None = None) -> None:
        """Tells the status, a new one if given."""
        connector.status = status or connector.status
        at, said = self.now(), connector.status
        self.link.tell(lambda: self.wording.status(connector.number, said, at), lambda _: None)

    async def _provision(self) -> None:
        """Boots until accepted, then beats."""
        while True:
            self._reboot.clear()
            interval_s = await self._boot()
            for connector in self.connectors:
                self.report_status(connector)
            while not self._reboot.is_set():
                await _until(self._reboot, max(1.0, interval_s))
                if not self._reboot.is_set():
                    await self._heartbeat()
            self.registered = False
            self.link.drop()
            await asyncio.sleep(1.0)

    async def _boot(self) -> float:
        while True:
            await self.link.up()
            try:
                reply = await self.link.ask(*self.wording.boot(self.identity, self._boot_reason))
            except (OSError, TimeoutError, Refused):
                await asyncio.sleep(self.chance.uniform(1.0, 3.0))
                continue
            self._set_clock(reply)
            interval_s = float(reply.get("interval") or 60)
            if reply.get("status") == "Accepted":
                self.registered = True
                return interval_s
            await asyncio.sleep(interval_s)

    async def _heartbeat(self) -> None:
        try:
            self._set_clock(await self.link.ask("Heartbeat", {}))
        except (OSError, TimeoutError, Refused):
            self.statistics.count("heartbeats missed")

    def _set_clock(self, reply: Payload) -> None:
        text = reply.get("currentTime")
        if isinstance(text, str):
            self._clock_offset = datetime.fromisoformat(text) - datetime.now(UTC)

    async def _serve(self, connector: Connector) -> None:
        """Cars come and go at one connector for ever."""
        idle_s = self.chance.uniform(0.0, self.habits.first_charge_s_max)
        while True:
            token, remote_start_id = await self._next_driver(connector, idle_s)
            if self.registered and connector.operative and await self._authorized(token, remote_start_id):
                await self._charge(connector, token, remote_start_id)
            idle_s = self.chance.uniform(*self.habits.idle_s)

    async def _next_driver(self, connector: Connector, idle_s: float) -> tuple[str, int | None]:
        """A driver walks up, or the CSMS starts remotely (remote start id None on 1.6: -1 here marks it)."""
        try:
            return await asyncio.wait_for(connector.remote.get(), idle_s if self.tokens else None)
        except TimeoutError:
            return self.chance.choice(self.tokens), None

    async def _authorized(self, token: str, remote_start_id: int | None) -> bool:
        if remote_start_id is not None:
            return True
        try:
            return self.wording.accepts(await self.link.ask(*self.wording.authorize(token)))
        except (OSError, TimeoutError, Refused):
            return False

    async def _charge(self, connector: Connector, token: str, remote_start_id: int | None) -> None:
        connector.car = Car(
            battery_wh=self.chance.uniform(30_000, 90_000),
            soc=self.chance.uniform(0.1, 0.7),
            power_w_max=self.chance.choice((3_700, 7_400, 11_000, 22_000)),
            phases=self.chance.choice((1, 3, 3)),
        )
        connector.stop.clear()
        charge = Charge(connector.number, token, round(connector.register_wh))
        charge.remote_start_id = None if remote_start_id in (None, -1) else remote_start_id
        if self.wording.names_transactions:
            charge.id = f"{self.chance.getrandbits(96):024x}"
        connector.charge = charge
        self.report_status(connector, "Preparing")
        self._tell_start(connector, charge)
        self.report_status(connector, "Charging")
        self.statistics.charging += 1
        try:
            await self._draw(connector, charge)
        finally:
            self.statistics.charging -= 1
        self._tell_stop(connector, charge)
        self.report_status(connector, "Finishing")
        connector.charge = connector.car = None
        self.report_status(connector, "Available")

    async def _draw(self, connector: Connector, charge: Charge) -> None:
        """Draws power until the time is over, the battery full, or somebody stops it."""
        ends = monotonic() + self.chance.uniform(*self.habits.charge_s)
        before = monotonic()
        assert connector.car is not None
        while monotonic() < ends and connector.car.soc < 1.0 and not connector.stop.is_set():
            await _until(connector.stop, min(self.habits.meter_interval_s, max(0.05, ends - monotonic())))
            now = monotonic()
            energy_wh = connector.car.charge((now - before) * self.habits.speed, self.limit_w)
            before = now
            connector.register_wh += energy_wh
            self.statistics.energy_wh += energy_wh
            if not connector.stop.is_set():
                self._tell_update(connector, charge)

    def _tell_start(self, connector: Connector, charge: Charge) -> None:
        call = self.wording.start(charge, connector.meter(self.limit_w), self.now())

        def answered(reply: Payload) -> None:
            if not self.wording.names_transactions:
                charge.id = str(reply.get("transactionId", -1))
            self.statistics.transactions += 1
            if not self.wording.accepts(reply) and charge.remote_start_id is None:
                charge.stop_reason = "DeAuthorized"
                connector.stop.set()

        self.link.tell(lambda: call, answered)

    def _tell_update(self, connector: Connector, charge: Charge) -> None:
        meter, at = connector.meter(self.limit_w), self.now()
        if self.wording.names_transactions:
            call = self.wording.update(charge, meter, at)
            self.link.tell(lambda: call, lambda _: None)
        else:
            self.link.tell(lambda: self.wording.update(charge, meter, at), lambda _: None)

    def _tell_stop(self, connector: Connector, charge: Charge) -> None:
        meter, at = connector.meter(self.limit_w), self.now()
        if self.wording.names_transactions:
            call = self.wording.stop(charge, meter, at)
            self.link.tell(lambda: call, lambda _: None)
        else:
            self.link.tell(lambda: self.wording.stop(charge, meter, at), lambda _: None)


async def _until(event: asyncio.Event, seconds: float) -> None:
    """Waits for the event, at most so long."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
