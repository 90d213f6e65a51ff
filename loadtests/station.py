"""A virtual station: boots, lets cars come and go, obeys the CSMS, and loses nothing it has to tell.

Its parts: `visits` (drivers and cars), `commands` and the functional blocks behind it (the CSMS' calls), `telling` (its
words on their way out), `station_link` (its connection). A block is made when it is first needed, and nothing is
polled, so that ten thousand idle stations fit into one process.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from time import time
from typing import Any, TypeVar, cast

from loadtests.behaviour import GOOD, Behaviour
from loadtests.commands import CommandsOfCsms
from loadtests.composite import CURRENT_A_MAX
from loadtests.connector import Connector
from loadtests.habits import Habits
from loadtests.link import Observer, Peer, Refused
from loadtests.outbox import Outbox
from loadtests.quirks import quirks_of
from loadtests.station_link import StationLink
from loadtests.statistics import Statistics
from loadtests.telling import Answered, Telling
from loadtests.variables import Variables, factory
from loadtests.visits import Visits, happens
from loadtests.wording import WORDING_OF_VERSION, Payload

__all__ = ["CURRENT_A_MAX", "Habits", "Station", "happens"]

REGISTER_WH_MAX = 5_000_000
"""A meter has counted at most so much before its station is first switched on here."""
INTERVAL_S_DEFAULT = 60.0
"""Of heartbeats and boots when the CSMS leaves it to the station."""
RECONNECT_S = 0.5
"""From a new password to the connection that uses it."""
_ABRUPT = ("HardReset", "PowerLoss")
_BOOT_REASON_OF_STOP = {None: "ScheduledReset", "PowerLoss": "PowerUp"}
B = TypeVar("B")


class Station:
    """A station of one OCPP version with some connectors; a `host.Host` and a `visits.Place`.

    Args:
        peer: Its name, and where the CSMS is.
        version: 1.6, 2.0.1 or 2.1.
        tokens: What its drivers present.
        habits: How it behaves.
        seed: All its chance, but for the names of transactions and messages: no two runs may share those.
        statistics: Where everything is counted.
        observer: Is told of each call of the station that got its reply; None: nobody is.
        behaviour: What its connection does.
    """

    limit_a = CURRENT_A_MAX
    """What the hardware allows; `Connector.limit` is what a car may draw."""

    def __init__(  # noqa: PLR0913 (the last two belong to the connection and have defaults)
        self,
        peer: Peer,
        version: str,
        tokens: tuple[str, ...],
        habits: Habits,
        seed: int,
        statistics: Statistics,
        *,
        observer: Observer | None = None,
        behaviour: Behaviour = GOOD,
    ) -> None:
        self.identity = peer.identity
        self.version = version
        self.habits = self.pace = habits
        self.chance = random.Random(seed)
        self.statistics = statistics
        self.wording = WORDING_OF_VERSION[version]
        self.tokens = tokens
        self.firmware = "1.0.0"
        self.hurried = False
        self.variables = Variables(factory(habits.connectors, habits.meter_interval_s))
        registers = (self.chance.randrange(REGISTER_WH_MAX) for _ in range(habits.connectors))
        self.connectors = [Connector(number, register) for number, register in enumerate(registers, 1)]
        self.registered = False
        self._group: asyncio.TaskGroup | None = None
        self._clock_offset_s = habits.clock_skew_s
        self._boot_reason = "PowerUp"
        self._reset: str | None = None
        self._boot_asked = False
        self._wake = asyncio.Event()
        self._blocks: dict[type, Any] = {}
        self._timers: set[asyncio.TimerHandle] = set()
        self._aligned: Callable[[], None] | None = None
        self.link = StationLink(
            peer,
            version,
            CommandsOfCsms(self).answer,
            self.chance,
            statistics,
            habits.patience,
            observer=observer,
            behaviour=behaviour,
            check_share=habits.check_share,
            quirks=habits.quirks,
        )
        self.outbox = Outbox(self.link, statistics, keeps_ids=self.wording.keeps_ids, depth=behaviour.depth)
        quirks = quirks_of(habits.quirks, version)
        self.telling = Telling(self.wording, self.link, self.outbox, quirks, self.variables, self.now)
        self._visits = Visits(self)

    async def run(self) -> None:
        """Lives until cancelled."""
        async with asyncio.TaskGroup() as self._group:
            self._group.create_task(self.link.run())
            self._group.create_task(self.outbox.run())
            self._group.create_task(self._provision())

    # What its blocks ask of it

    @property
    def messages_waiting(self) -> bool:
        """Whether something has not been told yet."""
        return len(self.outbox) > 0

    def clock(self) -> float:
        """The station's clock in seconds since 1970, set by the CSMS' heartbeats."""
        return time() + self._clock_offset_s

    def now(self) -> datetime:
        """The station's clock."""
        return datetime.fromtimestamp(self.clock(), UTC)

    def has_quirk(self, name: str) -> bool:
        """Whether it was switched on."""
        return name in self.habits.quirks

    def has_block(self, kind: type) -> bool:
        """Whether a block was ever needed."""
        return kind in self._blocks

    def block(self, kind: type[B]) -> B:
        """A functional block of this station; made when it is first needed."""
        found = self._blocks.get(kind)
        if found is None:
            found = self._blocks[kind] = cast("Callable[[Station], B]", kind)(self)
        return cast("B", found)

    def later(self, seconds: float, work: Callable[[], None]) -> Callable[[], None]:
        """Does something after a while, unless the station is gone; returns what calls it off."""

        def due() -> None:
            self._timers.discard(timer)
            work()

        def call_off() -> None:
            timer.cancel()
            self._timers.discard(timer)

        timer = asyncio.get_running_loop().call_later(max(0.0, seconds), due)
        self._timers.add(timer)
        return call_off

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """Runs something as long as the station lives; None: it does not live any more."""
        try:
            if self._group is not None:
                return self._group.create_task(work)
        except RuntimeError:  # the group is shutting down
            pass
        work.close()
        return None

    def tell(self, action: str, payload: Payload, answered: Answered | None = None) -> None:
        """Queues a message."""
        if self.hurried and self.has_quirk("triggers_before_answer"):
            self.telling.tell_at_once((action, payload))
        else:
            self.telling.tell((action, payload), answered)

    def tell_update(self, connector: Connector, trigger: str) -> None:
        """Tells of the charge there, with meter values."""
        self._visits.tell_update(connector, trigger)

    def tell_meter_values(self, connector: Connector, context: str) -> None:
        """Tells what the meter shows."""
        self.telling.meter_values(connector, context)

    def tell_heartbeat(self) -> None:
        """Tells that it is there, and sets its clock."""
        self.tell("Heartbeat", {}, self._set_clock)

    def report_status(self, connector: Connector, status: str) -> None:
        """Tells the status when it is news."""
        connector.status = status
        word = self.wording.status_word(status)
        if connector.said != word and (self.registered or connector.said is not None):
            connector.said = word
            self.tell(*self.wording.status(connector.number, status, self.now()))

    def limits_changed(self) -> None:
        """Cars may draw more or less from now on."""
        for connector in self.connectors:
            connector.poke()

    def variable_changed(self, name: str) -> None:
        """The CSMS changed a variable; the station follows."""
        if name == "password":
            self.link.change_password(self.variables["password"])
            self.later(RECONNECT_S, self.link.drop)
        elif name == "aligned":
            self._align()
        elif name == "heartbeat":
            self._wake.set()

    # Boot, heartbeat, reset

    def reset(self, stop_reason: str | None, *, resume: bool = False) -> None:
        """Boots anew once all charges have ended.

        Args:
            stop_reason: Ends them now; None: they may finish. After a hard reset or a loss of power nothing more is
                told before the boot.
            resume: They go on after the boot instead (2.1 E17).
        """
        self._boot_reason = _BOOT_REASON_OF_STOP.get(stop_reason, "RemoteReset")
        self.registered = False  # no new drivers
        for connector in self.connectors:
            self._visits.expect_nobody(connector)
            if connector.charge is not None and resume:
                connector.frozen = True
                connector.poke()
            elif connector.charge is not None and stop_reason is not None:
                connector.end(connector.charge, stop_reason)
        self._reset = stop_reason or "idle"
        self._wake.set()

    def boots_when_asked(self) -> bool:
        """The CSMS asks for a BootNotification (1.6 section 5.17, 2.1 F06.FR.17: not once it was accepted)."""
        if not self.registered:
            self._boot_asked = True
            self._wake.set()
        elif self.wording.names_transactions:
            return False
        else:
            self.tell(*self.wording.boot(self.identity, "Triggered", self.firmware))
        return True

    async def _provision(self) -> None:
        """Lives from boot to boot; with it all timers end."""
        try:
            await self._live()
        finally:
            self._group = None
            for timer in self._timers:
                timer.cancel()
            self._timers.clear()

    async def _live(self) -> None:
        """Boots until accepted, then beats; after a reset again."""
        first = True
        while True:
            await self._boot()
            self._begin(first=first)
            first = False
            while self._reset is None:
                if await happens(self._wake, self.variables.number("heartbeat")):
                    self._wake.clear()
                else:
                    await self._heartbeat()
            await self._shut_down(abrupt=self._reset in _ABRUPT)

    def _begin(self, *, first: bool) -> None:
        """Registered: tells how it is, resumes what was going on, and takes drivers."""
        for connector in self.connectors:
            connector.said = None
            self.report_status(connector, connector.status)
            if connector.frozen:
                connector.frozen = False
                self.tell_update(connector, "TxResumed")
                connector.poke()
            if connector.idle:
                idle_s = (0.0, self.habits.first_charge_s_max) if first else self.habits.idle_s
                self._visits.expect(connector, self.chance.uniform(*idle_s))

    async def _boot(self) -> None:
        """Says BootNotification until it is accepted, as often as the CSMS wants it (1.6 section 4.2, 2.1 B01-B03)."""
        attempts = 0
        self.link.restart_ids()
        while True:
            await self.link.up()
            self._boot_asked = False
            attempts += 1
            call = self.wording.boot(self.identity, self._boot_reason, self.firmware)
            try:
                reply = await self.link.ask(*self.telling.spoken(call))
            except (OSError, Refused):
                await self.pause(self.habits.patience.backoff_s(attempts, self.chance))
                continue
            self._set_clock(reply)
            interval_s = float(reply.get("interval") or INTERVAL_S_DEFAULT)
            status = reply.get("status")
            if status == "Accepted" or (status == "Pending" and self.has_quirk("ignores_pending")):
                self.variables.put("heartbeat", str(interval_s))
                self._reset = None
                self._wake.clear()
                self.registered = True
                self.outbox.open()
                return
            await self.pause(interval_s)

    async def pause(self, seconds: float) -> None:
        """Waits between two boots, unless the CSMS asks for one."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        while not self._boot_asked and loop.time() < ends:
            await happens(self._wake, ends - loop.time())
            self._wake.clear()

    async def _shut_down(self, *, abrupt: bool) -> None:
        """Waits for the ends of the charges and tells all; what cannot be told in time is told after the boot."""
        if abrupt:
            self.outbox.close()
        visits = [each.visit for each in self.connectors if each.visit is not None and not each.frozen]
        if visits:
            await asyncio.wait(visits)
        if not abrupt:
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
        if self.habits.clock_skew_s == 0.0:
            theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
            self._clock_offset_s = theirs.timestamp() - time()

    def _align(self) -> None:
        """Meter values at the full quarter of an hour or the like (1.6 section 9.1.4, 2.1 J01)."""
        if self._aligned is not None:
            self._aligned()
            self._aligned = None
        interval_s = self.variables.number("aligned")
        if interval_s > 0.0:
            self._aligned = self.later(interval_s - self.clock() % interval_s, self._tell_aligned)

    def _tell_aligned(self) -> None:
        for connector in self.connectors:
            if connector.charge is not None and self.wording.names_transactions:
                self.tell_update(connector, "MeterValueClock")
            else:
                self.tell_meter_values(connector, "Sample.Clock")
        self._align()
