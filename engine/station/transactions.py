"""Transactions: what a message about one makes true. OCPP 1.6 sections 4.8 and 4.10, 2.1 block E.

    message        transaction unknown                  open                          ended
    Started        opened; 1.6: we name it              updated with what is new      updated (AFTER_END)
    Updated        opened (STARTED_UNSEEN), updated     updated                       updated (AFTER_END)
    Ended          opened (STARTED_UNSEEN), ended       ended                         updated (AFTER_END)
    any, repeated  -                                    answered, nothing recorded    answered, nothing recorded

                 Started                Ended
        unknown ---------------> open --------> ended
           |   Updated, Ended     ^
           '----------------------'             nothing leads back: an ended transaction stays so; a status, a boot, a
              (STARTED_UNSEEN)                  lost connection end none

What Narke ends by itself (ABANDONED) is superseded by a younger one at its connector, where the policy says so, or
unknown to its own station (GetTransactionStatus). A stop that comes after all is the truth: it ends it once more.
The whole table with the test of each row is docs/transactions.md.

Everything a station says is recorded and answered, however odd: an error would make it say it again and again and
block its queue (ocpp.md 12, 60). A 1.6 start always gets a number, whatever the verdict (1.6 section 4.8); a stop
cannot be refused. Messages come late, repeated, out of order and with gaps; `identification` finds what they are about.
Facts of one message, in order: TransactionOpened, ReadingsRecorded, TokenChecked, TransactionUpdated, TransactionEnded.
"""

from datetime import datetime
from typing import Any

import msgspec

from engine.model.authorization import TokenChecked, TokenVerdict
from engine.model.commands import CommandRequest, Outcome, Result
from engine.model.facts import Fact
from engine.model.ids import EvseRef
from engine.model.metering import ReadingsRecorded
from engine.model.transactions import (
    ChargingState,
    GetTransactionStatus,
    Stage,
    TransactionAnswer,
    TransactionEnded,
    TransactionFlag,
    TransactionLimit,
    TransactionOpened,
    TransactionReported,
    TransactionStatusTold,
    TransactionUpdated,
)
from engine.station import authorization, follow_ups, quirks
from engine.station.availability import CHARGING_STATE_OF_STATUS, connector_at
from engine.station.clocks import instant, skewed
from engine.station.context import Context
from engine.station.effects import Effect, Record, Reply
from engine.station.identification import NO_IDS, identified, repeated
from engine.station.ledger import KnownTransaction
from engine.station.metering import add_meter, finite, registers, start_reading, stop_reading
from engine.station.policy import Superseded
from engine.station.sequences import gaps_after
from engine.station.state import StationState

ABANDONED = "Abandoned"
"""Why a transaction ended that we ended; no word of OCPP."""
STOP_TRIGGERS = frozenset({"StopAuthorized", "Deauthorized"})
"""2.x triggerReasons of messages whose token is not the one that the transaction was started with."""


class _Message(msgspec.Struct, frozen=True, gc=False):
    """A report and what we make of it. `at`: the station's clock, or ours. `flags`: what is odd, known or unknown.

    `jitter_wh`: so much may the meter be lower at the end than at the start without a flag (a quirk).
    """

    report: TransactionReported
    at: datetime
    received_at: datetime
    verdict: TokenVerdict | None
    flags: tuple[TransactionFlag, ...]
    token_unknown: bool
    jitter_wh: float = 0.0

    @property
    def offline(self) -> bool:
        return self.report.offline or False


def reported(state: StationState, report: TransactionReported, context: Context) -> tuple[Effect, ...]:
    """Records the message and answers it."""
    known = identified(state.ledger, report, context)
    message = _message(state, report, known, context)
    facts: tuple[Fact, ...] = ()
    number, transaction_id = (None, "") if known is None else (known.number, known.transaction_id)
    if known is None and report.stage is Stage.STARTED:
        opened = _started(state, message, context)
        number, transaction_id = opened.number, opened.transaction_id
        facts = (*_superseded(state, opened, context), opened, *_begun(opened, message))
    elif known is None:
        opened = _unseen(state, message)
        transaction_id = opened.transaction_id
        facts = (opened, *_continued(KnownTransaction.opened(opened), message))
    elif not repeated(known, report, context):
        facts = _continued(known, message)
    answer = TransactionAnswer(
        stage=report.stage,
        number=number if report.stage is Stage.STARTED else None,
        verdict=message.verdict,
        limit=_limit(report, context) if known is None else None,
    )
    if state.awaited.items:
        return *follow_ups.said(state, report, transaction_id, context), *map(Record, facts), Reply(answer)
    return *map(Record, facts), Reply(answer)


def status_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """What a station said of a transaction; one that is over there and has nothing more to come is over here (E14)."""
    command = request.command
    assert isinstance(command, GetTransactionStatus), command
    if outcome.result is not Result.ACCEPTED or outcome.payload is None:
        return ()
    said = msgspec.json.decode(outcome.payload)
    told = TransactionStatusTold(
        messages_in_queue=bool(said.get("messagesInQueue")),
        at=context.now,
        transaction_id=command.transaction_id,
        ongoing=said.get("ongoingIndicator") if command.transaction_id is not None else None,
    )
    known = None if command.transaction_id is None else state.ledger.find(command.transaction_id)
    if known is None or known.ended_at is not None or told.ongoing is not False or told.messages_in_queue:
        return (Record(told),)
    return Record(told), Record(_abandoned(known, context))


def _superseded(state: StationState, opened: TransactionOpened, context: Context) -> tuple[Fact, ...]:
    """What becomes of the open transactions at the connector where a younger one begins: a car was there before."""
    place = opened.evse
    if place is None or not state.ledger.open or TransactionFlag.WRONG_CONNECTOR in opened.flags:
        return ()
    closes = context.policy.transactions.superseded is Superseded.CLOSE
    facts: list[Fact] = []
    for known in state.ledger.open:
        same = known.evse == place.evse and known.connector == place.connector
        if not same or known.started_at >= opened.started_at or known.unnamed:
            continue
        if closes:
            facts.append(_abandoned(known, context, TransactionFlag.SUPERSEDED))
        elif not known.superseded:
            facts.append(
                TransactionUpdated(
                    transaction_id=known.transaction_id,
                    at=opened.started_at,
                    received_at=opened.received_at,
                    flags=(TransactionFlag.SUPERSEDED,),
                )
            )
    return tuple(facts)


def _abandoned(known: KnownTransaction, context: Context, *flags: TransactionFlag) -> TransactionEnded:
    """The end that the station did not tell: now, at the last reading."""
    stop_wh, start_wh = known.meter_last_wh, known.meter_start_wh
    energy_wh = None if stop_wh is None or start_wh is None or stop_wh < start_wh else stop_wh - start_wh
    return TransactionEnded(
        transaction_id=known.transaction_id,
        ended_at=context.now,
        received_at=context.received_at,
        reason=ABANDONED,
        meter_stop_wh=stop_wh,
        energy_wh=energy_wh,
        flags=(*flags, TransactionFlag.ABANDONED),
    )


def _limit(report: TransactionReported, context: Context) -> TransactionLimit | None:
    """The limit that a starting transaction is told (2.1 E16.FR.02), unless the driver's own is tighter (E16.FR.08)."""
    limit = context.policy.transactions.limit
    if limit is None or report.stage is not Stage.STARTED:
        return None
    theirs = None if report.extras is None else report.extras.limit
    return None if theirs is not None and _within(theirs, limit) else limit


def _within(theirs: TransactionLimit, ours: TransactionLimit) -> bool:
    """Whether the station's limit is as low as ours in all that ours limits."""
    pairs = (
        (theirs.cost_max, ours.cost_max),
        (theirs.energy_wh_max, ours.energy_wh_max),
        (theirs.time_s_max, ours.time_s_max),
        (theirs.soc_percent_max, ours.soc_percent_max),
    )
    return all(limit is None or (said is not None and said <= limit) for said, limit in pairs)


def _message(
    state: StationState, report: TransactionReported, known: KnownTransaction | None, context: Context
) -> _Message:
    at = instant(report.at, context.received_at)
    skew = not report.offline and skewed(at, context.received_at, context.policy.clock_skew_s_max)
    token = report.token
    return _Message(
        report=report,
        at=at,
        received_at=context.received_at,
        verdict=None if token is None else authorization.verdict_of_report(state, report, known, context),
        flags=(TransactionFlag.CLOCK_SKEW,) if skew else (),
        token_unknown=token is not None and authorization.unknown(token, context),
        jitter_wh=quirks.effective(state, context).meter_jitter_wh if report.stage is Stage.ENDED else 0.0,
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
    if number is not None and (report.evse is None or report.evse.evse == 0):
        flags = (*flags, TransactionFlag.WRONG_CONNECTOR)
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
        extras=report.extras,
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
    if known.abandoned and message.report.stage is Stage.ENDED:
        known = msgspec.structs.replace(known, ended_at=None)  # what we ended, its station ends now
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
    if report.extras is not None and (report.stage is not Stage.ENDED or known.ended_at is not None):
        news["extras"] = report.extras
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
    """Whether the place says more than is known; an absent connector says nothing, and what is known stays."""
    if known.evse is None:
        return True
    return known.evse == place.evse and known.connector is None and place.connector is not None


def _misplaced(known: KnownTransaction, place: EvseRef) -> bool:
    """Whether the message names another place than the transaction's; a car does not move."""
    if known.evse is None:
        return False
    if known.evse != place.evse:
        return True
    return known.connector is not None and place.connector is not None and place.connector != known.connector


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
    if report.evse is not None and _misplaced(known, report.evse):
        flags = (*flags, TransactionFlag.WRONG_CONNECTOR)
    gaps = None if report.sequence is None else gaps_after(known, report.stage, report.sequence)
    return TransactionUpdated(
        transaction_id=known.transaction_id,
        at=message.at,
        received_at=message.received_at,
        sequence=report.sequence,
        trigger=report.trigger,
        offline=message.offline,
        flags=flags,
        stage=report.stage,
        gaps=gaps,
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
    gaps = None if report.sequence is None else gaps_after(known, report.stage, report.sequence)
    if energy_wh is not None and -message.jitter_wh <= energy_wh < 0:
        energy_wh = 0.0
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
        extras=report.extras,
        gaps=gaps,
    )
