"""The dialect of OCPP 1.6 with the security whitepaper: everything its blocks can say, in one value."""

from engine.ocpp.translation import Dialect
from engine.ocpp.v16 import (
    authorization,
    availability,
    certificates,
    data_transfer,
    device_model,
    diagnostics,
    firmware,
    local_list,
    metering,
    provisioning,
    remote_control,
    reservation,
    security,
    smart_charging,
    transactions,
)

_FROM_STATION = (
    *provisioning.FROM_STATION,
    *authorization.FROM_STATION,
    *transactions.FROM_STATION,
    *availability.FROM_STATION,
    *metering.FROM_STATION,
    *data_transfer.FROM_STATION,
    *security.FROM_STATION,
    *certificates.FROM_STATION,
    *firmware.FROM_STATION,
    *diagnostics.FROM_STATION,
)
_FROM_CSMS = (
    *provisioning.FROM_CSMS,
    *authorization.FROM_CSMS,
    *remote_control.FROM_CSMS,
    *availability.FROM_CSMS,
    *data_transfer.FROM_CSMS,
    *security.FROM_CSMS,
    *smart_charging.FROM_CSMS,
    *certificates.FROM_CSMS,
    *local_list.FROM_CSMS,
    *reservation.FROM_CSMS,
    *firmware.FROM_CSMS,
    *diagnostics.FROM_CSMS,
)
_COMMANDS = (
    *provisioning.COMMANDS,
    *device_model.COMMANDS,
    *transactions.COMMANDS,
    *authorization.COMMANDS,
    *remote_control.COMMANDS,
    *local_list.COMMANDS,
    *reservation.COMMANDS,
    *availability.COMMANDS,
    *data_transfer.COMMANDS,
    *security.COMMANDS,
    *smart_charging.COMMANDS,
    *certificates.COMMANDS,
    *firmware.COMMANDS,
    *diagnostics.COMMANDS,
)

DIALECT = Dialect(
    from_station={call.action: call for call in _FROM_STATION},
    from_csms={call.action: call for call in _FROM_CSMS},
    commands={translator.command: translator for translator in _COMMANDS},
)
