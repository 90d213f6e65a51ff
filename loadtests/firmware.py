"""A firmware update on a virtual station: its statuses in order, with the failures that a location can ask for.

Nothing is downloaded. The location decides how it goes: a scheme that stations do not fetch from, or a host that ends
with `.invalid` (RFC 2606), fails to download; `corrupt` in the path fails to install; `bad-signature` fails to verify.
Sources: 1.6 sections 4.5 and 5.19, the security whitepaper L01, 2.1 L01 and L02.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from loadtests.host import ACCEPTED, Host, busy
from loadtests.wording import Payload
from loadtests.wording.words import stamp

_SCHEMES = ("http", "https", "ftp", "ftps", "sftp")
_STATUSES_OF_16 = ("Downloaded", "DownloadFailed", "Downloading", "InstallationFailed", "Installing", "Installed")
"""Those of FirmwareStatusNotification; the signed update of 1.6 has them all."""
POLL_S = 1.0
"""How often it looks whether the last car has gone, in steps of an update."""


class Firmware:
    """At most one update at a time; a later one cancels it until it is being installed."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._status = "Idle"
        self._request_id: int | None = None
        self._signed = False
        self._location = ""
        self._call_off: Callable[[], None] | None = None

    # What the CSMS asks

    def update_16(self, payload: Payload) -> Payload:
        """UpdateFirmware of 1.6; its answer says nothing."""
        if self._status not in ("Installing", "InstallRebooting"):
            self._begin(payload["location"], None, _wait_s(self._host, payload["retrieveDate"]), signed=False)
        return {}

    def update_2(self, payload: Payload) -> Payload:
        """UpdateFirmware of 2.x, SignedUpdateFirmware of 1.6."""
        firmware = payload["firmware"]
        certificate = firmware.get("signingCertificate")
        if certificate is not None and "BEGIN CERTIFICATE" not in certificate:
            self._host.tell("SecurityEventNotification", self._security_event("InvalidFirmwareSigningCertificate"))
            return {"status": "InvalidCertificate"}
        if self._status in ("Installing", "InstallRebooting"):
            return {"status": "Rejected"}
        canceled = self._call_off is not None
        wait_s = _wait_s(self._host, firmware["retrieveDateTime" if "retrieveDateTime" in firmware else "retrieveDate"])
        self._begin(firmware["location"], payload["requestId"], wait_s, signed=firmware.get("signature") is not None)
        return {"status": "AcceptedCanceled"} if canceled else dict(ACCEPTED)

    def trigger(self) -> None:
        """Says where it is (1.6 section 5.17, 2.1 F06): Idle when nothing goes on."""
        self._tell(self._status if self._call_off is not None else "Idle")

    # The steps

    def _begin(self, location: str, request_id: int | None, wait_s: float, *, signed: bool) -> None:
        if self._call_off is not None:
            self._call_off()
        self._location, self._request_id, self._signed = location, request_id, signed
        if wait_s > 0.0 and request_id is not None:
            self._say("DownloadScheduled")
        self._next(wait_s, self._download)

    def _download(self) -> None:
        self._say("Downloading")
        self._step(self._downloaded)

    def _downloaded(self) -> None:
        if not can_be_fetched(self._location):
            self._end("DownloadFailed")
            return
        self._say("Downloaded")
        self._step(self._verify if self._signed else self._install)

    def _verify(self) -> None:
        if "bad-signature" in self._location:
            self._host.tell("SecurityEventNotification", self._security_event("InvalidFirmwareSignature"))
            self._end("InvalidSignature")
            return
        self._say("SignatureVerified")
        self._step(self._install)

    def _install(self) -> None:
        """Waits for the cars; connectors that are empty take none (2.1 L01.FR.06 and 07)."""
        if busy(self._host.connectors):
            if self._status != "InstallScheduled" and self._request_id is not None:
                self._say("InstallScheduled")
            self._next(POLL_S * self._host.pace.firmware_s, self._install)
            return
        self._say("Installing")
        self._step(self._installed)

    def _installed(self) -> None:
        if "corrupt" in self._location:
            self._end("InstallationFailed")
            return
        if self._request_id is not None:
            self._say("InstallRebooting")
        major, minor, patch = self._host.firmware.split(".")
        self._host.firmware = f"{major}.{minor}.{int(patch) + 1}"
        self._host.reset(None)
        self._await_boot()

    def _await_boot(self) -> None:
        """Installed is told by the new firmware, after its boot (2.1 L01.FR.10 on)."""
        if self._host.registered:
            self._end("Installed")
        else:
            self._next(POLL_S * self._host.pace.firmware_s, self._await_boot)

    def _step(self, work: Callable[[], None]) -> None:
        self._next(self._host.pace.firmware_s, work)

    def _next(self, seconds: float, work: Callable[[], None]) -> None:
        self._call_off = self._host.later(seconds, work)

    def _end(self, status: str) -> None:
        self._call_off = None
        self._say(status)

    def _say(self, status: str) -> None:
        self._status = status
        self._tell(status)

    def _tell(self, status: str) -> None:
        payload: Payload = {"status": status}
        if self._request_id is None:
            if self._host.version != "1.6" or status in (*_STATUSES_OF_16, "Idle"):
                self._host.tell("FirmwareStatusNotification", payload)
            return
        if status != "Idle":
            payload["requestId"] = self._request_id
        signed_16 = self._host.version == "1.6"
        self._host.tell("SignedFirmwareStatusNotification" if signed_16 else "FirmwareStatusNotification", payload)

    def _security_event(self, kind: str) -> Payload:
        return {"type": kind, "timestamp": stamp(self._host.now())}


def _wait_s(host: Host, at: str) -> float:
    """Until the time to fetch; a time in the past is now."""
    time = datetime.fromisoformat(at)
    time = time if time.tzinfo else time.replace(tzinfo=UTC)
    return max(0.0, time.timestamp() - host.clock())


def can_be_fetched(location: str) -> bool:
    """Whether a station could reach a location at all."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return False
    return parts.scheme in _SCHEMES and bool(parts.hostname) and not str(parts.hostname).endswith(".invalid")
