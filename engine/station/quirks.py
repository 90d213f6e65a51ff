"""Quirks of a station where its messages are understood, and what was noticed of it that a quirk could help.

The switches follow from the station's make (as of its last boot) and from what its record names; both are in its state,
so they are known from the first message on. What is noticed is counted per station as long as it is of one make: an
ingress tells what it saw now and then (`OdditiesReported`), the rest is seen here, once a transaction.
"""

from collections.abc import Mapping
from datetime import datetime

from engine.model.facts import Fact
from engine.model.notices import NoticeAnswer
from engine.model.provisioning import BootReported
from engine.model.quirks import PLAIN, OdditiesCounted, OdditiesReported, Oddity, Quirks
from engine.model.sessions import SessionAnswer
from engine.model.transactions import Stage, TransactionEnded, TransactionFlag, TransactionReported
from engine.station.clocks import instant
from engine.station.context import Context
from engine.station.effects import Effect, Record, Reply
from engine.station.presence import make_of
from engine.station.state import StationState

EXAMPLE_MAX = 200
COUNT_MAX = 2**53
JITTER_WH_MAX = 10.0
"""A register that goes back by more was replaced or reset: no jitter."""
_HALF_HOUR_S = 1_800
_ZONE_TOLERANCE_S = 60.0
_ZONES_S_MAX = 14 * 3_600


def effective(state: StationState, context: Context) -> Quirks:
    """The switches of the station."""
    return context.policy.quirks.effective(state.make, state.quirks)


def told(quirks: Quirks) -> Quirks | None:
    """The switches as an ingress is told them; None: none is set."""
    return None if quirks is PLAIN else quirks


def of_boot(boot: BootReported, context: Context) -> tuple[tuple[str, ...], Quirks | None]:
    """What the record of a station that boots names, and the switches as its ingress is told them."""
    names = () if context.record is None else context.record.quirks
    return names, told(context.policy.quirks.effective(make_of(boot), names))


def welcome(state: StationState, context: Context) -> SessionAnswer:
    """What the ingress of a new session must know of the station."""
    return SessionAnswer(
        heartbeat_s=context.policy.heartbeat_interval_s,
        booted=state.registration is not None,
        quirks=told(effective(state, context)),
    )


def noticed(state: StationState, report: OdditiesReported, context: Context) -> tuple[Effect, ...]:
    """Adds what an ingress noticed to what is known."""
    known = {oddity.value for oddity in Oddity}
    counts = {name: count for name, count in report.counts.items() if name in known and count > 0}
    if not counts:
        return (Reply(NoticeAnswer()),)
    return Record(counted(state, counts, context.received_at, report.examples)), Reply(NoticeAnswer())


def counted(
    state: StationState, news: Mapping[str, int], at: datetime, examples: Mapping[str, str] | None = None
) -> OdditiesCounted:
    """All counts with the news: a fact that says the same however often it is projected."""
    of_new_make = bool(state.noticed.counts) and state.noticed.make != state.make
    before = {} if of_new_make else state.noticed.counts
    counts = {**before, **{name: min(before.get(name, 0) + count, COUNT_MAX) for name, count in news.items()}}
    shown = {name: text[:EXAMPLE_MAX] for name, text in (examples or {}).items() if name in news}
    return OdditiesCounted(counts=counts, noted_at=at, make=state.make, examples=shown, of_new_make=of_new_make)


def of_transaction(
    state: StationState, report: TransactionReported, effects: tuple[Effect, ...], context: Context
) -> tuple[Effect, ...]:
    """The effects, and what they show of the station; looked at when a transaction starts or ends."""
    if report.stage is Stage.UPDATED:
        return effects
    if report.stage is Stage.STARTED:
        news = _of_clock(report, context)
    else:
        news = _of_end(state, report, [effect.fact for effect in effects if isinstance(effect, Record)])
    if not news:
        return effects
    noted = Record(counted(state, dict.fromkeys(news, 1), context.received_at, news))
    replies = tuple(effect for effect in effects if isinstance(effect, Reply))
    return *[effect for effect in effects if not isinstance(effect, Reply)], noted, *replies


def _of_clock(report: TransactionReported, context: Context) -> dict[str, str]:
    """Local time that calls itself UTC is off by half hours and next to nothing."""
    if report.at is None or report.offline:
        return {}
    ahead_s = (instant(report.at, context.received_at) - context.received_at).total_seconds()
    half_hours = round(ahead_s / _HALF_HOUR_S)
    if half_hours == 0 or abs(ahead_s) > _ZONES_S_MAX or abs(ahead_s - half_hours * _HALF_HOUR_S) > _ZONE_TOLERANCE_S:
        return {}
    return {Oddity.CLOCK_OFF_BY_ZONE.value: str(half_hours * 30)}


def _of_end(state: StationState, report: TransactionReported, facts: list[Fact]) -> dict[str, str]:
    news: dict[str, str] = {}
    for fact in facts:
        if isinstance(fact, TransactionEnded):
            if report.sequence == 0:
                news[Oddity.SEQUENCE_ZERO.value] = fact.transaction_id
            back_wh = _back_wh(state, fact)
            if TransactionFlag.METER_BACKWARDS in fact.flags and 0 < back_wh <= JITTER_WH_MAX:
                news[Oddity.METER_BACKWARDS.value] = f"{back_wh:g}"
    return news


def _back_wh(state: StationState, ended: TransactionEnded) -> float:
    """By how much the register went back from start to end; 0: it did not, or nobody knows."""
    known = state.ledger.find(ended.transaction_id)
    if known is None or known.meter_start_wh is None or ended.meter_stop_wh is None:
        return 0.0
    return known.meter_start_wh - ended.meter_stop_wh
