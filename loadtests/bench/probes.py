"""What is watched from outside, probe by probe: commands there and back, and rows that become visible in PostgreSQL."""

import asyncio
import contextlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import psycopg

from loadtests.bench.driving import Failed
from loadtests.bench.stations import Station, timestamp
from loadtests.bench.system import TOKEN, Narke

PROBE_S = 0.05
"""Between two messages of the probe station."""
LOOK_S = 0.005
"""Between two looks into PostgreSQL; lags are at most so much too long."""
LAST_S_MAX = 30.0
"""For the last probe to become visible."""
_LATEST = (
    "SELECT value FROM meter_readings WHERE tenant = %s AND station = %s"
    " AND measurand = 'Energy.Active.Import.Register' ORDER BY received_at DESC, id DESC LIMIT 1"
)


def command_round_trips_s(narke: Narke, stations: Sequence[str], count: int) -> list[float]:
    """Seconds of `count` TriggerMessage commands, one after the other: REST, actor, ingress, station, and back.

    Raises:
        Failed: One was not accepted.
    """
    took = []
    with contextlib.closing(narke.door()) as door:
        for number in range(count):
            station = stations[number * len(stations) // count]
            began = perf_counter()
            status, said = narke.ask(door, "POST", f"/api/v1/stations/{station}/trigger", {"message": "Heartbeat"})
            took.append(perf_counter() - began)
            if status != 200:
                raise Failed(f"a command to {station} was answered with HTTP {status}: {said[:200]!r}")
    return took


def door_round_trips_s(narke: Narke, count: int) -> list[float]:
    """Seconds of as many `GET /healthz`: what the HTTP door itself takes of a command's round trip, about."""
    took = []
    with contextlib.closing(narke.door()) as door:
        for _ in range(count):
            began = perf_counter()
            narke.ask(door, "GET", "/healthz")
            took.append(perf_counter() - began)
    return took


@dataclass
class _Watch:
    """Probes by number: when each was answered and when its row was seen, `perf_counter` seconds."""

    answered: dict[int, float] = field(default_factory=dict)
    seen: dict[int, float] = field(default_factory=dict)
    up_to: int = 0
    last: int | None = None
    all_seen: asyncio.Event = field(default_factory=asyncio.Event)

    def visible(self, number: int) -> None:
        """All up to this one have rows."""
        now = perf_counter()
        self.seen |= dict.fromkeys(range(self.up_to + 1, number + 1), now)
        self.up_to = max(self.up_to, number)
        self._judge()

    async def wait_for_all(self) -> None:
        """Waits until every probe that was answered has a row.

        Raises:
            Failed: Not all have one, after `LAST_S_MAX`.
        """
        self.last = max(self.answered, default=0)
        self._judge()
        try:
            async with asyncio.timeout(LAST_S_MAX):
                await self.all_seen.wait()
        except TimeoutError:
            raise Failed(
                f"of {self.last} probes {self.up_to} had a row in PostgreSQL {LAST_S_MAX:.0f} s after the last reply"
            ) from None

    def _judge(self) -> None:
        if self.last is not None and self.up_to >= self.last:
            self.all_seen.set()

    def lags_s(self) -> list[float]:
        """From reply to row; 0 where the row was there first."""
        return [max(0.0, self.seen[number] - at) for number, at in self.answered.items() if number in self.seen]


class _Nobody:
    """A crew that the probe station needs not report to."""

    def answered(self, station: Station) -> None:
        """Never: the probe asks, it is not under load."""

    def failed(self, station: Station, why: str) -> None:
        """Never."""

    def lost(self, station: Station, why: str) -> None:
        """The next `ask` says so."""

    def limited(self, station: Station, payload: dict[str, Any]) -> None:
        """Nobody counts it."""


def projector_lags_s(narke: Narke, seconds: float) -> list[float]:
    """Seconds from the reply to a MeterValues until its row is visible in PostgreSQL, watched for so long.

    Raises:
        Failed: Rows did not come.
    """
    return asyncio.run(_projector_lags_s(narke, seconds))


async def _projector_lags_s(narke: Narke, seconds: float) -> list[float]:
    chance = Random(uuid.uuid4().int)
    station = Station(f"PROBE-{chance.randrange(16**6):06x}", f"{chance.randrange(16**8):08x}", _Nobody(), chance)
    parts = urlsplit(narke.url)
    watch = _Watch()
    await station.open(parts.hostname or "127.0.0.1", parts.port or 80, parts.path)
    try:
        await station.ask("BootNotification", {"chargePointVendor": "Narke Bench", "chargePointModel": "Probe"})
        start = {"connectorId": 1, "idTag": TOKEN, "meterStart": 0, "timestamp": timestamp()}
        transaction = (await station.ask("StartTransaction", start))["transactionId"]
        async with await psycopg.AsyncConnection.connect(narke.postgres_url, autocommit=True) as connection:
            looking = asyncio.create_task(_look(connection, station.identity, watch))
            try:
                await _tell(station, transaction, watch, perf_counter() + seconds)
                await watch.wait_for_all()
            finally:
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)
    finally:
        station.close()
    return watch.lags_s()


async def _tell(station: Station, transaction: int, watch: _Watch, until: float) -> None:
    number = 0
    while perf_counter() < until:
        number += 1
        sampled = {"value": str(number), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
        values: dict[str, Any] = {"timestamp": timestamp(), "sampledValue": [sampled]}
        payload = {"connectorId": 1, "transactionId": transaction, "meterValue": [values]}
        await station.ask("MeterValues", payload)
        watch.answered[number] = perf_counter()
        await asyncio.sleep(PROBE_S)


async def _look(connection: "psycopg.AsyncConnection[tuple[Any, ...]]", station: str, watch: _Watch) -> None:
    rows = await connection.execute("SELECT tenant FROM journal_positions LIMIT 1")
    [tenant] = await rows.fetchone() or [""]
    while True:
        found = await (await connection.execute(_LATEST, [tenant, station])).fetchone()
        if found is not None:
            watch.visible(int(found[0]))
        await asyncio.sleep(LOOK_S)
