"""Settings of the OCPP door: who may come in, how fast, and how much may wait."""

import ipaddress
import ssl
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, Field, field_validator, model_validator

TLS_CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:"
    "AES128-GCM-SHA256:AES256-GCM-SHA384"
)
"""The four suites that OCPP demands of a CSMS (2.1 A00.FR.318; the first two and the last two), in OpenSSL's words, and
between them what a station with an RSA authority can better use."""


class OcppSettings(BaseModel, frozen=True, extra="forbid"):
    """The section `[ocpp]`. Bounds count per ingress process unless they say otherwise."""

    host: str = Field("127.0.0.1", description="Address the OCPP port is bound to; 0.0.0.0 or :: for all interfaces.")
    port: int = Field(
        9000, ge=0, le=65_535, description="TCP port for stations, shared by all ingresses of a node. 0: any free one."
    )
    tls_port: int = Field(
        9443,
        ge=0,
        le=65_535,
        description="TCP port for stations that use TLS (security profiles 2 and 3), shared likewise. Open only where "
        "`tls_certificates` names any. 0: any free one.",
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
        le=3,
        description="Lowest OCPP security profile a station may use. 1: every station must present its password "
        "(HTTP Basic), so it must be registered with one. 2: likewise, and over TLS. 3: every station must present its "
        "certificate.",
    )
    security_profile_upgrades: Literal["told", "any"] = Field(
        "told",
        description="When a station may come with a higher security profile than its record says: told, only when its "
        "record names that as the next one (A00.FR.002); any, always. The record follows and never goes back.",
    )
    identity_case: Literal["refuse", "same", "distinct"] = Field(
        "refuse",
        description="What a station is whose identity differs from a registered or connected one only in the case of "
        "letters: refuse, a mistake, answered 404; same, that station; distinct, another station.",
    )
    hex_passwords: bool = Field(
        default=True,
        description="Accept the bytes that a hexadecimal password decodes to, as OCPP 1.6 stations send them, as well "
        "as the password as it is written.",
    )
    password_checks: int = Field(
        2,
        ge=1,
        le=64,
        description="Passwords checked at the same time, each in a thread with 19 MiB of memory. Random passwords, as "
        "Narke makes them, need no thread.",
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

    tls_certificates: tuple[Path, ...] = Field(
        (),
        description="PEM files, each a certificate of this server and what leads to its authority. OCPP wants two, "
        "one with an ECDSA key and one with RSA (A00.FR.318). None: no TLS port. Changed files are taken without a "
        "restart.",
    )
    tls_keys: tuple[Path, ...] = Field(
        (),
        description="PEM files with the keys of `tls_certificates`, in the same order. None: the same files hold them.",
    )
    tls_client_ca: Path | None = Field(
        None,
        description="PEM file with the authorities whose certificates stations may present (security profile 3), and "
        "no others. None: certificates of stations are not asked for.",
    )
    tls_crls: tuple[Path, ...] = Field(
        (),
        description="Files (PEM or DER) with the authorities' lists of revoked certificates. Changed files are taken "
        "without a restart.",
    )
    tls_crl_required: bool = Field(
        default=False,
        description="Refuse stations' certificates for which there is no list of revoked ones that is up to date.",
    )
    tls_organizations: tuple[str, ...] = Field(
        (),
        description="Organisations (O) of which stations' certificates must name one (A00.FR.404). None: any.",
    )
    tls_ciphers: str = Field(
        TLS_CIPHERS,
        description="Cipher suites of TLS 1.2, best first, in OpenSSL's words; TLS 1.3 chooses by itself. The default "
        "has what OCPP demands; without the last two every connection has forward secrecy.",
    )
    tls_handshake_timeout_s: float = Field(
        15.0, gt=0, le=300, description="Seconds a TLS handshake, and a PROXY header before it, may take."
    )
    tls_handshakes_max: int = Field(
        500,
        ge=1,
        le=50_000,
        description="TLS handshakes under way at most; further connections wait in the kernel (`backlog`).",
    )
    tls_handshakes_per_s: float = Field(
        500.0,
        gt=0,
        le=100_000,
        description="TLS handshakes begun per second; further connections wait in the kernel, so that a storm takes no "
        "time from stations that are connected.",
    )
    tls_reload_s: float = Field(
        10.0, gt=0, le=86_400, description="Seconds between looks at the files of TLS for changes."
    )

    trusted_proxies: tuple[str, ...] = Field(
        (),
        description="Networks of proxies whose word is taken for where a station comes from and whether it uses TLS "
        "(PROXY protocol, Forwarded, X-Forwarded-For, X-Forwarded-Proto, Client-Cert), e.g. 10.0.0.0/8. From anybody "
        "else these are ignored.",
    )
    proxy_protocol: bool = Field(
        default=False,
        description="Connections begin with a PROXY protocol header, version 1 or 2. Only `trusted_proxies` can "
        "connect.",
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
    attempts_per_station_per_min: float = Field(
        120.0,
        ge=0,
        le=60_000,
        description="Handshakes per minute, and at once, of one identity from one address; above it: 429 with "
        "Retry-After. 0: any number.",
    )
    attempts_per_address_per_min: float = Field(
        0.0,
        ge=0,
        le=10_000_000,
        description="Handshakes per minute, and at once, of one address (IPv6: network of 64 bits), likewise. 0: any "
        "number, for many stations can share an address.",
    )
    failures_per_station_per_min: float = Field(
        10.0,
        ge=0,
        le=60_000,
        description="Passwords, certificates and the like that may be wrong per minute in the name of one station "
        "before addresses that failed are answered 429. The same mistake again does not count. 0: any number.",
    )
    failures_per_address_per_min: float = Field(
        30.0,
        ge=0,
        le=1_000_000,
        description="Likewise from one address, whatever the station.",
    )
    addresses_known_max: int = Field(
        20_000,
        ge=100,
        le=10_000_000,
        description="Addresses, identities and mistakes remembered for these limits, each; the oldest are forgotten.",
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
    unresponsive_heartbeats: float = Field(
        3.0,
        ge=0,
        le=1_000,
        description="A station that said nothing for so many heartbeat intervals is unresponsive, even if it answers "
        "pings: its OCPP stack may hang. 0: none ever is.",
    )
    unresponsive_close: bool = Field(
        default=False,
        description="Close the connection of an unresponsive station, so that it connects anew. Those that are sent no "
        "pings (a quirk) are closed in any case: nothing else tells that they are gone.",
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

    @property
    def has_tls(self) -> bool:
        """Whether there is a TLS port."""
        return bool(self.tls_certificates)

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            try:
                ipaddress.ip_network(text)
            except ValueError as error:
                raise ValueError(f"{text!r} is no network: {error}. Write 10.0.0.0/8, or one address") from None
        return value

    @field_validator("tls_ciphers")
    @classmethod
    def _are_ciphers(cls, value: str) -> str:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).set_ciphers(value)
        except ssl.SSLError:
            raise ValueError(
                f"{value!r} names no cipher suite that this machine's OpenSSL has: see `openssl ciphers -v`"
            ) from None
        return value

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        if self.tls_keys and len(self.tls_keys) != len(self.tls_certificates):
            raise ValueError(
                f"tls_keys names {len(self.tls_keys)} files and tls_certificates {len(self.tls_certificates)}: name "
                "one key for each certificate, or no keys if they are in the certificates' files"
            )
        if self.tls_crls and self.tls_client_ca is None:
            raise ValueError("tls_crls needs tls_client_ca: the authorities that signed the lists")
        if self.tls_crl_required and not self.tls_crls:
            raise ValueError("tls_crl_required needs tls_crls, or no station could present a certificate")
        if self.proxy_protocol and not self.trusted_proxies:
            raise ValueError("proxy_protocol needs trusted_proxies, or nobody could connect")
        if self.security_profile_min > 1 and not (self.has_tls or self.trusted_proxies):
            raise ValueError(
                f"security_profile_min = {self.security_profile_min} needs TLS: name tls_certificates, or "
                "trusted_proxies if a proxy speaks TLS with the stations"
            )
        if self.has_tls and self.tls_port == self.port != 0:
            raise ValueError(f"port and tls_port are both {self.port}: give them different ports")
        return self
