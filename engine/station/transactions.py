"""Transactions: what a message about one makes true. OCPP 1.6 sections 4.8 and 4.10, 2.1 block E.

    message        transaction unknown                  open                          ended
    Started        opened; 1.6: we name it              updated with what is new      updated (AFTER_END)
    Updated        opened (STARTED_UNSEEN), updated     updated                       updated (AFTER_END)
    Ended          opened (STARTED_UNSEEN), ended       ended                         updated (AFTER_END)
    any, repeated  -                                    answered, nothing recorded    answered, nothing recorded

                 Started                Ended
        unknown ---------------> open --------> ended
           |   Updated, Ended     ^
           '----------------------'             nothing leads back: an ended transaction stays so, and nothing but
              (STARTED_UNSEEN)                  Ended ends one; a status, a boot, a lost connection do not

Everything a station says is recorded and answered, however odd: an error would make it say it again and again and
block its queue (ocpp.md 12, 60). A 1.6 start always gets a number, whatever the verdict (1.6 section 4.8); a stop
cannot be refused. Messages come late, repeated, out of order and with gaps; `identification` finds what they are about.
Facts of one message, in order: TransactionOpened, ReadingsRecorded, TokenChecked, TransactionUpdated, TransactionEnded.
"""

from datetime import datetime
from typing import Any

import msgspec

from engine.model.authorization import TokenChecked, TokenVerdict
from engine.model.facts import Fact
from engine.model.ids import EvseRef
from engine.model.metering import ReadingsRecorded
from engine.model.transactions import (
    ChargingState,
    Stage,
    TransactionAnswer,
    TransactionEnded,
    TransactionFlag,
    TransactionOpened,
    TransactionReported,
    TransactionUpdated,
)
from engine.station import authorization
from engine.station.availability import CHARGING_STATE_OF_STATUS, connector_at
from engine.station.clocks import instant, skewed
from engine.station.context import Context
from engine.station.effects import Effect, Record, Reply
from engine.station.identification import NO_IDS, identified, repeated
from engine.station.ledger import KnownTransaction
from engine.station.metering import add_meter, finite, registers, start_reading, stop_reading
from engine.station.state import StationState

STOP_TRIGGERS = frozenset({"StopAuthorized", "Deauthorized"})
"""2.x triggerReasons of messages whose token is not the one that the transaction was started with."""


class _Message(msgspec.Struct, frozen=True, gc=False):
    """A report and what we make of it. `at`: the station's clock, or ours. `flags`: what is odd, known or unknown."""

    report: TransactionReported
    at: datetime
    received_at: datetime
    verdict: TokenVerdict | None
    flags: tuple[TransactionFlag, ...]
    token_unknown: bool

    @property
    def offline(self) -> bool:
        return self.report.offline or False


def reported(state: StationState, report: TransactionReported, context: Context) -> tuple[Effect, ...]:
    """Records the message and answers it."""
    message = _message(report, context)
    known = identified(state.ledger, report, context)
    facts: tuple[Fact, ...] = ()
    number = None if known is None else known.number
    if known is None and report.stage is Stage.STARTED:
        opened = _started(state, message, context)
        number = opened.number
        facts = (opened, *_begun(opened, message))
    elif known is None:
        opened = _unseen(state, message)
        facts = (opened, *_continued(KnownTransaction.opened(opened), message))
    elif not repeated(known, report, context):
        facts = _continued(known, message)
    answer = TransactionAnswer(
        stage=report.stage,
        number=number if report.stage is Stage.STARTED else None,
        verdict=message.verdict,
    )
    return *map(Record, facts), Reply(answer)


def _message(report: TransactionReported, context: Context) -> _Message:
    at = instant(report.at, context.received_at)
    skew = not report.offline and skewed(at, context.received_at, context.policy.clock_skew_s_max)
    token = report.token
    return _Message(
        report=report,
        at=at,
        received_at=context.received_at,
        verdict=None if token is None else authorization.verdict_on(token, context),
        flags=(TransactionFlag.CLOCK_SKEW,) if skew else (),
        token_unknown=token is not None and authorization.unknown(token, context),
    )


def _unseen(state: StationState, message: _Message) -> TransactionOpened:
    """A transaction whose start is not known, as the message before its start tells it."""
    report = message.report
    transaction_id, flags = report.transaction_id or "", message.flags
    if report.transaction_id in NO_IDS:
        transaction_id = _made_up(state, message)
        flags = (*flags, TransactionFlag.NO_TRANSACTION_ID)
    return TransactionOpened(
        transaction_id=transaction_id,
        started_at=message.at,
        received_at=message.received_at,
        evse=report.evse,
        offline=message.offline,
        flags=(TransactionFlag.STARTED_UNSEEN, *flags),
    )


def _started(state: StationState, message: _Message, context: Context) -> TransactionOpened:
    """A transaction as its start tells it."""
    report = message.report
    number, transaction_id, flags = None, report.transaction_id, message.flags
    if transaction_id is None:
        number = _number(state, context)
        transaction_id = str(number)
    elif not transaction_id:
        transaction_id = _made_up(state, message)
        flags = (*flags, TransactionFlag.NO_TRANSACTION_ID)
    if message.token_unknown:
        flags = (*flags, TransactionFlag.UNKNOWN_TOKEN)
    read = registers(report.readings, None)
    start_wh, location = start_reading(read, finite(report.meter_wh))
    return TransactionOpened(
        transaction_id=transaction_id,
        started_at=message.at,
        received_at=message.received_at,
        number=number,
        evse=report.evse,
        token=report.token,
        verdict=message.verdict,
        meter_start_wh=start_wh,
        sequence=report.sequence,
        trigger=report.trigger,
        charging_state=report.charging_state or _charging_since(state, report.evse, message.at),
        reservation_id=report.reservation_id,
        remote_start_id=report.remote_start_id,
        offline=message.offline,
        flags=flags,
        meter_location=location,
        phases_used=report.phases_used,
        cable_a_max=report.cable_a_max,
    )


def _number(state: StationState, context: Context) -> int:
    """A name that the station does not use already: it may still talk of transactions that another CSMS named."""
    number = context.ids.transaction_number()
    while state.ledger.find(str(number)) is not None or state.ledger.forgot(str(number)):
        number = context.ids.transaction_number()
    return number


def _made_up(state: StationState, message: _Message) -> str:
    """An id for a transaction that has none; it has no other of the station's, and the station does not know it."""
    return f"unnamed-{message.received_at:%Y%m%dT%H%M%S}-{state.ledger.unnamed_last + 1}"


def _charging_since(state: StationState, place: EvseRef | None, started_at: datetime) -> ChargingState | None:
    """1.6: the connector's status overtook the start; one from before the start belongs to something else."""
    connector = connector_at(state, place)
    if connector is None or connector.at < started_at:
        return None
    return CHARGING_STATE_OF_STATUS.get(connector.status)


def _begun(opened: TransactionOpened, message: _Message) -> tuple[Fact, ...]:
    """What the message that opened a transaction brings besides."""
    known = KnownTransaction.opened(opened)
    read = registers(message.report.readings, known.meter_location)
    if read is None or read.last_wh == known.meter_last_wh:
        return _readings(known, message)
    return *_readings(known, message), _updated(known, message, {"meter_last_wh": read.last_wh})


def _continued(known: KnownTransaction, message: _Message) -> tuple[Fact, ...]:
    """What the message adds to a known transaction."""
    facts: list[Fact] = [*_readings(known, message)]
    ends = message.report.stage is Stage.ENDED and known.ended_at is None
    news = _news(known, message)
    token = message.report.token
    if message.verdict is not None and token is not None and not ends:
        kept = token.key == known.token_key or "token" in news
        facts += () if kept else (TokenChecked(token=token, verdict=message.verdict, at=message.received_at),)
    updated = _updated(known, message, news) if news or (not ends and _counts(known, message)) else None
    if updated is not None:
        facts.append(updated)
    if ends:
        facts.append(_ended(known if updated is None else known.updated(updated), message))
    return tuple(facts)


def _readings(known: KnownTransaction, message: _Message) -> tuple[Fact, ...]:
    report = message.report
    if not report.readings:
        return ()
    recorded = ReadingsRecorded(
        readings=report.readings,
        received_at=message.received_at,
        transaction_id=known.transaction_id,
        evse=report.evse or known.place,
    )
    return (recorded,)


def _counts(known: KnownTransaction, message: _Message) -> bool:
    """Whether an update is recorded although it says nothing new: it has a sequence number, or comes after the end."""
    report = message.report
    if report.sequence is not None:
        return True
    return known.ended_at is not None and (bool(report.readings) or report.stage is Stage.ENDED)


def _news(known: KnownTransaction, message: _Message) -> dict[str, Any]:
    """What the message says that is not known yet, as fields of TransactionUpdated."""
    report = message.report
    late = report.sequence is not None and known.sequence_max is not None and report.sequence < known.sequence_max
    news: dict[str, Any] = {}
    if report.readings or report.meter_wh is not None:
        add_meter(news, known, report, late=late)
    if report.charging_state is not None and _tells_state(known, report, late=late):
        news["charging_state"] = report.charging_state
    if report.evse is not None and _tells_place(known, report.evse):
        news["evse"] = report.evse
    if report.token is not None and known.token_key is None and _starts_with_token(report):
        news["token"] = report.token
        news["verdict"] = message.verdict
    _add_told_once(news, report)
    return news


def _add_told_once(news: dict[str, Any], report: TransactionReported) -> None:
    """What stations say in one message of a transaction, whichever it is (2.1 E, 1.5)."""
    if report.reservation_id is not None:
        news["reservation_id"] = report.reservation_id
    if report.remote_start_id is not None:
        news["remote_start_id"] = report.remote_start_id
    if report.phases_used is not None:
        news["phases_used"] = report.phases_used
    if report.cable_a_max is not None:
        news["cable_a_max"] = report.cable_a_max


def _tells_state(known: KnownTransaction, report: TransactionReported, *, late: bool) -> bool:
    """Whether the charging state is the latest."""
    if known.ended_at is not None:
        return False
    return known.charging_state is None or not (late or report.stage is Stage.STARTED)


def _tells_place(known: KnownTransaction, place: EvseRef) -> bool:
    """Whether the place says more than is known; an absent connector says nothing."""
    if known.evse != place.evse:
        return True
    return place.connector is not None and place.connector != known.connector


def _starts_with_token(report: TransactionReported) -> bool:
    """Whether the token is the one the transaction is charged to, not one that stops it."""
    return report.stage is not Stage.ENDED and report.trigger not in STOP_TRIGGERS


def _updated(known: KnownTransaction, message: _Message, news: dict[str, Any]) -> TransactionUpdated:
    report = message.report
    flags = message.flags
    if message.token_unknown and "token" in news:
        flags = (*flags, TransactionFlag.UNKNOWN_TOKEN)
    if known.ended_at is not None:
        flags = (*flags, TransactionFlag.AFTER_END)
    return TransactionUpdated(
        transaction_id=known.transaction_id,
        at=message.at,
        received_at=message.received_at,
        sequence=report.sequence,
        trigger=report.trigger,
        offline=message.offline,
        flags=flags,
        stage=report.stage,
        **news,
    )


def _ended(known: KnownTransaction, message: _Message) -> TransactionEnded:
    report = message.report
    stop_wh = stop_reading(registers(report.readings, known.meter_location), finite(report.meter_wh))
    if stop_wh is None:
        stop_wh = known.meter_last_wh
    energy_wh = None
    if stop_wh is not None and known.meter_start_wh is not None:
        energy_wh = stop_wh - known.meter_start_wh
    flags = message.flags
    if message.token_unknown:
        flags = (*flags, TransactionFlag.UNKNOWN_TOKEN)
    if energy_wh is not None and energy_wh < 0:
        energy_wh = None
        flags = (*flags, TransactionFlag.METER_BACKWARDS)
    return TransactionEnded(
        transaction_id=known.transaction_id,
        ended_at=message.at,
        received_at=message.received_at,
        reason=report.stop_reason or "Local",
        sequence=report.sequence,
        trigger=report.trigger,
        token=report.token,
        meter_stop_wh=stop_wh,
        energy_wh=energy_wh,
        offline=message.offline,
        flags=flags,
        verdict=message.verdict,
    )
