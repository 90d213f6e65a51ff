"""Which functional block answers which call of the CSMS, by version.

What is not in a version's table is not known to the station (CALLERROR NotImplemented).
"""

from collections.abc import Callable
from typing import Any

from loadtests.availability import Availability
from loadtests.certificates import Certificates
from loadtests.configuration import Configuration
from loadtests.device_model import DeviceModel
from loadtests.firmware import Firmware
from loadtests.host import Host
from loadtests.information import Information
from loadtests.link import Malformed
from loadtests.local_list import LocalList
from loadtests.log_upload import LogUpload
from loadtests.monitoring import Monitoring
from loadtests.remote_control import RemoteControl
from loadtests.reservations import Reservations
from loadtests.smart_charging import SmartCharging
from loadtests.wording import Payload

Answer = Callable[[Any, Payload], Payload]
Table = dict[str, tuple[type, Answer]]


def _data_transfer(block: Information, payload: Payload) -> Payload:
    return block.data_transfer(payload)


_IN_ALL: Table = {
    "CancelReservation": (Reservations, Reservations.cancel),
    "CertificateSigned": (Certificates, Certificates.signed),
    "ClearCache": (LocalList, LocalList.clear_cache),
    "ClearChargingProfile": (SmartCharging, SmartCharging.clear),
    "DataTransfer": (Information, _data_transfer),
    "DeleteCertificate": (Certificates, Certificates.delete),
    "GetCompositeSchedule": (SmartCharging, SmartCharging.composite),
    "GetInstalledCertificateIds": (Certificates, Certificates.installed_ids),
    "GetLocalListVersion": (LocalList, LocalList.version),
    "GetLog": (LogUpload, LogUpload.get_log),
    "InstallCertificate": (Certificates, Certificates.install),
    "ReserveNow": (Reservations, Reservations.reserve),
    "SendLocalList": (LocalList, LocalList.send),
    "SetChargingProfile": (SmartCharging, SmartCharging.set),
}
_IN_16: Table = _IN_ALL | {
    "ChangeAvailability": (Availability, Availability.change_16),
    "ChangeConfiguration": (Configuration, Configuration.change),
    "ExtendedTriggerMessage": (RemoteControl, RemoteControl.trigger_16),
    "GetConfiguration": (Configuration, Configuration.get),
    "GetDiagnostics": (LogUpload, LogUpload.get_diagnostics),
    "RemoteStartTransaction": (RemoteControl, RemoteControl.start_16),
    "RemoteStopTransaction": (RemoteControl, RemoteControl.stop),
    "Reset": (Availability, Availability.reset_16),
    "SignedUpdateFirmware": (Firmware, Firmware.update_2),
    "TriggerMessage": (RemoteControl, RemoteControl.trigger_16),
    "UnlockConnector": (RemoteControl, RemoteControl.unlock_16),
    "UpdateFirmware": (Firmware, Firmware.update_16),
}
_IN_201: Table = _IN_ALL | {
    "ChangeAvailability": (Availability, Availability.change_2),
    "ClearDisplayMessage": (Information, Information.clear_message),
    "ClearVariableMonitoring": (Monitoring, Monitoring.clear),
    "CostUpdated": (Information, Information.cost_updated),
    "CustomerInformation": (Information, Information.customer),
    "GetBaseReport": (DeviceModel, DeviceModel.get_base_report),
    "GetChargingProfiles": (SmartCharging, SmartCharging.get_profiles),
    "GetDisplayMessages": (Information, Information.get_messages),
    "GetMonitoringReport": (Monitoring, Monitoring.report),
    "GetReport": (DeviceModel, DeviceModel.get_report),
    "GetTransactionStatus": (RemoteControl, RemoteControl.transaction_status),
    "GetVariables": (DeviceModel, DeviceModel.get_variables),
    "RequestStartTransaction": (RemoteControl, RemoteControl.start_2),
    "RequestStopTransaction": (RemoteControl, RemoteControl.stop),
    "Reset": (Availability, Availability.reset_2),
    "SetDisplayMessage": (Information, Information.set_message),
    "SetMonitoringBase": (Monitoring, Monitoring.set_base),
    "SetMonitoringLevel": (Monitoring, Monitoring.set_level),
    "SetNetworkProfile": (DeviceModel, DeviceModel.set_network_profile),
    "SetVariableMonitoring": (Monitoring, Monitoring.set),
    "SetVariables": (DeviceModel, DeviceModel.set_variables),
    "TriggerMessage": (RemoteControl, RemoteControl.trigger_2),
    "UnlockConnector": (RemoteControl, RemoteControl.unlock_2),
    "UpdateFirmware": (Firmware, Firmware.update_2),
}
_IN_21: Table = _IN_201 | {
    "UpdateDynamicSchedule": (SmartCharging, SmartCharging.update_dynamic),
    "UsePriorityCharging": (SmartCharging, SmartCharging.use_priority),
}
TABLE_OF_VERSION: dict[str, Table] = {"1.6": _IN_16, "2.0.1": _IN_201, "2.1": _IN_21}


class CommandsOfCsms:
    """The CSMS' calls to one station."""

    __slots__ = ("_host", "_table")

    def __init__(self, host: Host) -> None:
        self._host = host
        self._table = TABLE_OF_VERSION[host.version]

    def answer(self, action: str, payload: Payload) -> Payload | None:
        """The payload of the CALLRESULT; None: the action is not known here.

        Raises:
            Malformed: A field is missing or of a wrong type.
        """
        found = self._table.get(action)
        if found is None:
            return None
        kind, answer = found
        try:
            return answer(self._host.block(kind), payload)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise Malformed(f"{action} cannot be read: {type(error).__name__} {error}") from error
