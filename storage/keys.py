"""The names of everything in Redis, and of the streams that the projector reads.

Every key carries its shard (or `operator`, `messages`) as hash tag: one script touches one slot of a Redis Cluster.

    narke:{s17}:epoch              fence of shard 17: `<epoch>.<generation>`
    narke:{s17}:epoch:CP-1         fence of one station, where each station has an actor of its own
    narke:{s17}:station:CP-1       state of a station, opaque bytes
    narke:{s17}:journal            stream, an entry per commit: `JournalEntry`
    narke:{operator}:token:<key>   `TokenRecord`
    narke:{operator}:use:<key>     open transactions of a token or a group, a moment behind (`storage.token_uses`)
    narke:{operator}:station:CP-1  `StationRecord`
    narke:{operator}:identity:cp-1 identity of the registered station that is so called but for the case of letters
    narke:{operator}:tariffs       `TariffBook`: the operator's tariffs and whom they are for
    narke:{operator}:journal       stream: `OperatorEntry`
    narke:{operator}:sites         hash: `HeldSite` by id
    narke:{operator}:site_revisions  hash: the last revision of a site, also of one that was removed, by id
    narke:{operator}:site_stations hash: the site that a station belongs to, by identity
    narke:{operator}:site:<id>:caps    hash: `HeldCap` by source
    narke:{operator}:site:<id>:heard   hash: when a cap's source was heard of last, ISO 8601, by source
    narke:{operator}:site:<id>:series  hash: `SiteSeries` by kind
    narke:{operator}:driver_requests   hash: `DriverAsked` by place or token
    narke:{operator}:driver_request_times  sorted set: the same names by time, seconds since 1970
    narke:{operator}:transaction_numbers  the last name given to a 1.6 transaction
    narke:{operator}:epoch         the last epoch given to an owner of units
    narke:{operator}:arrivals      the number of the connection that came last (`storage.arrivals`)
    narke:{operator}:layout        number of shards and what is fenced, fixed at the first start (`storage.layout`)
    narke:{messages}:journal       stream: `list[LoggedMessage]`
    narke:{plans}:journal          stream: `OperatorEntry`, the planner's facts

Streams have logical names, which are what PostgreSQL remembers positions by: `s0` ... `s63`, `operator`, `messages`,
`plans`.
"""

from engine.model.ids import Unit

OPERATOR = "operator"
"""Logical name of the operator's stream."""

MESSAGES = "messages"
"""Logical name of the stream of raw messages."""

PLANS = "plans"
"""Logical name of the stream in which the planner tells what it decided."""

FIELD = b"e"
"""The one field of every stream entry; its value is msgpack."""

TRANSACTION_NUMBERS = b"narke:{operator}:transaction_numbers"

TARIFFS = b"narke:{operator}:tariffs"
"""The operator's tariffs, all in one value."""

SITES = b"narke:{operator}:sites"
SITE_REVISIONS = b"narke:{operator}:site_revisions"
SITE_STATIONS = b"narke:{operator}:site_stations"
DRIVER_REQUESTS = b"narke:{operator}:driver_requests"
DRIVER_REQUEST_TIMES = b"narke:{operator}:driver_request_times"

ARRIVALS = b"narke:{operator}:arrivals"
"""The number of the connection that came last."""

EPOCH = b"narke:{operator}:epoch"
"""The last epoch that the directory gave."""

START = "0-0"
"""The position before the first entry of every stream."""


def fact_streams(shards: int) -> tuple[str, ...]:
    """Logical names of all streams that carry facts: the operator's, then one per shard."""
    return (OPERATOR, *(f"s{shard}" for shard in range(shards)))


def stream_key(stream: str) -> bytes:
    """The key of a stream, by its logical name."""
    return b"narke:{%b}:journal" % stream.encode()


def epoch_key(unit: Unit) -> bytes:
    """The key of a unit's fence."""
    key = b"narke:{s%d}:epoch" % unit.shard
    return key if unit.station is None else key + b":" + unit.station.encode()


def state_prefix(shard: int) -> bytes:
    """What precedes a station's identity in the key of its state."""
    return b"narke:{s%d}:station:" % shard


def state_key(shard: int, station: str) -> bytes:
    """The key of a station's state."""
    return state_prefix(shard) + station.encode()


def token_key(key: str) -> bytes:
    """The key of a token's record, by `Token.key`."""
    return b"narke:{operator}:token:" + key.encode()


def campaign_key(campaign_id: str) -> bytes:
    """A campaign that is not over: its stations and its command, whole."""
    return b"narke:{operator}:campaign:" + campaign_id.encode()


def site_caps_key(site: str) -> bytes:
    """What sources say about a site, by source."""
    return b"narke:{operator}:site:" + site.encode() + b":caps"


def site_heard_key(site: str) -> bytes:
    """When the sources of a site's caps were heard of last, by source."""
    return b"narke:{operator}:site:" + site.encode() + b":heard"


def site_series_key(site: str) -> bytes:
    """Prices and CO2 of a site, by kind."""
    return b"narke:{operator}:site:" + site.encode() + b":series"


def use_key(key: str) -> bytes:
    """The key of the open transactions of a token or a group, by `engine.station.authorization.use_key`."""
    return b"narke:{operator}:use:" + key.encode(errors="surrogatepass")


def station_record_key(station: str) -> bytes:
    """The key of what the operator decided about a station."""
    return b"narke:{operator}:station:" + station.encode()


def identity_key(station: str) -> bytes:
    """The key under which a registered identity is found whatever the case of its letters."""
    return b"narke:{operator}:identity:" + station.casefold().encode()
