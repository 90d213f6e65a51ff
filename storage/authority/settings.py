"""Settings of certificates: who signs, how long they live, whom we may ask about them."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, SecretStr


class CertificateSettings(BaseModel, frozen=True, extra="forbid"):
    """The section `[certificates]`."""

    folder: Path | None = Field(
        None,
        description="Folder of the local certificate authority (narke ca); none: ca in the data directory. On a "
        "cluster it must be readable and writable on every node that has an ingress.",
    )
    signing: Literal["automatic", "manual", "off"] = Field(
        "automatic",
        description="What happens to a station's SignCertificate: the authority signs at once, it waits for the "
        "operator's `narke certificate approve`, or it is rejected.",
    )
    organisation: str | None = Field(
        None,
        min_length=1,
        max_length=64,
        description="Organisation (O) of all certificates: what stations have as OrganizationName (1.6: CpoName). "
        "None: what the authority was made with (narke ca init --organisation), else Narke.",
    )
    common_name: Literal["identity", "any"] = Field(
        "identity",
        description="What the common name (CN) of a station's request must be: its OCPP identity, or anything. "
        "V2G certificates are named by the SeccId and are not compared.",
    )
    station_days: int = Field(365, ge=1, le=3_660, description="Days a certificate of a station is valid.")
    server_days: int = Field(
        365,
        ge=1,
        le=825,
        description="Days the certificate of the TLS port is valid. OCPP recommends few (A00.FR.701), but stations "
        "cannot connect when nobody renews it.",
    )
    backdate_s: int = Field(
        3_600,
        ge=0,
        le=604_800,
        description="Seconds a certificate is valid before it was made, for stations whose clocks are late.",
    )
    responder_url: str | None = Field(
        None,
        pattern=r"^https?://\S+$",
        max_length=512,
        description="OCSP address written into certificates that are signed; none: no address. Stations ask it through "
        "the CSMS, which answers for its own certificates by itself.",
    )
    outside_s_max: float = Field(
        3.0, gt=0, le=60, description="Seconds an OCSP responder or a CRL's server has to answer."
    )
    outside_private: bool = Field(
        default=False,
        description="Whether responders and CRLs may be fetched from private and loopback addresses. Stations name the "
        "addresses: with it, they can make Narke ask any server of your network.",
    )
    response_bytes_max: int = Field(
        65_536, ge=4_096, le=1_048_576, description="Size of an OCSP response; a larger one is not read."
    )
    crl_bytes_max: int = Field(
        4_194_304, ge=65_536, le=67_108_864, description="Size of a CRL; a larger one is not read."
    )
    statuses_max: int = Field(
        4_096, ge=1, le=1_000_000, description="Statuses of certificates remembered per process until they are due."
    )
    status_kept_s_max: int = Field(
        86_400,
        ge=0,
        le=604_800,
        description="Seconds a status is remembered at most, if its next update is later. ISO 15118-20 allows a week.",
    )
    status_trust: Literal["strict", "lenient"] = Field(
        "strict",
        description="Whether an OCSP answer or a CRL about somebody else's certificate must be signed by its issuer, "
        "known from trust/ of the authority's folder (strict), or is believed as it is (lenient: for tests only).",
    )
    contract_pool_url: str | None = Field(
        None,
        pattern=r"^https?://\S+$",
        description="Where contract certificates for cars come from (Get15118EVCertificate is POSTed there as JSON); "
        "none: stations are told Failed. See docs/certificates.md.",
    )
    contract_pool_key: SecretStr | None = Field(None, description="Bearer key for the contract pool.")
    contract_pool_s_max: float = Field(
        4.5, gt=0, le=60, description="Seconds the contract pool has; ISO 15118-2 lets a car wait 5 seconds."
    )
    consultation_s_max: float = Field(
        4.8,
        gt=0,
        le=60,
        description="Seconds from a station's message that needs the outside world (certificates) to its answer, at "
        "most; who has not answered by then has failed.",
    )
    consultations_max: int = Field(
        256, ge=1, le=10_000, description="Such messages under way per ingress; further ones fail at once."
    )
