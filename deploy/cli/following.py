"""Following a listing: what came since, again and again, each row once, until Ctrl-C."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from deploy.cli.client import PAGE_ROWS_MAX, Api, Query

Row = dict[str, Any]
Wait = Callable[[], None]

_SEEN_MAX = 100_000


def every(interval_s: float) -> Wait:
    """A pause between two questions."""
    return lambda: time.sleep(interval_s)


def follow_arrivals(api: Api, where: str, query: Query, tail: int, wait: Wait) -> Iterator[Row]:
    """The last `tail` rows of a listing by arrival, oldest first, then all that come."""
    page = api.page(where, {**query, "limit": max(1, min(tail, PAGE_ROWS_MAX)), "order": "newest"})
    yield from reversed(page["items"][:tail] if tail else [])
    cursor = page["follow"]
    while True:
        page = api.page(where, {**query, "limit": PAGE_ROWS_MAX, "order": "oldest", "cursor": cursor})
        yield from page["items"]
        cursor = page["follow"] or cursor
        if page["next"] is None:
            wait()


def follow_transactions(api: Api, query: Query, tail: int, wait: Wait) -> Iterator[Row]:
    """The last `tail` transactions, oldest first, then each that starts, changes or ends, once per change."""
    where = "/api/v1/transactions"
    seen: dict[tuple[str, str], tuple[Any, ...]] = {}
    page = api.page(where, {**query, "limit": max(1, min(tail, PAGE_ROWS_MAX))})
    since: str | None = None
    rows = page["items"]
    first = True
    while True:
        for row in sorted(rows, key=_changed_at):
            since = max(since or "", _changed_at(row))
            if _is_news(row, seen) and not (first and tail == 0):
                yield row
        first = False
        _forget_oldest(seen)
        wait()
        rows = list(api.rows(where, {**query, "changed_since": since}, 0))


def _changed_at(row: Row) -> str:
    """When we last heard of it; ISO 8601 in UTC, so that texts compare as times."""
    return str(row["end_received_at"] or row["updated_at"])


def _is_news(row: Row, seen: dict[tuple[str, str], tuple[Any, ...]]) -> bool:
    name, state = (row["station"], row["transaction_id"]), (_changed_at(row), row["ended_at"], row["energy_wh"])
    if seen.get(name) == state:
        return False
    seen.pop(name, None)
    seen[name] = state
    return True


def _forget_oldest(seen: dict[tuple[str, str], tuple[Any, ...]]) -> None:
    while len(seen) > _SEEN_MAX:
        del seen[next(iter(seen))]
