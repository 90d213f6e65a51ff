"""Authorization: what a token may do. OCPP 1.6 sections 3.9, 3.10 and 4.1, 2.1 block C.

    asked, in this order       verdict                           asked of a token that stops
    no token is needed         Accepted                          yes
    unknown                    as the policy says                yes
    blocked                    Blocked                           yes
    expired                    Expired                           yes
    not at this station        NotAtThisLocation                 no
    not at this EVSE           NotAllowedTypeEVSE                no
    not at this hour           NotAtThisTime                     no
    no credit                  NoCredit                          no
    master pass                Invalid: it never starts          no
    charges elsewhere          ConcurrentTx                      no

Words that 1.6 lacks become Invalid there. A token that stops a transaction is asked little: whoever may not charge may
always stop. Authorize does not say what for: of a token that charges at this station it is taken as a stop.

A token that was presented while the station was offline is judged twice over. What the driver could see and obey
(expiry, hours) is judged as of then; what only we know (blocked, places, credit) as of now, because the station
remembers the verdict for the next time. Whatever the verdict, the transaction is kept.

ConcurrentTx looks at the station's own ledger, and at what the projection knows of all others (`storage.token_uses`):
a second behind, so two starts within it may both be accepted.
"""

from datetime import datetime, timedelta

import msgspec

from engine.model.authorization import (
    StopDropped,
    StopPlanned,
    Token,
    TokenAnswer,
    TokenChecked,
    TokenPresented,
    TokenRecord,
    TokenStatus,
    TokenVerdict,
    TransactionUse,
)
from engine.model.ids import EvseRef
from engine.model.remote_control import RequestStop
from engine.model.token_limits import allowed_evses, is_open
from engine.model.transactions import (
    Stage,
    TransactionAnswer,
    TransactionEnded,
    TransactionOpened,
    TransactionReported,
    TransactionUpdated,
)
from engine.station import commands
from engine.station.certificates import told_of_contract
from engine.station.clocks import instant
from engine.station.context import Context
from engine.station.effects import Effect, Record, Reply
from engine.station.ledger import KnownTransaction
from engine.station.policy import Policy
from engine.station.state import StationState

NO_AUTHORIZATION = "NoAuthorization"
"""2.x idToken type of stations that charge whoever plugs in, with an empty value (2.1 C02.FR.01)."""


STOP_TRIGGERS = frozenset({"StopAuthorized", "Deauthorized"})
"""2.x triggerReasons of messages whose token is not the one that the transaction was started with."""
OFFLINE_MAX = timedelta(days=30)
"""How long ago a token can have been presented."""


class Occasion(msgspec.Struct, frozen=True, gc=False):
    """What a token was presented for.

    `at`: when, by our clock or, of what is told later, the station's. `stops`: to stop a transaction. `starts`: to
    start one, certainly. `transaction_id`: of the transaction it is about; that one is not concurrent to itself.
    """

    at: datetime
    evse: EvseRef | None = None
    stops: bool = False
    starts: bool = False
    transaction_id: str | None = None


def needs_lookup(token: Token) -> bool:
    """Whether the verdict depends on the operator's record."""
    return bool(token.value) or token.type != NO_AUTHORIZATION


def unknown(token: Token, context: Context) -> bool:
    """Whether the operator should know the token and does not."""
    if not needs_lookup(token) or token.type in context.policy.authorization.types_accepted:
        return False
    return token.key not in context.tokens


def verdict_on(
    token: Token, context: Context, state: StationState | None = None, occasion: Occasion | None = None
) -> TokenVerdict:
    """What a station is told of a token. Without a state and an occasion: whether it is good at all, now."""
    if not needs_lookup(token):
        return TokenVerdict(TokenStatus.ACCEPTED)
    record = context.tokens.get(token.key)
    if record is None:
        accepted = token.type in context.policy.authorization.types_accepted
        return TokenVerdict(TokenStatus.ACCEPTED if accepted else context.policy.unknown_tokens)
    if state is None:
        return _told(record, _standing(record, context.now), context)
    occasion = occasion or Occasion(context.now)
    return _told(record, _judged(record, state, occasion, context), context, state.station, starts=occasion.starts)


def use_key(record: TokenRecord, policy: Policy) -> str:
    """Under which name the open transactions of a token, or of its group, are counted."""
    if policy.authorization.per_group and record.group:
        return f"group:{record.group}"
    return f"token:{record.token.key}"


def transactions_max(record: TokenRecord, policy: Policy) -> int:
    """How many transactions the token may have at once; 0: any number, so it does not matter where else it charges."""
    own = record.concurrent_max
    return policy.authorization.transactions_max if own is None else own


def _standing(record: TokenRecord, at: datetime) -> TokenStatus:
    """Of the token itself, whatever it is presented for."""
    if record.blocked:
        return TokenStatus.BLOCKED
    if record.expires_at is not None and record.expires_at <= at:
        return TokenStatus.EXPIRED
    return TokenStatus.ACCEPTED


def _judged(record: TokenRecord, state: StationState, occasion: Occasion, context: Context) -> TokenStatus:
    standing = _standing(record, occasion.at)
    if standing is not TokenStatus.ACCEPTED or occasion.stops:
        return standing
    if not occasion.starts and _charges_here(record.token, state):
        return standing
    evses = allowed_evses(record.places, state.station)
    if evses is None:
        return TokenStatus.NOT_AT_THIS_LOCATION
    if evses and occasion.evse is not None and occasion.evse.evse not in (0, *evses):
        return TokenStatus.NOT_ALLOWED_TYPE_EVSE
    if not is_open(record.hours, record.time_zone, occasion.at):
        return TokenStatus.NOT_AT_THIS_TIME
    if record.credit is not None and record.credit <= 0:
        return TokenStatus.NO_CREDIT
    if occasion.starts and record.group is not None and record.group == context.policy.authorization.master_group:
        return TokenStatus.INVALID
    return TokenStatus.CONCURRENT_TX if _is_concurrent(record, state, occasion, context) else TokenStatus.ACCEPTED


def _charges_here(token: Token, state: StationState) -> bool:
    return any(known.token_key == token.key for known in state.ledger.open)


def _is_concurrent(record: TokenRecord, state: StationState, occasion: Occasion, context: Context) -> bool:
    """Whether the token, or its group, has as many transactions as it may."""
    most = transactions_max(record, context.policy)
    if not most:
        return False
    told = context.uses.get(use_key(record, context.policy), ())
    here = {known.transaction_id: known for known in state.ledger.open}
    uses = {use for use in told if use.station != state.station or use.transaction_id in here}
    if not occasion.starts and any(use.station == state.station for use in uses):
        return False  # it may be there to stop one of its group
    uses |= {TransactionUse(state.station, name) for name, known in here.items() if known.token_key == record.token.key}
    uses.discard(TransactionUse(state.station, occasion.transaction_id or ""))
    return len(uses) >= most


def _told(
    record: TokenRecord, status: TokenStatus, context: Context, station: str = "", *, starts: bool = False
) -> TokenVerdict:
    """The verdict in full; the group goes with every one (2.1 C01.FR.06, C09.FR.09, C09.FR.12)."""
    accepted = status is TokenStatus.ACCEPTED
    expires_at = None if status is TokenStatus.BLOCKED else record.expires_at
    cache_s = context.policy.authorization.cache_s
    if cache_s is not None and accepted:
        until = context.now + timedelta(seconds=cache_s)
        expires_at = until if expires_at is None else min(until, expires_at)
    prepaid = record.credit is not None
    return TokenVerdict(
        status=status,
        expires_at=expires_at,
        group=record.group,
        cache_until=context.now if prepaid else None,
        evses=(allowed_evses(record.places, station) or ()) if station else (),
        cost_max=record.credit if prepaid and accepted and starts else None,
        priority=record.priority,
        language=record.language,
        language2=record.language2,
        message=record.message,
    )


def presented(state: StationState, report: TokenPresented, context: Context) -> tuple[Effect, ...]:
    """Answers Authorize."""
    verdict = verdict_on(report.token, context, state, Occasion(context.now))
    status = report.certificate_status
    if status is not None:
        verdict, status = told_of_contract(verdict, status)
    fact = TokenChecked(
        token=report.token, verdict=verdict, at=context.received_at, unknown=unknown(report.token, context)
    )
    return Record(fact), Reply(TokenAnswer(verdict=verdict, certificate_status=status))


def verdict_of_report(
    state: StationState, report: TransactionReported, known: KnownTransaction | None, context: Context
) -> TokenVerdict:
    """What a station is told of the token in a message about a transaction (2.1 C12.FR.03, E01.FR.11, E05.FR.01).

    `known`: the transaction, as the ledger has it. A token that its transaction has already, or another one, is there
    to stop it.
    """
    assert report.token is not None, "asked without a token"
    starts = report.stage is Stage.STARTED or (
        report.stage is Stage.UPDATED
        and report.trigger not in STOP_TRIGGERS
        and (known is None or known.token_key is None)
    )
    place = None if known is None else known.place
    occasion = Occasion(
        at=_presented_at(report, context),
        evse=report.evse or place,
        stops=not starts,
        starts=starts,
        transaction_id=report.transaction_id if known is None else known.transaction_id,
    )
    return verdict_on(report.token, context, state, occasion)


def _presented_at(report: TransactionReported, context: Context) -> datetime:
    """When the driver presented it. 1.6 does not say that a station was offline: its own clock tells.

    A clock that is further back than OFFLINE_MAX is taken for wrong.
    """
    at = instant(report.at, context.received_at)
    late = (context.received_at - at).total_seconds() > context.policy.clock_skew_s_max
    offline = late if report.offline is None else report.offline
    return at if offline and context.now - OFFLINE_MAX < at < context.now else context.now


def of_transaction(state: StationState, effects: tuple[Effect, ...], context: Context) -> tuple[Effect, ...]:
    """The effects of a transaction's message, and the plan to stop it where it runs on a token that is not accepted.

    Planned only by policy, and not at once: a station that stops by itself (StopTransactionOnInvalidId) does so before.
    Dropped when its token is accepted after all.
    """
    after_s = context.policy.authorization.stop_invalid_s
    if after_s is None and not state.planned_stops.stops:
        return effects
    told = next((effect.answer for effect in effects if isinstance(effect, Reply)), None)
    verdict = told.verdict if isinstance(told, TransactionAnswer) else None
    about = _transaction_of(effects)
    if verdict is None or about is None:
        return effects
    planned = state.planned_stops.find(about.transaction_id) is not None
    if planned and verdict.status is TokenStatus.ACCEPTED:
        return Record(StopDropped(about.transaction_id, context.now)), *effects
    begins = isinstance(about, TransactionOpened) or about.token is not None
    if after_s is None or planned or not begins or verdict.status is TokenStatus.ACCEPTED:
        return effects
    stop_at = context.now + timedelta(seconds=after_s)
    return Record(StopPlanned(about.transaction_id, stop_at, context.now)), *effects


def _transaction_of(effects: tuple[Effect, ...]) -> TransactionOpened | TransactionUpdated | None:
    """What a message changed of its transaction, the token's part of it; None: nothing, or its end."""
    facts = [effect.fact for effect in effects if isinstance(effect, Record)]
    changes = [fact for fact in facts if isinstance(fact, TransactionOpened | TransactionUpdated)]
    if any(isinstance(fact, TransactionEnded) for fact in facts):
        return None
    return next((fact for fact in changes if fact.token is not None), changes[-1] if changes else None)


def stop_due_at(state: StationState) -> datetime | None:
    """When the next planned stop is due."""
    return state.planned_stops.due_at


def stop_due(state: StationState, context: Context) -> tuple[Effect, ...]:
    """Asks the station to stop what still runs."""
    due = [stop.transaction_id for stop in state.planned_stops.stops if stop.stop_at <= context.now]
    running = {known.transaction_id for known in state.ledger.open}
    wanted = tuple((f"stop-invalid:{name}", RequestStop(transaction_id=name)) for name in due if name in running)
    dropped = [Record(StopDropped(name, context.now)) for name in due]
    return *dropped, *commands.issue_all(state, context, wanted)
