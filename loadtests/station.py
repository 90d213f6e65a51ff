"""A virtual station: boots, lets cars come and go, obeys the CSMS, and loses nothing it has to tell."""

import asyncio
import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic

from loadtests.car import Car
from loadtests.commands import CommandsOfCsms
from loadtests.connector import Connector, Driver
from loadtests.link import Link, Patience, Peer, Refused
from loadtests.outbox import ATTEMPTS_MAX, Outbox
from loadtests.statistics import Statistics
from loadtests.wording import WORDING_OF_VERSION, Call, Charge, Meter, Moment, Payload

CURRENT_A_MAX = 32.0
REGISTER_WH_MAX = 5_000_000
"""A meter has counted at most so much before its station is first switched on here."""
INTERVAL_S_DEFAULT = 60.0
"""Of heartbeats and boots when the CSMS leaves it to the station."""
CARS = ((3_700, 1), (7_400, 1), (11_000, 3), (22_000, 3))
"""Power in W and phases: 16 or 32 A."""


@dataclass(frozen=True)
class Habits:
    """How a station behaves; times in real seconds.

    Attributes:
        meter_interval_s: Between meter values while charging.
        charge_s: A car stays between these.
        idle_s: A connector is empty between these.
        speed: Battery time per real time, so that a demo shows whole charges in minutes.
        first_charge_s_max: The first car comes within this.
        connectors: Of each station.
        reboot_s: From the last word to the next connection.
        patience: With the CSMS.
    """

    meter_interval_s: float = 10.0
    charge_s: tuple[float, float] = (60.0, 240.0)
    idle_s: tuple[float, float] = (5.0, 60.0)
    speed: float = 1.0
    first_charge_s_max: float = 10.0
    connectors: int = 1
    reboot_s: float = 1.0
    patience: Patience = field(default_factory=Patience)


class Station:
    """A station of one OCPP version with some connectors.

    Args:
        peer: Its name, and where the CSMS is.
        version: 1.6, 2.0.1 or 2.1.
        tokens: What its drivers present.
        habits: How it behaves.
        seed: All its chance, but for the names of transactions and messages: no two runs may share those.
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
        self.limit_a = CURRENT_A_MAX
        self.intervals_s = {"heartbeat": INTERVAL_S_DEFAULT, "meter": habits.meter_interval_s}
        registers = (self.chance.randrange(REGISTER_WH_MAX) for _ in range(habits.connectors))
        self.connectors = [Connector(number, register) for number, register in enumerate(registers, 1)]
        self._clock_offset = timedelta()
        self._boot_reason = "PowerUp"
        self._registered = asyncio.Event()
        self._reset = asyncio.Event()
        self._boot_asked = asyncio.Event()
        commands = CommandsOfCsms(self)
        self.link = Link(
            peer, self.wording.subprotocol, commands.answer, self.chance, statistics, patience=habits.patience
        )
        self.outbox = Outbox(self.link, statistics, keeps_ids=self.wording.keeps_ids)

    def now(self) -> datetime:
        """The station's clock, set by the CSMS' heartbeats."""
        return datetime.now(UTC) + self._clock_offset

    @property
    def registered(self) -> bool:
        """The CSMS accepted its boot."""
        return self._registered.is_set()

    async def run(self) -> None:
        """Lives until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.link.run())
            group.create_task(self.outbox.run())
            group.create_task(self._provision())
            for connector in self.connectors:
                group.create_task(self._serve(connector))

    def reset(self, stop_reason: str | None) -> None:
        """Boots anew once all charges have ended; `stop_reason` ends them now, None lets them finish."""
        self._boot_reason = "ScheduledReset" if stop_reason is None else "RemoteReset"
        self._registered.clear()  # no new drivers
        for connector in self.connectors:
            if connector.charge is not None and stop_reason is not None:
                connector.end(connector.charge, stop_reason)
        self._reset.set()

    def trigger(self, message: str, connectors: Sequence[Connector]) -> str:
        """Sends a message that the CSMS asked for; returns the status of the answer."""
        match message:
            case "BootNotification":
                return self._trigger_boot()
            case "Heartbeat":
                self.outbox.tell(lambda: ("Heartbeat", {}), self._set_clock)
            case "StatusNotification":
                for connector in connectors:
                    connector.said = None
                    self.report_status(connector, connector.status)
            case "MeterValues":
                for connector in connectors:
                    self._tell_meter_values(connector)
            case "TransactionEvent" if self.wording.names_transactions:
                return self._trigger_transaction_events(connectors)
            case _:
                return "NotImplemented"
        return "Accepted"

    def _trigger_boot(self) -> str:
        if not self.registered:
            self._boot_asked.set()
        elif self.wording.names_transactions:
            return "Rejected"  # 2.1 F06.FR.17
        else:
            self.outbox.tell(lambda: self.wording.boot(self.identity, "Triggered"))
        return "Accepted"

    def _trigger_transaction_events(self, connectors: Sequence[Connector]) -> str:
        charging = [each for each in connectors if each.charge is not None]
        for connector in charging:
            self._tell_update(connector, "Trigger")
        return "Accepted" if charging else "Rejected"

    def report_status(self, connector: Connector, status: str) -> None:
        """Tells the status when it is news."""
        connector.status = status
        word = self.wording.status_word(status)
        if connector.said != word and (self.registered or connector.said is not None):
            connector.said = word
            call = self.wording.status(connector.number, status, self.now())
            self.outbox.tell(lambda: call)

    async def _provision(self) -> None:
        """Boots until accepted, then beats; after a reset again."""
        while True:
            await self._boot()
            for connector in self.connectors:
                connector.said = None
                self.report_status(connector, connector.status)
            while not self._reset.is_set():
                if not await happens(self._reset, self.intervals_s["heartbeat"]):
                    await self._heartbeat()
            await self._shut_down()

    async def _boot(self) -> None:
        """Says BootNotification until it is accepted, as often as the CSMS wants it (1.6 section 4.2, 2.1 B01-B03)."""
        attempts = 0
        while True:
            await self.link.up()
            self._boot_asked.clear()
            attempts += 1
            try:
                reply = await self.link.ask(*self.wording.boot(self.identity, self._boot_reason))
            except (OSError, Refused):
                await self.pause(self.habits.patience.backoff_s(attempts, self.chance))
                continue
            self._set_clock(reply)
            interval_s = float(reply.get("interval") or INTERVAL_S_DEFAULT)
            if reply.get("status") == "Accepted":
                self.intervals_s["heartbeat"] = interval_s
                self._reset.clear()
                self._registered.set()
                self.outbox.open()
                return
            await self.pause(interval_s)

    async def pause(self, seconds: float) -> None:
        """Waits between two boots, unless the CSMS asks for one."""
        await happens(self._boot_asked, seconds)

    async def _shut_down(self) -> None:
        """Waits for the ends of the charges and tells all; what cannot be told in time is told after the boot."""
        for connector in self.connectors:
            await connector.idle.wait()
        try:
            async with asyncio.timeout(self.habits.patience.answer_s_max):
                await self.outbox.drained()
        except TimeoutError:
            self.statistics.count("resets with messages left")
        self.outbox.close()
        self.link.drop()
        await asyncio.sleep(self.habits.reboot_s)

    async def _heartbeat(self) -> None:
        try:
            self._set_clock(await self.link.ask("Heartbeat", {}))
        except (OSError, Refused):
            self.statistics.count("heartbeats missed")

    def _set_clock(self, reply: Payload) -> None:
        try:
            theirs = datetime.fromisoformat(reply["currentTime"])
        except (KeyError, TypeError, ValueError):
            self.statistics.count("replies without a time")
            return
        theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
        self._clock_offset = theirs - datetime.now(UTC)

    async def _serve(self, connector: Connector) -> None:
        """Cars come and go at one connector for ever."""
        await self._registered.wait()
        idle_s = self.chance.uniform(0.0, self.habits.first_charge_s_max)
        while True:
            driver = await self._next_driver(connector, idle_s)
            if connector.operative and self.registered:
                connector.idle.clear()
                await self._visit(connector, driver)
                connector.idle.set()
            await self._registered.wait()
            idle_s = self.chance.uniform(*self.habits.idle_s)

    async def _next_driver(self, connector: Connector, idle_s: float) -> Driver:
        """A driver walks up, or the CSMS sends one."""
        try:
            async with asyncio.timeout(idle_s if self.tokens else None):
                return await connector.remote.get()
        except TimeoutError:
            return Driver(self.chance.choice(self.tokens))

    async def _visit(self, connector: Connector, driver: Driver) -> None:
        """From plug to unplug."""
        power_w_max, phases = self.chance.choice(CARS)
        soc = self.chance.uniform(0.1, 0.7)
        connector.car = Car(self.chance.uniform(30_000, 90_000), soc, power_w_max, phases)
        self.report_status(connector, "Preparing")
        if (driver.remote or await self._authorized(driver.token)) and self.registered:
            await self._charge(connector, driver)
            self.report_status(connector, "Finishing")
        connector.car = None
        self.report_status(connector, connector.resting_status)

    async def _authorized(self, token: str) -> bool:
        try:
            accepted = self.wording.accepts(await self.link.ask(*self.wording.authorize(token)))
        except (OSError, Refused):
            accepted = False
        if not accepted:
            self.statistics.count("drivers sent away")
        return accepted

    async def _charge(self, connector: Connector, driver: Driver) -> None:
        charge = Charge(connector.number, driver.token, round(connector.register_wh))
        charge.remote, charge.remote_start_id = driver.remote, driver.remote_start_id
        if self.wording.names_transactions:
            charge.id = str(uuid.uuid4())  # unique for life, so not of the seed (2.1 E01.FR.08)
        connector.stop.clear()
        connector.charge = charge
        self._tell_of_charge(connector, self.wording.start, self._started(connector, charge))
        self._change_state(connector, charge)
        self.statistics.charging += 1
        try:
            await self._draw(connector, charge)
        finally:
            self.statistics.charging -= 1
        charge.stop_reason = charge.stop_reason or "Local"
        self._tell_of_charge(connector, self.wording.stop, None, at_rest=True)
        connector.charge = None

    async def _draw(self, connector: Connector, charge: Charge) -> None:
        """Draws power until the time is over or somebody stops it."""
        before = monotonic()
        ends = before + self.chance.uniform(*self.habits.charge_s)
        while before < ends and not connector.stop.is_set():
            stopped = await happens(connector.stop, min(self.intervals_s["meter"], ends - before))
            now = monotonic()
            self._flow(connector, now - before)
            before = now
            if not stopped and now < ends:
                self._change_state(connector, charge)
                self._tell_update(connector, "MeterValuePeriodic")

    def _flow(self, connector: Connector, seconds: float) -> None:
        assert connector.car is not None
        energy_wh = connector.car.charge(seconds * self.habits.speed, self.limit_a)
        connector.register_wh += energy_wh
        self.statistics.energy_wh += energy_wh

    def _change_state(self, connector: Connector, charge: Charge) -> None:
        """Charging, or the car is full (SuspendedEV)."""
        assert connector.car is not None
        state = "SuspendedEV" if connector.car.full else "Charging"
        if charge.state != state:
            charge.state = state
            self.report_status(connector, state)
            if self.wording.names_transactions:
                self._tell_update(connector, "ChargingStateChanged")

    def _started(self, connector: Connector, charge: Charge) -> Callable[[Payload], None]:
        """What to do when the start was answered."""

        def answered(reply: Payload) -> None:
            self.statistics.transactions += 1
            number = reply.get("transactionId")
            if not self.wording.names_transactions and isinstance(number, int):
                charge.id = str(number)
            self._heed(connector, charge, reply)

        return answered

    def _heed(self, connector: Connector, charge: Charge, reply: Payload) -> None:
        if self.wording.deauthorizes(reply):
            connector.end(charge, "DeAuthorized")

    def _tell_update(self, connector: Connector, trigger: str) -> None:
        def words(charge: Charge, meter: Meter, moment: Moment) -> Call:
            return self.wording.update(charge, meter, moment, trigger)

        charge = connector.charge
        assert charge is not None
        self._tell_of_charge(connector, words, lambda reply: self._heed(connector, charge, reply), vital=False)

    def _tell_meter_values(self, connector: Connector) -> None:
        charge, meter, at = connector.charge, connector.meter(self.limit_a), self.now()
        self.outbox.tell(lambda: self.wording.meter_values(charge, connector.number, meter, at))

    def _tell_of_charge(
        self,
        connector: Connector,
        words: Callable[[Charge, Meter, Moment], Call],
        answered: Callable[[Payload], None] | None,
        *,
        vital: bool = True,
        at_rest: bool = False,
    ) -> None:
        """Queues a transaction message with what is true now; only 1.6's transaction number is filled in later."""
        charge, meter = connector.charge, connector.meter(self.limit_a)
        assert charge is not None
        meter = meter.at_rest() if at_rest else meter
        moment = Moment(self.now(), offline=not self.link.is_up)
        if self.wording.names_transactions:
            call = words(charge, meter, moment)
            self.outbox.tell(lambda: call, answered, vital=vital, attempts_max=ATTEMPTS_MAX)
        else:
            make = words
            self.outbox.tell(lambda: make(charge, meter, moment), answered, vital=vital, attempts_max=ATTEMPTS_MAX)


async def happens(event: asyncio.Event, seconds: float) -> bool:
    """Waits for the event, at most so long; returns whether it happened."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
