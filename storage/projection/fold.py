"""Folds entries of the journal into changes of rows. Pure: PostgreSQL and its memory twin share it.

Facts are taken in their order; several facts about one row leave one row. Text is cleaned on the way (`clean`), so both
twins hold the same.
"""

from collections.abc import Iterable
from typing import NamedTuple, assert_never

from engine.model.authorization import TokenRemoved, TokenSaved
from engine.model.availability import ConnectorStatusChanged
from engine.model.commands import CommandRequested, CommandSettled
from engine.model.facts import Fact, JournalEntry, OperatorEntry, OperatorFact
from engine.model.messages import LoggedMessage
from engine.model.metering import ReadingsRecorded
from engine.model.stations import StationRegistered
from engine.model.transactions import TransactionEnded, TransactionOpened, TransactionUpdated
from storage.projection.changes import (
    Changes,
    Known,
    NewBadEntry,
    NewMessage,
    NewMeterValue,
    RecordedStation,
    StationReport,
    TransactionKey,
)
from storage.projection.clean import text, text_or_none
from storage.projection.commands import requested_command, settled_command
from storage.projection.entries import Entry, StreamEntry, Undecodable, bytes_of
from storage.projection.events import event_of, registered_event
from storage.projection.stations import report_after
from storage.projection.transactions import heard_of, transaction_after
from storage.queries.rows import ConnectorRow, TokenRow


class Touched(NamedTuple):
    """The rows that must be known before entries can be folded."""

    stations: set[str]
    transactions: set[TransactionKey]


def touched_by(entries: Iterable[StreamEntry]) -> Touched:
    """Which rows the entries touch."""
    touched = Touched(set(), set())
    for _, _, entry in entries:
        if not isinstance(entry, JournalEntry):
            continue
        for record in entry.records:
            station = text(record.station)
            touched.stations.add(station)
            for fact in record.facts:
                match fact:
                    case TransactionOpened() | TransactionUpdated() | TransactionEnded():
                        touched.transactions.add((station, text(fact.transaction_id)))
                    case ReadingsRecorded() if fact.transaction_id is not None:
                        touched.transactions.add((station, text(fact.transaction_id)))
                    case _:
                        pass
    return touched


def fold(tenant: str, entries: Iterable[StreamEntry], known: Known) -> Changes:
    """What the entries change. An entry of another tenant is put aside."""
    folding = _Folding(known)
    for stream, entry_id, entry in entries:
        reason = _not_ours(tenant, entry)
        if reason is not None:
            folding.changes.bad_entries.append(put_aside(stream, entry_id, entry, reason))
        else:
            folding.add(entry)
    return folding.changes


def put_aside(stream: str, entry_id: str, entry: Entry, reason: str) -> NewBadEntry:
    """The row for an entry that cannot be projected."""
    return NewBadEntry(stream, entry_id, text(reason), bytes_of(entry))


def _not_ours(tenant: str, entry: Entry) -> str | None:
    match entry:
        case JournalEntry() | OperatorEntry():
            return None if entry.tenant == tenant else f"it is of tenant {entry.tenant}, projected is {tenant}"
        case list():
            return None
        case _:
            return entry.reason


class _Folding:
    """The changes as they grow."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self.changes = Changes()

    def add(self, entry: Entry) -> None:
        match entry:
            case JournalEntry():
                for record in entry.records:
                    self._add_facts(text(record.station), record.facts)
            case OperatorEntry():
                for fact in entry.facts:
                    self._add_operator_fact(fact)
            case list():
                self.changes.messages.extend(map(_message, entry))
            case Undecodable():
                raise AssertionError(entry.reason)  # fold puts these aside

    def _add_facts(self, station: str, facts: Iterable[Fact]) -> None:
        changes = self.changes
        report = changes.stations.get(station) or self._known.stations.get(station) or StationReport()
        for fact in facts:
            report = report_after(report, fact)
            event = event_of(station, fact)
            if event is not None:
                changes.events.append(event)
            self._add_fact(station, fact)
        changes.stations[station] = report

    def _add_fact(self, station: str, fact: Fact) -> None:
        changes = self.changes
        match fact:
            case ReadingsRecorded():
                self._add_readings(station, fact)
            case TransactionOpened() | TransactionUpdated() | TransactionEnded():
                key = (station, text(fact.transaction_id))
                before = changes.transactions.get(key) or self._known.transactions.get(key)
                changes.transactions[key] = transaction_after(before, station, fact)
            case ConnectorStatusChanged():
                connector = _connector(station, fact)
                changes.connectors[station, connector.evse, connector.connector] = connector
            case CommandRequested():
                changes.requested[text(fact.request.command_id)] = requested_command(station, fact)
            case CommandSettled():
                changes.settled[text(fact.command_id)] = settled_command(station, fact)
            case _:
                pass  # the station's report and its events tell all of it

    def _add_readings(self, station: str, fact: ReadingsRecorded) -> None:
        transaction_id = text_or_none(fact.transaction_id)
        evse, connector = (None, None) if fact.evse is None else (fact.evse.evse, fact.evse.connector)
        self.changes.meter_values.extend(
            NewMeterValue(
                station,
                fact.received_at,
                reading.at,
                evse,
                connector,
                transaction_id,
                reading.value,
                text(reading.measurand),
                text(reading.unit),
                text(reading.context),
                text(reading.location),
                text_or_none(reading.phase),
                text_or_none(reading.raw),
                text_or_none(reading.signed),
            )
            for reading in fact.readings
        )
        if transaction_id is None:
            return
        key = (station, transaction_id)
        row = self.changes.transactions.get(key) or self._known.transactions.get(key)
        if row is not None:
            self.changes.transactions[key] = heard_of(row, fact.received_at)

    def _add_operator_fact(self, fact: OperatorFact) -> None:
        match fact:
            case TokenSaved():
                self.changes.tokens[text(fact.record.token.key)] = _token(fact)
            case TokenRemoved():
                self.changes.tokens[text(fact.token.key)] = None
            case StationRegistered():
                self.changes.records[text(fact.record.station)] = RecordedStation(fact.record, fact.at)
                self.changes.events.append(registered_event(fact))
            case _:
                assert_never(fact)


def _connector(station: str, fact: ConnectorStatusChanged) -> ConnectorRow:
    report = fact.report
    return ConnectorRow(
        station=station,
        evse=report.evse.evse,
        connector=report.evse.connector or 0,
        status=report.status.value,
        received_at=fact.received_at,
        status_at=report.at,
        error_code=text_or_none(report.error_code),
        info=text_or_none(report.info),
        vendor_id=text_or_none(report.vendor_id),
        vendor_error_code=text_or_none(report.vendor_error_code),
    )


def _token(fact: TokenSaved) -> TokenRow:
    record = fact.record
    return TokenRow(
        token=text(record.token.value),
        type=text_or_none(record.token.type),
        blocked=record.blocked,
        expires_at=record.expires_at,
        group=text_or_none(record.group),
        note=text_or_none(record.note),
        saved_at=fact.at,
    )


def _message(message: LoggedMessage) -> NewMessage:
    return NewMessage(
        text(message.station),
        text(message.session),
        message.direction.value,
        message.at,
        text(message.kind),
        text_or_none(message.message_id),
        text_or_none(message.action),
        text(message.outcome),
        message.latency_ms,
        text(message.frame),
    )
