"""Drivers and their cars at a virtual station: who comes, whether he may charge, what flows, when he leaves.

An empty connector costs a timer at most; a task lives only from plug to unplug. A charge wakes for its next meter
value, for the next change of its limit, and when somebody pokes it.
"""

import asyncio
import uuid
from collections.abc import Coroutine
from functools import partial
from time import monotonic
from typing import Any, Protocol

from loadtests.composite import HARDWARE
from loadtests.connector import Connector, Driver
from loadtests.garage import car_of
from loadtests.habits import Habits
from loadtests.host import Host
from loadtests.information import Information
from loadtests.link import Refused
from loadtests.local_list import Known, LocalList
from loadtests.reservations import Reservations
from loadtests.smart_charging import SmartCharging
from loadtests.station_link import StationLink
from loadtests.telling import Answered, Telling
from loadtests.wording import Charge, Meter, Moment, Payload
from loadtests.wording.words import Call

LOOK_S_MIN = 0.01
"""A limit that changes right now is looked at again after this."""
NEVER_S = float("inf")


class Place(Host, Protocol):
    """A station, as its drivers see it."""

    habits: Habits
    tokens: tuple[str, ...]
    link: StationLink
    telling: Telling

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """Runs something as long as the station lives; None: it does not live any more."""

    def has_block(self, kind: type) -> bool:
        """Whether a block was ever needed."""


class Visits:
    """All that happens at the connectors of one station."""

    __slots__ = ("_place",)

    def __init__(self, place: Place) -> None:
        self._place = place
        for connector in place.connectors:
            connector.remote.arrived = partial(self._come_in, connector)

    # Who comes

    def expect(self, connector: Connector, idle_s: float) -> None:
        """The next driver comes after so long, if any; one who waits already comes now."""
        self.expect_nobody(connector)
        if connector.remote.full():
            self._come_in(connector)
        elif self._place.tokens:
            connector.call_off = self._place.later(idle_s, partial(self._walk_up, connector))

    @staticmethod
    def expect_nobody(connector: Connector) -> None:
        """Nobody comes by himself from now on."""
        if connector.call_off is not None:
            connector.call_off()
            connector.call_off = None

    def _walk_up(self, connector: Connector) -> None:
        connector.call_off = None
        if connector.takes_remote() and self._place.registered:
            connector.remote.put_nowait(Driver(self._place.chance.choice(self._place.tokens)))
        else:
            self._expect_next(connector)

    def _come_in(self, connector: Connector) -> None:
        """The driver who waits plugs in, as soon as he can."""
        if not connector.idle or not connector.operative or not self._place.registered:
            return
        driver = connector.remote.take()
        if driver is not None:
            self.expect_nobody(connector)
            connector.visit = self._place.spawn(self._stay(connector, driver))

    def _expect_next(self, connector: Connector) -> None:
        self.expect(connector, self._place.chance.uniform(*self._place.habits.idle_s))

    async def _stay(self, connector: Connector, driver: Driver) -> None:
        """From plug to unplug."""
        place = self._place
        connector.car = car_of(place.habits.garage, place.chance)
        place.report_status(connector, "Preparing")
        admitted, reservation = await self._admitted(connector, driver)
        if admitted and place.registered:
            await self._charge(connector, driver, reservation)
            place.report_status(connector, "Finishing")
        connector.car = connector.visit = connector.wake = None
        place.report_status(connector, connector.resting_status)
        if place.registered:
            self._expect_next(connector)

    # Whether he may

    async def _admitted(self, connector: Connector, driver: Driver) -> tuple[bool, int | None]:
        """Whether he may charge, and the reservation that he fulfils."""
        place = self._place
        known = Known(accepted=True, group=None)
        if not driver.remote or place.variables.flag("authorize_remote"):
            known = await self._ask_for(driver.token)
        reservation: int | None = None
        admitted = known.accepted
        if admitted and place.has_block(Reservations):
            admitted, reservation = place.block(Reservations).admits(connector, driver.token, known.group)
        if not admitted:
            place.statistics.count("drivers sent away")
        return admitted, reservation

    async def _ask_for(self, token: str) -> Known:
        """Asks the CSMS; what the station knows itself counts when it may, and when nobody can be asked (2.1 C12)."""
        place = self._place
        known = place.block(LocalList).find(token) if place.has_block(LocalList) else None
        if known is not None and known.accepted and place.variables.flag("authorize_locally"):
            return known
        try:
            reply = await place.link.ask(*place.telling.spoken(place.wording.authorize(token)))
        except (OSError, Refused):
            return self._offline(known)
        answer = Known(place.wording.accepts(reply), place.wording.group(reply))
        if place.variables.flag("cache") and answer.accepted:
            place.block(LocalList).remember(token, answer)
        return answer

    def _offline(self, known: Known | None) -> Known:
        """1.6 section 3.5, 2.1 C15."""
        variables = self._place.variables
        if self._place.link.is_up:
            return Known(accepted=False, group=None)
        if known is not None and variables.flag("authorize_offline"):
            return known
        return Known(variables.flag("offline_unknown") and known is None, None)

    # What flows

    async def _charge(self, connector: Connector, driver: Driver, reservation: int | None) -> None:
        place = self._place
        charge = Charge(connector.number, driver.token, round(connector.register_wh))
        charge.remote, charge.remote_start_id = driver.remote, driver.remote_start_id
        charge.began, charge.reservation = place.clock(), reservation
        if place.wording.names_transactions:
            charge.id = str(uuid.uuid4())  # unique for life, so not of the seed (2.1 E01.FR.08)
        connector.wake = asyncio.Event()
        connector.charge = charge
        if reservation is not None:
            place.block(Reservations).fulfil(reservation)
        place.telling.of_charge(connector, place.wording.start, self._started(connector, charge))
        place.limits_changed()
        place.statistics.charging += 1
        try:
            await self._draw(connector, charge, connector.wake)
        finally:
            place.statistics.charging -= 1
        charge.stop_reason = charge.stop_reason or "Local"
        place.telling.of_charge(connector, place.wording.stop, None, at_rest=True)
        connector.charge, connector.frozen, connector.limit, connector.reacts_at = None, False, HARDWARE, None
        if place.has_block(Information):
            place.block(Information).charge_ended(charge.id)
        if place.has_block(SmartCharging):
            place.block(SmartCharging).charge_ended(connector)

    async def _draw(self, connector: Connector, charge: Charge, wake: asyncio.Event) -> None:
        """Draws power until the time is over or somebody stops it."""
        habits, variables = self._place.habits, self._place.variables
        before = monotonic()
        ends = before + self._place.chance.uniform(*habits.charge_s)
        due = before + variables.number("meter")
        look_s = self._follow_limit(connector, at_once=True)
        self._change_state(connector, charge)
        while charge.stop_reason is None and (before < ends or connector.frozen):
            wait_s = NEVER_S if connector.frozen else min(due, ends, before + look_s) - before
            await happens(wake, wait_s)
            wake.clear()
            now = monotonic()
            self._flow(connector, now - before)
            before = now
            look_s = self._follow_limit(connector)
            if charge.stop_reason is None and now < ends and not connector.frozen:
                self._change_state(connector, charge)
                if now >= due:
                    self.tell_update(connector, "MeterValuePeriodic")
                    due = now + variables.number("meter")

    def _follow_limit(self, connector: Connector, *, at_once: bool = False) -> float:
        """Brings the car under the limit of now, in its time; returns after how many s to look again."""
        place = self._place
        if not place.has_block(SmartCharging):
            return NEVER_S
        target, until = place.block(SmartCharging).limit_at(connector)
        look_s = max(LOOK_S_MIN, until - place.clock())
        if target == connector.limit:
            connector.reacts_at = None
            return look_s
        now = monotonic()
        if connector.reacts_at is None:
            connector.reacts_at = now if at_once else now + place.habits.reaction_s
        if now < connector.reacts_at:
            return min(look_s, connector.reacts_at - now)
        connector.limit, connector.reacts_at = target, None
        return look_s

    def _flow(self, connector: Connector, seconds: float) -> None:
        assert connector.car is not None
        if connector.frozen:
            return
        limit, place = connector.limit, self._place
        energy_wh = connector.car.charge(seconds * place.habits.speed, limit.allowed_a, limit.phases)
        connector.register_wh += energy_wh
        place.statistics.energy_wh += energy_wh

    def _change_state(self, connector: Connector, charge: Charge) -> None:
        """Charging; or the car is full (SuspendedEV), or the limit is too low (SuspendedEVSE)."""
        assert connector.car is not None
        state = "Charging" if connector.limit.allowed_a > 0.0 else "SuspendedEVSE"
        state = "SuspendedEV" if connector.car.full else state
        if charge.state != state:
            charge.state = state
            self._place.report_status(connector, state)
            if self._place.wording.names_transactions:
                self.tell_update(connector, "ChargingStateChanged")

    # What is told of it

    def tell_update(self, connector: Connector, trigger: str) -> None:
        """Meter values of the charge; nothing when there is none."""
        wording, charge = self._place.wording, connector.charge
        if charge is None:
            return

        def words(charge: Charge, meter: Meter, moment: Moment) -> Call:
            return wording.update(charge, meter, moment, trigger)

        self._place.telling.of_charge(connector, words, partial(self._heed, connector, charge), vital=False)

    def _started(self, connector: Connector, charge: Charge) -> Answered:
        """What to do when the start was answered."""

        def answered(reply: Payload) -> None:
            self._place.statistics.transactions += 1
            number = reply.get("transactionId")
            if not self._place.wording.names_transactions and isinstance(number, int):
                charge.id = str(number)
            self._heed(connector, charge, reply)

        return answered

    def _heed(self, connector: Connector, charge: Charge, reply: Payload) -> None:
        """A token that is no good any more ends the charge, unless it may not (1.6 section 3.5.4, 2.1 E05)."""
        if "totalCost" in reply:
            charge.cost = reply["totalCost"]
        if self._place.wording.deauthorizes(reply) and self._place.variables.flag("stop_invalid"):
            connector.end(charge, "DeAuthorized")


async def happens(event: asyncio.Event, seconds: float) -> bool:
    """Waits for the event, at most so long; returns whether it happened."""
    try:
        async with asyncio.timeout(None if seconds == NEVER_S else seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
