"""Customer information: what a station said that it keeps of a customer. Personal data: for administrators alone.

The questions are a table of their block (`/customer-information`), without a word of this. It is deleted on request,
and by itself after a while.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path
from starlette.responses import Response

from engine.model.diagnostics import CustomerInformationForgotten
from ingress.http.api.answers import answers
from ingress.http.api.texts import INTEGER_MAX, StationName
from ingress.http.authentication import ADMIN, Caller
from ingress.http.problems import json_response, not_found
from ingress.http.services import House
from storage.blocks.diagnostics import CUSTOMER_TEXTS, CUSTOMERS, CustomerInformationRow, CustomerTextRow
from storage.queries.paging import Page

router = APIRouter(tags=["diagnostics"])

PAGES_MAX = 1000
"""Pages of a text that are shown."""
_ADDRESS = "/stations/{station}/customer-information/{request_id}"

RequestId = Annotated[int, Path(ge=0, le=INTEGER_MAX, description="As /customer-information tells it.", examples=[7])]


class CustomerTextAnswer(msgspec.Struct, frozen=True):
    """What a station keeps of a customer, as it wrote it. `complete`: the last part came and none is missing."""

    station: str
    request_id: int
    complete: bool
    heard_at: datetime | None
    text: str


_EXAMPLE = CustomerTextAnswer("CP-1", 7, complete=True, heard_at=None, text="idToken: 04AB; last used: 2026-05-01")


@router.get(_ADDRESS, dependencies=[ADMIN], responses=answers(CustomerTextAnswer, _EXAMPLE, 404))
async def show_customer_information(house: House, station: StationName, request_id: RequestId) -> Response:
    """What a station said that it keeps of a customer."""
    row = await _row(house, station, request_id)
    where = {"station": station, "request_id": request_id}
    found = await house.queries.block(CUSTOMER_TEXTS, where, Page(limit=PAGES_MAX))
    pages: list[CustomerTextRow] = sorted(found.rows, key=lambda each: each.page)
    answer = CustomerTextAnswer(
        station=station,
        request_id=request_id,
        complete=row.complete,
        heard_at=row.heard_at,
        text="".join(page.text for page in pages),
    )
    return json_response(answer)


@router.delete(_ADDRESS, dependencies=[ADMIN], status_code=204, responses=answers(None, None, 404))
async def forget_customer_information(
    house: House, caller: Caller, station: StationName, request_id: RequestId
) -> Response:
    """Deletes it here; the station keeps what it keeps (send `customer_information` with `clear`)."""
    await _row(house, station, request_id)
    forgotten = CustomerInformationForgotten(station, request_id, house.clock.now(), caller.name)
    await house.book.forget_customer(forgotten)
    return Response(status_code=204)


async def _row(house: House, station: str, request_id: int) -> CustomerInformationRow:
    """Raises Problem: 404."""
    where = {"station": station, "request_id": request_id}
    found = await house.queries.block(CUSTOMERS, where, Page(limit=1))
    if not found.rows:
        todo = "GET /api/v1/customer-information lists all; a new one takes a moment to appear"
        raise not_found("customer-information", f"{request_id} of {station}", todo)
    row: CustomerInformationRow = found.rows[0]
    return row
