"""Tokens: what drivers present and what they may do. Written to the operator's book, read from there one by one."""

from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Body, Path, Query, Request
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field
from starlette.responses import Response

from engine.model.authorization import Token, TokenRecord
from engine.model.token_limits import HOURS_MAX, PLACES_MAX, hours_of, place_of, zone_of
from ingress.http.api import examples
from ingress.http.api.answers import answers, listing_of
from ingress.http.api.paging import PageQuery, listing_response
from ingress.http.api.texts import PLAIN, Name, Note, Search, Short
from ingress.http.authentication import OPERATE, READ
from ingress.http.problems import Fault, Problem, json_response, not_found
from ingress.http.services import House
from storage.queries.filters import TokenFilter
from storage.queries.rows import TokenRow

router = APIRouter(prefix="/tokens", tags=["tokens"])

IMPORT_MAX = 10_000
Value = Annotated[
    str,
    Path(
        min_length=1,
        max_length=255,
        pattern=PLAIN,
        description="The token; case does not matter.",
        examples=["04A2B3C4D5E6F7"],
    ),
]


MONEY_MAX = 1e9
FIELDS = frozenset(TokenRecord.__struct_fields__) - {"token"}
"""What a record says beside the token itself."""


def _place(text: str) -> str:
    place_of(text)
    return text


def _hours(text: str) -> str:
    hours_of(text)
    return text


def _zone(text: str) -> str:
    zone_of(text)
    return text


Where = Annotated[str, AfterValidator(_place)]
When = Annotated[str, AfterValidator(_hours)]
Language = Annotated[str, Field(min_length=1, max_length=8, pattern="^[A-Za-z0-9-]+$")]


class TokensQuery(PageQuery):
    """Filters of the list of tokens; all that are given must hold."""

    blocked: Annotated[bool | None, Field(description="Blocked or not.")] = None
    group: Annotated[Name | None, Field(description="Only of this group.")] = None
    search: Annotated[Search | None, Field(description="Text in token, group or note; case does not matter.")] = None


class TokenBody(BaseModel, extra="forbid"):
    """What a token may do."""

    type: Annotated[
        Short | None, Field(description="2.x idToken type, e.g. ISO14443; null: 1.6 idTag or not known.")
    ] = None
    blocked: Annotated[bool, Field(description="Refused everywhere.")] = False
    expires_at: Annotated[AwareDatetime | None, Field(description="Refused from then on; null: never.")] = None
    group: Annotated[Name | None, Field(description="1.6 parentIdTag, 2.x groupIdToken: who may stop whose.")] = None
    note: Annotated[Note | None, Field(description="For people.")] = None
    places: Annotated[
        list[Where],
        Field(
            max_length=PLACES_MAX,
            description="Where it may charge: STATION or STATION:EVSE, * in STATION for any text; empty: everywhere.",
        ),
    ] = []
    hours: Annotated[
        list[When],
        Field(max_length=HOURS_MAX, description="When it may, e.g. Mo-Fr 08:00-18:00; empty: always."),
    ] = []
    time_zone: Annotated[
        str, AfterValidator(_zone), Field(max_length=64, description="IANA name of the zone of `hours`.")
    ] = "UTC"
    credit: Annotated[
        float | None,
        Field(
            ge=-MONEY_MAX,
            le=MONEY_MAX,
            description="What is left on a prepaid card; 0 or less: NoCredit. null: it is none.",
        ),
    ] = None
    concurrent_max: Annotated[
        int | None,
        Field(ge=0, le=1000, description="Transactions at once, over all stations; 0: any, null: as the settings say."),
    ] = None
    in_local_list: Annotated[
        bool | None, Field(description="Whether it is sent to stations' local lists; null: as the settings say.")
    ] = None
    priority: Annotated[int | None, Field(ge=-9, le=9, description="2.x chargingPriority.")] = None
    language: Annotated[Language | None, Field(description="The driver's language (2.x language1), e.g. de.")] = None
    language2: Annotated[Language | None, Field(description="The next best (2.x language2).")] = None
    message: Annotated[
        str | None, Field(min_length=1, max_length=512, description="Shown to the driver (2.x personalMessage).")
    ] = None

    def record(self, value: str) -> TokenRecord:
        """In the engine's words."""
        said = self.model_dump(include=set(FIELDS))
        lists = {"places": tuple(self.places), "hours": tuple(self.hours)}
        return TokenRecord(token=Token(value=value, type=self.type), **(said | lists))


class NamedToken(TokenBody):
    """A token of an import."""

    token: Name


class TokenPublic(msgspec.Struct, frozen=True):
    """A token as the operator keeps it."""

    token: str
    type: str | None
    blocked: bool
    expires_at: datetime | None
    group: str | None
    note: str | None
    places: tuple[str, ...]
    hours: tuple[str, ...]
    time_zone: str
    credit: float | None
    concurrent_max: int | None
    in_local_list: bool | None
    priority: int | None
    language: str | None
    language2: str | None
    message: str | None


class ImportAnswer(msgspec.Struct, frozen=True):
    """`saved`: tokens that were added or replaced."""

    saved: int


@router.get("", dependencies=[READ], responses=answers(listing_of(TokenRow), examples.TOKENS))
async def list_tokens(house: House, request: Request, query: Annotated[TokensQuery, Query()]) -> Response:
    """Tokens by name. What was saved a moment ago may take a moment to appear."""
    wanted = TokenFilter(blocked=query.blocked, group=query.group, search=query.search)
    return listing_response(request, await house.queries.tokens(wanted, query.page()))


@router.post("", dependencies=[OPERATE], responses=answers(ImportAnswer, examples.IMPORT_ANSWER))
async def import_tokens(
    house: House,
    body: Annotated[list[NamedToken], Body(min_length=1, max_length=IMPORT_MAX, examples=[examples.IMPORT])],
) -> Response:
    """Adds or replaces up to 10,000 tokens. After an error, send the same again: saving twice does no harm."""
    records = [token.record(token.token) for token in body]
    _require_distinct(records)
    await house.book.save_tokens(records, house.clock.now())
    return json_response(ImportAnswer(saved=len(records)))


@router.get("/{value:path}", dependencies=[READ], responses=answers(TokenPublic, examples.TOKEN, 404))
async def show_token(house: House, value: Value) -> Response:
    """A token as it is now."""
    record = await house.book.token(Token(value=value).key)
    if record is None:
        raise _unknown(value)
    return json_response(_public(record))


@router.put("/{value:path}", dependencies=[OPERATE], responses=answers(TokenPublic, examples.TOKEN, created=True))
async def save_token(
    house: House, value: Value, body: Annotated[TokenBody, Body(examples=[examples.TOKEN_BODY])]
) -> Response:
    """Adds or replaces a token; stations that ask from now on are told the new."""
    record = body.record(value)
    known = await house.book.token(record.token.key)
    await house.book.save_tokens([record], house.clock.now())
    return json_response(_public(record), status=201 if known is None else 200)


@router.delete("/{value:path}", dependencies=[OPERATE], status_code=204, responses=answers(None, None, 404))
async def remove_token(house: House, value: Value) -> Response:
    """Removes a token; it is unknown from now on."""
    if not await house.book.remove_token(Token(value=value), house.clock.now()):
        raise _unknown(value)
    return Response(status_code=204)


def _unknown(value: str) -> Problem:
    return not_found("token", value, "GET /api/v1/tokens lists all, PUT /api/v1/tokens/{value} adds one")


def _require_distinct(records: list[TokenRecord]) -> None:
    """Raises Problem: 422: two rows of one import speak of the same token, so one would be lost in silence."""
    first: dict[str, int] = {}
    for index, record in enumerate(records):
        earlier = first.setdefault(record.token.key, index)
        if earlier != index:
            where = f"body[{index}].token"
            what = f"{record.token.value!r} is in body[{earlier}] already; case does not matter"
            fault = Fault(where=where, what=what, what_to_do="give each token once")
            raise Problem(422, "invalid-request", f"{where}: {what}", "give each token once", errors=(fault,))


def _public(record: TokenRecord) -> TokenPublic:
    said = {name: getattr(record, name) for name in FIELDS}
    return TokenPublic(token=record.token.value, type=record.token.type, **said)
