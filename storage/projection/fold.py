"""Folds entries of the journal into changes of rows. Pure: PostgreSQL and its memory twin share it.

Facts are taken in their order; several facts about one row leave one row. Text of keys is cleaned on the way (`clean`),
so both twins hold the same.

Nearly all facts of a busy fleet are readings and news of open transactions, and nearly all frames are calls and their
answers: those take the shortest way (`Folding._add_record`, `Folding._add_log`), in which every step was measured
(tests/benchmarks/projection.py).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from engine.model.authorization import TokenRemoved, TokenSaved
from engine.model.availability import ConnectorStatusChanged
from engine.model.commands import CommandRequested, CommandSent, CommandSettled
from engine.model.facts import Fact, JournalEntry, OperatorEntry, OperatorFact, StationFacts
from engine.model.messages import LoggedMessage
from engine.model.metering import Reading, ReadingsRecorded
from engine.model.provisioning import StationBooted
from engine.model.sessions import SessionEnded, SessionStarted
from engine.model.stations import StationRegistered
from engine.model.transactions import TransactionEnded, TransactionOpened, TransactionUpdated
from storage.projection.changes import (
    Changes,
    Known,
    NewBadEntry,
    NewExchange,
    NewMeterValue,
    RecordedStation,
    StationReport,
    TransactionKey,
)
from storage.projection.clean import text, text_or_none
from storage.projection.commands import requested_command, sent_command, settled_command
from storage.projection.entries import Entry, StreamEntry, Undecodable, bytes_of
from storage.projection.events import event_of, registered_event
from storage.projection.stations import StationFact, heard_of_at, report_after
from storage.projection.transactions import TransactionFact, heard_of, is_progress, transaction_after
from storage.queries.reader import PAIRED_WITHIN
from storage.queries.rows import ConnectorRow, TokenRow, TransactionRow

READINGS_MAX = 1000
"""Readings of one row of meter_values: so far its sequence steps, and an id is left for each."""

TRANSACTION_FACTS = (TransactionUpdated, TransactionOpened, TransactionEnded)
ANSWERS = frozenset({"result", "error"})


class Touched(NamedTuple):
    """The rows that must be known before entries can be folded."""

    stations: set[str]
    transactions: set[TransactionKey]


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


class Folding:
    """Entries, taken in; then, with the rows that they touch (`touched`), what they change (`changes`).

    An entry of another tenant is put aside.
    """

    def __init__(self, tenant: str, entries: Iterable[StreamEntry]) -> None:
        self._changes = Changes()
        self._reported: dict[str, list[StationFact]] = {}
        self._transactions: dict[TransactionKey, list[TransactionFact]] = {}
        self._heard: dict[TransactionKey, datetime] = {}
        """By transaction, the latest of its readings."""
        self._calls: dict[tuple[str, str], int] = {}
        """By session and message id, the place among the exchanges of a call without an answer."""
        for stream, entry_id, entry in entries:
            reason = _not_ours(tenant, entry)
            if reason is not None:
                self._changes.bad_entries.append(put_aside(stream, entry_id, entry, reason))
            else:
                self._add(entry)

    @property
    def touched(self) -> Touched:
        """Which rows `changes` must know."""
        return Touched(set(self._reported), self._transactions.keys() | self._heard.keys())

    def changes(self, known: Known) -> Changes:
        """All that is to be written."""
        changes = self._changes
        for station, facts in self._reported.items():
            report = known.stations.get(station) or StationReport()
            for fact in facts:
                report = report_after(report, fact)
            changes.stations[station] = report
        for key in {**self._transactions, **self._heard}:
            self._change(key, known.transactions.get(key))
        return changes

    def _change(self, key: TransactionKey, before: TransactionRow | None) -> None:
        """What the entries make of a transaction."""
        row = transaction_after(before, key[0], self._transactions.get(key, ()))
        if row is None:
            return  # readings of a transaction that nobody has told of yet
        heard_at = self._heard.get(key)
        if heard_at is not None and heard_at > row.updated_at:
            row = heard_of(row, heard_at)
        if before is not None and is_progress(before, row):
            self._changes.progress[key] = row
        else:
            self._changes.transactions[key] = row

    def _add(self, entry: Entry) -> None:
        match entry:
            case JournalEntry():
                for record in entry.records:
                    self._add_record(record)
            case OperatorEntry():
                for fact in entry.facts:
                    self._add_operator_fact(fact)
            case list():
                self._add_log(entry)
            case Undecodable():
                raise AssertionError(entry.reason)  # those are put aside

    def _add_record(self, record: StationFacts) -> None:
        station = text(record.station)
        seen = self._changes.seen
        heard_at = seen.get(station)
        for fact in record.facts:
            if isinstance(fact, ReadingsRecorded):
                self._add_readings(station, fact)
                at: datetime | None = fact.received_at
            elif isinstance(fact, TRANSACTION_FACTS):
                key = (station, text(fact.transaction_id))
                facts = self._transactions.get(key)
                if facts is None:
                    facts = self._transactions[key] = []
                facts.append(fact)
                at = fact.received_at
            else:
                self._add_fact(station, fact)
                at = heard_of_at(fact)
            if at is not None and (heard_at is None or at > heard_at):
                heard_at = at
        seen[station] = heard_at

    def _add_readings(self, station: str, fact: ReadingsRecorded) -> None:
        received_at, readings, transaction_id, evse = fact.received_at, fact.readings, fact.transaction_id, fact.evse
        if transaction_id is not None:
            transaction_id = text(transaction_id)
            key = (station, transaction_id)
            heard_at = self._heard.get(key)
            if heard_at is None or received_at > heard_at:
                self._heard[key] = received_at
        if not readings:
            return
        number, connector = (None, None) if evse is None else (evse.evse, evse.connector)
        sampled_at = readings[0].at
        if len(readings) > READINGS_MAX or any([reading.at != sampled_at for reading in readings]):  # noqa: C419 (a list is faster)
            groups = _by_time(readings)
        else:
            groups = [(sampled_at, readings)]
        for at, group in groups:
            self._changes.meter_values.append(
                NewMeterValue(station, received_at, at, number, connector, transaction_id, group)
            )

    def _add_fact(self, station: str, fact: Fact) -> None:
        """Facts that are no volume."""
        changes = self._changes
        event = event_of(station, fact)
        if event is not None:
            changes.events.append(event)
        match fact:
            case SessionStarted() | SessionEnded() | StationBooted():
                self._reported.setdefault(station, []).append(fact)
            case ConnectorStatusChanged():
                connector = _connector(station, fact)
                changes.connectors[station, connector.evse, connector.connector] = connector
            case CommandRequested():
                changes.requested[text(fact.request.command_id)] = requested_command(station, fact)
            case CommandSent():
                changes.sent[text(fact.command_id)] = sent_command(station, fact)
                changes.blocks.take(station, fact)
            case CommandSettled():
                changes.settled[text(fact.command_id)] = settled_command(station, fact)
            case _:
                changes.blocks.take(station, fact)

    def _add_log(self, messages: Iterable[LoggedMessage]) -> None:
        """Frames; an answer goes beside its call where both are in these entries."""
        exchanges, calls = self._changes.exchanges, self._calls
        for message in messages:
            message_id = message.message_id
            if message_id is not None:
                key = (message.session, message_id)
                if message.kind == "call":
                    calls[key] = len(exchanges)
                elif message.kind in ANSWERS:
                    place = calls.get(key)
                    if place is not None and _answers(exchanges[place].frame, message):
                        del calls[key]
                        exchanges[place] = NewExchange(exchanges[place].frame, message)
                        continue
            exchanges.append(NewExchange(message))

    def _add_operator_fact(self, fact: OperatorFact) -> None:
        match fact:
            case TokenSaved():
                self._changes.tokens[text(fact.record.token.key)] = _token(fact)
            case TokenRemoved():
                self._changes.tokens[text(fact.token.key)] = None
            case StationRegistered():
                self._changes.records[text(fact.record.station)] = RecordedStation(fact.record, fact.at)
                self._changes.events.append(registered_event(fact))
                self._changes.blocks.take("", fact)
            case _:
                self._changes.blocks.take("", fact)


def _by_time(readings: tuple[Reading, ...]) -> list[tuple[datetime | None, tuple[Reading, ...]]]:
    """The readings in their order, cut where the time changes and where a row is full."""
    groups: list[tuple[datetime | None, list[Reading]]] = []
    for reading in readings:
        if not groups or groups[-1][0] != reading.at or len(groups[-1][1]) == READINGS_MAX:
            groups.append((reading.at, []))
        groups[-1][1].append(reading)
    return [(at, tuple(group)) for at, group in groups]


def _answers(call: LoggedMessage, answer: LoggedMessage) -> bool:
    """Whether a frame of the same session and message id answers the call, so that both fit into one row."""
    return (
        answer.direction is not call.direction
        and answer.station == call.station
        and answer.action == call.action
        and call.at <= answer.at <= call.at + PAIRED_WITHIN
    )


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
        places=tuple(map(text, record.places)),
        hours=tuple(map(text, record.hours)),
        time_zone=text(record.time_zone),
        credit=record.credit,
        concurrent_max=record.concurrent_max,
        in_local_list=record.in_local_list,
        priority=record.priority,
        language=text_or_none(record.language),
        language2=text_or_none(record.language2),
        message=text_or_none(record.message),
    )
