"""The ports that Narke opens, looked at before anything is started.

The ingress shares its port (SO_REUSEPORT), so without this a second Narke would take half of the first one's stations.
"""

import time

from deploy.doctor.places import port, tls_files
from deploy.doctor.report import Check, Status
from deploy.servers.errors import ServerError
from deploy.settings import Settings

TLS_FLAG = "--set ocpp.tls_port=..."
PATIENCE_S = 3.0
"""What a Narke that was killed leaves behind may need so long to end."""
_POLL_S = 0.1


class DoorTaken(ServerError):  # noqa: N818 (a state)
    """A port is in use or may not be bound. The message says which, by whom and what to do."""


def check(settings: Settings) -> None:
    """Returns when all ports are free. Blocks, at most `PATIENCE_S`.

    Raises:
        DoorTaken: One is not.
    """
    deadline = time.monotonic() + PATIENCE_S
    while problems := [found for found in _examine(settings) if found.status is Status.FAIL]:
        if time.monotonic() > deadline:
            raise DoorTaken("\n".join(f"{each.name}: {each.found}. {each.advice}" for each in problems))
        time.sleep(_POLL_S)


def _examine(settings: Settings) -> list[Check]:
    checks = [
        port("OCPP port", settings.ocpp.host, settings.ocpp.port, {}, "--port"),
        port("HTTP port", settings.http.host, settings.http.port, {}, "--http-port"),
    ]
    if settings.ocpp.has_tls:
        checks.append(port("OCPP TLS port", settings.ocpp.host, settings.ocpp.tls_port, {}, TLS_FLAG))
        checks.append(tls_files(settings))
    return checks
