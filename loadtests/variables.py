"""What can be read and changed of a station: one table, with the names of OCPP 1.6 and of the 2.x device model.

A station keeps only what differs from the table. Sources: 1.6 section 9, the security whitepaper, the appendices of
2.1 part 2.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from loadtests.wording import MEASURANDS

INTEGER_MAX = 2**31 - 1
_ALL_MEASURANDS = ",".join(MEASURANDS)


@dataclass(frozen=True, slots=True)
class Variable:
    """One of them.

    Attributes:
        name: Ours.
        value: At the factory.
        key: In 1.6; None: not there.
        component: In 2.x, with `variable`; None: not there.
        kind: In the words of 2.x: integer, boolean, string, MemberList.
        access: ReadWrite, ReadOnly or WriteOnly.
        least: Of an integer.
        members: That a list may have; empty: anything.
        unit: In 2.x; None: it has none.
        reboot: Whether a change takes effect with the next boot.
    """

    name: str
    value: str
    key: str | None = None
    component: str | None = None
    variable: str | None = None
    kind: str = "integer"
    access: str = "ReadWrite"
    least: int = 0
    members: tuple[str, ...] = ()
    unit: str | None = None
    reboot: bool = False

    def takes(self, value: str) -> bool:
        """Whether it can have this value."""
        match self.kind:
            case "integer":
                return value.isascii() and value.isdecimal() and self.least <= int(value) <= INTEGER_MAX
            case "boolean":
                return value.lower() in ("true", "false")
            case "MemberList":
                return all(not self.members or each.strip() in self.members for each in value.split(",") if each)
            case _:
                return self.least <= len(value)


def _flag(
    name: str, value: str, key: str | None, component: str | None = None, variable: str | None = None
) -> Variable:
    return Variable(name, value, key, component, variable, "boolean")


def _fixed(
    name: str, value: str, key: str | None, component: str | None = None, variable: str | None = None,
    kind: str = "integer",
) -> Variable:  # fmt: skip
    return Variable(name, value, key, component, variable, kind, "ReadOnly")


_SAMPLED = "SampledDataCtrlr"
_TX = "TxCtrlr"
_AUTH = "AuthCtrlr"
_COMM = "OCPPCommCtrlr"
_SMART = "SmartChargingCtrlr"
_SECURITY = "SecurityCtrlr"
_PROFILES_16 = "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger"

TABLE: tuple[Variable, ...] = (
    Variable("heartbeat", "60", "HeartbeatInterval", _COMM, "HeartbeatInterval", least=1, unit="s"),
    Variable("meter", "60", "MeterValueSampleInterval", _SAMPLED, "TxUpdatedInterval", least=1, unit="s"),
    Variable("aligned", "0", "ClockAlignedDataInterval", "AlignedDataCtrlr", "Interval", unit="s"),
    Variable(
        "measurands", _ALL_MEASURANDS, "MeterValuesSampledData", _SAMPLED, "TxUpdatedMeasurands", "MemberList",
        members=MEASURANDS,
    ),
    Variable(
        "aligned_measurands", _ALL_MEASURANDS, "MeterValuesAlignedData", "AlignedDataCtrlr", "Measurands", "MemberList",
        members=MEASURANDS,
    ),
    Variable("stop_data", "", "StopTxnSampledData", _SAMPLED, "TxEndedMeasurands", "MemberList", members=MEASURANDS),
    Variable("stop_aligned_data", "", "StopTxnAlignedData", kind="MemberList", members=MEASURANDS),
    Variable("plug_in", "60", "ConnectionTimeOut", _TX, "EVConnectionTimeOut", least=1, unit="s"),
    Variable("ping", "0", "WebSocketPingInterval", _COMM, "WebSocketPingInterval", unit="s"),
    Variable("reset_retries", "3", "ResetRetries", _COMM, "ResetRetries"),
    Variable("attempts", "3", "TransactionMessageAttempts", _COMM, "MessageAttempts", least=1),
    Variable("retry", "60", "TransactionMessageRetryInterval", _COMM, "MessageAttemptInterval", unit="s"),
    Variable("offline_threshold", "60", None, _COMM, "OfflineThreshold", unit="s"),
    _flag("queue_all", "true", None, _COMM, "QueueAllMessages"),
    _flag("authorize_remote", "false", "AuthorizeRemoteTxRequests", _AUTH, "AuthorizeRemoteStart"),
    _flag("authorize_offline", "true", "LocalAuthorizeOffline", _AUTH, "LocalAuthorizeOffline"),
    _flag("authorize_locally", "false", "LocalPreAuthorize", _AUTH, "LocalPreAuthorize"),
    _flag("offline_unknown", "false", "AllowOfflineTxForUnknownId", _AUTH, "OfflineTxForUnknownIdEnabled"),
    _flag("cache", "true", "AuthorizationCacheEnabled", "AuthCacheCtrlr", "Enabled"),
    _flag("local_list", "true", "LocalAuthListEnabled", "LocalAuthListCtrlr", "Enabled"),
    _fixed("local_list_max", "1000", "LocalAuthListMaxLength"),
    _fixed("local_list_part", "100", "SendLocalListMaxLength", "LocalAuthListCtrlr", "ItemsPerMessage"),
    _flag("stop_invalid", "true", "StopTransactionOnInvalidId", _TX, "StopTxOnInvalidId"),
    _flag("stop_unplugged", "true", "StopTransactionOnEVSideDisconnect", _TX, "StopTxOnEVSideDisconnect"),
    _flag("unlock_unplugged", "true", "UnlockConnectorOnEVSideDisconnect"),
    Variable("blink", "1", "BlinkRepeat"),
    Variable("light", "50", "LightIntensity"),
    _fixed("connectors", "1", "NumberOfConnectors"),
    _fixed("keys_max", "50", "GetConfigurationMaxKeys", "DeviceDataCtrlr", "ItemsPerMessage"),
    _fixed("profiles", _PROFILES_16, "SupportedFeatureProfiles", kind="MemberList"),
    Variable("rotation", "0.RST", "ConnectorPhaseRotation", kind="string"),
    _flag("reserve_any", "true", "ReserveConnectorZeroSupported"),
    _fixed("stack_levels", "9", "ChargeProfileMaxStackLevel", _SMART, "ProfileStackLevel"),
    _fixed("periods", "24", "ChargingScheduleMaxPeriods", _SMART, "PeriodsPerSchedule"),
    _fixed("profiles_max", "40", "MaxChargingProfilesInstalled", _SMART, "Entries"),
    _fixed("rate_units", "Current,Power", "ChargingScheduleAllowedChargingRateUnit", kind="MemberList"),
    _fixed("rate_units_2", "A,W", None, _SMART, "RateUnit", "MemberList"),
    _fixed("three_to_one", "true", "ConnectorSwitch3to1PhaseSupported", _SMART, "Phases3to1", "boolean"),
    _fixed("smart_charging", "true", None, _SMART, "Enabled", "boolean"),
    _fixed("security_profile", "1", "SecurityProfile", _SECURITY, "SecurityProfile"),
    Variable("password", "", "AuthorizationKey", _SECURITY, "BasicAuthPassword", "string", "WriteOnly", 16),
    Variable("organization", "Narke", "CpoName", _SECURITY, "OrganizationName", "string"),
    _fixed("chain", "1", "CertificateStoreMaxLength", _SECURITY, "CertificateEntries"),
    Variable("csr_wait", "30", None, _SECURITY, "CertSigningWaitMinimum", unit="s"),
    Variable("csr_repeats", "3", None, _SECURITY, "CertSigningRepeatTimes"),
    _fixed("file_protocols", "HTTP,HTTPS,FTP", "SupportedFileTransferProtocols", _COMM, "FileTransferProtocols",
           "MemberList"),
    Variable("network", "1", None, _COMM, "NetworkConfigurationPriority", "string", least=1, reboot=True),
    _fixed("tx_start", "PowerPathClosed", None, _TX, "TxStartPoint", "MemberList"),
    _fixed("tx_stop", "PowerPathClosed", None, _TX, "TxStopPoint", "MemberList"),
    Variable("time_source", "Heartbeat", None, "ClockCtrlr", "TimeSource", "MemberList", members=("Heartbeat", "NTP")),
    _fixed("reservations", "true", None, "ReservationCtrlr", "Enabled", "boolean"),
    _fixed("messages_max", "10", None, "DisplayMessageCtrlr", "DisplayMessages"),
    _fixed("monitoring", "true", None, "MonitoringCtrlr", "Enabled", "boolean"),
    _fixed("model", "Virtual 22", None, "ChargingStation", "Model", "string"),
    _fixed("vendor", "Narke", None, "ChargingStation", "VendorName", "string"),
    _fixed("supply_phases", "3", None, "ChargingStation", "SupplyPhases"),
)  # fmt: skip
OF_NAME: dict[str, Variable] = {each.name: each for each in TABLE}
OF_KEY: dict[str, Variable] = {each.key.lower(): each for each in TABLE if each.key is not None}
"""By 1.6's key in lower case: keys are case-insensitive (1.6 section 7.30, CiString)."""
OF_COMPONENT: dict[tuple[str, str], Variable] = {
    (each.component.lower(), each.variable.lower()): each
    for each in TABLE
    if each.component is not None and each.variable is not None
}
"""By component and variable in lower case (2.1 part 2, identifierString)."""


class Variables:
    """The values of one station. `factory`: what it was delivered with where that is not the table's."""

    __slots__ = ("_changed", "_factory")

    def __init__(self, factory: Mapping[str, str]) -> None:
        self._factory = factory
        self._changed: dict[str, str] | None = None

    def __getitem__(self, name: str) -> str:
        """The value in full, whether it may be read or not."""
        if self._changed is not None and name in self._changed:
            return self._changed[name]
        return self._factory.get(name) or OF_NAME[name].value

    def number(self, name: str) -> float:
        """Of an integer; what the factory set may have fractions."""
        return float(self[name])

    def flag(self, name: str) -> bool:
        """Of a boolean."""
        return self[name].lower() == "true"

    def told(self, variable: Variable) -> str:
        """As the CSMS may see it."""
        return (
            str(max(variable.least, round(self.number(variable.name)))) if _is_whole(variable) else self[variable.name]
        )

    def put(self, name: str, value: str) -> None:
        """Whatever the CSMS may do: the station itself changes it."""
        if self._changed is None:
            self._changed = {}
        self._changed[name] = value

    def change(self, variable: Variable, value: str) -> str:
        """The CSMS changes it; returns Accepted, Rejected or RebootRequired."""
        if variable.access == "ReadOnly" or not variable.takes(value):
            return "Rejected"
        self.put(variable.name, value)
        return "RebootRequired" if variable.reboot else "Accepted"


def _is_whole(variable: Variable) -> bool:
    return variable.kind == "integer"


@functools.cache
def factory(connectors: int, meter_interval_s: float) -> Mapping[str, str]:
    """What stations of a kind have in common beyond the table."""
    return {"connectors": str(connectors), "meter": str(meter_interval_s)}


@functools.cache
def measurands(value: str) -> tuple[str, ...]:
    """The list of a MemberList."""
    return tuple(each.strip() for each in value.split(",") if each)
