"""Configuration keys of 1.6 and the 2.x variables that mean the same: ONE table.

Only what has the same meaning and the same values on both sides is in it. AuthorizationKey is not: its value is hex,
that of SecurityCtrlr.BasicAuthPassword is plain text. A key without a counterpart is a variable of component ''.
"""

from engine.model.provisioning import VariableRef
from engine.ocpp.translation import NotExpressible

REF_OF_KEY: dict[str, VariableRef] = {
    # Core
    "AllowOfflineTxForUnknownId": VariableRef(component="AuthCtrlr", variable="OfflineTxForUnknownIdEnabled"),
    "AuthorizationCacheEnabled": VariableRef(component="AuthCacheCtrlr", variable="Enabled"),
    "AuthorizeRemoteTxRequests": VariableRef(component="AuthCtrlr", variable="AuthorizeRemoteStart"),
    "ClockAlignedDataInterval": VariableRef(component="AlignedDataCtrlr", variable="Interval"),
    "ConnectionTimeOut": VariableRef(component="TxCtrlr", variable="EVConnectionTimeOut"),
    "GetConfigurationMaxKeys": VariableRef(
        component="DeviceDataCtrlr", variable="ItemsPerMessage", variable_instance="GetVariables"
    ),
    "HeartbeatInterval": VariableRef(component="OCPPCommCtrlr", variable="HeartbeatInterval"),
    "LocalAuthorizeOffline": VariableRef(component="AuthCtrlr", variable="LocalAuthorizeOffline"),
    "LocalPreAuthorize": VariableRef(component="AuthCtrlr", variable="LocalPreAuthorize"),
    "MaxEnergyOnInvalidId": VariableRef(component="TxCtrlr", variable="MaxEnergyOnInvalidId"),
    "MeterValuesAlignedData": VariableRef(component="AlignedDataCtrlr", variable="Measurands"),
    "MeterValuesSampledData": VariableRef(component="SampledDataCtrlr", variable="TxUpdatedMeasurands"),
    "MeterValueSampleInterval": VariableRef(component="SampledDataCtrlr", variable="TxUpdatedInterval"),
    "ResetRetries": VariableRef(component="OCPPCommCtrlr", variable="ResetRetries"),
    "StopTransactionOnEVSideDisconnect": VariableRef(component="TxCtrlr", variable="StopTxOnEVSideDisconnect"),
    "StopTransactionOnInvalidId": VariableRef(component="TxCtrlr", variable="StopTxOnInvalidId"),
    "StopTxnAlignedData": VariableRef(component="AlignedDataCtrlr", variable="TxEndedMeasurands"),
    "StopTxnSampledData": VariableRef(component="SampledDataCtrlr", variable="TxEndedMeasurands"),
    "TransactionMessageAttempts": VariableRef(
        component="OCPPCommCtrlr", variable="MessageAttempts", variable_instance="TransactionEvent"
    ),
    "TransactionMessageRetryInterval": VariableRef(
        component="OCPPCommCtrlr", variable="MessageAttemptInterval", variable_instance="TransactionEvent"
    ),
    "UnlockConnectorOnEVSideDisconnect": VariableRef(component="OCPPCommCtrlr", variable="UnlockOnEVSideDisconnect"),
    "WebSocketPingInterval": VariableRef(component="OCPPCommCtrlr", variable="WebSocketPingInterval"),
    # Local authorization list
    "LocalAuthListEnabled": VariableRef(component="LocalAuthListCtrlr", variable="Enabled"),
    "SendLocalListMaxLength": VariableRef(component="LocalAuthListCtrlr", variable="ItemsPerMessage"),
    # Reservation
    "ReserveConnectorZeroSupported": VariableRef(component="ReservationCtrlr", variable="NonEvseSpecific"),
    # Smart charging
    "ChargeProfileMaxStackLevel": VariableRef(component="SmartChargingCtrlr", variable="ProfileStackLevel"),
    "ChargingScheduleMaxPeriods": VariableRef(component="SmartChargingCtrlr", variable="PeriodsPerSchedule"),
    "ConnectorSwitch3to1PhaseSupported": VariableRef(component="SmartChargingCtrlr", variable="Phases3to1"),
    "MaxChargingProfilesInstalled": VariableRef(
        component="SmartChargingCtrlr", variable="Entries", variable_instance="ChargingProfiles"
    ),
    # Security whitepaper
    "AdditionalRootCertificateCheck": VariableRef(component="SecurityCtrlr", variable="AdditionalRootCertificateCheck"),
    "CertificateSignedMaxChainSize": VariableRef(component="SecurityCtrlr", variable="MaxCertificateChainSize"),
    "CpoName": VariableRef(component="SecurityCtrlr", variable="OrganizationName"),
    "SecurityProfile": VariableRef(component="SecurityCtrlr", variable="SecurityProfile"),
}
"""1.6 key -> 2.x variable."""

SECRET_KEYS = frozenset({"authorizationkey"})
"""Lower case. Write-only, yet some stations give them out: their values are never kept."""

_REF_OF_LOWER_KEY = {key.lower(): ref for key, ref in REF_OF_KEY.items()}


def _address(ref: VariableRef) -> tuple[str, ...]:
    """What names a variable in the table; 2.x names are case-insensitive."""
    parts = (ref.component, ref.component_instance, ref.variable, ref.variable_instance)
    return tuple((part or "").lower() for part in parts)


_KEY_OF_ADDRESS = {_address(ref): key for key, ref in REF_OF_KEY.items()}


def ref_of_key(key: str) -> VariableRef:
    """The variable that a key means (case does not matter, 1.6 section 7.11); one of component '' if no other."""
    return _REF_OF_LOWER_KEY.get(key.lower()) or VariableRef(variable=key)


def key_of_ref(ref: VariableRef) -> str:
    """The key that a variable means.

    Raises:
        NotExpressible: 1.6 has no such key, or no such part of one.
    """
    if ref.attribute not in (None, "Actual"):
        raise NotExpressible(f"OCPP 1.6 keys have no {ref.attribute} attribute; only Actual can be said")
    if ref.evse is not None:
        raise NotExpressible("OCPP 1.6 keys belong to the whole station; name the variable without an EVSE")
    if not ref.component:
        return ref.variable
    key = _KEY_OF_ADDRESS.get(_address(ref))
    if key is None:
        raise NotExpressible(
            f"OCPP 1.6 has no key that means {ref.component}.{ref.variable}; name a key by component '' and the key"
        )
    return key
