"""Settings of the HTTP door, and of what its process keeps in order."""

from typing import Literal

from pydantic import BaseModel, Field


class LocalListSettings(BaseModel, frozen=True, extra="forbid"):
    """The section `[local_lists]`."""

    all_tokens: bool = Field(
        default=False,
        description="Whether tokens of which the operator did not say (in_local_list) are sent to stations' local "
        "lists. false: only those that are marked.",
    )
    keep: Literal["off", "repair", "follow"] = Field(
        "repair",
        description="off: lists are sent when somebody asks for it; repair: what was begun is finished and what is "
        "stale is sent anew; follow: lists that were sent once follow every change of the tokens, too.",
    )
    interval_s: float = Field(30.0, ge=0.1, le=86_400, description="Seconds between two looks at the lists.")
    entries_per_message: int = Field(
        100,
        ge=1,
        le=10_000,
        description="Tokens of one SendLocalList at most; a station that is known to take fewer gets fewer.",
    )
    parallel: int = Field(8, ge=1, le=1_000, description="Stations whose lists are sent at once, by themselves.")


class HttpSettings(BaseModel, frozen=True, extra="forbid"):
    """The section `[http]`."""

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address on which REST, health and metrics listen. 127.0.0.1: this machine only; 0.0.0.0: all who "
        " can reach it (then put TLS in front).",
    )
    port: int = Field(default=8080, ge=0, le=65_535, description="Port of REST, health and metrics. 0: any free one.")
    metrics_port: int = Field(
        default=0,
        ge=0,
        le=65_535,
        description="Port of /metrics on the nodes of a Ray cluster other than the one of `narke up`, whose HTTP port "
        "has it. 0: any free one; GET /api/v1/system/targets names it.",
    )
    body_bytes_max: int = Field(
        default=4 * 1024 * 1024,
        ge=1024,
        le=64 * 1024 * 1024,
        description="Largest request body in bytes; larger ones get 413.",
    )
    requests_max: int = Field(
        default=1_000,
        ge=1,
        le=100_000,
        description="Requests worked on at once; more get 503 and are asked to come again.",
    )
    deadline_s_max: float = Field(
        default=600.0, ge=1, le=3600, description="Longest deadline in seconds that a caller may give a command."
    )
    ready_timeout_s: float = Field(
        default=2.0,
        gt=0,
        le=60,
        description="Seconds that each part has to answer /readyz before it counts as not ready.",
    )
    drain_s: int = Field(
        default=5, ge=1, le=300, description="Seconds that running requests have to finish when the HTTP door closes."
    )
