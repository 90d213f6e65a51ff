"""Transactions: what each fact does to a transaction's row. OCPP 2.1 block E."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from engine.model.authorization import Token, TokenVerdict
from engine.model.ids import EvseRef
from engine.model.transactions import (
    Gaps,
    Stage,
    TransactionEnded,
    TransactionExtras,
    TransactionFlag,
    TransactionOpened,
    TransactionUpdated,
)
from storage.projection.clean import json_text, text, text_or_none
from storage.queries.rows import Json, TransactionRow

Value = TypeVar("Value")
TransactionFact = TransactionOpened | TransactionUpdated | TransactionEnded

PROGRESS = ("updated_at", "meter_last_wh", "energy_wh", "charging_state", "last_sequence")
"""The columns that change while a transaction goes on; none of them is in an index."""


def transaction_after(
    row: TransactionRow | None, station: str, facts: Sequence[TransactionFact]
) -> TransactionRow | None:
    """The row after facts about the transaction, in their order.

    `row` None: there was none; then an update or end makes one that says so. None: there still is none.
    """
    news: list[TransactionUpdated] = []
    for fact in facts:
        if row is not None and isinstance(fact, TransactionUpdated) and _only_goes_on(row, fact):
            news.append(fact)
            continue
        if row is None:
            row = _new(station, fact)
        elif news:
            row, news = _went_on(row, news), []
        match fact:
            case TransactionOpened():
                row = _opened(row, fact)
            case TransactionUpdated():
                row = _updated(row, fact)
            case TransactionEnded():
                row = _ended(row, fact)
    return row if row is None or not news else _went_on(row, news)


def is_progress(before: TransactionRow, after: TransactionRow) -> bool:
    """Whether no column but those of `PROGRESS` has changed."""
    return after == msgspec.structs.replace(
        before,
        updated_at=after.updated_at,
        meter_last_wh=after.meter_last_wh,
        energy_wh=after.energy_wh,
        charging_state=after.charging_state,
        last_sequence=after.last_sequence,
    )


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
        details=_details(row, fact.extras),
        flags=_flags(row, fact.flags),
        **_evse(row, fact.evse),
        **_token(fact.token, fact.verdict),
    )


def _only_goes_on(row: TransactionRow, fact: TransactionUpdated) -> bool:
    """Whether the fact tells nothing but progress of a transaction that is open, as nearly all do."""
    return (
        row.ended_at is None
        and fact.stage is not Stage.STARTED
        and fact.meter_start_wh is None
        and fact.evse is None
        and fact.token is None
        and fact.verdict is None
        and fact.reservation_id is None
        and fact.remote_start_id is None
        and fact.phases_used is None
        and fact.cable_a_max is None
        and fact.extras is None
        and fact.gaps is None
        and not fact.offline
        and not fact.flags
    )


def _went_on(row: TransactionRow, news: Sequence[TransactionUpdated]) -> TransactionRow:
    """`_updated` for each of `news`, which only go on: one new row instead of one for each."""
    updated_at, last_wh, energy_wh = row.updated_at, row.meter_last_wh, row.energy_wh
    state, sequence = row.charging_state, row.last_sequence
    for fact in news:
        updated_at = max(updated_at, fact.received_at)
        if fact.meter_last_wh is not None:
            last_wh = fact.meter_last_wh
            energy_wh = _energy(row, energy_wh, row.meter_start_wh, last_wh)
        if fact.charging_state is not None:
            state = fact.charging_state.value
        if fact.sequence is not None:
            sequence = _highest(sequence, fact.sequence)
    return msgspec.structs.replace(
        row,
        updated_at=updated_at,
        meter_last_wh=last_wh,
        energy_wh=energy_wh,
        charging_state=state,
        last_sequence=sequence,
    )


def _updated(row: TransactionRow, fact: TransactionUpdated) -> TransactionRow:
    meter_start_wh = _or(fact.meter_start_wh, row.meter_start_wh)
    meter_last_wh = _or(fact.meter_last_wh, row.meter_last_wh)
    told_meter = fact.meter_start_wh is not None or fact.meter_last_wh is not None
    return msgspec.structs.replace(
        row,
        started_at=fact.at if fact.stage is Stage.STARTED else row.started_at,
        updated_at=max(row.updated_at, fact.received_at),
        meter_start_wh=meter_start_wh,
        meter_last_wh=meter_last_wh,
        meter_stop_wh=_or(row.meter_stop_wh, None if row.ended_at is None else fact.meter_last_wh),
        energy_wh=_energy(row, row.energy_wh, meter_start_wh, meter_last_wh) if told_meter else row.energy_wh,
        charging_state=_or(fact.charging_state and fact.charging_state.value, row.charging_state),
        last_sequence=_highest(row.last_sequence, fact.sequence),
        remote_start_id=_or(fact.remote_start_id, row.remote_start_id),
        reservation_id=_or(fact.reservation_id, row.reservation_id),
        phases_used=_or(fact.phases_used, row.phases_used),
        cable_a_max=_or(fact.cable_a_max, row.cable_a_max),
        gaps=_gaps(row, fact.gaps),
        details=_details(row, fact.extras),
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
        gaps=_gaps(row, fact.gaps),
        details=_details(row, fact.extras),
        offline=row.offline or fact.offline,
        flags=_flags(row, fact.flags),
    )


def _energy(
    row: TransactionRow, energy_wh: float | None, start_wh: float | None, last_wh: float | None
) -> float | None:
    """The energy after news of the meter, before which it was `energy_wh`.

    Stays as it was while the register runs backwards (the transaction's flags tell of that). What the end told is
    final, but what it could not tell may be completed later.
    """
    if row.ended_at is not None and row.meter_stop_wh is not None:
        last_wh = row.meter_stop_wh
    if start_wh is None or last_wh is None or last_wh < start_wh:
        return energy_wh
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


def _gaps(row: TransactionRow, gaps: Gaps | None) -> str | None:
    if gaps is None:
        return row.gaps
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in gaps) or None


def _details(row: TransactionRow, extras: TransactionExtras | None) -> Json:
    """What 2.x says besides, each as said last."""
    if extras is None:
        return row.details
    said = {name: getattr(extras, name) for name in extras.__struct_fields__}
    cost = json_text(extras.cost)
    said |= {"cost": None if cost is None else msgspec.json.decode(cost), "limit": _limit(extras)}
    before = row.details if isinstance(row.details, dict) else {}
    return {**before, **{name: value for name, value in said.items() if value is not None}}


def _limit(extras: TransactionExtras) -> dict[str, object] | None:
    limit = extras.limit
    if limit is None:
        return None
    said = {name: getattr(limit, name) for name in limit.__struct_fields__}
    return {name: value for name, value in said.items() if value is not None}


def _highest(before: int | None, now: int | None) -> int | None:
    if before is None or now is None:
        return _or(now, before)
    return max(before, now)


def _or(new: Value | None, old: Value | None) -> Value | None:
    return old if new is None else new
