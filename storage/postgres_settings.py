"""Settings of PostgreSQL: how many connections, how long to wait, how long rows are kept."""

from pydantic import BaseModel, Field


class RetentionSettings(BaseModel, frozen=True, extra="forbid"):
    """How long the rows of volume are kept. Stations, transactions and tokens are kept for ever."""

    meter_values_days: int = Field(
        default=400, ge=2, le=3_660, description="Days that meter values are kept; older ones are dropped day by day."
    )
    messages_days: int = Field(default=14, ge=2, le=3_660, description="Days that raw messages are kept.")
    events_days: int = Field(
        default=400,
        ge=31,
        le=3_660,
        description="Days that station events are kept; they are dropped a whole month at a time.",
    )
    commands_days: int = Field(default=400, ge=2, le=3_660, description="Days that settled commands are kept.")
    history_days: int = Field(
        default=400,
        ge=2,
        le=3_660,
        description="Days that the history of functional blocks is kept (firmware updates, security events, ...).",
    )
    private_days: int = Field(
        default=30, ge=1, le=3_660, description="Days that personal data is kept which a station reported on request."
    )
    values_days: int = Field(
        default=90, ge=1, le=3_660, description="Days that values of periodic event streams are kept."
    )


class PostgresSettings(BaseModel, frozen=True, extra="forbid"):
    """The section `[postgres]`."""

    connections_max: int = Field(
        default=4,
        ge=1,
        le=100,
        description="Connections that each process (HTTP server, projector) opens to PostgreSQL at most.",
    )
    connect_timeout_s: float = Field(
        default=5.0, ge=1, le=120, description="Seconds to wait for a connection to PostgreSQL, or for a free one."
    )
    query_timeout_s: float = Field(
        default=15.0,
        ge=1,
        le=600,
        description="Seconds that one read of the API may take before PostgreSQL cancels it.",
    )
    lock_timeout_s: float = Field(
        default=30.0,
        ge=1,
        le=600,
        description="Seconds that the projector waits for a lock before it gives up and tries again.",
    )
    prepared_statements: bool = Field(
        default=True, description="False where a pooler between Narke and PostgreSQL cannot keep prepared statements."
    )
    retention: RetentionSettings = Field(default=RetentionSettings(), description="How long rows are kept.")
