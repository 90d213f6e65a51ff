"""Authorization: Authorize, ClearCache, and the idToken and idTokenInfo that other blocks carry. OCPP 2.1 block C.

Translates; never decides, never remembers.
"""

from engine.model.authorization import ClearCache, Token, TokenAnswer, TokenPresented, TokenVerdict
from engine.model.envelopes import Answer
from engine.ocpp import outcomes, times
from engine.ocpp.answers import expected
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload, StationCall
from engine.ocpp.v2 import limits
from engine.ocpp.versions import Version

TOKEN_TYPE_DEFAULT = "ISO14443"  # noqa: S105 (a type's name, not a password)
"""Said where a token has no type, because it came in over 1.6: nearly every idTag is the UID of an ISO 14443 card, and
stations compare a remote start's token with the one that is presented later."""

GROUP_TYPE = "Central"
"""A group is a name that the operator gave, which is what Central means (2.1 IdTokenEnumStringType)."""


def token_from_id_token(id_token: Payload) -> Token:
    """The token as presented; NoAuthorization has the value "" (C02.FR.01). additionalInfo is no part of a token."""
    return Token(value=id_token["idToken"], type=id_token["type"] or None)


def id_token_from_token(token: Token, version: Version) -> Payload:
    """An IdTokenType.

    Raises:
        NotExpressible: The value is too long or the type unknown to this version.
    """
    bounds = limits.LIMITS_OF[version]
    kind = token.type or TOKEN_TYPE_DEFAULT
    if bounds.token_types is not None and kind not in bounds.token_types:
        raise NotExpressible(
            f"OCPP {version} has no token type {kind!r}: use one of {', '.join(sorted(bounds.token_types))}"
        )
    limits.require_length(kind, bounds.token_type_length_max, "a token's type", version)
    limits.require_length(token.value, bounds.token_length_max, "a token", version)
    return {"idToken": token.value, "type": kind}


def id_token_info_from_verdict(verdict: TokenVerdict, version: Version) -> Payload:
    """An IdTokenInfoType; the group goes with every answer about a token (2.1 C01.FR.06, C09.FR.09).

    A group that is too long for this version is left out: half a name would be another group's.
    """
    info: Payload = {"status": verdict.status.value}
    if verdict.expires_at is not None:
        info["cacheExpiryDateTime"] = times.format(verdict.expires_at)
    if verdict.group and len(verdict.group) <= limits.LIMITS_OF[version].token_length_max:
        info["groupIdToken"] = {"idToken": verdict.group, "type": GROUP_TYPE}
    return info


def report_from_authorize(payload: Payload, _version: Version) -> TokenPresented:
    """Who asks; contract certificates that come along are not judged here (block M)."""
    return TokenPresented(token=token_from_id_token(payload["idToken"]))


def authorize_response(answer: Answer, version: Version) -> Payload:
    """The verdict."""
    verdict = expected(TokenAnswer, answer, "Authorize").verdict
    return {"idTokenInfo": id_token_info_from_verdict(verdict, version)}


def clear_cache_from_clear_cache(_command: ClearCache, _version: Version) -> tuple[str, Payload]:
    """Says nothing but its name."""
    return "ClearCache", {}


FROM_STATION = (
    StationCall(action="Authorize", block="authorization", report=report_from_authorize, response=authorize_response),
)
FROM_CSMS = (CsmsCall(action="ClearCache", block="authorization", outcome=outcomes.from_status_field),)
COMMANDS = (CommandTranslator(command=ClearCache, call=clear_cache_from_clear_cache),)
