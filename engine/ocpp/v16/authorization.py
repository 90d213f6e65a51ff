"""Authorization in 1.6: Authorize and ClearCache, and the idTagInfo that three messages share.

Sections 4.1, 5.5 and 7.27.
"""

from engine.model.authorization import ClearCache, Token, TokenAnswer, TokenPresented, TokenStatus, TokenVerdict
from engine.model.envelopes import Answer
from engine.ocpp import outcomes, times
from engine.ocpp.answers import expected
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload, StationCall
from engine.ocpp.versions import Version

BLOCK = "authorization"

ID_TAG_LENGTH_MAX = 20

_WORDS_16 = frozenset(
    {
        TokenStatus.ACCEPTED,
        TokenStatus.BLOCKED,
        TokenStatus.CONCURRENT_TX,
        TokenStatus.EXPIRED,
        TokenStatus.INVALID,
    }
)


def id_tag(token: Token) -> str:
    """An idTag.

    Raises:
        NotExpressible: It is too long.
    """
    if not 0 < len(token.value) <= ID_TAG_LENGTH_MAX:
        raise NotExpressible(
            f"OCPP 1.6 holds 1 to {ID_TAG_LENGTH_MAX} characters in an idTag, this one has {len(token.value)}"
        )
    return token.value


def id_tag_info(verdict: TokenVerdict | None) -> Payload:
    """What a station is told of a token.

    None is Accepted: the message demands a verdict where none was asked for. Words that 1.6 lacks become Invalid.
    A group of more than 20 characters cannot be said in 1.6 and is left out.
    """
    if verdict is None:
        return {"status": TokenStatus.ACCEPTED.value}
    status = verdict.status if verdict.status in _WORDS_16 else TokenStatus.INVALID
    info: Payload = {"status": status.value}
    if verdict.expires_at is not None:
        info["expiryDate"] = times.format(verdict.expires_at)
    if verdict.group and len(verdict.group) <= ID_TAG_LENGTH_MAX:
        info["parentIdTag"] = verdict.group
    return info


def report_from_authorize(payload: Payload, _version: Version) -> TokenPresented:
    """A token, of unsaid type."""
    return TokenPresented(token=Token(value=payload["idTag"]))


def authorize_response(answer: Answer, _version: Version) -> Payload:
    """The verdict."""
    return {"idTagInfo": id_tag_info(expected(TokenAnswer, answer, "Authorize").verdict)}


def clear_cache_from_command(_command: ClearCache, _version: Version) -> tuple[str, Payload]:
    """Nothing to say but the action."""
    return "ClearCache", {}


FROM_STATION = (
    StationCall(action="Authorize", block=BLOCK, report=report_from_authorize, response=authorize_response),
)
FROM_CSMS = (CsmsCall(action="ClearCache", block=BLOCK, outcome=outcomes.from_status_field),)
COMMANDS = (CommandTranslator(command=ClearCache, call=clear_cache_from_command),)
