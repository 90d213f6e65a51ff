"""statusInfo: why something was answered as it was, in a code and in words. 2.1 StatusInfoType, appendix 5."""

from engine.ocpp.translation import Payload
from engine.ocpp.versions import Version

REASON_LENGTH_MAX = 20
DETAIL_LENGTH_MAX = {Version.V201: 512, Version.V21: 1024}
UNSPECIFIED = "Unspecified"


def status_info(reason: str | None, detail: str | None, version: Version) -> Payload:
    """The object. `reason` None: Unspecified. A detail that is too long is cut: it is for people."""
    info: Payload = {"reasonCode": (reason or UNSPECIFIED)[:REASON_LENGTH_MAX]}
    if detail:
        info["additionalInfo"] = detail[: DETAIL_LENGTH_MAX[version]]
    return info
