"""A station as a Locust user plays it: boots, reports, charges, obeys, and comes back after whatever happens to it."""

from collections.abc import Callable
from random import Random
from time import monotonic

from loadtests.swarm.channel import Door
from loadtests.swarm.connection import Callee, Connection
from loadtests.swarm.greenlets import AsyncResult, Group, Timeout, sleep
from loadtests.swarm.options import Options
from loadtests.swarm.samples import CallFailed, Refused, Report
from loadtests.swarm.words import HEARTBEAT, POWER_W, Answer, Call, Charge, Payload, Place, Words

HEARTBEAT_S_DEFAULT = 300.0
BOOT_RETRY_S = 5.0
ATTEMPTS_MAX = 5
"""A transaction's message is said so often before it is given up."""
RETRY_S = 1.0
GOODBYE_S_MAX = 2.0
RESTART_S = 1.0
ANSWER_ARRIVES_S = 0.2
"""A station that is told to restart says yes first, and the CSMS must get to read it."""
FIRMWARE_STEPS = ("Downloading", "Downloaded", "Installing")


class Station:
    """One station. All methods are for greenlets of its own process.

    Args:
        identity: Its name.
        words: Its version.
        options: How it behaves.
        door: Where it connects.
        report: Where all that is measured goes.
        chance: Its randomness.
    """

    def __init__(
        self, identity: str, words: Words, options: Options, door: Door, report: Report, chance: Random
    ) -> None:
        self.identity = identity
        self.version = words.version
        self._words = words
        self._options = options
        self._chance = chance
        self._connection = Connection(door, identity, words.subprotocol, report, chance)
        self._place = Place(options.connectors)
        self._stops: dict[int, AsyncResult[str]] = {}
        self._boot_reason: str | None = "PowerUp"
        self._heartbeat_s = HEARTBEAT_S_DEFAULT
        self._spoke_at = monotonic()
        self._greenlets = Group()
        self._slow = False

    # Life

    def start(self) -> None:
        """Begins to connect."""
        self._spawn(lambda: self._connection.keep_up(Callee(self._introduce, self._obey)))
        self._spawn(self._beat)

    def stop(self) -> None:
        """Ends what it charges, says goodbye, and leaves; within `GOODBYE_S_MAX`."""
        with Timeout(GOODBYE_S_MAX, exception=False):
            for charge in [*self._place.charges.values()]:
                if self.is_ready and charge.transaction_id is not None:
                    try:
                        self._connection.ask(*self._words.stop(charge, "Local"))
                    except CallFailed:
                        break
        self._connection.end()
        self._greenlets.kill(block=False)

    @property
    def is_ready(self) -> bool:
        """Connected, booted, and its connectors are reported."""
        return self._connection.is_ready

    def wait_ready(self) -> None:
        """Waits until it is ready.

        Raises:
            CallFailed: For too long.
        """
        self._connection.wait_ready()

    # What it does by itself

    def heartbeat(self) -> None:
        """Heartbeat."""
        self.say(HEARTBEAT)

    def report_status(self) -> None:
        """The status of each connector again."""
        for connector in range(1, self._place.connectors + 1):
            self.say(self._words.status(connector, "Charging" if connector in self._place.charges else "Available"))

    def report_meters(self) -> None:
        """Meter values by the clock, without a transaction."""
        for connector in range(1, self._place.connectors + 1):
            self.say(self._words.meter_values(connector, self._register_wh(connector)))

    def authorize(self) -> bool:
        """A driver shows a card; returns whether it is good."""
        reply = self.say(self._words.authorize(self._token()))
        return reply is not None and self._words.accepts(reply)

    def charge(self) -> None:
        """A driver comes, shows a card, charges and leaves; nothing happens if all connectors are taken."""
        connector = self._place.free()
        if connector is None:
            return
        charge = Charge(connector, self._token())
        if self._occupy(charge):
            reply = self.say(self._words.authorize(charge.token))
            if reply is not None and self._words.accepts(reply):
                self._charge(charge)
            else:
                self._leave(charge)

    def say(self, call: Call) -> Payload | None:
        """A call that may fail; None: it did, and is reported."""
        self._spoke_at = monotonic()
        try:
            return self._connection.ask(*call)
        except CallFailed:
            return None

    def tell(self, call: Call) -> Payload | None:
        """A call that must not be lost: repeated under the same message id; None: refused, or given up."""
        self._spoke_at = monotonic()
        message_id = self._connection.new_id()
        for attempt in range(ATTEMPTS_MAX):
            try:
                return self._connection.ask(*call, message_id)
            except Refused:
                return None
            except CallFailed:
                sleep(RETRY_S * (attempt + 1))
        return None

    # What happens to it

    def cut(self, away_s: float = 0.0, *, power: bool = False) -> None:
        """Loses its connection, for `away_s` at least. `power`: and its memory of having booted."""
        if power:
            self._boot_reason = "PowerUp"
        self._connection.cut(away_s)

    def update_firmware(self) -> None:
        """Says each step of an update, restarts, and says that it is installed; returns at once."""
        self._spawn(self._update)

    def read_slowly(self, frames_per_s: float, asks_per_s: float) -> None:
        """Reads slowly from now on, and asks and asks."""
        if not self._slow:
            self._slow = True
            self._connection.read_slowly(frames_per_s)
            self._spawn(lambda: self._pester(asks_per_s))

    # Inside

    def _spawn(self, work: Callable[[], None]) -> None:
        self._greenlets.spawn(work)

    def _beat(self) -> None:
        """A heartbeat goes out when nothing was said for the interval that the CSMS gave."""
        while True:
            silent_s = monotonic() - self._spoke_at
            if silent_s < self._heartbeat_s:
                sleep(self._heartbeat_s - silent_s)
            else:
                self.heartbeat()

    def _introduce(self) -> None:
        """After each connect; ends with the connection at the latest."""
        while self._boot_reason is not None:
            try:
                reply = self._connection.ask_first(*self._words.boot(self.identity, self._boot_reason))
            except CallFailed:
                sleep(BOOT_RETRY_S)
                continue
            interval = reply.get("interval")
            told_s = float(interval) if isinstance(interval, int) and interval > 0 else 0.0
            if reply.get("status") == "Accepted":
                self._heartbeat_s = told_s or HEARTBEAT_S_DEFAULT
                self._boot_reason = None
                self._introduce_connectors()
            else:
                sleep(told_s or BOOT_RETRY_S)
        self._spoke_at = monotonic()

    def _introduce_connectors(self) -> None:
        for connector in range(1, self._place.connectors + 1):
            status = "Charging" if connector in self._place.charges else "Available"
            try:
                self._connection.ask_first(*self._words.status(connector, status))
            except CallFailed:
                continue  # reported; the next status will tell

    def _token(self) -> str:
        return self._chance.choice(self._options.tokens)

    def _register_wh(self, connector: int) -> int:
        charge = self._place.charges.get(connector)
        return charge.register_wh if charge is not None else 1_000 * connector

    def _occupy(self, charge: Charge) -> bool:
        """A cable is plugged in; false: another one was quicker."""
        if charge.connector in self._place.charges:
            return False
        charge.register_wh = self._chance.randrange(1_000, 5_000_000)
        self._place.charges[charge.connector] = charge
        self._stops[charge.connector] = AsyncResult()
        self.say(self._words.status(charge.connector, "Preparing"))
        return True

    def _leave(self, charge: Charge) -> None:
        self._place.charges.pop(charge.connector, None)
        self._stops.pop(charge.connector, None)
        self.say(self._words.status(charge.connector, "Available"))

    def _charge(self, charge: Charge) -> None:
        if self._words.names_transactions:
            charge.transaction_id = f"{self._connection.new_id()}"
        reply = self.tell(self._words.start(charge))
        if reply is None:
            self._leave(charge)
            return
        if not self._words.names_transactions:
            charge.transaction_id = str(reply.get("transactionId"))
        reason = self._draw(charge) if self._words.accepts(reply) else "DeAuthorized"
        self.tell(self._words.stop(charge, reason))
        self._leave(charge)

    def _draw(self, charge: Charge) -> str:
        """Until the car leaves or the CSMS ends it; returns why."""
        if not self._words.names_transactions:
            self.say(self._words.status(charge.connector, "Charging"))
        stop = self._stops[charge.connector]
        until = monotonic() + self._options.charge_s * self._chance.uniform(0.5, 1.5)
        interval_s = self._options.meter_interval_s
        while (left_s := until - monotonic()) > 0:
            slept_s = min(left_s, interval_s)
            try:
                return str(stop.get(timeout=slept_s))
            except Timeout:
                charge.register_wh += max(1, round(POWER_W * slept_s / 3600.0))
            if slept_s == interval_s:
                self.tell(self._words.update(charge))
        return "Local"

    def _obey(self, action: str, payload: Payload) -> tuple[Payload | None, Callable[[], None]]:
        answer = self._words.obey(action, payload, self._place)
        return answer.payload, lambda: self._do(answer)

    def _do(self, answer: Answer) -> None:
        """After the answer went out."""
        if answer.start is not None:
            charge = answer.start
            self._spawn(lambda: self._charge(charge) if self._occupy(charge) else None)
        if answer.stop is not None:
            for connector, charge in self._place.charges.items():
                if charge.transaction_id == answer.stop:
                    self._stops[connector].set("Remote")
        if answer.message is not None:
            call = self._triggered(answer.message)
            self._spawn(lambda: self._say_triggered(call))
        if answer.deed == "reset":
            self._boot_reason = "RemoteReset"
            self._spawn(self._restart)
        elif answer.deed == "firmware":
            self.update_firmware()

    def _say_triggered(self, call: Call) -> None:
        self.say(call)

    def _triggered(self, message: str) -> Call:
        match message:
            case "BootNotification":
                return self._words.boot(self.identity, "Triggered")
            case "StatusNotification":
                return self._words.status(1, "Charging" if 1 in self._place.charges else "Available")
            case "MeterValues":
                return self._words.meter_values(1, self._register_wh(1))
            case _:
                return HEARTBEAT

    def _restart(self) -> None:
        sleep(ANSWER_ARRIVES_S)
        self._connection.cut(RESTART_S)

    def _update(self) -> None:
        for step in FIRMWARE_STEPS:
            self.say(self._words.firmware(step))
            sleep(self._chance.uniform(0.2, 1.0))
        self._boot_reason = "FirmwareUpdate"
        self._connection.cut(RESTART_S)
        self.say(self._words.firmware("Installed"))

    def _pester(self, asks_per_s: float) -> None:
        while True:
            self._connection.shout(*HEARTBEAT)
            sleep(1.0 / asks_per_s)
