"""The listings: which table, which row, in which order."""

from datetime import datetime

from storage.queries.listing import Listing, Sort, View
from storage.queries.paging import Place
from storage.queries.rows import (
    CommandRow,
    ConnectorRow,
    EventRow,
    MessageRow,
    MeterValueRow,
    StationRow,
    TokenRow,
    TransactionRow,
)


def place_of_station(row: StationRow) -> Place:
    """By identity."""
    return (row.station,)


def place_of_connector(row: ConnectorRow) -> Place:
    """By station, then EVSE."""
    return (row.station, row.evse, row.connector)


def place_of_transaction(row: TransactionRow) -> Place:
    """By start."""
    return (row.started_at, row.station, row.transaction_id)


def place_of_meter_value(row: MeterValueRow) -> Place:
    """By arrival."""
    return (row.received_at, row.id)


def place_of_arrival(row: MessageRow | EventRow) -> Place:
    """By arrival."""
    return (row.id,)


def place_of_command(row: CommandRow) -> Place:
    """By request."""
    return (row.requested_at, row.command_id)


def place_of_token(row: TokenRow) -> Place:
    """By `Token.key`."""
    return (row.token.lower(),)


STATIONS = Listing("stations", StationRow, [("station", str)], place_of_station, sort=Sort.NAME)
CONNECTORS = Listing(
    "connectors",
    ConnectorRow,
    [("station", str), ("evse", int), ("connector", int)],
    place_of_connector,
    sort=Sort.NAME,
)
TRANSACTIONS = Listing(
    "transactions",
    TransactionRow,
    [("started_at", datetime), ("station", str), ("transaction_id", str)],
    place_of_transaction,
)
METER_VALUES = Listing(
    "meter_values",
    MeterValueRow,
    [("received_at", datetime), ("id", int)],
    place_of_meter_value,
    sort=Sort.ARRIVAL,
    view=View("meter_readings", anchor="received_at"),
)
MESSAGES = Listing(
    "messages",
    MessageRow,
    [("id", int)],
    place_of_arrival,
    sort=Sort.ARRIVAL,
    view=View("messages", anchor="exchange_id", spread=1),
)
EVENTS = Listing("station_events", EventRow, [("id", int)], place_of_arrival, sort=Sort.ARRIVAL)
COMMANDS = Listing("commands", CommandRow, [("requested_at", datetime), ("command_id", str)], place_of_command)
TOKENS = Listing("tokens", TokenRow, [("token_key", str)], place_of_token, sort=Sort.NAME)
