"""The projection's twin in memory: same entries in, same rows out, same reads. For tests.

It shares `storage.projection.fold` with PostgreSQL and is held to the same contract tests.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from engine.model.authorization import Token
from storage.blocks.table import JSON, Table
from storage.projection.changes import (
    Changes,
    Known,
    NewBadEntry,
    NewExchange,
    NewMeterValue,
    RecordedStation,
    RequestedCommand,
    SentCommand,
    SettledCommand,
    StationReport,
    TransactionKey,
)
from storage.projection.clean import text, text_or_none
from storage.projection.entries import START, StreamEntry, after, refuse_moved
from storage.projection.fold import Folding
from storage.projection.pending import Pending, is_older, matches
from storage.queries import tables
from storage.queries.blocks import listing_of_table, selected
from storage.queries.counts import day_of
from storage.queries.filters import (
    CommandFilter,
    EventFilter,
    MessageFilter,
    MeterValueFilter,
    StationFilter,
    TokenFilter,
    TransactionFilter,
)
from storage.queries.listing import Listing
from storage.queries.paging import LIMIT_MAX, Page, Paged, paged, place_of
from storage.queries.reader import METER_VALUES_MAX
from storage.queries.rows import (
    CampaignProgress,
    CommandRow,
    ConnectedSession,
    ConnectorRow,
    Counts,
    EventRow,
    Json,
    MessageRow,
    MeterValueRow,
    StationDetail,
    StationRow,
    TokenRow,
    TransactionDetail,
    TransactionRow,
)

Row = TypeVar("Row")


class MemoryTables(msgspec.Struct):
    """What the tables hold, of one tenant. Grows without bound: it forgets nothing."""

    reports: dict[str, StationReport] = {}
    seen: dict[str, datetime | None] = {}
    records: dict[str, RecordedStation] = {}
    connectors: dict[tuple[str, int, int], ConnectorRow] = {}
    transactions: dict[TransactionKey, TransactionRow] = {}
    requested: dict[str, RequestedCommand] = {}
    sent: dict[str, SentCommand] = {}
    settled: dict[str, SettledCommand] = {}
    tokens: dict[str, TokenRow] = {}
    meter_values: list[MeterValueRow] = []
    messages: list[MessageRow] = []
    events: list[EventRow] = []
    bad_entries: list[NewBadEntry] = []
    positions: dict[str, str] = {}
    blocks: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {}

    def commands(self) -> set[str]:
        """All that anything is known of."""
        return self.requested.keys() | self.sent.keys() | self.settled.keys()

    def stations(self) -> set[str]:
        """All that are registered or were ever heard of."""
        return self.reports.keys() | self.seen.keys() | self.records.keys()


class MemoryProjection:
    """`Projector` and `Queries` of one tenant at once. Several may share `rows`, as projectors share a database."""

    def __init__(self, tenant: str, rows: MemoryTables | None = None) -> None:
        self.tables = MemoryTables() if rows is None else rows
        self._tenant = tenant
        self._positions: dict[str, str] = {}

    async def positions(self) -> dict[str, str]:
        """See `Projector.positions`."""
        self._positions = dict(self.tables.positions)
        return dict(self._positions)

    async def apply(self, entries: Sequence[StreamEntry]) -> dict[str, str]:
        """See `Projector.apply`."""
        rows = self.tables
        streams = {stream for stream, _, _ in entries}
        found = {stream: rows.positions.get(stream, START) for stream in streams}
        refuse_moved(self._positions, found)
        fresh, moved = after(entries, found)
        changes = Folding(self._tenant, fresh).changes(Known(stations=rows.reports, transactions=rows.transactions))
        _write(rows, changes)
        rows.positions |= moved
        self._positions |= found | moved
        return {stream: self._positions[stream] for stream in streams}

    async def stations(self, filter: StationFilter, page: Page) -> Paged[StationRow]:  # noqa: A002 (as Queries)
        """See `Queries.stations`."""
        rows = [
            row
            for row in map(self._station, self.tables.stations())
            if filter.connected in {None, row.connected}
            and filter.registered in {None, row.registered}
            and filter.registration in {None, row.registration}
            and filter.security_profile in {None, row.security_profile}
            and filter.changing in {None, row.has_password_next or row.security_profile_next is not None}
            and filter.version in {None, row.version}
            and filter.vendor in {None, row.vendor}
            and _contains(filter.search, row.station, row.vendor, row.model, row.serial_number, row.note)
        ]
        return _page(tables.STATIONS, rows, page)

    async def station(self, station: str) -> StationDetail | None:
        """See `Queries.station`."""
        if station not in self.tables.stations():
            return None
        is_open = await self.transactions(TransactionFilter(station=station, open=True), Page(limit=LIMIT_MAX))
        return StationDetail(self._station(station), await self.connectors(station), is_open.rows)

    async def connectors(self, station: str) -> tuple[ConnectorRow, ...]:
        """See `Queries.connectors`."""
        rows = sorted((key, row) for key, row in self.tables.connectors.items() if key[0] == station)
        return tuple(row for _, row in rows[:LIMIT_MAX])

    async def transactions(self, filter: TransactionFilter, page: Page) -> Paged[TransactionRow]:  # noqa: A002
        """See `Queries.transactions`."""
        key = None if filter.token is None else Token(value=filter.token).key
        rows = [
            row
            for row in self.tables.transactions.values()
            if filter.station in {None, row.station}
            and filter.evse in {None, row.evse}
            and filter.open in {None, row.ended_at is None}
            and (key is None or (row.token is not None and Token(value=row.token).key == key))
            and _within(row.started_at, filter.since, filter.until)
            and _changed_since(row, filter.changed_since)
        ]
        return _page(tables.TRANSACTIONS, rows, page)

    async def transaction(
        self, station: str, transaction_id: str, *, meter_values_max: int = METER_VALUES_MAX
    ) -> TransactionDetail | None:
        """See `Queries.transaction`."""
        row = self.tables.transactions.get((station, transaction_id))
        if row is None:
            return None
        values = [
            value
            for value in self.tables.meter_values
            if (value.station, value.transaction_id) == (station, transaction_id)
            and row.start_received_at <= value.received_at <= row.updated_at
        ]
        values.sort(key=tables.place_of_meter_value)
        return TransactionDetail(row, tuple(values[:meter_values_max]), len(values) <= meter_values_max)

    async def meter_values(self, filter: MeterValueFilter, page: Page) -> Paged[MeterValueRow]:  # noqa: A002
        """See `Queries.meter_values`."""
        rows = [
            row
            for row in self.tables.meter_values
            if row.station == filter.station
            and filter.transaction_id in {None, row.transaction_id}
            and filter.evse in {None, row.evse}
            and filter.measurand in {None, row.measurand}
            and _within(row.received_at, filter.since, filter.until)
        ]
        return _page(tables.METER_VALUES, rows, page)

    async def messages(self, filter: MessageFilter, page: Page) -> Paged[MessageRow]:  # noqa: A002
        """See `Queries.messages`."""
        rows = [
            row
            for row in self.tables.messages
            if filter.station in {None, row.station}
            and filter.action in {None, row.action}
            and filter.direction in {None, row.direction}
            and filter.kind in {None, row.kind}
            and filter.outcome in {None, row.outcome}
            and filter.message_id in {None, row.message_id}
            and _within(row.at, filter.since, filter.until)
        ]
        return _page(tables.MESSAGES, rows, page)

    async def events(self, filter: EventFilter, page: Page) -> Paged[EventRow]:  # noqa: A002
        """See `Queries.events`."""
        rows = [
            row
            for row in self.tables.events
            if filter.station in {None, row.station}
            and filter.kind in {None, row.kind}
            and filter.action in {None, row.action}
            and _within(row.at, filter.since, filter.until)
        ]
        return _page(tables.EVENTS, rows, page)

    async def commands(self, filter: CommandFilter, page: Page) -> Paged[CommandRow]:  # noqa: A002
        """See `Queries.commands`."""
        rows = [
            row
            for row in map(self._command, self.tables.commands())
            if filter.station in {None, row.station}
            and filter.open in {None, row.settled_at is None}
            and filter.kind in {None, row.kind}
            and filter.result in {None, row.result}
            and _within(row.requested_at, filter.since, filter.until)
        ]
        return _page(tables.COMMANDS, rows, page)

    async def command(self, command_id: str) -> CommandRow | None:
        """See `Queries.command`."""
        rows = self.tables
        known = command_id in rows.commands()
        return self._command(command_id) if known else None

    async def tokens(self, filter: TokenFilter, page: Page) -> Paged[TokenRow]:  # noqa: A002
        """See `Queries.tokens`."""
        rows = [
            row
            for row in self.tables.tokens.values()
            if filter.blocked in {None, row.blocked}
            and filter.group in {None, row.group}
            and _contains(filter.search, row.token, row.group, row.note)
        ]
        return _page(tables.TOKENS, rows, page)

    async def campaign_progress(self, campaign_id: str) -> CampaignProgress:
        """See `Queries.campaign_progress`."""
        rows = [self._command(name) for name, _ in await self.campaign_commands(campaign_id)]
        settled = Counter(row.result for row in rows if row.result is not None)
        return CampaignProgress(len(rows), sum(row.sent_at is not None for row in rows), dict(settled))

    async def campaign_commands(self, campaign_id: str, *, open_only: bool = False) -> list[tuple[str, str]]:
        """See `Queries.campaign_commands`."""
        rows = [self._command(name) for name in sorted(self.tables.commands()) if name.startswith(f"{campaign_id}.")]
        return [(row.command_id, row.station) for row in rows if not open_only or row.settled_at is None]

    async def block(self, table: Table, where: Mapping[str, Any], page: Page) -> Paged[Any]:
        """See `Queries.block`."""
        kept = self.tables.blocks.get(table.name, {})
        rows = [row_of(table, key, values) for key, values in kept.items()]
        return _page(listing_of_table(table), [row for row in rows if selected(table, row, where)], page)

    async def counts(self, now: datetime) -> Counts:
        """See `Queries.counts`."""
        rows, day = self.tables, day_of(now)
        transactions = rows.transactions.values()
        ended = [row for row in transactions if row.end_received_at is not None and row.end_received_at >= day]
        is_open = [row for row in transactions if row.ended_at is None]
        connected = [report for report in rows.reports.values() if report.connected]
        return Counts(
            stations=len(rows.stations()),
            stations_connected=len(connected),
            stations_connected_by_version=dict(Counter(report.version or "" for report in connected)),
            connectors_by_status=dict(Counter(row.status for row in rows.connectors.values())),
            transactions_open=len(is_open),
            transactions_started_today=sum(row.started_at >= day for row in transactions),
            transactions_ended_today=len(ended),
            energy_ended_today_wh=sum(row.energy_wh or 0.0 for row in ended),
            energy_open_wh=sum(row.energy_wh or 0.0 for row in is_open),
            tokens=len(rows.tokens),
            commands_open=len(rows.requested.keys() - rows.settled.keys()),
            bad_entries=len(rows.bad_entries),
        )

    async def connected_sessions(self) -> list[ConnectedSession]:
        """See `Queries.connected_sessions`."""
        return [
            ConnectedSession(station, report.session or "", report.ingress or "")
            for station, report in sorted(self.tables.reports.items())
            if report.connected
        ]

    def _station(self, station: str) -> StationRow:
        report = self.tables.reports.get(station, StationReport())
        reported = {field: getattr(report, field) for field in report.__struct_fields__}
        reported["seen_at"] = self.tables.seen.get(station)
        if station not in self.tables.records:
            return StationRow(station=station, **reported)
        record = self.tables.records[station].record
        return StationRow(
            station=station,
            registered=True,
            registration=record.registration.value,
            security_profile=record.security_profile,
            has_password=record.password_hash is not None,
            message_log=record.message_log,
            note=record.note,
            has_password_next=record.password_hash_next is not None,
            security_profile_next=record.security_profile_next,
            downgrade_allowed=record.downgrade_allowed,
            certificate_name=record.certificate_name,
            assume_ocpp16=record.assume_ocpp16,
            lenient_upgrade=record.lenient_upgrade,
            **reported,
        )

    def _command(self, command_id: str) -> CommandRow:
        requested = self.tables.requested.get(command_id)
        sent = self.tables.sent.get(command_id)
        settled = self.tables.settled.get(command_id)
        if requested is not None:
            fields = requested._replace(command=json.loads(requested.command))._asdict()
            row = CommandRow(command_id, **fields)
        else:
            first = sent or settled
            assert first is not None
            at = first.settled_at if isinstance(first, SettledCommand) else first.sent_at
            row = CommandRow(command_id, first.station, kind="Unknown", requested_at=at)
        if sent is not None:
            row = msgspec.structs.replace(row, **sent._asdict())
        if settled is None:
            return row
        fields = settled._asdict() | {"payload": _json(settled.payload), "variables": _json(settled.variables)}
        return msgspec.structs.replace(row, **fields)


def _write(rows: MemoryTables, changes: Changes) -> None:
    rows.reports |= changes.stations
    for station, at in changes.seen.items():
        before = rows.seen.get(station)
        rows.seen[station] = before if at is None or (before is not None and before > at) else at
    rows.records |= changes.records
    rows.connectors |= changes.connectors
    rows.transactions |= changes.transactions | changes.progress
    rows.requested |= changes.requested
    rows.sent |= changes.sent
    rows.settled |= changes.settled
    for key, token in changes.tokens.items():
        if token is None:
            rows.tokens.pop(key, None)
        else:
            rows.tokens[key] = token
    for value in changes.meter_values:
        rows.meter_values.extend(_readings(value, len(rows.meter_values) + 1))
    for exchange in changes.exchanges:
        rows.messages.extend(_frames(exchange, len(rows.messages) + 1))
    rows.events.extend(
        EventRow(number, event.station, event.at, event.kind, event.action, _json(event.data))
        for number, event in enumerate(changes.events, len(rows.events) + 1)
    )
    rows.bad_entries.extend(changes.bad_entries)
    _write_blocks(rows, changes.blocks)


def _write_blocks(rows: MemoryTables, pending: Pending) -> None:
    for table, where, older in pending.drops:
        kept = rows.blocks.setdefault(table.name, {})
        for key in [key for key, row in kept.items() if matches(table, key, where) and is_older(row, older)]:
            del kept[key]
    for table, names, values in pending.groups():
        kept = rows.blocks.setdefault(table.name, {})
        for row in values:
            key = row[: len(table.key)]
            kept[key] = kept.get(key, {}) | dict(zip(names, row[len(table.key) :], strict=True))


def row_of(table: Table, key: tuple[Any, ...], values: Mapping[str, Any]) -> Any:
    """The row as the queries give it; for the twin in memory. JSON comes as text."""
    kinds = table.kinds()
    named = {**dict(zip(table.key, key, strict=True)), **values}
    decoded = {
        name: msgspec.json.decode(value) if kinds[name] == JSON and value is not None else value
        for name, value in named.items()
    }
    missing = {name: None for name in table.row.__struct_fields__ if name not in decoded}
    defaults = _defaults(table.row)
    return table.row(**{name: defaults.get(name, value) for name, value in missing.items()}, **decoded)


def _defaults(row: type[msgspec.Struct]) -> dict[str, Any]:
    return {
        field.name: field.default for field in msgspec.structs.fields(row) if field.default is not msgspec.NODEFAULT
    }


def _readings(value: NewMeterValue, first: int) -> Iterable[MeterValueRow]:
    place = (value.station, value.received_at, value.sampled_at, value.evse, value.connector, value.transaction_id)
    for number, reading in enumerate(value.readings, first):
        words = map(text, (reading.measurand, reading.unit, reading.context, reading.location))
        told = map(text_or_none, (reading.phase, reading.raw, reading.signed))
        yield MeterValueRow(number, *place, reading.value, *words, *told)


def _frames(exchange: NewExchange, first: int) -> Iterable[MessageRow]:
    for number, frame in enumerate((exchange.frame, exchange.answer), first):
        if frame is not None:
            yield MessageRow(
                id=number,
                station=text(frame.station),
                session=text(frame.session),
                direction=frame.direction.value,
                at=frame.at,
                kind=text(frame.kind),
                message_id=text_or_none(frame.message_id),
                action=text_or_none(frame.action),
                outcome=text(frame.outcome),
                latency_ms=frame.latency_ms,
                frame=text(frame.frame),
            )


def _page(listing: Listing[Row], rows: Iterable[Row], page: Page) -> Paged[Row]:
    ordered = sorted(rows, key=listing.place, reverse=listing.is_descending(page))
    place = place_of(page.cursor, listing.table, listing.shape) if page.cursor is not None else ()
    if place:
        behind: Callable[[Row], bool] = (
            (lambda row: listing.place(row) < place)
            if listing.is_descending(page)
            else (lambda row: listing.place(row) > place)
        )
        ordered = [row for row in ordered if behind(row)]
    return paged(listing.table, ordered[: page.limit + 1], page, listing.place, follow=listing.arrival)


def _within(moment: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or moment >= since) and (until is None or moment < until)


def _changed_since(row: TransactionRow, since: datetime | None) -> bool:
    if since is None:
        return True
    return row.updated_at >= since if row.end_received_at is None else row.end_received_at >= since


def _contains(search: str | None, *texts: str | None) -> bool:
    if not search:
        return True
    return any(text is not None and search.lower() in text.lower() for text in texts)


def _json(written: str | None) -> Json:
    decoded: Json = None if written is None else json.loads(written)
    return decoded
