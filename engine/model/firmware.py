"""Firmware: updates of stations, publication by local controllers. OCPP 2.1 block L, 1.6 and its security whitepaper.

An update is known by the requestId of its command. Narke gives one also where the wire has none (1.6 UpdateFirmware).
"""

from datetime import UTC, datetime
from enum import StrEnum

from engine.model.word import Word

AT_ONCE = datetime(2020, 1, 1, tzinfo=UTC)
"""How "at once" is said where a version wants a time: the time may have passed (1.6 section 6.51, 2.1 L01)."""


class FirmwareStatus(StrEnum):
    """How far an update is (2.1 FirmwareStatusEnumType). 1.6 without the whitepaper knows seven of them."""

    IDLE = "Idle"
    DOWNLOAD_SCHEDULED = "DownloadScheduled"
    DOWNLOADING = "Downloading"
    DOWNLOAD_PAUSED = "DownloadPaused"
    DOWNLOAD_FAILED = "DownloadFailed"
    DOWNLOADED = "Downloaded"
    SIGNATURE_VERIFIED = "SignatureVerified"
    INVALID_SIGNATURE = "InvalidSignature"
    INSTALL_SCHEDULED = "InstallScheduled"
    INSTALLING = "Installing"
    INSTALL_REBOOTING = "InstallRebooting"
    INSTALL_VERIFICATION_FAILED = "InstallVerificationFailed"
    INSTALLATION_FAILED = "InstallationFailed"
    INSTALLED = "Installed"


class PublicationStatus(StrEnum):
    """How far a local controller's publication is (2.1 PublishFirmwareStatusEnumType); Unpublished is our own word."""

    IDLE = "Idle"
    DOWNLOAD_SCHEDULED = "DownloadScheduled"
    DOWNLOADING = "Downloading"
    DOWNLOAD_PAUSED = "DownloadPaused"
    DOWNLOAD_FAILED = "DownloadFailed"
    DOWNLOADED = "Downloaded"
    CHECKSUM_VERIFIED = "ChecksumVerified"
    INVALID_CHECKSUM = "InvalidChecksum"
    PUBLISHED = "Published"
    PUBLISH_FAILED = "PublishFailed"
    UNPUBLISHED = "Unpublished"


class FirmwareResult(StrEnum):
    """How an update ended."""

    INSTALLED = "installed"
    FAILED = "failed"
    REFUSED = "refused"
    """The station said no, or answered with an error; nothing was begun."""
    CANCELLED = "cancelled"
    """A newer update took its place (L01.FR.24, L02.FR.15)."""


class UpdateFirmware(Word, frozen=True):
    """Command. `location`: where the station fetches it; a password in it is sent, but not shown.

    `retrieve_at`: not before; None: at once. `install_at`: not before; None: as soon as it can. `signing_certificate`
    (PEM) and `signature` (base64): of a signed update, both or none; 1.6 sends SignedUpdateFirmware then. `retries`,
    `retry_interval_s` None: the station chooses.
    """

    location: str
    retrieve_at: datetime | None = None
    install_at: datetime | None = None
    signing_certificate: str | None = None
    signature: str | None = None
    retries: int | None = None
    retry_interval_s: int | None = None
    request_id: int | None = None


class PublishFirmware(Word, frozen=True):
    """Command to a local controller: fetch this file and offer it to its stations. `checksum`: MD5, hexadecimal."""

    location: str
    checksum: str
    retries: int | None = None
    retry_interval_s: int | None = None
    request_id: int | None = None


class UnpublishFirmware(Word, frozen=True):
    """Command to a local controller: offer the file with this MD5 checksum no more."""

    checksum: str


class FirmwareStatusReported(Word, frozen=True):
    """Report. `request_id` None: not said (1.6, or a triggered Idle). `detail`: 2.1 statusInfo, for people."""

    status: FirmwareStatus
    request_id: int | None = None
    detail: str | None = None


class PublicationReported(Word, frozen=True):
    """Report. `locations`: where stations can fetch the file, once Published."""

    status: PublicationStatus
    request_id: int | None = None
    locations: tuple[str, ...] = ()
    detail: str | None = None


class FirmwareUpdateAsked(Word, frozen=True):
    """Fact: a station was told to update.

    `answer`: its word, '' where its version has none. `accepted` None: it did not answer, and may have begun.
    `from_version`: what it ran then, as far as known. `expected_by`: when news of it should have come. Once more when a
    late answer comes.
    """

    request_id: int
    command_id: str
    location: str
    noted_at: datetime
    accepted: bool | None
    answer: str = ""
    signed: bool = False
    retrieve_at: datetime | None = None
    install_at: datetime | None = None
    from_version: str | None = None
    expected_by: datetime | None = None


class FirmwareStatusRecorded(Word, frozen=True):
    """Fact: a station told how far it is.

    `number`: counts the statuses of a station. `request_id`: the update it is taken to be about; None: none of ours.
    `said_id`: the requestId that it said. `result`: how the update ended with it. `flags`: what is odd about it.
    """

    status: FirmwareStatus
    number: int
    at: datetime
    request_id: int | None = None
    said_id: int | None = None
    result: FirmwareResult | None = None
    expected_by: datetime | None = None
    detail: str | None = None
    flags: tuple[str, ...] = ()


class FirmwareUpdateEnded(Word, frozen=True):
    """Fact: an update ended otherwise than by a status: a newer one took its place, or the new firmware booted.

    `version`: the firmware that runs now; None: not known.
    """

    request_id: int
    result: FirmwareResult
    noted_at: datetime
    version: str | None = None


class FirmwareUpdateStalled(Word, frozen=True):
    """Fact: nothing was heard of an update for longer than it should take; it may still go on. `status`: the last."""

    request_id: int
    noted_at: datetime
    status: str = ""


class FirmwareVersionSeen(Word, frozen=True):
    """Fact: a station booted with another firmware than it last did. `request_id`: the update that explains it."""

    version: str
    at: datetime
    before: str | None = None
    request_id: int | None = None


class FirmwareUnchanged(Word, frozen=True):
    """Fact: a station booted in the middle, or at the end, of an update, and still runs the firmware of before."""

    request_id: int
    version: str
    at: datetime


class PublicationAsked(Word, frozen=True):
    """Fact: a local controller was told to publish a file. Fields as in `FirmwareUpdateAsked`."""

    request_id: int
    command_id: str
    location: str
    checksum: str
    noted_at: datetime
    accepted: bool | None
    answer: str = ""
    expected_by: datetime | None = None


class PublicationStatusRecorded(Word, frozen=True):
    """Fact: a local controller told how far it is. Fields as in `FirmwareStatusRecorded`."""

    status: PublicationStatus
    number: int
    at: datetime
    request_id: int | None = None
    said_id: int | None = None
    locations: tuple[str, ...] = ()
    expected_by: datetime | None = None
    detail: str | None = None
    flags: tuple[str, ...] = ()


class PublicationEnded(Word, frozen=True):
    """Fact: a file is offered no more (Unpublished), or nothing was heard of it for too long (stalled)."""

    request_id: int
    noted_at: datetime
    stalled: bool = False
