"""Reads of the projection for the API: filters in, pages of rows out. Never writes."""

from storage.queries.filters import (
    CommandFilter,
    EventFilter,
    MessageFilter,
    MeterValueFilter,
    StationFilter,
    TokenFilter,
    TransactionFilter,
)
from storage.queries.paging import LIMIT_MAX, BadCursor, Page, Paged
from storage.queries.reader import Queries
from storage.queries.rows import (
    CommandRow,
    ConnectedSession,
    ConnectorRow,
    Counts,
    EventRow,
    Json,
    MessageRow,
    MeterValueRow,
    StationDetail,
    StationRow,
    TokenRow,
    TransactionDetail,
    TransactionRow,
)

__all__ = [
    "LIMIT_MAX",
    "BadCursor",
    "CommandFilter",
    "CommandRow",
    "ConnectedSession",
    "ConnectorRow",
    "Counts",
    "EventFilter",
    "EventRow",
    "Json",
    "MessageFilter",
    "MessageRow",
    "MeterValueFilter",
    "MeterValueRow",
    "Page",
    "Paged",
    "Queries",
    "StationDetail",
    "StationFilter",
    "StationRow",
    "TokenFilter",
    "TokenRow",
    "TransactionDetail",
    "TransactionFilter",
    "TransactionRow",
]
