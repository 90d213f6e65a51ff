"""Pages of a listing: `limit` and `cursor` in; `items`, `next`, `follow` and a Link header out."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlencode

import msgspec
from fastapi import Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from ingress.http.api.texts import PLAIN
from ingress.http.problems import json_response
from storage.queries.paging import LIMIT_MAX, Page, Paged

Row = TypeVar("Row")

Cursor = Annotated[
    str | None,
    Field(
        max_length=2000, pattern=PLAIN, description="`next` (or `follow`) of an earlier page; leave it out to begin."
    ),
]


class PageQuery(BaseModel, extra="forbid"):
    """What every listing takes."""

    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX, description="Rows of a page at most.")] = 100
    cursor: Cursor = None

    def page(self) -> Page:
        """In the words of storage."""
        return Page(limit=self.limit, cursor=self.cursor)


class TimelineQuery(PageQuery):
    """What listings by time take. To follow: `order=oldest&cursor=<follow of the last page>`."""

    order: Annotated[
        Literal["newest", "oldest"],
        Field(description="Which rows come first. `oldest` with `follow` as cursor: what came since."),
    ] = "newest"

    def page(self) -> Page:
        """In the words of storage."""
        return Page(limit=self.limit, cursor=self.cursor, oldest_first=self.order == "oldest")


class Listing(msgspec.Struct, frozen=True):
    """One page. `next`: cursor of the next page, null: this was the last. `follow`: cursor for what comes later."""

    items: Sequence[Any]
    next: str | None
    follow: str | None


def listing_response(request: Request, paged: Paged[Row]) -> Response:
    """The page as JSON; `Link: <...>; rel="next"` where there is more (RFC 8288)."""
    headers = {"Link": f'<{_with_cursor(request, paged.next)}>; rel="next"'} if paged.next is not None else None
    return json_response(Listing(items=paged.rows, next=paged.next, follow=paged.follow), headers=headers)


def _with_cursor(request: Request, cursor: str) -> str:
    """This request's own address, with another cursor; relative, because a proxy may have another name for us."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return f"{request.url.path}?{urlencode([*kept, ('cursor', cursor)])}"
