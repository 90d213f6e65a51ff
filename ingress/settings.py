"""Settings of the OCPP door: who may come in, how fast, and how much may wait."""

from typing import Literal

from pydantic import BaseModel, Field


class OcppSettings(BaseModel, frozen=True, extra="forbid"):
    """The section `[ocpp]`. Bounds count per ingress process unless they say otherwise."""

    host: str = Field("127.0.0.1", description="Address the OCPP port is bound to; 0.0.0.0 or :: for all interfaces.")
    port: int = Field(
        9000, ge=0, le=65_535, description="TCP port for stations, shared by all ingresses of a node. 0: any free one."
    )
    backlog: int = Field(4096, ge=128, le=65_535, description="Connections the kernel keeps until they are accepted.")
    connections_max: int = Field(
        12_000, ge=1, le=200_000, description="Connections held at most; further stations are told 503 and try later."
    )

    unknown_stations: Literal["accept", "refuse"] = Field(
        "accept",
        description="What happens to a station that the operator has not registered: accept lets it connect, refuse "
        "answers 404.",
    )
    security_profile_min: int = Field(
        0,
        ge=0,
        le=1,
        description="Lowest OCPP security profile a station may use. 1: every station must present its password "
        "(HTTP Basic), so it must be registered with one.",
    )
    hex_passwords: bool = Field(
        default=True,
        description="Accept the bytes that a hexadecimal password decodes to, as OCPP 1.6 stations send them, as well "
        "as the password as it is written.",
    )
    password_checks: int = Field(
        2, ge=1, le=64, description="Passwords checked at the same time, each in a thread with 19 MiB of memory."
    )
    password_memory_s: float = Field(
        300.0,
        ge=0,
        le=86_400,
        description="Seconds for which a checked password is not checked again. 0: always checked.",
    )
    password_memory_entries_max: int = Field(
        20_000, ge=1, le=1_000_000, description="Checked passwords remembered at most."
    )

    handshake_timeout_s: float = Field(
        30.0, gt=0, le=300, description="Seconds from the TCP connection to the end of the WebSocket handshake."
    )
    handshakes_max: int = Field(
        10_000, ge=1, le=50_000, description="Handshakes under way at most; further ones are told 503 with Retry-After."
    )
    accepts_per_s: float = Field(
        2_000.0, gt=0, le=100_000, description="Handshakes per second. What comes faster waits for its turn."
    )
    accepts_burst: int = Field(
        2_000, ge=1, le=100_000, description="Handshakes taken at once before `accepts_per_s` rules."
    )
    takeovers_per_min: float = Field(
        12.0,
        gt=0,
        le=6_000,
        description="How often per minute a new connection may push out a living one of the same identity. Two devices "
        "with one identity push each other out for ever; above this they are told 503.",
    )
    retry_after_s: int = Field(30, ge=1, le=3_600, description="Seconds told to stations in Retry-After with a 503.")

    message_bytes_max: int = Field(
        1_048_576,
        ge=65_536,
        le=67_108_864,
        description="Size of one message of a station; a larger one closes with 1009.",
    )
    compression: bool = Field(
        default=False,
        description="Offer permessage-deflate (RFC 7692). Saves traffic, costs CPU and memory for each connection.",
    )
    calls_open_max: int = Field(
        8, ge=1, le=12, description="Calls of one station waiting for their answers; above it we stop reading from it."
    )
    messages_per_s: float = Field(
        20.0, gt=0, le=100_000, description="Messages per second of one station. What comes faster is read more slowly."
    )
    messages_burst: int = Field(
        200, ge=1, le=1_000_000, description="Messages one station may send at once before `messages_per_s` rules."
    )
    write_buffer_bytes_max: int = Field(
        4_194_304,
        ge=65_536,
        le=268_435_456,
        description="Bytes waiting for a station that does not read; above it: closed.",
    )
    write_stall_s: float = Field(
        60.0, gt=0, le=3_600, description="Seconds a station may leave what we send unread before it is closed."
    )

    ping_interval_s: float = Field(
        60.0, ge=0, le=86_400, description="Seconds between WebSocket pings of ours. 0: none."
    )
    pong_timeout_s: float = Field(
        20.0,
        gt=0,
        le=3_600,
        description="Seconds for a sign of life after a ping before the connection counts as dead.",
    )
    idle_timeout_s: float = Field(
        0.0, ge=0, le=604_800, description="Seconds without any OCPP message before a connection is closed. 0: never."
    )
    close_timeout_s: float = Field(
        5.0, gt=0, le=300, description="Seconds a station has to answer a WebSocket close before the socket is cut."
    )

    batch_wait_ms: float = Field(
        5.0,
        ge=0,
        le=1_000,
        description="Milliseconds between two calls to one station actor, at least. What comes meanwhile goes "
        "together, for a call costs the same with one message and with fifty; a message to an idle actor goes at once.",
    )
    batch_deliveries_max: int = Field(
        1_000, ge=1, le=20_000, description="Events handed to a station actor in one call."
    )
    batch_bytes_max: int = Field(
        8_388_608,
        ge=65_536,
        le=268_435_456,
        description="Bytes of messages handed to a station actor in one call, about.",
    )
    calls_per_actor_max: int = Field(2, ge=1, le=16, description="Calls under way to one station actor.")
    deliver_timeout_s: float = Field(
        30.0,
        gt=0,
        le=600,
        description="Seconds a station actor has for a batch before it is looked for and asked again.",
    )
    queue_deliveries_max: int = Field(
        50_000, ge=1, le=5_000_000, description="Events waiting for station actors; above it reading stops everywhere."
    )
    queue_bytes_max: int = Field(
        268_435_456,
        ge=1_048_576,
        le=17_179_869_184,
        description="Bytes of messages waiting for station actors, likewise.",
    )
    redelivery_wait_s_min: float = Field(0.05, gt=0, le=60, description="First wait before a batch is delivered again.")
    redelivery_wait_s_max: float = Field(
        2.0, gt=0, le=300, description="Longest wait before a batch is delivered again."
    )
    locates_max: int = Field(32, ge=1, le=1_000, description="Questions to the directory under way.")

    commands_waiting_max: int = Field(
        64, ge=1, le=10_000, description="Commands waiting for one station; further ones fail at once."
    )
    message_log: Literal["all", "sparse", "off"] = Field(
        "sparse",
        description="Raw messages of all stations that are kept, secrets redacted: all, none (off), or without "
        "heartbeats and meter values that were answered well (sparse), for what those say is kept anyway and they are "
        "nearly all that a charging station says. A station's record can ask for all or none.",
    )
