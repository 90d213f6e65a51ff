"""Pages: every row once, in order, whatever the size; a follower misses nothing."""

import base64
from typing import Any

import pytest

from engine.model.authorization import Token, TokenRecord, TokenSaved
from engine.model.messages import Direction
from engine.model.provisioning import StationSeen
from engine.model.transactions import TransactionOpened
from storage.journal_reader import StreamEntry
from storage.queries import (
    BadCursor,
    EventFilter,
    MessageFilter,
    MeterValueFilter,
    Page,
    StationFilter,
    TokenFilter,
    TransactionFilter,
)
from storage.queries.paging import cursor_of
from tests.storage.postgres.conftest import Projection
from tests.storage.postgres.stories import at, entry, message, operator_entry, readings, session_started


async def walk(listing: Any, wanted: object, *, limit: int, oldest_first: bool = False) -> list[Any]:
    """All rows, page by page."""
    rows: list[Any] = []
    cursor = None
    while True:
        page = await listing(wanted, Page(limit=limit, cursor=cursor, oldest_first=oldest_first))
        assert len(page.rows) <= limit
        rows += page.rows
        cursor = page.next
        if cursor is None:
            return rows


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
async def test_transactions_of_the_same_moment_are_each_shown_once(projection: Projection, limit: int):
    opened = [
        TransactionOpened(transaction_id=str(number), started_at=at(number // 3), received_at=at(number))
        for number in range(10)
    ]
    await projection.apply([entry("1-0", *opened), entry("2-0", *opened[:2], station="CP-0")])
    down = await walk(projection.transactions, TransactionFilter(), limit=limit)
    assert [(row.station, row.transaction_id) for row in down] == [
        ("CP-1", "9"), ("CP-1", "8"), ("CP-1", "7"), ("CP-1", "6"), ("CP-1", "5"), ("CP-1", "4"), ("CP-1", "3"),
        ("CP-1", "2"), ("CP-1", "1"), ("CP-1", "0"), ("CP-0", "1"), ("CP-0", "0"),
    ]  # fmt: skip
    up = await walk(projection.transactions, TransactionFilter(), limit=limit, oldest_first=True)
    assert up == down[::-1]


@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_names_are_in_the_order_of_their_bytes(projection: Projection, limit: int):
    names = ["a", "B", "ä", "Z-1", "Z_1", "z", "Ladesäule/3", "10", "9"]
    await projection.apply([entry(f"{n}-1", StationSeen(at=at(n)), station=name) for n, name in enumerate(names)])
    rows = await walk(projection.stations, StationFilter(), limit=limit)
    assert [row.station for row in rows] == sorted(names)
    saved = [TokenSaved(record=TokenRecord(token=Token(value=name)), at=at(0)) for name in names]
    await projection.apply([operator_entry("1-0", *saved)])
    rows = await walk(projection.tokens, TokenFilter(), limit=limit)
    assert [row.token for row in rows] == sorted(names, key=str.lower)


@pytest.mark.parametrize("limit", [1, 4, 100])
async def test_meter_values_of_one_moment_are_each_shown_once(projection: Projection, limit: int):
    await projection.apply([entry("1-0", readings(5, *map(float, range(7))), readings(90_000, 7.0))])
    rows = await walk(projection.meter_values, MeterValueFilter(station="CP-1"), limit=limit)
    assert [row.value for row in rows] == [7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0]


async def test_a_follower_of_messages_gets_each_once_even_when_one_is_late(projection: Projection):
    async def logged(entry_id: str, *moments: float, station: str = "CP-1") -> None:
        await projection.apply([StreamEntry("messages", entry_id, [message(t, station=station) for t in moments])])

    wanted = MessageFilter(station="CP-1")
    nothing = await projection.messages(wanted, Page())
    assert (nothing.rows, nothing.next) == ((), None)
    await logged("1-0", 1, 2, 3)
    await logged("2-0", 4, station="CP-2")
    from_start = await projection.messages(wanted, Page(cursor=nothing.follow, oldest_first=True))
    assert [row.at for row in from_start.rows] == [at(1), at(2), at(3)]
    tail = await projection.messages(wanted, Page(limit=2))
    assert [row.at for row in tail.rows] == [at(3), at(2)]
    assert tail.follow == from_start.follow
    again = await projection.messages(wanted, Page(cursor=tail.follow, oldest_first=True))
    assert (again.rows, again.follow) == ((), tail.follow)
    await logged("3-0", 2.5, 5)  # the first was late
    more = await projection.messages(wanted, Page(cursor=again.follow, oldest_first=True, limit=1))
    rest = await projection.messages(wanted, Page(cursor=more.follow, oldest_first=True))
    assert [row.at for row in (*more.rows, *rest.rows)] == [at(2.5), at(5)]
    assert (more.next, rest.next) == (more.follow, None)


async def test_messages_can_be_filtered(projection: Projection):
    log = [
        message(1, action="Authorize", message_id="a"),
        message(2, action="Authorize", message_id="a", direction=Direction.OUT, kind="result", latency_ms=1.5),
        message(3, action="Reset", direction=Direction.OUT, outcome="InternalError", kind="error"),
        message(4, action=None, kind="invalid", station="CP-2", frame="{"),
    ]
    await projection.apply([StreamEntry("messages", "1-0", log)])

    async def found(**wanted: Any) -> list[int]:
        rows = (await projection.messages(MessageFilter(**wanted), Page(oldest_first=True))).rows
        return [round((row.at - at(0)).total_seconds()) for row in rows]

    assert await found() == [1, 2, 3, 4]
    assert await found(station="CP-1", action="Authorize", direction="out") == [2]
    assert await found(message_id="a") == [1, 2]
    assert await found(kind="invalid") == [4]
    assert await found(outcome="InternalError") == [3]
    assert await found(since=at(2), until=at(4)) == [2, 3]
    (row,) = (await projection.messages(MessageFilter(kind="result"), Page())).rows
    assert (row.station, row.session, row.direction, row.latency_ms, row.frame) == ("CP-1", "i:1:1", "out", 1.5, "[2]")


async def test_events_of_all_stations_are_in_the_order_of_arrival(projection: Projection):
    await projection.apply(
        [
            entry("1-0", session_started(9)),
            entry("2-0", session_started(1), station="CP-2"),
            entry("3-0", session_started(40 * 86_400), station="CP-3"),
        ]
    )
    rows = await walk(projection.events, EventFilter(), limit=1, oldest_first=True)
    assert [row.station for row in rows] == ["CP-1", "CP-2", "CP-3"]
    assert len({row.id for row in rows}) == 3


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


BAD = [
    "", "x", "ü", "====", "AAAA", "a" * 3000, encoded("null"), encoded("[]"), encoded('["stations"]'),
    encoded('["messages","1"]'), encoded('["messages",1,2]'), encoded('["messages",true]'), encoded('["messages",1.5]'),
    encoded(f'["messages",{2**63}]'), cursor_of("station_events", (1,)), "../../etc/passwd", "' OR 1=1 --",
]  # fmt: skip


@pytest.mark.parametrize("cursor", BAD, ids=range(len(BAD)))
async def test_a_cursor_that_is_none_of_this_listing_is_refused(projection: Projection, cursor: str):
    with pytest.raises(BadCursor, match="this is no cursor of messages"):
        await projection.messages(MessageFilter(), Page(cursor=cursor))


@pytest.mark.parametrize(
    "place", [("yesterday", "a", "b"), ("2026-11-21T10:00:00", "a", "b"), (at(0), "a\0", "b"), (1, "a", "b")]
)
async def test_a_cursor_with_values_of_the_wrong_kind_is_refused(projection: Projection, place: Any):
    with pytest.raises(BadCursor):
        await projection.transactions(TransactionFilter(), Page(cursor=cursor_of("transactions", place)))


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_page_has_1_to_1000_rows(limit: int):
    with pytest.raises(ValueError, match="it must be 1 to 1000"):
        Page(limit=limit)
