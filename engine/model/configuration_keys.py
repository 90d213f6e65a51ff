"""Configuration keys of 1.6 and the 2.x variables that mean the same: ONE vocabulary.

Only what has the same meaning and the same values on both sides is in it. Checked against 1.6 chapter 9, its errata
3.90, the security whitepaper chapter 7 and the table of components and variables of 2.1 (appendix). Not in it, although
names are alike:

    AuthorizationKey                    hex; SecurityCtrlr.BasicAuthPassword is plain text (`ChangePassword` says both)
    ChargingScheduleAllowedChargingRateUnit   Current, Power; SmartChargingCtrlr.RateUnit is A, W
    MaxChargingProfilesInstalled, LocalAuthListMaxLength, CertificateStoreMaxLength
                                        how many there can be; SmartChargingCtrlr.Entries, LocalAuthListCtrlr.Entries
                                        and SecurityCtrlr.CertificateEntries are how many there are
    ConnectorPhaseRotation              one list for all; PhaseRotation is a variable of each component

A key without a counterpart is a variable of component ''.
"""

from engine.model.provisioning import VariableRef

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
    # Security whitepaper
    "AdditionalRootCertificateCheck": VariableRef(component="SecurityCtrlr", variable="AdditionalRootCertificateCheck"),
    "CertificateSignedMaxChainSize": VariableRef(component="SecurityCtrlr", variable="MaxCertificateChainSize"),
    "CpoName": VariableRef(component="SecurityCtrlr", variable="OrganizationName"),
    "SecurityProfile": VariableRef(component="SecurityCtrlr", variable="SecurityProfile"),
    # Firmware management (errata 3.90)
    "SupportedFileTransferProtocols": VariableRef(component="OCPPCommCtrlr", variable="FileTransferProtocols"),
    # ISO 15118 plug and charge with 1.6 (application note)
    "CentralContractValidationAllowed": VariableRef(
        component="ISO15118Ctrlr", variable="CentralContractValidationAllowed"
    ),
    "CertSigningRepeatTimes": VariableRef(component="SecurityCtrlr", variable="CertSigningRepeatTimes"),
    "CertSigningWaitMinimum": VariableRef(component="SecurityCtrlr", variable="CertSigningWaitMinimum"),
    "ContractValidationOffline": VariableRef(component="ISO15118Ctrlr", variable="ContractValidationOffline"),
    "ISO15118PnCEnabled": VariableRef(component="ISO15118Ctrlr", variable="PnCEnabled"),
}
"""1.6 key -> 2.x variable."""

SECRET_KEYS = frozenset({"authorizationkey"})
"""Lower case. Write-only, yet some stations give them out: their values are never kept."""

_REF_OF_LOWER_KEY = {key.lower(): ref for key, ref in REF_OF_KEY.items()}


def ref_of_key(key: str) -> VariableRef:
    """The variable that a key means (case does not matter, 1.6 section 7.11); one of component '' if no other."""
    return _REF_OF_LOWER_KEY.get(key.lower()) or VariableRef(variable=key)
