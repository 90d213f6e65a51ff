"""Authorization: what a token may do. OCPP 1.6 sections 3.9, 3.10 and 4.1, 2.1 C01, C02.

ConcurrentTx is never said: whether a token charges elsewhere is not known to a station's decider.
"""

from engine.model.authorization import Token, TokenAnswer, TokenChecked, TokenPresented, TokenStatus, TokenVerdict
from engine.station.context import Context
from engine.station.effects import Effect, Record, Reply

NO_AUTHORIZATION = "NoAuthorization"
"""2.x idToken type of stations that charge whoever plugs in, with an empty value (2.1 C02.FR.01)."""


def needs_lookup(token: Token) -> bool:
    """Whether the verdict depends on the operator's record."""
    return bool(token.value) or token.type != NO_AUTHORIZATION


def unknown(token: Token, context: Context) -> bool:
    """Whether the operator should know the token and does not."""
    return needs_lookup(token) and token.key not in context.tokens


def verdict_on(token: Token, context: Context) -> TokenVerdict:
    """What a station is told of a token, as of now (also of one that was presented earlier, offline)."""
    if not needs_lookup(token):
        return TokenVerdict(TokenStatus.ACCEPTED)
    record = context.tokens.get(token.key)
    if record is None:
        return TokenVerdict(context.policy.unknown_tokens)
    if record.blocked:
        return TokenVerdict(TokenStatus.BLOCKED, group=record.group)
    if record.expires_at is not None and record.expires_at <= context.now:
        return TokenVerdict(TokenStatus.EXPIRED, expires_at=record.expires_at, group=record.group)
    return TokenVerdict(TokenStatus.ACCEPTED, expires_at=record.expires_at, group=record.group)


def presented(report: TokenPresented, context: Context) -> tuple[Effect, ...]:
    """Answers Authorize."""
    verdict = verdict_on(report.token, context)
    fact = TokenChecked(token=report.token, verdict=verdict, at=context.received_at)
    return Record(fact), Reply(TokenAnswer(verdict=verdict))
