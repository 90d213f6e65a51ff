"""Transactions: the list (JSON pages or one CSV stream), and each with its meter values."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from ingress.http.api import examples
from ingress.http.api.answers import answers, listing_of
from ingress.http.api.paging import TimelineQuery, listing_response
from ingress.http.api.texts import IDENTITY, PLAIN, Moment, Name, Place, StationName
from ingress.http.authentication import READ
from ingress.http.problems import compact, json_response, not_found
from ingress.http.services import House, Services
from storage.queries.filters import TransactionFilter
from storage.queries.paging import LIMIT_MAX, Page, Paged
from storage.queries.rows import TransactionDetail, TransactionRow

router = APIRouter(prefix="/transactions", tags=["transactions"])

CSV_MEDIA_TYPE = "text/csv"
TransactionId = Annotated[
    str, Path(min_length=1, max_length=255, pattern=PLAIN, description="As the list shows it.", examples=["4711"])
]


class TransactionsQuery(TimelineQuery):
    """Filters of the list of transactions; all that are given must hold."""

    station: Annotated[str | None, Field(max_length=48, pattern=IDENTITY, description="Only of this station.")] = None
    evse: Annotated[Place | None, Field(description="Only of this EVSE.")] = None
    open: Annotated[bool | None, Field(description="true: not ended yet; false: ended.")] = None
    token: Annotated[Name | None, Field(description="Only of this token; case does not matter.")] = None
    since: Annotated[Moment | None, Field(description="Started from this time on.")] = None
    until: Annotated[Moment | None, Field(description="Started before this time.")] = None
    changed_since: Annotated[
        Moment | None,
        Field(description="Open ones heard of, and ended ones that ended, from this time on (Narke's clock)."),
    ] = None


_LIST_ANSWERS = answers(listing_of(TransactionRow), examples.TRANSACTIONS)
_LIST_ANSWERS[200]["content"][CSV_MEDIA_TYPE] = {
    "schema": {
        "type": "string",
        "description": "All that the filters let pass, with a header line; `limit` is ignored.",
    },
    "example": examples.TRANSACTIONS_CSV,
}


@router.get("", dependencies=[READ], responses=_LIST_ANSWERS)
async def list_transactions(house: House, request: Request, query: Annotated[TransactionsQuery, Query()]) -> Response:
    """Transactions by start, newest first; with `Accept: text/csv` all of them as one CSV file."""
    wanted = TransactionFilter(**query.model_dump(exclude={"limit", "cursor", "order"}))
    if not _wants_csv(request.headers.get("accept", "")):
        return listing_response(request, await house.queries.transactions(wanted, query.page()))
    page = msgspec.structs.replace(query.page(), limit=LIMIT_MAX)
    first = await house.queries.transactions(wanted, page)  # before the first byte: what fails here is still a problem
    disposition = {"Content-Disposition": 'attachment; filename="transactions.csv"'}
    return StreamingResponse(_csv(house, wanted, page, first), media_type=CSV_MEDIA_TYPE, headers=disposition)


@router.get(
    "/{station}/{transaction_id:path}",
    dependencies=[READ],
    responses=answers(TransactionDetail, examples.TRANSACTION, 404),
)
async def show_transaction(house: House, station: StationName, transaction_id: TransactionId) -> Response:
    """A transaction with its meter values, oldest first; where `complete` is false there are more at the station's."""
    detail = await house.queries.transaction(station, transaction_id)
    if detail is None:
        todo = f"GET /api/v1/transactions?station={station} lists those of {station}"
        raise not_found("transaction", f"{station}/{transaction_id}", todo)
    return json_response(detail)


def _wants_csv(accept: str) -> bool:
    """Whether CSV is named before JSON; callers that name neither get JSON."""
    named = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    if CSV_MEDIA_TYPE not in named:
        return False
    return "application/json" not in named or named.index(CSV_MEDIA_TYPE) < named.index("application/json")


async def _csv(
    house: Services, wanted: TransactionFilter, page: Page, first: Paged[TransactionRow]
) -> AsyncIterator[str]:
    """All pages as CSV, one in memory at a time."""
    columns = TransactionRow.__struct_fields__
    yield _lines([columns])
    paged = first
    while True:
        yield _lines([[_cell(getattr(row, column)) for column in columns] for row in paged.rows])
        if paged.next is None:
            return
        page = msgspec.structs.replace(page, cursor=paged.next)
        paged = await house.queries.transactions(wanted, page)


def _lines(rows: Any) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case tuple():
            return " ".join(value)
        case dict() | list():
            return compact(value).decode()
        case _:
            return value
