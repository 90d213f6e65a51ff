"""Settings of the actors: how many there are, what they host, and the rules they apply."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, field_validator

from engine import quirk_files
from engine.model.authorization import TokenStatus
from engine.model.provisioning import Registration

RegistrationWord = Literal["Accepted", "Pending", "Rejected"]
TokenWord = Literal["Accepted", "Blocked", "Expired", "Invalid", "NoCredit", "Unknown"]


class AuthorizationSettings(BaseModel, frozen=True, extra="forbid"):
    """The section `[authorization]`."""

    types_accepted: tuple[str, ...] = Field(
        ("DirectPayment",),
        description="idToken types (OCPP 2.x) that need no record: the payment terminal vouches for DirectPayment.",
    )
    master_group: str | None = Field(
        None,
        max_length=36,
        description="Group of the tokens that may stop any transaction and start none (OCPP 2.x MasterPassGroupId).",
    )
    cache_s: float | None = Field(
        None, ge=0, description="Seconds that a station may remember that a token is good; none: until it expires."
    )
    transactions_max: int = Field(
        0,
        ge=0,
        le=1_000,
        description="Transactions that a token may have at once over all stations, more are told ConcurrentTx; 0: any "
        "number. Looked up a moment after it happens (uses_interval_s).",
    )
    transactions_per: Literal["token", "group"] = Field(
        "token", description="Whether transactions_max is of each token, or of its whole group."
    )
    uses_interval_s: float = Field(
        2.0, ge=0.1, le=60, description="Seconds between two looks at who charges where, for ConcurrentTx."
    )
    uses_forgotten_h: float = Field(
        48.0,
        ge=0.1,
        le=8_760,
        description="Hours after which an open transaction that was not heard of any more counts no longer for "
        "ConcurrentTx: its stop was lost.",
    )
    stop_invalid: Literal["never", "narke"] = Field(
        "never",
        description="narke: a transaction that runs on a token that is not accepted is stopped by Narke, for stations "
        "that do not stop it themselves (StopTransactionOnInvalidId).",
    )
    stop_invalid_after_s: float = Field(
        30.0, ge=1, le=3600, description="Seconds after its start that it is stopped, with stop_invalid = narke."
    )
    check_list_after_boot: bool = Field(
        default=True,
        description="Whether a station whose local list Narke keeps is asked for its version after each boot.",
    )
    receipt_url: str | None = Field(
        None,
        max_length=1_500,
        pattern="^https?://",
        description="Where receipts of payments at stations are (OCPP 2.1), with {receipt}, {station} and "
        "{transaction}; none: Narke gives none.",
    )
    vat_directory: Path | None = Field(
        None,
        description="JSON file of companies by VAT number (name, address1, city, country, and if known address2, "
        "postal_code), told to stations that validate one (OCPP 2.1).",
    )


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
