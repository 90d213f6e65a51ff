"""The blocks' tables: one listing each, made from its `Table`."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any, cast, get_type_hints

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import Field, create_model
from starlette.responses import Response

from ingress.http.api.answers import answers, listing_of
from ingress.http.api.paging import PageQuery, TimelineQuery, listing_response
from ingress.http.api.texts import Moment
from ingress.http.authentication import READ
from ingress.http.services import House
from storage.blocks.registry import TABLES
from storage.blocks.table import Table

router = APIRouter()

_VALUES: dict[Any, Any] = {
    str: "CP-1",
    int: 1,
    float: 1.0,
    bool: True,
    datetime: datetime(2026, 5, 1, 12, tzinfo=UTC),
}


def _query_of(table: Table) -> type[PageQuery]:
    """What the listing of this table takes."""
    timed = table.newest_first is not None
    kinds: dict[str, Any] = {name: table.type_of(name) for name in table.filters}
    if timed:
        kinds |= {"since": Moment, "until": Moment}
    fields: dict[str, Any] = {
        name: (Annotated[kind | None, Field(description=f"Only rows with this {name}.")], None)
        for name, kind in kinds.items()
    }
    named = "".join(part.capitalize() for part in table.name.split("_"))
    base: Any = TimelineQuery if timed else PageQuery
    return cast(type[PageQuery], create_model(f"{named}Query", __base__=base, **fields))


def _lister(table: Table) -> Callable[..., Awaitable[Response]]:
    query_type = _query_of(table)

    async def list_rows(house: House, request: Request, query: Any) -> Response:
        where = query.model_dump(exclude={"limit", "cursor", "order"}, exclude_none=True)
        return listing_response(request, await house.queries.block(table, where, query.page()))

    list_rows.__annotations__["query"] = Annotated[query_type, Query()]
    list_rows.__name__ = f"list_{table.name}"
    list_rows.__doc__ = table.about
    return list_rows


def _example(row: type[msgspec.Struct]) -> msgspec.Struct:
    """A row that says little, for the description."""
    hints = get_type_hints(row)
    required = [field.name for field in msgspec.structs.fields(row) if field.required]
    return row(**{name: _VALUES.get(hints[name]) for name in required})


for _table in TABLES.values():
    router.add_api_route(
        f"/{_table.path}",
        _lister(_table),
        methods=["GET"],
        dependencies=[READ],
        responses=answers(listing_of(_table.row), {"items": [_example(_table.row)], "next": None, "follow": None}),
        tags=[_table.tag],
    )
