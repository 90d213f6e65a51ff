"""Logs that a virtual station uploads: the statuses in order, without the upload.

A location that no station could reach fails, as for firmware. A second GetLog cancels the first (2.1 N01.FR.12).
Sources: 1.6 sections 4.4 and 5.10, the security whitepaper N01, 2.1 N01.
"""

from collections.abc import Callable

from loadtests.firmware import can_be_fetched
from loadtests.host import ACCEPTED, Host
from loadtests.wording import Payload


class LogUpload:
    """GetDiagnostics and GetLog; one of each at a time."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._call_off: Callable[[], None] | None = None
        self._request_id: int | None = None
        self._diagnostics: Callable[[], None] | None = None

    def get_diagnostics(self, payload: Payload) -> Payload:
        """1.6 section 5.10."""
        if self._diagnostics is not None:
            self._diagnostics()
        location = payload["location"]

        def ended() -> None:
            self._diagnostics = None
            self._tell_diagnostics("Uploaded" if can_be_fetched(location) else "UploadFailed")

        self._tell_diagnostics("Uploading")
        self._diagnostics = self._host.later(self._host.pace.upload_s, ended)
        return {"fileName": self._file("diagnostics")}

    def get_log(self, payload: Payload) -> Payload:
        """2.1 N01, security whitepaper N01."""
        canceled = self._call_off is not None
        if self._call_off is not None:
            self._call_off()
            if self._host.version != "1.6":  # which has no word for it
                self._tell_log("AcceptedCanceled", self._request_id)
        request_id, location = payload["requestId"], payload["log"]["remoteLocation"]
        self._request_id = request_id

        def ended() -> None:
            self._call_off = None
            self._tell_log("Uploaded" if can_be_fetched(location) else "UploadFailure", request_id)

        self._tell_log("Uploading", request_id)
        self._call_off = self._host.later(self._host.pace.upload_s, ended)
        status: Payload = {"status": "AcceptedCanceled"} if canceled else dict(ACCEPTED)
        return status | {"filename": self._file(payload["logType"])}

    def trigger_diagnostics(self) -> None:
        """1.6 section 5.17."""
        self._tell_diagnostics("Idle" if self._diagnostics is None else "Uploading")

    def trigger_log(self) -> None:
        """2.1 F06: with the request while it goes on."""
        busy = self._call_off is not None
        self._tell_log("Uploading" if busy else "Idle", self._request_id if busy else None)

    def _tell_diagnostics(self, status: str) -> None:
        self._host.tell("DiagnosticsStatusNotification", {"status": status})

    def _tell_log(self, status: str, request_id: int | None) -> None:
        payload: Payload = {"status": status}
        if request_id is not None:
            payload["requestId"] = request_id
        self._host.tell("LogStatusNotification", payload)

    def _file(self, kind: str) -> str:
        return f"{kind}-{self._host.identity}-{self._host.clock():.0f}.log"
