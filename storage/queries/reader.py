"""The reads of the projection, each one statement on one pooled connection."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg import sql
from psycopg_pool import AsyncConnectionPool

from engine.model.authorization import Token
from engine.model.metering import ReadingsRecorded
from storage.blocks.table import Table
from storage.queries import tables
from storage.queries.blocks import read_table
from storage.queries.charging_history import PastStay, last_readings, past_stays
from storage.queries.counts import counts_of
from storage.queries.filters import (
    CommandFilter,
    EventFilter,
    MessageFilter,
    MeterValueFilter,
    StationFilter,
    TokenFilter,
    TransactionFilter,
)
from storage.queries.listing import Condition, reader_of
from storage.queries.paging import LIMIT_MAX, Page, Paged
from storage.queries.rows import (
    CampaignProgress,
    CommandRow,
    ConnectedSession,
    ConnectorRow,
    Counts,
    EventRow,
    MessageRow,
    MeterValueRow,
    StationDetail,
    StationRow,
    TokenRow,
    TransactionDetail,
    TransactionRow,
)

PAIRED_WITHIN = timedelta(minutes=5)
"""Longest time between a call and an answer that rests in its row."""

METER_VALUES_MAX = 10_000
"""Meter values that come with a transaction at most."""


class Queries:
    """What one tenant's projection says.

    Every method may raise `psycopg.Error`; where PostgreSQL does not answer it is a `psycopg.OperationalError` (the
    pool's `PoolTimeout` is one). Listings raise `BadCursor`.
    """

    def __init__(self, pool: AsyncConnectionPool[Any], tenant: str) -> None:
        self._pool = pool
        self._tenant = tenant

    async def stations(self, filter: StationFilter, page: Page) -> Paged[StationRow]:  # noqa: A002 (reads well by name)
        """Stations by identity."""
        condition = Condition(self._tenant)
        condition.add("connected = %s", filter.connected)
        condition.add("registered = %s", filter.registered)
        condition.add("registration = %s", filter.registration)
        condition.add("security_profile = %s", filter.security_profile)
        condition.add("(password_hash_next IS NOT NULL OR security_profile_next IS NOT NULL) = %s", filter.changing)
        condition.add("version = %s", filter.version)
        condition.add("vendor = %s", filter.vendor)
        condition.add_search(("station", "vendor", "model", "serial_number", "note"), filter.search)
        return await tables.STATIONS.page(self._pool, condition, page)

    async def station(self, station: str) -> StationDetail | None:
        """One station; None: neither registered nor ever heard of."""
        condition = self._of_station(station)
        found = await tables.STATIONS.first(self._pool, condition, sql.SQL("station"), 1)
        if not found:
            return None
        return StationDetail(
            station=found[0],
            connectors=await self.connectors(station),
            open_transactions=(
                await self.transactions(TransactionFilter(station=station, open=True), Page(limit=LIMIT_MAX))
            ).rows,
        )

    async def connectors(self, station: str) -> tuple[ConnectorRow, ...]:
        """Connectors of a station by evse and connector; at most 1000."""
        condition = self._of_station(station)
        return tuple(await tables.CONNECTORS.first(self._pool, condition, sql.SQL("evse, connector"), LIMIT_MAX))

    async def transactions(self, filter: TransactionFilter, page: Page) -> Paged[TransactionRow]:  # noqa: A002
        """Transactions by `started_at`, newest first."""
        condition = Condition(self._tenant)
        condition.add("station = %s", filter.station)
        condition.add("evse = %s", filter.evse)
        if filter.open is not None:
            condition.add_plain("ended_at IS NULL" if filter.open else "ended_at IS NOT NULL")
        condition.add("token_key = %s", filter.token and Token(value=filter.token).key)
        condition.add("started_at >= %s", filter.since)
        condition.add("started_at < %s", filter.until)
        if (since := filter.changed_since) is not None:
            condition.add("((ended_at IS NULL AND updated_at >= %s) OR end_received_at >= %s)", since, since)
        return await tables.TRANSACTIONS.page(self._pool, condition, page)

    async def transaction(
        self, station: str, transaction_id: str, *, meter_values_max: int = METER_VALUES_MAX
    ) -> TransactionDetail | None:
        """One transaction with its meter values, oldest first; None: unknown."""
        condition = self._of_station(station)
        condition.add("transaction_id = %s", transaction_id)
        found = await tables.TRANSACTIONS.first(self._pool, condition, sql.SQL("station"), 1)
        if not found:
            return None
        readings = Condition(self._tenant)
        readings.add("station = %s", station)
        readings.add("transaction_id = %s", transaction_id)
        readings.add("received_at >= %s", found[0].start_received_at)
        readings.add("received_at <= %s", found[0].updated_at)
        values = await tables.METER_VALUES.first(self._pool, readings, sql.SQL("received_at, id"), meter_values_max + 1)
        return TransactionDetail(
            transaction=found[0],
            meter_values=tuple(values[:meter_values_max]),
            complete=len(values) <= meter_values_max,
        )

    async def meter_values(self, filter: MeterValueFilter, page: Page) -> Paged[MeterValueRow]:  # noqa: A002
        """Meter values of a station by `received_at`, newest first."""
        condition = Condition(self._tenant)
        condition.add("station = %s", filter.station)
        condition.add("transaction_id = %s", filter.transaction_id)
        condition.add("evse = %s", filter.evse)
        condition.add("measurand = %s", filter.measurand)
        condition.add("received_at >= %s", filter.since)
        condition.add("received_at < %s", filter.until)
        return await tables.METER_VALUES.page(self._pool, condition, page)

    async def messages(self, filter: MessageFilter, page: Page) -> Paged[MessageRow]:  # noqa: A002
        """Raw frames, newest first. To follow: `Page(cursor=paged.follow, oldest_first=True)`."""
        condition = Condition(self._tenant)
        condition.add("station = %s", filter.station)
        condition.add("action = %s", filter.action)
        condition.add("direction = %s", filter.direction)
        condition.add("kind = %s", filter.kind)
        condition.add("outcome = %s", filter.outcome)
        condition.add("message_id = %s", filter.message_id)
        condition.add("at >= %s", filter.since)
        condition.add("exchange_at >= %s", filter.since and filter.since - PAIRED_WITHIN)
        condition.add("at < %s", filter.until)
        condition.add("exchange_at < %s", filter.until)
        return await tables.MESSAGES.page(self._pool, condition, page)

    async def events(self, filter: EventFilter, page: Page) -> Paged[EventRow]:  # noqa: A002
        """What happened to stations, newest first; can be followed as `messages`."""
        condition = Condition(self._tenant)
        condition.add("station = %s", filter.station)
        condition.add("kind = %s", filter.kind)
        condition.add("action = %s", filter.action)
        condition.add("at >= %s", filter.since)
        condition.add("at < %s", filter.until)
        return await tables.EVENTS.page(self._pool, condition, page)

    async def commands(self, filter: CommandFilter, page: Page) -> Paged[CommandRow]:  # noqa: A002
        """Commands by `requested_at`, newest first."""
        condition = Condition(self._tenant)
        condition.add("station = %s", filter.station)
        if filter.open is not None:
            condition.add_plain("settled_at IS NULL" if filter.open else "settled_at IS NOT NULL")
        condition.add("kind = %s", filter.kind)
        condition.add("result = %s", filter.result)
        condition.add("requested_at >= %s", filter.since)
        condition.add("requested_at < %s", filter.until)
        return await tables.COMMANDS.page(self._pool, condition, page)

    async def command(self, command_id: str) -> CommandRow | None:
        """One command; None: unknown."""
        condition = Condition(self._tenant)
        condition.add("command_id = %s", command_id)
        found = await tables.COMMANDS.first(self._pool, condition, sql.SQL("command_id"), 1)
        return found[0] if found else None

    async def tokens(self, filter: TokenFilter, page: Page) -> Paged[TokenRow]:  # noqa: A002
        """Tokens by name in lower case."""
        condition = Condition(self._tenant)
        condition.add("blocked = %s", filter.blocked)
        condition.add("token_group = %s", filter.group)
        condition.add_search(("token", "token_group", "note"), filter.search)
        return await tables.TOKENS.page(self._pool, condition, page)

    async def counts(self, now: datetime) -> Counts:
        """Figures of the status page; `now` (aware) says which UTC day is today."""
        return await counts_of(self._pool, self._tenant, now)

    async def connected_sessions(self) -> list[ConnectedSession]:
        """All stations that the projection believes to be connected; used to close sessions of an ingress that died."""
        query = "SELECT station, session, ingress FROM stations WHERE tenant = %s AND connected ORDER BY station"
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=reader_of(ConnectedSession)) as cursor,
        ):
            await cursor.execute(query, [self._tenant])
            sessions: list[ConnectedSession] = await cursor.fetchall()
            return sessions

    async def campaign_progress(self, campaign_id: str) -> CampaignProgress:
        """How far the commands of a campaign are."""
        query = (
            "SELECT count(*), count(sent_at), result FROM commands"
            " WHERE tenant = %s AND command_id >= %s AND command_id < %s GROUP BY result"
        )
        bounds = [self._tenant, f"{campaign_id}.", f"{campaign_id}/"]
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query, bounds)
            found = await cursor.fetchall()
        return CampaignProgress(
            recorded=sum(count for count, _, _ in found),
            sent=sum(sent for _, sent, _ in found),
            settled={result: count for count, _, result in found if result is not None},
        )

    async def campaign_commands(self, campaign_id: str, *, open_only: bool = False) -> list[tuple[str, str]]:
        """Command id and station of all commands of a campaign that are on record."""
        query = "SELECT command_id, station FROM commands WHERE tenant = %s AND command_id >= %s AND command_id < %s"
        if open_only:
            query += " AND settled_at IS NULL"
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query, [self._tenant, f"{campaign_id}.", f"{campaign_id}/"])
            found: list[tuple[str, str]] = await cursor.fetchall()
            return found

    async def block(self, table: Table, where: Mapping[str, Any], page: Page) -> Paged[Any]:
        """Rows of a block's table that have these values; see `storage.queries.blocks.read_table`."""
        return await read_table(self._pool, self._tenant, table, where, page)

    async def past_stays(self, stations: Sequence[str], since: datetime) -> list[PastStay]:
        """Stays of cars that began since then, newest first; see `storage.queries.charging_history.past_stays`."""
        return await past_stays(self._pool, self._tenant, stations, since=since)

    async def last_readings(self, stations: Sequence[str]) -> list[tuple[str, ReadingsRecorded]]:
        """What the meters of open transactions said last; see `storage.queries.charging_history.last_readings`."""
        return await last_readings(self._pool, self._tenant, stations)

    def _of_station(self, station: str) -> Condition:
        condition = Condition(self._tenant)
        condition.add("station = %s", station)
        return condition
