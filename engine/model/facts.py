"""What became true: the union of all facts and the records they rest in."""

from datetime import datetime

from engine.model.authorization import StopDropped, StopPlanned, TokenChecked, TokenRemoved, TokenSaved
from engine.model.availability import ConnectorStatusChanged
from engine.model.commands import CommandRequested, CommandSent, CommandSettled
from engine.model.data_transfer import DataReceived
from engine.model.metering import ReadingsRecorded
from engine.model.notices import NoticeRecorded
from engine.model.provisioning import StationBooted, StationSeen
from engine.model.sessions import SessionEnded, SessionStarted
from engine.model.stations import StationRegistered
from engine.model.transactions import TransactionEnded, TransactionOpened, TransactionUpdated
from engine.model.word import Word

Fact = (
    SessionStarted
    | SessionEnded
    | StationBooted
    | StationSeen
    | ConnectorStatusChanged
    | TokenChecked
    | TransactionOpened
    | TransactionUpdated
    | TransactionEnded
    | ReadingsRecorded
    | DataReceived
    | NoticeRecorded
    | CommandRequested
    | CommandSent
    | CommandSettled
    | StopPlanned
    | StopDropped
)
"""Facts about one station, in the station's own journal."""

OperatorFact = TokenSaved | TokenRemoved | StationRegistered
"""Facts the operator makes, in the operator's journal."""


class StationFacts(Word, frozen=True):
    """Facts about one station in the order in which they became true."""

    station: str
    facts: tuple[Fact, ...]


class JournalEntry(Word, frozen=True):
    """One entry of a shard's stream: all that one commit made true. `recorded_at`: our clock."""

    tenant: str
    recorded_at: datetime
    records: tuple[StationFacts, ...]


class OperatorEntry(Word, frozen=True):
    """One entry of the operator's stream."""

    tenant: str
    recorded_at: datetime
    facts: tuple[OperatorFact, ...]
