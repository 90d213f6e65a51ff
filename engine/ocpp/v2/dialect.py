"""The two dialects of OCPP 2: all that 2.0.1 and 2.1 can say, gathered from the blocks.

2.1 removes nothing of 2.0.1 and adds actions; the translators are the same and ask `limits` where the versions differ.
Raw commands are no row here: the catalogue says them for every version alike.
"""

from engine.ocpp.translation import CsmsCall, Dialect, StationCall
from engine.ocpp.v2 import (
    authorization,
    availability,
    battery_swap,
    bidirectional,
    certificates,
    data_transfer,
    der_control,
    device_model,
    diagnostics,
    display_message,
    firmware,
    local_list,
    metering,
    monitoring,
    network_profiles,
    payment,
    provisioning,
    remote_control,
    reservation,
    security,
    smart_charging,
    tariff_and_cost,
    transactions,
)
from engine.ocpp.versions import Version

_FROM_STATION = (
    *provisioning.FROM_STATION,
    *device_model.FROM_STATION,
    *availability.FROM_STATION,
    *authorization.FROM_STATION,
    *transactions.FROM_STATION,
    *metering.FROM_STATION,
    *data_transfer.FROM_STATION,
    *security.FROM_STATION,
    *smart_charging.FROM_STATION,
    *certificates.FROM_STATION,
    *reservation.FROM_STATION,
    *firmware.FROM_STATION,
    *diagnostics.FROM_STATION,
    *monitoring.FROM_STATION,
    *display_message.FROM_STATION,
)
_FROM_CSMS = (
    *provisioning.FROM_CSMS,
    *device_model.FROM_CSMS,
    *network_profiles.FROM_CSMS,
    *transactions.FROM_CSMS,
    *availability.FROM_CSMS,
    *authorization.FROM_CSMS,
    *remote_control.FROM_CSMS,
    *data_transfer.FROM_CSMS,
    *security.FROM_CSMS,
    *smart_charging.FROM_CSMS,
    *tariff_and_cost.FROM_CSMS,
    *certificates.FROM_CSMS,
    *local_list.FROM_CSMS,
    *reservation.FROM_CSMS,
    *firmware.FROM_CSMS,
    *diagnostics.FROM_CSMS,
    *monitoring.FROM_CSMS,
    *display_message.FROM_CSMS,
)
_COMMANDS = (
    *provisioning.COMMANDS,
    *device_model.COMMANDS,
    *network_profiles.COMMANDS,
    *transactions.COMMANDS,
    *availability.COMMANDS,
    *authorization.COMMANDS,
    *remote_control.COMMANDS,
    *local_list.COMMANDS,
    *reservation.COMMANDS,
    *payment.COMMANDS,
    *data_transfer.COMMANDS,
    *security.COMMANDS,
    *smart_charging.COMMANDS,
    *tariff_and_cost.COMMANDS,
    *bidirectional.COMMANDS,
    *der_control.COMMANDS,
    *battery_swap.COMMANDS,
    *certificates.COMMANDS,
    *firmware.COMMANDS,
    *diagnostics.COMMANDS,
    *monitoring.COMMANDS,
    *display_message.COMMANDS,
)


def _gathered(from_station: tuple[StationCall, ...], from_csms: tuple[CsmsCall, ...]) -> Dialect:
    """A dialect of these rows; no name stands twice."""
    gathered = Dialect(
        from_station={call.action: call for call in from_station},
        from_csms={call.action: call for call in from_csms},
        commands={translator.command: translator for translator in _COMMANDS},
    )
    assert len(gathered.from_station) == len(from_station), "an action of stations stands in two blocks"
    assert len(gathered.from_csms) == len(from_csms), "an action of the CSMS stands in two blocks"
    assert len(gathered.commands) == len(_COMMANDS), "a command stands in two blocks"
    return gathered


DIALECT_201 = _gathered(_FROM_STATION, _FROM_CSMS)
DIALECT_21 = _gathered(
    (
        *_FROM_STATION,
        *certificates.FROM_STATION_21,
        *payment.FROM_STATION_21,
        *smart_charging.FROM_STATION_21,
        *der_control.FROM_STATION_21,
        *battery_swap.FROM_STATION_21,
        *diagnostics.FROM_STATION_21,
    ),
    (
        *_FROM_CSMS,
        *payment.FROM_CSMS_21,
        *smart_charging.FROM_CSMS_21,
        *bidirectional.FROM_CSMS_21,
        *tariff_and_cost.FROM_CSMS_21,
        *der_control.FROM_CSMS_21,
        *battery_swap.FROM_CSMS_21,
        *diagnostics.FROM_CSMS_21,
    ),
)

_DIALECT_OF = {Version.V201: DIALECT_201, Version.V21: DIALECT_21}


def dialect(version: Version) -> Dialect:
    """What this version can say.

    Raises:
        KeyError: The version is not of the 2 family.
    """
    return _DIALECT_OF[version]
