"""Simulated stations: they speak raw OCPP, repeat what was not answered, and remember what they were promised."""

import asyncio
from random import Random
from typing import Any

import orjson

from tests.simulation.virtual_time import VirtualClock

ANSWER_S = 10.0
"""After so long without an answer a station says it again."""


class Line:
    """A connection between a station and an ingress; stands for `ingress.ocpp.connection.Connection`."""

    def __init__(self, dice: Random) -> None:
        self.session: Any = None
        self.lost = asyncio.Event()
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        self._dice = dice
        self._waiting: list[str] = []
        self._pauses: set[object] = set()

    # The station's end

    async def say(self, text: str) -> None:
        await asyncio.sleep(self._dice.uniform(0, 0.05))
        self.put_back(text)
        self._pass_on()

    def cut(self, code: int = 1006, reason: str = "") -> None:
        """The connection is gone; the ingress notices."""
        if not self.lost.is_set():
            self.lost.set()
            self.session.closed(code, reason)

    # The ingress' end

    def send(self, texts: list[str]) -> None:
        for text in texts:
            if not self.lost.is_set():
                self.heard.put_nowait(text)

    def close(self, code: int, reason: str) -> None:
        self.cut(code, reason)

    def abort(self) -> None:
        self.cut()

    def put_back(self, text: str) -> None:
        self._waiting.append(text)

    def pause(self, why: object) -> None:
        self._pauses.add(why)

    def resume(self, why: object) -> None:
        self._pauses.discard(why)
        self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting and not self._pauses and not self.lost.is_set():
            self.session.receive(self._waiting.pop(0))


class Charged:
    """A transaction as its station knows it, answered so far. `transaction_id` None: a 1.6 start without its answer."""

    def __init__(self, meter_start_wh: int) -> None:
        self.transaction_id: str | None = None
        self.meter_start_wh = meter_start_wh
        self.meter_stop_wh: int | None = None
        self.readings_wh: list[int] = []


class Station:
    """One station with one connector.

    Args:
        identity: Of the station.
        version: 1.6, 2.0.1 or 2.1.
        connect: Gives a line to some ingress; None: none takes it now.
        dice: The chance.
    """

    def __init__(self, identity: str, version: str, connect: Any, dice: Random) -> None:
        self.identity = identity
        self.version = version
        self.charged: list[Charged] = []
        self.obeyed: list[str] = []
        self.refused: list[str] = []
        self.repeats = 0
        self._connect = connect
        self._dice = dice
        self._clock = VirtualClock()
        self._line: Line | None = None
        self._listener: asyncio.Task[None] | None = None
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self._meter_wh = dice.randrange(1_000, 1_000_000)
        self._calls = 0

    async def live(self, transactions: int) -> None:
        """Boots and charges; the last transaction may stay open."""
        await asyncio.sleep(self._dice.uniform(0, 5))
        await self.say("BootNotification", self._boot())
        for number in range(transactions):
            await self._charge(number, ends=number + 1 < transactions or self._dice.random() < 0.5)
            await self.say("Heartbeat", {})

    def cut(self) -> None:
        """Its connection breaks."""
        if self._line is not None:
            self._line.cut()

    async def _charge(self, number: int, *, ends: bool) -> None:
        charged = Charged(self._meter_wh)
        self.charged.append(charged)
        tell = self._tell_v16 if self.version == "1.6" else self._tell_v2
        name = f"{self.identity}-{number}"
        await tell(charged, name, "Started", 0)
        updates = self._dice.randrange(4)
        for sequence in range(1, updates + 1):
            await asyncio.sleep(self._dice.uniform(0.5, 8))
            self._meter_wh += self._dice.randrange(1, 2_000)
            await tell(charged, name, "Updated", sequence)
        await asyncio.sleep(self._dice.uniform(0.5, 8))
        if ends:
            self._meter_wh += self._dice.randrange(1, 2_000)
            await tell(charged, name, "Ended", updates + 1)
            charged.meter_stop_wh = self._meter_wh
            self._meter_wh += 1  # the next transaction's readings are its own

    async def _tell_v16(self, charged: Charged, _name: str, stage: str, _sequence: int) -> None:
        at, meter_wh = self._now(), self._meter_wh
        if stage == "Started":
            start = {"connectorId": 1, "idTag": "T", "meterStart": meter_wh, "timestamp": at}
            charged.transaction_id = str((await self.say("StartTransaction", start))["transactionId"])
        elif stage == "Updated":
            values = [{"timestamp": at, "sampledValue": [{"value": str(meter_wh)}]}]
            number = int(charged.transaction_id or "")
            update = {"connectorId": 1, "transactionId": number, "meterValue": values}
            await self.say("MeterValues", update, same_id=True)  # nothing else tells a repeat from a second reading
            charged.readings_wh.append(meter_wh)
        else:
            number = int(charged.transaction_id or "")
            await self.say("StopTransaction", {"transactionId": number, "meterStop": meter_wh, "timestamp": at})

    async def _tell_v2(self, charged: Charged, name: str, stage: str, sequence: int) -> None:
        trigger = {"Started": "Authorized", "Updated": "MeterValuePeriodic", "Ended": "StopAuthorized"}[stage]
        context = {"Started": "Transaction.Begin", "Updated": "Sample.Periodic", "Ended": "Transaction.End"}[stage]
        event = {
            "eventType": stage,
            "timestamp": self._now(),
            "triggerReason": trigger,
            "seqNo": sequence,
            "transactionInfo": {"transactionId": name},
            "meterValue": [{"timestamp": self._now(), "sampledValue": [{"value": self._meter_wh, "context": context}]}],
        }
        if stage == "Started":
            event |= {"evse": {"id": 1, "connectorId": 1}, "idToken": {"idToken": "T", "type": "Central"}}
        meter_wh = self._meter_wh
        await self.say("TransactionEvent", event)
        charged.transaction_id = name
        charged.readings_wh.append(meter_wh)

    async def say(self, action: str, payload: dict[str, Any], *, same_id: bool = False) -> dict[str, Any]:
        """Says it until it is answered, on whatever connection; returns the answer."""
        message_id = self._new_id()
        while True:
            line = await self._connected()
            answer = await self._answer(line, message_id, [2, message_id, action, payload])
            if answer is not None:
                break
            self.repeats += 1
            if not same_id and self._dice.random() < 0.5:
                message_id = self._new_id()
            if self._dice.random() < 0.5:
                line.cut()
        if answer[0] != 3:
            self.refused.append(f"{action}: {answer}")
            return {"transactionId": -1}
        return dict(answer[2])

    async def _answer(self, line: Line, message_id: str, frame: list[Any]) -> list[Any] | None:
        """The answer; None: not in time, or the connection is gone."""
        answered = self._answers[message_id] = asyncio.get_running_loop().create_future()
        await line.say(orjson.dumps(frame).decode())
        gone = asyncio.create_task(line.lost.wait())
        await asyncio.wait({answered, gone}, timeout=ANSWER_S, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        del self._answers[message_id]
        return answered.result() if answered.done() else None

    async def _connected(self) -> Line:
        while self._line is None or self._line.lost.is_set():
            if self._listener is not None:
                self._listener.cancel()
            self._line = self._connect(self)
            if self._line is None:
                await asyncio.sleep(self._dice.uniform(0.5, 3))
            else:
                self._listener = asyncio.create_task(self._listen(self._line))
        return self._line

    async def _listen(self, line: Line) -> None:
        while not line.lost.is_set():
            frame = orjson.loads(await line.heard.get())
            await asyncio.sleep(self._dice.uniform(0, 0.05))
            if frame[0] == 2:
                self.obeyed.append(frame[3]["messageId"])
                await line.say(orjson.dumps([3, frame[1], {"status": "Accepted"}]).decode())
            elif (answered := self._answers.get(frame[1])) is not None and not answered.done():
                answered.set_result(frame)

    def _boot(self) -> dict[str, Any]:
        if self.version == "1.6":
            return {"chargePointVendor": "V", "chargePointModel": "M"}
        return {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}}

    def _new_id(self) -> str:
        self._calls += 1
        return str(self._calls)

    def _now(self) -> str:
        return self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
