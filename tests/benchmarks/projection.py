"""What the way from the journal to the tables costs: CPU per message of the projector and of PostgreSQL.

    python tests/benchmarks/projection.py --rate 7000 --seconds 20

starts the embedded Redis and PostgreSQL in a folder of their own, lets open transactions of `--stations` report meter
values at `--rate` messages a second through the real journal and the real message log, and runs the real projector in a
process of its own. CPU is read from the processes (PostgreSQL with its children), so it tells the same on a busy
machine. At the end it counts the rows: a figure is only shown when all of them are there, once.
"""

import argparse
import asyncio
import multiprocessing
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import psutil
import psycopg
import uvloop
from pydantic import SecretStr

sys.path.insert(0, str(Path(__file__).parents[2]))

from deploy.servers.local import LocalServers
from deploy.settings import Settings
from deploy.wiring.parts import prepare
from deploy.wiring.projector import projector
from engine.model.authorization import Token, TokenStatus, TokenVerdict
from engine.model.facts import Fact, StationFacts
from engine.model.ids import EvseRef, Unit, shard_of
from engine.model.messages import Direction, LoggedMessage
from engine.model.metering import Reading, ReadingsRecorded
from engine.model.provisioning import BootReported, Registration, StationBooted
from engine.model.sessions import SessionOpened, SessionStarted
from engine.model.transactions import ChargingState, TransactionOpened, TransactionUpdated
from engine.ports import UnitCommit
from storage.journal import RedisJournal
from storage.message_log import RedisMessageLog
from storage.redis_client import redis_client
from storage.schema import migrate

TURN_S = 0.1
"""As often a station actor commits under load: all that came in meanwhile, one entry per shard."""

TURN_MAX = 2_000
LOG_BUFFER_MAX = 5_000
WAIT_S_MAX = 60.0

SAMPLES = (
    ("Energy.Active.Import.Register", "Wh", "Outlet", None),
    ("Power.Active.Import", "W", "Outlet", None),
    ("Current.Import", "A", "Outlet", "L1"),
    ("Voltage", "V", "Outlet", "L1"),
    ("SoC", "Percent", "EV", None),
)
SAMPLE = '{"value":"%s","context":"Sample.Periodic","format":"Raw","measurand":"%s","location":"%s","unit":"%s"}'
FRAME = (
    '[2,"%s","MeterValues",{"connectorId":1,"transactionId":%d,"meterValue":[{"timestamp":"%s","sampledValue":[%s]}]}]'
)


class Used(NamedTuple):
    """Seconds of CPU so far."""

    projector: float
    postgres: float


class Message(NamedTuple):
    """One MeterValues: what the actor makes of it, and its frames."""

    station: str
    facts: tuple[Fact, ...]
    log: tuple[LoggedMessage, ...]


def opening(number: int, at: datetime) -> tuple[Fact, ...]:
    """A station connects, boots and starts a transaction."""
    session = SessionOpened(
        session=f"ingress-0:1:{number}", ingress="ingress-0", version="1.6", address="10.0.0.7", at=at
    )
    boot = BootReported(vendor="ACME", model="One", serial_number=f"S-{number}", firmware_version="1.2.3")
    opened = TransactionOpened(
        transaction_id=str(number), number=number, started_at=at, received_at=at, evse=EvseRef(1, 1),
        token=Token(value="T1", type="ISO14443"), verdict=TokenVerdict(status=TokenStatus.ACCEPTED),
        meter_start_wh=1000.0, charging_state=ChargingState.CHARGING,
    )  # fmt: skip
    booted = StationBooted(boot=boot, registration=Registration.ACCEPTED, interval_s=300, at=at)
    return SessionStarted(opened=session), booted, opened


def messages(stations: int, values: int, *, logged: bool) -> Iterator[Message]:
    """MeterValues of one station after the other, for ever."""
    count = 0
    while True:
        station, at = count % stations, datetime.now(UTC)
        sampled_at = at.replace(microsecond=0)
        told = [(12_345.0 + count, 7_000.0 + station, 10.3, 230.1, 55.0)[place % 5] for place in range(values)]
        readings = tuple(
            Reading(at=sampled_at, value=value, measurand=measurand, unit=unit, location=location, phase=phase)
            for value, (measurand, unit, location, phase) in zip(told, SAMPLES * (values // 5 + 1), strict=False)
        )
        facts = (
            ReadingsRecorded(readings=readings, received_at=at, transaction_id=str(station), evse=EvseRef(1, 1)),
            TransactionUpdated(transaction_id=str(station), at=sampled_at, received_at=at, meter_last_wh=told[0]),
        )
        name = f"CP-{station:06d}"
        yield Message(name, facts, frames(name, station, count, readings, at) if logged else ())
        count += 1


def frames(
    name: str, number: int, count: int, readings: tuple[Reading, ...], at: datetime
) -> tuple[LoggedMessage, LoggedMessage]:
    """A call and its answer, as the recorder writes them."""
    message_id = f"0b3c1e9a-7f7a-4c1e-9d5e-{count:012d}"
    samples = ",".join(SAMPLE % (one.value, one.measurand, one.location, one.unit) for one in readings)
    call = LoggedMessage(
        station=name, session=f"ingress-0:1:{number}", direction=Direction.IN, at=at, kind="call",
        frame=FRAME % (message_id, number, at.isoformat(), samples), message_id=message_id, action="MeterValues",
    )  # fmt: skip
    answer = LoggedMessage(
        station=name, session=f"ingress-0:1:{number}", direction=Direction.OUT, at=at + timedelta(milliseconds=12),
        kind="result", frame=f'[3,"{message_id}",{{}}]', message_id=message_id, action="MeterValues", latency_ms=12.345,
    )  # fmt: skip
    return call, answer


def run_projector(settings: Settings) -> None:
    """The process of the projector; it ends with the benchmark."""
    prepare(settings, "projector")

    async def run() -> None:
        await projector(settings).start()
        await asyncio.Event().wait()

    uvloop.run(run())  # as Ray does


class Bench:
    """The servers, the projector's process, and a journal to write to."""

    def __init__(self, settings: Settings, postgres_pid: int, options: argparse.Namespace) -> None:
        self.options = options
        self.shards = settings.actors.shards
        assert settings.servers.postgres_url is not None
        self.url = settings.servers.postgres_url.get_secret_value()
        context = multiprocessing.get_context("spawn")
        self.projector = context.Process(target=run_projector, args=(settings,), daemon=True)
        self._postgres = psutil.Process(postgres_pid)
        client = redis_client(settings.redis)
        self._journal = RedisJournal(client, tenant=settings.tenant, settings=settings.redis)
        self._log = RedisMessageLog(client, settings.redis)

    async def run(self) -> None:
        for shard in range(self.shards):
            await self._journal.claim(Unit(shard), 1)
        at = datetime.now(UTC)
        stations = range(self.options.stations)
        await self._commit([(f"CP-{number:06d}", opening(number, at)) for number in stations])
        self.projector.start()
        self._wait("SELECT count(*) FROM transactions", self.options.stations)
        self._log.start()
        before, begun = self._used(), time.monotonic()
        sent, took_s = await self._send()
        await self._log.stop()
        self._wait("SELECT count(*) FROM meter_values", sent)
        if not self.options.no_log:
            self._wait("SELECT count(*) FROM messages", 2 * sent)
        lag_s = time.monotonic() - begun - took_s
        used = self._used()
        self._check(sent)
        self._tell(sent, took_s, lag_s, Used(used.projector - before.projector, used.postgres - before.postgres))

    async def _send(self) -> tuple[int, float]:
        """Sends at the rate that was asked for; how many messages, in which time."""
        source = messages(self.options.stations, self.options.values, logged=not self.options.no_log)
        sent, begun = 0, time.monotonic()
        while (elapsed := time.monotonic() - begun) < self.options.seconds:
            due = min(int(self.options.rate * (elapsed + TURN_S)) - sent, TURN_MAX)
            turn = [next(source) for _ in range(due)]
            await self._commit([(message.station, message.facts) for message in turn])
            for message in turn:
                for frame in message.log:
                    self._log.write(frame)
            while len(self._log._buffer) > LOG_BUFFER_MAX:  # the log would rather drop than wait
                await asyncio.sleep(0.005)
            sent += due
            await asyncio.sleep(max(0.0, begun + sent / self.options.rate - time.monotonic()))
        return sent, time.monotonic() - begun

    async def _commit(self, told: list[tuple[str, tuple[Fact, ...]]]) -> None:
        of_shard: defaultdict[int, list[StationFacts]] = defaultdict(list)
        for station, facts in told:
            of_shard[shard_of(station, self.shards)].append(StationFacts(station=station, facts=facts))
        commits = [
            UnitCommit(unit=Unit(shard), epoch=1, records=tuple(records), states={})
            for shard, records in of_shard.items()
        ]
        verdicts = await self._journal.commit(commits, datetime.now(UTC))
        assert set(verdicts) <= {None}, verdicts

    def _wait(self, query: str, count: int) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            give_up_at = time.monotonic() + WAIT_S_MAX
            while (found := connection.execute(query).fetchone()) != (count,):
                assert self.projector.is_alive()
                assert time.monotonic() < give_up_at, f"{query}: {found}, expected {count}"
                time.sleep(0.2)

    def _check(self, sent: int) -> None:
        with psycopg.connect(self.url) as connection:
            values = connection.execute("SELECT count(*), count(DISTINCT id) FROM meter_readings").fetchone()
            last = connection.execute("SELECT count(*), max(meter_last_wh) FROM transactions").fetchone()
            bad = connection.execute("SELECT count(*) FROM bad_entries").fetchone()
        assert values == (sent * self.options.values,) * 2, values
        assert last == (self.options.stations, 12_345.0 + sent - 1), last
        assert bad == (0,), bad

    def _used(self) -> Used:
        assert self.projector.pid is not None
        processes = [self._postgres, *self._postgres.children()]
        return Used(cpu_of(psutil.Process(self.projector.pid)), sum(map(cpu_of, processes)))

    def _tell(self, sent: int, took_s: float, lag_s: float, used: Used) -> None:
        with psycopg.connect(self.url) as connection:
            batches = connection.execute("SELECT count(DISTINCT xmin::text) FROM exchanges").fetchone()
            size = connection.execute(
                "SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('exchanges')"
            ).fetchone()
        assert batches is not None
        assert size is not None
        lines = (
            f"{sent:,} messages at {sent / took_s:,.0f} a second, {self.options.values} readings each",
            f"  {batches[0]} batches, the last row {lag_s:.1f} s after the last message",
            f"  projector  {used.projector / sent * 1e6:6.1f} us of CPU per message",
            f"  PostgreSQL {used.postgres / sent * 1e6:6.1f} us",
            f"  in all     {sum(used) / sent * 1e6:6.1f} us; log {size[0] / sent:,.0f} bytes on disk per message",
        )
        sys.stdout.write("\n".join(lines) + "\n")


def cpu_of(process: psutil.Process) -> float:
    """Seconds of CPU, user and system."""
    times = process.cpu_times()
    return times.user + times.system


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stations", type=int, default=2_000, help="with one open transaction each (default 2,000)")
    parser.add_argument("--rate", type=int, default=7_000, help="messages a second (default 7,000)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long (default 20)")
    parser.add_argument("--values", type=int, default=5, help="sampled values per message (default 5)")
    parser.add_argument("--no-log", action="store_true", help="without the raw message log")
    parser.add_argument("--hold", action="store_true", help="wait at the end, to look at the tables")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="narke-projection-") as folder:
        given = Settings(data_dir=Path(folder))
        servers = LocalServers(given)
        urls = servers.start()
        try:
            migrate(urls.postgres_url)
            settings = given.model_copy(
                update={
                    "servers": given.servers.model_copy(
                        update={
                            "postgres_url": SecretStr(urls.postgres_url),
                            "redis_url": SecretStr(urls.redis_url),
                        }
                    ),
                    "redis": given.redis.model_copy(update={"url": SecretStr(urls.redis_url)}),
                }
            )
            bench = Bench(settings, servers.pids["postgres"], options)
            asyncio.run(bench.run())
            if options.hold:
                input(f"{urls.postgres_url} - enter ends it ")
            bench.projector.terminate()
            bench.projector.join()
        finally:
            servers.stop()


if __name__ == "__main__":
    main()
