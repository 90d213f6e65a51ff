"""Settings of everything that talks to Redis: where it is, how long to wait, how much may pile up."""

from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator

SCHEMES = ("redis", "rediss", "unix")

QUERY_ALLOWED = frozenset(
    {"db", "username", "password", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname"}
)
"""What a URL may set besides the place; anything else would override the settings below behind their back."""


class RedisSettings(BaseModel, frozen=True, extra="forbid", hide_input_in_errors=True):
    """Redis: the journal, the operator's book and the raw messages on their way to PostgreSQL."""

    url: SecretStr = Field(
        default=SecretStr("redis://127.0.0.1:6379/0"),
        description="Where Redis is: redis://[user]:password@host:port/db, rediss://... for TLS "
        "(?ssl_ca_certs=/path/ca.pem), unix:///path/redis.sock?db=0&password=...",
    )
    connect_timeout_s: float = Field(
        default=2.0, gt=0, le=60, description="Longest wait for a connection to Redis, in seconds."
    )
    command_timeout_s: float = Field(
        default=5.0,
        gt=0,
        le=60,
        description="Longest wait for Redis' answers to one round trip, in seconds; includes its write to disk. "
        "After it stations get no answer and try again.",
    )
    connections_max: int = Field(
        default=8, ge=1, le=1000, description="Most connections to Redis of one process and purpose."
    )
    stream_entries_max: int = Field(
        default=50_000,
        ge=1,
        le=100_000_000,
        description="Most journal entries of one shard that may wait for PostgreSQL. When a shard's stream is full "
        "its stations are no longer answered. An entry takes about 0.5 KiB of Redis' memory (more under load, when it "
        "holds many messages), times the number of shards.",
    )
    operator_stream_entries_max: int = Field(
        default=20_000,
        ge=1,
        le=100_000_000,
        description="Most changes of tokens and stations (an import: one per chunk) that may wait for PostgreSQL.",
    )
    plan_stream_entries_max: int = Field(
        default=5_000,
        ge=1,
        le=10_000_000,
        description="Most entries of the planner's decisions, of at most 200 each, that may wait for PostgreSQL; then "
        "the oldest are dropped and counted. Decisions tell people what happened; nothing is decided by reading them.",
    )
    token_chunk: int = Field(
        default=500,
        ge=1,
        le=10_000,
        description="Tokens of an import that are saved at once; Redis does nothing else meanwhile.",
    )
    message_stream_entries_max: int = Field(
        default=5_000,
        ge=1,
        le=10_000_000,
        description="Most batches of raw messages, of at most 256 KiB each, that may wait for PostgreSQL; then the "
        "processes keep what they can and drop and count the rest.",
    )
    message_buffer_max: int = Field(
        default=20_000,
        ge=1,
        le=10_000_000,
        description="Most raw messages that one process holds while Redis does not take them; the oldest are then "
        "dropped and counted.",
    )
    message_buffer_bytes_max: int = Field(
        default=16 * 1024 * 1024,
        ge=1024,
        description="Most text of raw messages, in bytes, that one process holds while Redis does not take them.",
    )
    message_flush_interval_ms: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="Longest time a raw message rests in the process before it goes to Redis, in ms.",
    )
    message_flush_max: int = Field(
        default=500,
        ge=1,
        le=10_000,
        description="Raw messages that go to Redis together; so many buffered ones do not wait.",
    )

    @field_validator("url")
    @classmethod
    def _url_is_of_redis(cls, url: SecretStr) -> SecretStr:
        """Says what is wrong without repeating the URL: it may hold a password."""
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in SCHEMES:
            raise ValueError(f"a Redis URL starts with redis://, rediss:// or unix://, this one with '{parts.scheme}:'")
        if parts.scheme == "unix" and not parts.path:
            raise ValueError("a unix:// URL needs the path of the socket, e.g. unix:///run/redis/redis.sock")
        if parts.scheme != "unix":
            if not parts.hostname:
                raise ValueError("a Redis URL needs a host, e.g. redis://:password@127.0.0.1:6379/0")
            _ = parts.port  # raises ValueError with a clear text where it is no port
            if parts.path.strip("/") and not parts.path.strip("/").isdigit():
                raise ValueError(f"the path of a Redis URL is the number of a database, not '{parts.path}'")
        unknown = sorted(parse_qs(parts.query, keep_blank_values=True).keys() - QUERY_ALLOWED)
        if unknown:
            raise ValueError(
                f"a Redis URL cannot set {', '.join(unknown)}; allowed are {', '.join(sorted(QUERY_ALLOWED))}"
            )
        return url

    @property
    def place(self) -> str:
        """Where Redis is, without credentials: `host:port/db` or the path of the socket."""
        parts = urlsplit(self.url.get_secret_value())
        if parts.scheme == "unix":
            return parts.path
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{host}:{parts.port or 6379}/{parts.path.strip('/') or 0}"
