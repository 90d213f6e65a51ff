"""Keyset paging: pages follow each other by the key of the last row, so a page costs the same wherever it is.

A cursor is opaque text: the place of one row in one listing. It works in both directions and stays valid for ever.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, TypeVar

import msgspec

LIMIT_MAX = 1000
CURSOR_CHARACTERS_MAX = 2000

Row = TypeVar("Row")
Place = tuple[str | int | datetime, ...]
"""A row's values in the columns that order its listing."""


class BadCursor(ValueError):  # noqa: N818 (the name that the API's builders know)
    """The cursor is not one that this listing gave."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a listing. `cursor` None: from the beginning.

    `oldest_first` turns listings that are newest first round (transactions, meter values, messages, events, commands);
    with `Paged.follow` as cursor it gives what came since. Listings by name (stations, tokens) ignore it.

    Raises:
        ValueError: The limit is not 1 to 1000.
    """

    limit: int = 100
    cursor: str | None = None
    oldest_first: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= LIMIT_MAX:
            msg = f"limit is {self.limit}; it must be 1 to {LIMIT_MAX}"
            raise ValueError(msg)


class Paged(msgspec.Struct, Generic[Row], frozen=True, kw_only=True):
    """One page.

    `next`: the cursor of the next page in the same direction; None: this was the last. `follow`: the cursor to ask
    with, `oldest_first`, for rows that came after the newest row of this page (after the start of all where there is
    none); only in listings in the order of arrival (meter values of a station, messages, events).
    """

    rows: tuple[Row, ...]
    next: str | None = None
    follow: str | None = None


def paged(listing: str, rows: Sequence[Row], page: Page, place: Callable[[Row], Place], *, follow: bool) -> Paged[Row]:
    """Makes the page of up to `limit + 1` rows read: the one too many tells that there is a next page."""
    shown = tuple(rows[: page.limit])
    more = len(rows) > page.limit
    next_cursor = cursor_of(listing, place(shown[-1])) if more else None
    if not follow:
        return Paged(rows=shown, next=next_cursor)
    if shown:
        follow_cursor = cursor_of(listing, place(shown[-1 if page.oldest_first else 0]))
    else:
        follow_cursor = page.cursor if page.cursor is not None else cursor_of(listing, ())
    return Paged(rows=shown, next=next_cursor, follow=follow_cursor)


def cursor_of(listing: str, place: Place) -> str:
    """The cursor of a row at `place`; the empty place is the start of all."""
    stamped = [value.isoformat() if isinstance(value, datetime) else value for value in place]
    return base64.urlsafe_b64encode(msgspec.json.encode([listing, *stamped])).decode().rstrip("=")


def place_of(cursor: str, listing: str, shape: tuple[type, ...]) -> Place:
    """Reads a cursor of `listing`, whose places have the types `shape`; empty: the start of all.

    Raises:
        BadCursor: It is of another listing or no cursor at all.
    """
    try:
        return _read(cursor, listing, shape)
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        msg = f"this is no cursor of {listing}: pass back `next` or `follow` of a page of it, unchanged"
        raise BadCursor(msg) from error


def _read(cursor: str, listing: str, shape: tuple[type, ...]) -> Place:
    if len(cursor) > CURSOR_CHARACTERS_MAX:
        raise ValueError(cursor[:20])
    raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    name, *values = msgspec.json.decode(raw, type=list[str | int])
    if name != listing or len(values) not in {0, len(shape)}:
        raise ValueError(name)
    return tuple(_value(value, wanted) for value, wanted in zip(values, shape, strict=False))


def _value(value: str | int, wanted: type) -> str | int | datetime:
    if wanted is datetime and isinstance(value, str):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError(value)
        return moment
    if type(value) is not wanted or (isinstance(value, str) and "\0" in value):
        raise ValueError(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError(value)
    return value
