"""Authorization: Authorize, ClearCache, and the idToken and idTokenInfo that other blocks carry. OCPP 2.1 block C.

Translates; never decides, never remembers.
"""

from engine.model.authorization import AdditionalInfo, ClearCache, Token, TokenAnswer, TokenPresented, TokenVerdict
from engine.model.envelopes import Answer
from engine.ocpp import outcomes, times
from engine.ocpp.answers import expected
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload, StationCall
from engine.ocpp.v2 import certificates, limits, tariff_and_cost
from engine.ocpp.versions import Version

TOKEN_TYPE_DEFAULT = "ISO14443"  # noqa: S105 (a type's name, not a password)
"""Said where a token has no type, because it came in over 1.6: nearly every idTag is the UID of an ISO 14443 card, and
stations compare a remote start's token with the one that is presented later."""

ADDITIONAL_MAX = 32
"""Of a station's additionalInfo so many are kept; 2.1 has 11 types of them."""
ADDITIONAL_TYPE_LENGTH_MAX = 50
LANGUAGE_LENGTH_MAX = 8
MESSAGE_LENGTH_MAX = {Version.V201: 512, Version.V21: 1024}

GROUP_TYPE = "Central"
"""A group is a name that the operator gave, which is what Central means (2.1 IdTokenEnumStringType)."""


def token_from_id_token(id_token: Payload) -> Token:
    """The token as presented; NoAuthorization has the value "" (C02.FR.01)."""
    more = id_token.get("additionalInfo")
    if not more:
        return Token(value=id_token["idToken"], type=id_token["type"] or None)
    additional = tuple(AdditionalInfo(one["type"], one["additionalIdToken"]) for one in more[:ADDITIONAL_MAX])
    return Token(value=id_token["idToken"], type=id_token["type"] or None, additional=additional)


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
    id_token: Payload = {"idToken": token.value, "type": kind}
    if token.additional:
        id_token["additionalInfo"] = [_additional_info(one, bounds) for one in token.additional]
    return id_token


def _additional_info(info: AdditionalInfo, bounds: limits.Limits) -> Payload:
    limits.require_length(info.type, ADDITIONAL_TYPE_LENGTH_MAX, "a type of additionalInfo", bounds.version)
    limits.require_length(info.value, bounds.token_length_max, "additionalInfo", bounds.version)
    return {"additionalIdToken": info.value, "type": info.type}


def id_token_info_from_verdict(verdict: TokenVerdict, version: Version) -> Payload:
    """An IdTokenInfoType; the group goes with every answer about a token (2.1 C01.FR.06, C09.FR.09).

    A group that is too long for this version is left out: half a name would be another group's.
    """
    info: Payload = {"status": verdict.status.value}
    until = verdict.cache_until or verdict.expires_at
    if until is not None:
        info["cacheExpiryDateTime"] = times.format(until)
    if verdict.group and len(verdict.group) <= limits.LIMITS_OF[version].token_length_max:
        info["groupIdToken"] = {"idToken": verdict.group, "type": GROUP_TYPE}
    if verdict.evses:
        info["evseId"] = list(verdict.evses)
    if verdict.priority is not None:
        info["chargingPriority"] = verdict.priority
    if verdict.language is not None:
        info["language1"] = verdict.language[:LANGUAGE_LENGTH_MAX]
    if verdict.language2 is not None:
        info["language2"] = verdict.language2[:LANGUAGE_LENGTH_MAX]
    if verdict.message is not None:
        info["personalMessage"] = personal_message(verdict, version)
    return info


def personal_message(verdict: TokenVerdict, version: Version) -> Payload:
    """A MessageContentType for the driver, cut where this version ends."""
    message: Payload = {"format": "UTF8", "content": (verdict.message or "")[: MESSAGE_LENGTH_MAX[version]]}
    if verdict.language is not None:
        message["language"] = verdict.language[:LANGUAGE_LENGTH_MAX]
    return message


def report_from_authorize(payload: Payload, _version: Version) -> TokenPresented:
    """Who asks, and what the car showed with it; that is judged elsewhere (block M)."""
    return TokenPresented(
        token=token_from_id_token(payload["idToken"]), contract=certificates.contract_evidence(payload)
    )


def authorize_response(answer: Answer, version: Version) -> Payload:
    """The verdict."""
    told = expected(TokenAnswer, answer, "Authorize")
    payload = {
        "idTokenInfo": id_token_info_from_verdict(told.verdict, version),
        **certificates.certificate_status_field(told),
    }
    if told.tariff is not None and version is Version.V21:
        payload["tariff"] = tariff_and_cost.payload_from_tariff(told.tariff, version)
    return payload


def clear_cache_from_clear_cache(_command: ClearCache, _version: Version) -> tuple[str, Payload]:
    """Says nothing but its name."""
    return "ClearCache", {}


FROM_STATION = (
    StationCall(action="Authorize", block="authorization", report=report_from_authorize, response=authorize_response),
)
FROM_CSMS = (CsmsCall(action="ClearCache", block="authorization", outcome=outcomes.from_status_field),)
COMMANDS = (CommandTranslator(command=ClearCache, call=clear_cache_from_clear_cache),)
