"""The generator's stations as one crew: brings them up, holds the offered load, counts what comes back.

Closed loop is a number of messages in flight: whoever was answered joins the end of the queue of idle stations, and the
first of the queue sends next. With as many in flight as stations, each sends when it was answered.
Paced means that a message is due each 1/rate seconds, whatever the server does; where no station is idle it waits and
its lateness counts (`from_due`).
"""

import asyncio
import gc
import resource
from array import array
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from loadtests.bench import credentials, wire
from loadtests.bench.stations import Refused, Station, timestamp

ANSWER_S_MAX = 30.0
"""A station's patience with a handshake or an answer while it comes up."""
LATENCIES_MAX = 2_000_000
TICK_S = 0.001
BACKOFF_S_MAX = 4.0
REASONS_MAX = 20
DUE_MAX = 100_000
"""Paced messages that wait for an idle station; above it the load is hopeless and they are only counted."""
_OTHER = "other reasons"


@dataclass(frozen=True)
class Way:
    """How far stations come up, and how fast.

    Attributes:
        per_s: New connections a second; 0: all at once.
        statuses: Each reports its two connectors.
        transaction: Each starts a transaction on connector 1.
        deadline_s: For all of it; who is not up then is given up.
    """

    per_s: float
    statuses: bool
    transaction: bool
    deadline_s: float


class Crew:
    """All stations of one generator.

    Args:
        url: Where they connect, without the identity.
        prefix: Of their identities.
        run: Makes message ids of this run unlike those of any other, 8 characters.
        token: What their drivers present.
        seed: Of masks and back-off.
        ca: Whom stations trust, PEM, where the URL is wss; None: they speak no TLS.
        secret: What their passwords are derived from (`loadtests.bench.credentials`); None: they have none.
    """

    def __init__(  # noqa: PLR0913 (each is an option of the generator)
        self,
        url: str,
        prefix: str,
        run: str,
        token: str,
        seed: int,
        *,
        ca: Path | None = None,
        secret: str | None = None,
    ) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._path = parts.path.rstrip("/")
        self._prefix, self._run, self._token = prefix, run, token
        self._chance = Random(seed)
        self._tls = None if ca is None else credentials.client_context(ca)
        self._secret = secret
        self.stations: list[Station] = []
        self.in_flight = 0
        self._idle: deque[Station] = deque()
        self._due: deque[float] = deque()
        self._sending = False
        self._interval_s = 0.0
        self._next_due = 0.0
        self._ticker: asyncio.TimerHandle | None = None
        self._quiet = asyncio.Event()
        self._answered = 0
        self._answered_at = 0.0
        self._failures: Counter[str] = Counter()
        self._from_frame = array("d")
        self._from_due = array("d")
        self._limits: dict[str, tuple[float, float]] = {}
        """By station: when its last TxProfile came, and what it allows now, A."""
        self._profiles = 0

    # Up and down

    async def grow(self, stations: int, way: Way) -> dict[str, Any]:
        """Brings up as many as are missing to this number: new ones, and those that broke down or never came up.

        Returns:
            How many are up, `seconds` for all of it and until the last was `connected_s` and `booted_s`,
            `retries` by reason, `timeouts`.
        """
        self.stations += [
            Station(f"{self._prefix}{number:06d}", self._run, self, self._chance)
            for number in range(len(self.stations), stations)
        ]
        missing = [station for station in self.stations[:stations] if not station.is_up]
        ascent = Ascent(self, way)
        await ascent.run(missing)
        return ascent.told(len(missing))

    async def come_up(self, station: Station, way: Way, ascent: "Ascent") -> None:
        """One attempt.

        Raises:
            OSError, wire.Broken, Refused: It failed; try again.
            TimeoutError: The server did not answer within a station's patience.
        """
        async with asyncio.timeout(ANSWER_S_MAX):
            more = "" if self._secret is None else credentials.authorization(self._secret, station.identity)
            await station.open(self._host, self._port, self._path, tls=self._tls, more=more)
        ascent.connected_at = perf_counter()
        boot = {"chargePointVendor": "Narke Bench", "chargePointModel": "Generator", "firmwareVersion": "1.0"}
        answer = await _patient(station, "BootNotification", boot)
        if answer.get("status", "Accepted") != "Accepted":
            raise Refused(f"boot answered {answer['status']}")
        ascent.booted_at = perf_counter()
        for connector in (1, 2) if way.statuses else ():
            status = {"connectorId": connector, "errorCode": "NoError", "status": "Available", "timestamp": timestamp()}
            await _patient(station, "StatusNotification", status)
        if way.transaction:
            start = {"connectorId": 1, "idTag": self._token, "meterStart": 0, "timestamp": timestamp()}
            answer = await _patient(station, "StartTransaction", start)
            station.transaction = int(answer.get("transactionId", 1))

    def drop(self) -> None:
        """All say goodbye."""
        for station in self.stations:
            station.close()
        self.stations.clear()
        self._idle.clear()

    # Load

    def load(self, stations: int, in_flight: int, rate: float) -> None:
        """Starts: with `rate` 0 in closed loop with so many messages in flight, else `rate` messages a second."""
        gc.collect()
        gc.freeze()  # tens of thousands of connections that no collection needs to walk through
        self._idle = deque(station for station in self.stations[:stations] if station.is_up)
        self._due.clear()
        self._sending = True
        self._interval_s = 1.0 / rate if rate > 0 else 0.0
        if rate > 0:
            self._next_due = perf_counter()
            self._tick()
        else:
            for _ in range(min(in_flight, len(self._idle))):
                self._send(perf_counter())

    async def halt(self, deadline_s: float) -> int:
        """Sends no more and waits until nothing is in flight; returns how many never came back."""
        self._sending = False
        if self._ticker is not None:
            self._ticker.cancel()
        self._due.clear()
        self._quiet.clear()
        if self.in_flight:
            try:
                async with asyncio.timeout(deadline_s):
                    await self._quiet.wait()
            except TimeoutError:
                pass
        gc.unfreeze()
        return self.in_flight

    def mark(self) -> dict[str, Any]:
        """What happened since the last mark: counts, latencies in ms, and what this process spent so far."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        told = {
            "at": perf_counter(),
            "cpu_s": used.ru_utime + used.ru_stime,
            "answered": self._answered,
            "answered_at": self._answered_at,
            "in_flight": self.in_flight,
            "behind": len(self._due),
            "up": sum(station.is_up for station in self.stations),
            "failures": dict(self._failures),
            "from_frame_ms": percentiles_ms(self._from_frame),
            "from_due_ms": percentiles_ms(self._from_due),
        }
        self._answered = 0
        self._failures = Counter()
        self._from_frame, self._from_due = array("d"), array("d")
        return told

    # What stations say

    def answered(self, station: Station) -> None:
        """A message is through."""
        now = perf_counter()
        self._answered += 1
        self._answered_at = now
        if len(self._from_frame) < LATENCIES_MAX:
            self._from_frame.append(now - station.sent_at)
            if self._interval_s:
                self._from_due.append(now - station.due_at)
        self._back(station, now)

    def failed(self, station: Station, why: str) -> None:
        """A message came to nothing."""
        self.count(self._failures, why)
        self._back(station, perf_counter())

    def lost(self, station: Station, why: str) -> None:
        """A connection broke; who has none is not asked again."""
        self.count(self._failures, f"{station.identity[:-6]}*: {why}")

    def limited(self, station: Station, payload: dict[str, Any]) -> None:
        """A profile; of those for transactions it is kept what they allow now."""
        self._profiles += 1
        profile = payload["csChargingProfiles"]
        if profile["chargingProfilePurpose"] == "TxProfile":
            self._limits[station.identity] = (perf_counter(), _limit_now(profile["chargingSchedule"]))

    def limits(self, since: float, limit_a: float, *, above: bool) -> dict[str, Any]:
        """How many stations were told a limit above (or up to) this one since then, by what they were told last.

        Returns:
            `stations`, `profiles` (all of any kind so far), and by `perf_counter` when half of them (`half_at`) and the
            last (`last_at`) were told; None: there are none.
        """
        moments = sorted(at for at, limit in self._limits.values() if at >= since and (limit > limit_a) == above)
        return {
            "stations": len(moments),
            "profiles": self._profiles,
            "half_at": moments[len(moments) // 2] if moments else None,
            "last_at": moments[-1] if moments else None,
        }

    def _back(self, station: Station, now: float) -> None:
        self.in_flight -= 1
        if station.is_up:
            self._idle.append(station)
        if not self._sending:
            if not self.in_flight:
                self._quiet.set()
        elif not self._interval_s:
            self._send(now)
        elif self._due:
            self._send(self._due.popleft())

    def _send(self, due_at: float) -> None:
        while self._idle:
            station = self._idle.popleft()
            if station.is_up:
                self.in_flight += 1
                station.send_meter_values(due_at)
                return

    def _tick(self) -> None:
        now = perf_counter()
        while self._next_due <= now:
            if self._idle and not self._due:
                self._send(self._next_due)
            elif len(self._due) < DUE_MAX:
                self._due.append(self._next_due)
            else:
                self._failures["due but no station was idle"] += 1
            self._next_due += self._interval_s
        wait_s = max(TICK_S, self._next_due - perf_counter())
        self._ticker = asyncio.get_running_loop().call_later(wait_s, self._tick)

    @staticmethod
    def count(counter: Counter[str], why: str) -> None:
        """Counts; the number of different reasons is bounded."""
        counter[why if why in counter or len(counter) < REASONS_MAX else _OTHER] += 1


class Ascent:
    """How a number of stations came up."""

    def __init__(self, crew: Crew, way: Way) -> None:
        self._crew, self._way = crew, way
        self._began = self.connected_at = self.booted_at = self._ended = perf_counter()
        self._retries: Counter[str] = Counter()
        self._timeouts = 0
        self._up = 0
        self._chance = Random(len(crew.stations))

    async def run(self, stations: Sequence[Station]) -> None:
        """Until all are up or the deadline is over."""
        ways_up: list[asyncio.Task[None]] = []
        try:
            async with asyncio.timeout(self._way.deadline_s):
                for number, station in enumerate(stations):
                    if self._way.per_s:
                        await asyncio.sleep(self._began + number / self._way.per_s - perf_counter())
                    ways_up.append(asyncio.create_task(self._bring_up(station)))
                await asyncio.gather(*ways_up)
        except TimeoutError:
            for task in ways_up:
                task.cancel()
            await asyncio.gather(*ways_up, return_exceptions=True)
        self._ended = perf_counter()

    def told(self, wanted: int) -> dict[str, Any]:
        """In figures; see `Crew.grow`."""
        return {
            "wanted": wanted,
            "up": self._up,
            "seconds": self._ended - self._began,
            "connected_s": self.connected_at - self._began,
            "booted_s": self.booted_at - self._began,
            "retries": dict(self._retries),
            "timeouts": self._timeouts,
        }

    async def _bring_up(self, station: Station) -> None:
        failures = 0
        while True:
            try:
                await self._crew.come_up(station, self._way, self)
            except TimeoutError:
                self._timeouts += 1
                self._again(station, "no answer within a station's patience")
            except (OSError, wire.Broken, Refused) as error:
                self._again(station, str(error)[:80] or type(error).__name__)
            else:
                self._up += 1
                return
            failures += 1
            await asyncio.sleep(min(BACKOFF_S_MAX, 0.5 * 2.0 ** min(failures, 8)) * self._chance.uniform(0.5, 1.0))

    def _again(self, station: Station, why: str) -> None:
        station.abort()
        self._crew.count(self._retries, why)


def _limit_now(schedule: dict[str, Any]) -> float:
    """What a schedule of 1.6 in A allows at this moment; before its start what it begins with."""
    elapsed_s = 0.0
    if "startSchedule" in schedule:
        begin = datetime.fromisoformat(schedule["startSchedule"])
        elapsed_s = (datetime.now(UTC) - begin).total_seconds()
    periods = schedule["chargingSchedulePeriod"]
    counts = next((each for each in reversed(periods) if each["startPeriod"] <= elapsed_s), periods[0])
    return float(counts["limit"])


async def _patient(station: Station, action: str, payload: dict[str, Any]) -> dict[str, Any]:
    async with asyncio.timeout(ANSWER_S_MAX):
        return await station.ask(action, payload)


def percentiles_ms(latencies_s: Sequence[float]) -> dict[str, float] | None:
    """p50, p99, p99.9 and the largest, exact, in ms; None: there is nothing to tell."""
    if not latencies_s:
        return None
    ordered = sorted(latencies_s)
    last = len(ordered) - 1
    shares = {"p50": 0.5, "p99": 0.99, "p99_9": 0.999, "max": 1.0}
    return {name: 1000.0 * ordered[min(last, int(share * len(ordered)))] for name, share in shares.items()}
