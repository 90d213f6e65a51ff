"""Transactions: what each fact does to a transaction's row. OCPP 2.1 block E."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

import msgspec

from engine.model.authorization import Token, TokenVerdict
from engine.model.ids import EvseRef
from engine.model.transactions import Stage, TransactionEnded, TransactionFlag, TransactionOpened, TransactionUpdated
from storage.projection.clean import text, text_or_none
from storage.queries.rows import TransactionRow

Value = TypeVar("Value")
TransactionFact = TransactionOpened | TransactionUpdated | TransactionEnded


def transaction_after(row: TransactionRow | None, station: str, fact: TransactionFact) -> TransactionRow:
    """The row after the fact; `row` None: there was none (then an update or end makes one that says so)."""
    if row is None:
        row = _new(station, fact)
    match fact:
        case TransactionOpened():
            return _opened(row, fact)
        case TransactionUpdated():
            return _updated(row, fact)
        case TransactionEnded():
            return _ended(row, fact)


def heard_of(row: TransactionRow, received_at: datetime) -> TransactionRow:
    """The row after readings came in: it bounds the partitions in which they are looked for."""
    if received_at <= row.updated_at:
        return row
    return msgspec.structs.replace(row, updated_at=received_at)


def _new(station: str, fact: TransactionFact) -> TransactionRow:
    started_at = fact.started_at if isinstance(fact, TransactionOpened) else fact.received_at
    seen = isinstance(fact, TransactionOpened)
    return TransactionRow(
        station=station,
        transaction_id=text(fact.transaction_id),
        started_at=started_at,
        start_received_at=fact.received_at,
        updated_at=fact.received_at,
        flags=() if seen else (TransactionFlag.STARTED_UNSEEN.value,),
    )


def _opened(row: TransactionRow, fact: TransactionOpened) -> TransactionRow:
    guessed = TransactionFlag.STARTED_UNSEEN in fact.flags  # opened once more, after the decider had forgotten it
    return msgspec.structs.replace(
        row,
        started_at=row.started_at if guessed else fact.started_at,
        start_received_at=min(row.start_received_at, fact.received_at),
        updated_at=max(row.updated_at, fact.received_at),
        number=_or(fact.number, row.number),
        meter_start_wh=_or(fact.meter_start_wh, row.meter_start_wh),
        charging_state=_or(fact.charging_state and fact.charging_state.value, row.charging_state),
        last_sequence=_highest(row.last_sequence, fact.sequence),
        remote_start_id=_or(fact.remote_start_id, row.remote_start_id),
        reservation_id=_or(fact.reservation_id, row.reservation_id),
        offline=row.offline or fact.offline,
        phases_used=_or(fact.phases_used, row.phases_used),
        cable_a_max=_or(fact.cable_a_max, row.cable_a_max),
        flags=_flags(row, fact.flags),
        **_evse(row, fact.evse),
        **_token(fact.token, fact.verdict),
    )


def _updated(row: TransactionRow, fact: TransactionUpdated) -> TransactionRow:
    meter_start_wh = _or(fact.meter_start_wh, row.meter_start_wh)
    meter_last_wh = _or(fact.meter_last_wh, row.meter_last_wh)
    return msgspec.structs.replace(
        row,
        started_at=fact.at if fact.stage is Stage.STARTED else row.started_at,
        updated_at=max(row.updated_at, fact.received_at),
        meter_start_wh=meter_start_wh,
        meter_last_wh=meter_last_wh,
        meter_stop_wh=_or(row.meter_stop_wh, None if row.ended_at is None else fact.meter_last_wh),
        energy_wh=_energy(row, fact, meter_start_wh, meter_last_wh),
        charging_state=_or(fact.charging_state and fact.charging_state.value, row.charging_state),
        last_sequence=_highest(row.last_sequence, fact.sequence),
        remote_start_id=_or(fact.remote_start_id, row.remote_start_id),
        reservation_id=_or(fact.reservation_id, row.reservation_id),
        phases_used=_or(fact.phases_used, row.phases_used),
        cable_a_max=_or(fact.cable_a_max, row.cable_a_max),
        offline=row.offline or fact.offline,
        flags=_flags(row, fact.flags),
        **_evse(row, fact.evse),
        **_token(fact.token, fact.verdict),
    )


def _ended(row: TransactionRow, fact: TransactionEnded) -> TransactionRow:
    return msgspec.structs.replace(
        row,
        updated_at=max(row.updated_at, fact.received_at),
        ended_at=fact.ended_at,
        end_received_at=fact.received_at,
        stop_reason=text(fact.reason),
        stop_token=_or(text_or_none(None if fact.token is None else fact.token.value), row.stop_token),
        stop_token_status=_or(fact.verdict and fact.verdict.status.value, row.stop_token_status),
        meter_stop_wh=_or(fact.meter_stop_wh, row.meter_stop_wh),
        energy_wh=fact.energy_wh,
        last_sequence=_highest(row.last_sequence, fact.sequence),
        offline=row.offline or fact.offline,
        flags=_flags(row, fact.flags),
    )


def _energy(
    row: TransactionRow, fact: TransactionUpdated, start_wh: float | None, last_wh: float | None
) -> float | None:
    """Stays as it was while the register runs backwards (the transaction's flags tell of that).

    What the end told is final, but what it could not tell may be completed later.
    """
    if fact.meter_start_wh is None and fact.meter_last_wh is None:
        return row.energy_wh
    if row.ended_at is not None and row.meter_stop_wh is not None:
        last_wh = row.meter_stop_wh
    if start_wh is None or last_wh is None or last_wh < start_wh:
        return row.energy_wh
    return last_wh - start_wh


def _evse(row: TransactionRow, evse: EvseRef | None) -> dict[str, int | None]:
    if evse is None:
        return {}
    same = evse.evse == row.evse
    return {"evse": evse.evse, "connector": row.connector if same and evse.connector is None else evse.connector}


def _token(token: Token | None, verdict: TokenVerdict | None) -> dict[str, str | None]:
    fields: dict[str, str | None] = {}
    if token is not None:
        fields |= {"token": text(token.value), "token_type": text_or_none(token.type)}
    if verdict is not None:
        fields |= {"token_status": verdict.status.value, "token_group": text_or_none(verdict.group)}
    return fields


def _flags(row: TransactionRow, flags: Iterable[TransactionFlag]) -> tuple[str, ...]:
    return row.flags + tuple(flag.value for flag in flags if flag.value not in row.flags)


def _highest(before: int | None, now: int | None) -> int | None:
    if before is None or now is None:
        return _or(now, before)
    return max(before, now)


def _or(new: Value | None, old: Value | None) -> Value | None:
    return old if new is None else new
