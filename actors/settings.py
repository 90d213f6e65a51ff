"""Settings of the actors: how many there are, what they host, and the rules they apply."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, field_validator

from engine import quirk_files
from engine.model.authorization import TokenStatus
from engine.model.provisioning import Registration

RegistrationWord = Literal["Accepted", "Pending", "Rejected"]
TokenWord = Literal["Accepted", "Blocked", "Expired", "Invalid", "NoCredit", "Unknown"]


class ActorSettings(BaseModel, frozen=True, extra="forbid"):
    """The section `[actors]`."""

    stations_per_actor: int = Field(
        5_000,
        ge=1,
        le=50_000,
        description="Stations that one station actor holds in memory at most. 1: literally one Ray actor (a process of "
        "about 85 MiB) per station, for isolation or small fleets; whether it is 1 is fixed at the first start.",
    )
    station_actors: int | None = Field(
        None,
        ge=0,
        le=64,
        description="Number of station actors, in all. 0 or none: one per core of each node, also of nodes that join "
        "later. Never more than shards.",
    )
    shards: int = Field(
        64,
        ge=1,
        le=1024,
        description="Number of shards that stations are spread over. Fixed at the first start: a later change is "
        "refused.",
    )
    ingresses: int = Field(
        0,
        ge=0,
        le=64,
        description="Number of ingress processes, in all; those on one node share the OCPP port. 0: one on each node, "
        "also on nodes that join later.",
    )
    literal_stations_max: int = Field(
        500,
        ge=1,
        le=20_000,
        description="With stations_per_actor = 1: the number of station actors above which new stations must wait, "
        "so that processes do not eat the machine.",
    )
    actor_cpus: float = Field(
        0.0,
        ge=0,
        le=16,
        description="CPUs that Ray reserves for each station actor and ingress. 0 on a single machine; 1 on a cluster.",
    )
    turn_deliveries_max: int = Field(
        2_000, ge=1, le=100_000, description="Messages that a station actor decides and commits together at most."
    )
    mailbox_deliveries_max: int = Field(
        20_000,
        ge=1,
        le=1_000_000,
        description="Messages that wait in a station actor at most; above it, ingresses are told to wait.",
    )
    heartbeat_interval_s: int = Field(
        300, ge=0, le=86_400, description="Heartbeat interval told to stations, in seconds."
    )
    boot_retry_s: int = Field(
        60, ge=1, le=86_400, description="Seconds that a pending or rejected station waits before it boots again."
    )
    unknown_stations: RegistrationWord = Field(
        "Accepted", description="Registration told to a station that the operator has not registered."
    )
    unknown_tokens: TokenWord = Field("Invalid", description="Verdict on a token that the operator has not registered.")
    data_transfer_vendors: tuple[str, ...] = Field(
        (), description="Vendor ids whose DataTransfer is answered Accepted (the data is recorded in any case)."
    )
    quirks_file: Path | None = Field(
        None,
        description="TOML file with quirk profiles of your own, beside the built-in ones: what stations of some makes "
        "do otherwise than the specification (docs/quirks.md).",
    )
    command_deadline_s: float = Field(
        30.0, ge=1, le=3600, description="Seconds a command to a station may take when the caller names no deadline."
    )

    @field_validator("quirks_file")
    @classmethod
    def _is_usable(cls, value: Path | None) -> Path | None:
        """The file is read at start, not when the first station needs it."""
        quirk_files.load(value)
        return value

    @property
    def literal(self) -> bool:
        """One Ray actor per station."""
        return self.stations_per_actor == 1

    @property
    def unknown_station_registration(self) -> Registration:
        """`unknown_stations` as a word of the model."""
        return Registration(self.unknown_stations)

    @property
    def unknown_token_status(self) -> TokenStatus:
        """`unknown_tokens` as a word of the model."""
        return TokenStatus(self.unknown_tokens)
