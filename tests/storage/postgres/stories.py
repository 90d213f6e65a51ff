"""Facts as they come: the stories of a 1.6 and a 2.x charging session, told to the projection."""

from datetime import UTC, datetime, timedelta

from engine.model.authorization import Token, TokenChecked, TokenStatus, TokenVerdict
from engine.model.availability import ConnectorStatus, ConnectorStatusChanged, ConnectorStatusReported
from engine.model.facts import Fact, JournalEntry, OperatorEntry, OperatorFact, StationFacts
from engine.model.ids import EvseRef
from engine.model.messages import Direction, LoggedMessage
from engine.model.metering import Reading, ReadingsRecorded
from engine.model.provisioning import BootReported, Registration, StationBooted
from engine.model.sessions import SessionClosed, SessionEnded, SessionOpened, SessionStarted
from engine.model.transactions import (
    ChargingState,
    Stage,
    TransactionEnded,
    TransactionOpened,
    TransactionUpdated,
)
from storage.journal_reader import StreamEntry

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
ACCEPTED = TokenVerdict(status=TokenStatus.ACCEPTED, group="fleet")
TAG = Token(value="04A1B2C3", type="ISO14443")


def at(seconds: float) -> datetime:
    """Our clock, so long after the beginning."""
    return NOW + timedelta(seconds=seconds)


def theirs(seconds: float) -> datetime:
    """The station's clock at that moment: 90 s slow."""
    return at(seconds - 90)


def entry(entry_id: str, *facts: Fact, station: str = "CP-1", stream: str = "s1") -> StreamEntry:
    records = (StationFacts(station=station, facts=facts),)
    return StreamEntry(stream, entry_id, JournalEntry(tenant="default", recorded_at=NOW, records=records))


def operator_entry(entry_id: str, *facts: OperatorFact) -> StreamEntry:
    return StreamEntry("operator", entry_id, OperatorEntry(tenant="default", recorded_at=NOW, facts=facts))


def message(seconds: float, *, station: str = "CP-1", **fields) -> LoggedMessage:
    told = {"direction": Direction.IN, "kind": "call", "frame": "[2]", "action": "Heartbeat"} | fields
    return LoggedMessage(station=station, session="i:1:1", at=at(seconds), **told)


def session_started(seconds: float = 0, *, session: str = "i:1:1", version: str = "1.6") -> SessionStarted:
    return SessionStarted(
        opened=SessionOpened(session=session, ingress="ingress-0", version=version, address="10.0.0.7", at=at(seconds))
    )


def session_ended(seconds: float, *, session: str = "i:1:1") -> SessionEnded:
    return SessionEnded(closed=SessionClosed(session=session, code=1006, reason="gone", at=at(seconds)))


def booted(seconds: float = 1) -> StationBooted:
    boot = BootReported(
        vendor="ACME", model="One", serial_number="S-1", firmware_version="1.2", iccid="89", imsi="26", meter_type="M",
        meter_serial_number="MS-1", reason="PowerUp",
    )  # fmt: skip
    return StationBooted(boot=boot, registration=Registration.ACCEPTED, interval_s=300, at=at(seconds))


def status(seconds: float, word: ConnectorStatus, *, evse: EvseRef = EvseRef(1, 1), **fields) -> ConnectorStatusChanged:  # noqa: B008 (frozen)
    report = ConnectorStatusReported(evse=evse, status=word, at=theirs(seconds), **fields)
    return ConnectorStatusChanged(report=report, received_at=at(seconds))


def readings(seconds: float, *values_wh: float, transaction_id: str | None = "7") -> ReadingsRecorded:
    told = tuple(Reading(at=theirs(seconds), value=value) for value in values_wh)
    return ReadingsRecorded(readings=told, received_at=at(seconds), transaction_id=transaction_id, evse=EvseRef(1, 1))


def story_16(*, station: str = "CP-1", stream: str = "s1") -> list[StreamEntry]:
    """A 1.6 session in seven commits: connect, boot, authorise, start, two readings, stop, disconnect. 1,500 Wh."""
    started = TransactionOpened(
        transaction_id="7", number=7, started_at=theirs(20), received_at=at(20), evse=EvseRef(1, 1), token=TAG,
        verdict=ACCEPTED, meter_start_wh=1000.0, reservation_id=5,
    )  # fmt: skip
    ended = TransactionEnded(
        transaction_id="7", ended_at=theirs(200), received_at=at(200), reason="EVDisconnected", token=TAG,
        meter_stop_wh=2500.0, energy_wh=1500.0,
    )  # fmt: skip
    commits: list[tuple[Fact, ...]] = [
        (session_started(0), booted(1), status(2, ConnectorStatus.AVAILABLE)),
        (TokenChecked(token=TAG, verdict=ACCEPTED, at=at(10)), status(11, ConnectorStatus.PREPARING)),
        (started, status(21, ConnectorStatus.CHARGING)),
        (
            TransactionUpdated(
                transaction_id="7", at=theirs(80), received_at=at(80), meter_last_wh=1400.0,
                charging_state=ChargingState.CHARGING,
            ),
            readings(80, 1400.0),
        ),
        (
            TransactionUpdated(transaction_id="7", at=theirs(140), received_at=at(140), meter_last_wh=2100.0),
            readings(140, 2100.0),
        ),
        (ended, status(201, ConnectorStatus.AVAILABLE)),
        (session_ended(300),),
    ]  # fmt: skip
    return [
        entry(f"{1763719200000 + number}-0", *facts, station=station, stream=stream)
        for number, facts in enumerate(commits)
    ]


def story_21(*, station: str = "EVSE-21", stream: str = "s2") -> list[StreamEntry]:
    """A 2.1 session: starts without meter or token, learns them, runs offline for a while, ends on another token."""
    transaction_id = "b5e9a1d0-tx"
    opened = TransactionOpened(
        transaction_id=transaction_id, started_at=theirs(10), received_at=at(10), evse=EvseRef(2), sequence=0,
        trigger="CablePluggedIn", charging_state=ChargingState.EV_CONNECTED, remote_start_id=77, phases_used=3,
        cable_a_max=32.0,
    )  # fmt: skip
    commits: list[tuple[Fact, ...]] = [
        (session_started(0, session="i:1:2", version="2.1"), opened),
        (
            TransactionUpdated(
                transaction_id=transaction_id, at=theirs(20), received_at=at(20), sequence=1, trigger="Authorized",
                token=Token(value="DE-ABC-1", type="eMAID"), verdict=ACCEPTED, evse=EvseRef(2, 1), meter_start_wh=500.5,
                meter_last_wh=500.5,
            ),
            readings(20, 500.5, transaction_id=transaction_id),
        ),
        (
            TransactionUpdated(
                transaction_id=transaction_id, at=theirs(30), received_at=at(400), sequence=2, meter_last_wh=800.5,
                charging_state=ChargingState.SUSPENDED_EV, offline=True,
            ),
            readings(400, 600.5, 800.5, transaction_id=transaction_id),
        ),
        (
            TransactionEnded(
                transaction_id=transaction_id, ended_at=theirs(500), received_at=at(500), reason="Remote", sequence=3,
                token=Token(value="MASTER"), meter_stop_wh=900.5, energy_wh=400.0,
                verdict=TokenVerdict(status=TokenStatus.BLOCKED),
            ),
        ),
    ]  # fmt: skip
    return [
        entry(f"{1763719200000 + number}-0", *facts, station=station, stream=stream)
        for number, facts in enumerate(commits)
    ]


def late_start(seconds: float, *, started: float) -> TransactionUpdated:
    """A start that comes after other messages of its transaction."""
    return TransactionUpdated(
        transaction_id="7", at=theirs(started), received_at=at(seconds), stage=Stage.STARTED, meter_start_wh=1000.0,
        token=TAG, verdict=ACCEPTED,
    )  # fmt: skip
