"""Identification: which of the known transactions a message is about. OCPP 1.6 errata 3.18, ocpp.md 39 to 41.

A transaction is never guessed: a message without a usable id is tied to an open transaction only where the connector or
the token says so, nothing contradicts, and no other is possible.
"""

from datetime import datetime

from engine.model.ids import EvseRef
from engine.model.transactions import Stage, TransactionReported
from engine.station.clocks import instant
from engine.station.context import Context
from engine.station.ledger import KnownTransaction, Ledger
from engine.station.metering import finite

NO_IDS = frozenset({None, "", "-1", "0", "9223372036854775807"})
"""What stations send that never got an id from us; the last is Alfen's."""


def identified(ledger: Ledger, report: TransactionReported, context: Context) -> KnownTransaction | None:
    """The transaction the message is about; None: not known (any more)."""
    transaction_id = report.transaction_id
    at = instant(report.at, context.received_at)
    if transaction_id:
        known = ledger.find(transaction_id)
        if known is not None:
            return known
        if ledger.forgot(transaction_id):
            return KnownTransaction(transaction_id, started_at=at, started=True, ended_at=at)
    if transaction_id not in NO_IDS:
        return None
    if report.stage is Stage.STARTED:
        return _same_start(ledger, report) if transaction_id is None else _same_message(ledger, report, at)
    return _same_message(ledger, report, at) or _same_stop(ledger, report) or _correlated(ledger, report)


def repeated(known: KnownTransaction, report: TransactionReported, context: Context) -> bool:
    """Whether all that the message says was heard before: the station lost the answer and says it again."""
    if report.transaction_id is None and report.stage is Stage.STARTED:
        return True
    at = instant(report.at, context.received_at)
    if report.sequence is None:
        return _repeated_without_sequence(known, report)
    if not known.has_heard(report.stage, report.sequence, at, report.trigger):
        return False
    counts = report.sequence > 0 or report.stage is not Stage.UPDATED
    return counts or report.charging_state in (None, known.charging_state)


def _repeated_without_sequence(known: KnownTransaction, report: TransactionReported) -> bool:
    """1.6: a start and a stop happen once; meter values may share a time and are all recorded."""
    match report.stage:
        case Stage.STARTED:
            return known.started and report.at is not None and instant(report.at, report.at) == known.started_at
        case Stage.UPDATED:
            return False
        case Stage.ENDED:
            return _same_end(known, report)


def _same_end(known: KnownTransaction, report: TransactionReported) -> bool:
    if known.ended_at is None or report.at is None or instant(report.at, report.at) != known.ended_at:
        return False
    stop_wh = finite(report.meter_wh)
    return stop_wh is None or stop_wh == known.meter_last_wh


def _same_start(ledger: Ledger, report: TransactionReported) -> KnownTransaction | None:
    """The transaction that this very StartTransaction opened: some stations say it again under a new message id."""
    if report.at is None:
        return None
    at = instant(report.at, report.at)
    place = report.evse
    token_key = None if report.token is None else report.token.key
    for known in ledger:
        if (
            known.number is not None
            and known.started_at == at
            and known.place == place
            and known.token_key == token_key
            and known.meter_start_wh == finite(report.meter_wh)
        ):
            return known
    return None


def _same_message(ledger: Ledger, report: TransactionReported, at: datetime) -> KnownTransaction | None:
    """The transaction that heard this very message before; only of those without an id, and by sequence number."""
    if report.sequence is None:
        return None
    for known in ledger:
        if known.unnamed and known.has_heard(report.stage, report.sequence, at, report.trigger):
            return known
    return None


def _same_stop(ledger: Ledger, report: TransactionReported) -> KnownTransaction | None:
    """The transaction that this very stop, without an id, ended."""
    if report.stage is not Stage.ENDED:
        return None
    return next((known for known in ledger.ended if _same_end(known, report) and _agrees(known, report)), None)


def _correlated(ledger: Ledger, report: TransactionReported) -> KnownTransaction | None:
    """The one open transaction that the message can be about.

    Those that connector or token point to come first, and of them those that have no id either; where nothing points
    anywhere, the message is about the only transaction without an id.
    """
    possible = [known for known in ledger.open if _agrees(known, report)]
    unnamed = [known for known in possible if known.unnamed]
    evident = [known for known in possible if _evident(known, report)]
    for candidates in ([known for known in evident if known.unnamed], evident, unnamed):
        if candidates:
            return candidates[0] if len(candidates) == 1 else None
    return None


def _agrees(known: KnownTransaction, report: TransactionReported) -> bool:
    """Nothing the message says contradicts what is known."""
    if report.at is not None and instant(report.at, report.at) < known.started_at:
        return False
    if report.token is not None and known.token_key not in (None, report.token.key):
        return False
    return report.evse is None or known.evse is None or _same_place(known, report.evse)


def _evident(known: KnownTransaction, report: TransactionReported) -> bool:
    """Connector or token say that it is this one."""
    if report.token is not None and known.token_key == report.token.key:
        return True
    return report.evse is not None and known.evse is not None and _same_place(known, report.evse)


def _same_place(known: KnownTransaction, place: EvseRef) -> bool:
    if known.evse != place.evse:
        return False
    return known.connector is None or place.connector is None or known.connector == place.connector
