"""The samples by version: what a station says, and what Narke says with what a good station answers."""

from engine.ocpp.versions import Version
from tests.conformance.samples import v2, v16

FROM_STATION = {
    Version.V16: v16.FROM_STATION,
    Version.V201: v2.FROM_STATION,
    Version.V21: {**v2.FROM_STATION, **v2.FROM_STATION_21},
}
"""Version -> action -> payload."""

FROM_CSMS = {
    Version.V16: v16.FROM_CSMS,
    Version.V201: v2.FROM_CSMS,
    Version.V21: {**v2.FROM_CSMS, **v2.FROM_CSMS_21},
}
"""Version -> action -> (request, the station's answer)."""

BOOT = {version: said["BootNotification"] for version, said in FROM_STATION.items()}
"""Version -> the BootNotification."""
