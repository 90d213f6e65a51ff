"""A house for the HTTP door: memory twins with something in them, and a gateway that answers as told."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg

from engine.model.authorization import Token, TokenRecord
from engine.model.commands import CommandCancel, CommandRequest, Outcome, Result
from ingress.http.keys import ApiKey, ApiKeys, Scope, sha256_of
from ingress.http.services import ScrapeTarget, Services
from ingress.http.settings import HttpSettings
from storage.journal_memory import MemoryStore
from storage.operator_book_memory import MemoryOperatorBook
from storage.projection.changes import RequestedCommand, StationReport
from storage.projection_memory import MemoryProjection
from storage.queries.rows import ConnectorRow, EventRow, MessageRow, MeterValueRow, TokenRow, TransactionRow

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
KEYS = {scope: f"narke_{scope}-key-of-tests" for scope in Scope}


class FixedClock:
    def now(self) -> datetime:
        return NOW


class TellingGateway:
    """Answers every command with `outcome` (or raises it), and remembers what it was asked."""

    def __init__(self) -> None:
        self.requests: list[CommandRequest] = []
        self.cancelled: list[CommandCancel] = []
        self.outcome: Outcome | Exception = Outcome(
            Result.ACCEPTED, status="Accepted", payload=b'{"status":"Accepted"}'
        )

    async def command(self, request: CommandRequest) -> Outcome:
        self.requests.append(request)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    async def submit(self, request: CommandRequest) -> None:
        self.requests.append(request)
        if isinstance(self.outcome, Exception):
            raise self.outcome

    async def submit_many(self, requests: Sequence[CommandRequest]) -> Sequence[CommandRequest]:
        for request in requests:
            await self.submit(request)
        return ()

    async def cancel(self, cancel: CommandCancel) -> Outcome:
        self.cancelled.append(cancel)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


class Projection(MemoryProjection):
    """The memory twin, and PostgreSQL's absence on demand."""

    down = False

    def __getattribute__(self, name: str):
        if name in {"stations", "station", "transactions", "counts", "messages", "commands", "tokens"} and self.down:
            raise psycopg.OperationalError("connection refused")
        return super().__getattribute__(name)


class TestHouse:
    """`services` with twins that a test can look into and fill."""

    __test__ = False

    def __init__(self, **changes) -> None:
        self.projection = Projection("default")
        self.store = MemoryStore()
        self.book = MemoryOperatorBook(self.store, tenant="default")
        self.gateway = TellingGateway()
        self.numbers = iter(range(1, 1_000_000))
        keys = tuple(ApiKey(name=f"{scope} key", sha256=sha256_of(key), scope=scope) for scope, key in KEYS.items())
        given = {
            "queries": self.projection,
            "gateway": self.gateway,
            "book": self.book,
            "keys": ApiKeys(keys=keys),
            "clock": FixedClock(),
            "ids": self.new_id,
            "settings": HttpSettings(),
            "health": {"journal": self.fine, "postgres": self.fine},
            "targets": self.targets,
            "version": "1.2.3",
        }
        self.services = Services(**(given | changes))

    def new_id(self) -> UUID:
        return UUID(int=next(self.numbers))

    async def fine(self) -> str:
        return "answers"

    async def targets(self) -> tuple[ScrapeTarget, ...]:
        return (ScrapeTarget(("127.0.0.1:8080",), {"job": "narke"}),)

    def add_station(self, station: str, **report) -> None:
        given = {
            "connected": True,
            "version": "2.0.1",
            "vendor": "Example",
            "model": "Twin 22",
            "connected_at": NOW,
        }
        self.projection.tables.seen[station] = NOW
        self.projection.tables.reports[station] = StationReport(**(given | report))
        self.projection.tables.connectors[(station, 1, 1)] = ConnectorRow(
            station, 1, 1, status="Available", received_at=NOW
        )

    def add_transactions(self, station: str, count: int, make: Callable[[int], dict] = lambda _: {}) -> None:
        for number in range(count):
            at = NOW - timedelta(minutes=number)
            given = {
                "station": station, "transaction_id": f"tx-{number}", "started_at": at, "start_received_at": at,
                "updated_at": NOW, "evse": 1, "connector": 1, "token": "TAG-1", "meter_start_wh": 0.0,
                "energy_wh": 1500.0,
            }  # fmt: skip
            row = TransactionRow(**(given | make(number)))
            self.projection.tables.transactions[(station, row.transaction_id)] = row

    def add_message(self, station: str, action: str, direction: str = "in", **more) -> MessageRow:
        rows = self.projection.tables.messages
        given = {
            "id": len(rows) + 1, "station": station, "session": "i:1:1", "direction": direction, "at": NOW,
            "kind": "call", "message_id": f"m{len(rows)}", "action": action, "outcome": "ok", "latency_ms": None,
            "frame": f'[2,"m","{action}",{{}}]',
        }  # fmt: skip
        rows.append(MessageRow(**(given | more)))
        return rows[-1]

    def add_command(self, station: str) -> None:
        command = RequestedCommand(station, "ResetStation", NOW, None, '{"kind":"OnIdle"}', "first", NOW)
        self.projection.tables.requested[str(UUID(int=77))] = command

    def add_campaign(self, **more) -> None:
        given = {"created_at": NOW, "state": "running", "kind": "ResetStation", "stations": 2, "created_by": "first"}
        self.projection.tables.blocks["campaigns"] = {("c1",): given | more}

    def add_event(self, station: str, kind: str) -> None:
        rows = self.projection.tables.events
        rows.append(EventRow(len(rows) + 1, station, NOW, kind, None, {"a": 1}))

    def add_meter_value(self, station: str, transaction_id: str | None, value: float) -> None:
        rows = self.projection.tables.meter_values
        rows.append(
            MeterValueRow(
                len(rows) + 1,
                station,
                NOW,
                NOW,
                1,
                1,
                transaction_id,
                value,
                "Energy.Active.Import.Register",
                "Wh",
                "Sample.Periodic",
                "Outlet",
                None,
                None,
                None,
            )
        )

    async def add_token(self, value: str, **more) -> None:
        record = TokenRecord(token=Token(value=value), **more)
        await self.book.save_tokens([record], NOW)
        self.projection.tables.tokens[record.token.key] = TokenRow(
            value, None, record.blocked, record.expires_at, record.group, record.note, NOW
        )
