"""Commands by Narke's own words: version -> action -> (word, fields, what of them the station must be sent)."""

from engine.ocpp.versions import Version
from tests.conformance.samples.certificates import HASHES, certificate

_TOKEN = {"value": "DRIVER", "type": "ISO14443"}
_TOKEN_2 = {"idToken": "DRIVER", "type": "ISO14443"}
_INTERVAL = {"variable": "HeartbeatInterval", "component": "OCPPCommCtrlr"}
_INTERVAL_2 = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
_EVSE = {"evse": 1, "connector": 1}

_AT, _LATER = "2026-11-21T10:00:00Z", "2099-11-22T10:00:00Z"
_LOCATION = "https://firmware.example.org/2.bin"
_UPLOAD = "https://logs.example.org/upload"
_HASH = {
    "algorithm": HASHES["hashAlgorithm"],
    "issuer_name_hash": HASHES["issuerNameHash"],
    "issuer_key_hash": HASHES["issuerKeyHash"],
    "serial_number": HASHES["serialNumber"],
}
_SCHEDULE = {"unit": "A", "periods": [{"start_s": 0, "limit": 16}], "start_at": _AT, "duration_s": 3600, "id": 1}
_PROFILE = {"id": 5, "stack_level": 1, "purpose": "TxDefaultProfile", "kind": "Absolute", "schedules": [_SCHEDULE]}
_PERIODS = [{"startPeriod": 0, "limit": 16}]
_PASSWORD = "0123456789abcdef0123"
_ROOT = {"use": "CSMSRootCertificate", "certificate": certificate()}
_CHAIN = {"chain": certificate(), "use": "ChargingStationCertificate"}
_FIRMWARE = {"location": _LOCATION, "retrieve_at": _AT}
_SIGNED = {**_FIRMWARE, "signing_certificate": certificate(), "signature": "c2lnbmF0dXJl"}
_RESERVED = {"token": _TOKEN, "expires_at": _LATER, "evse": {"evse": 1}, "force": True}
_ENTRIES = [{"token": _TOKEN, "verdict": {"status": "Accepted"}}]
_TARIFF = {"id": "T-1", "currency": "EUR"}
_SETTINGS = {"priority": 1, "setpoint": 10, "unit": "PctMaxW"}
_DER = {"id": "der-1", "type": "FixedVar", "is_default": True, "settings": _SETTINGS}
_MONITOR_2 = {"component": {"name": "Controller"}, "variable": {"name": "Temperature"}}

_V16 = {
    "CancelReservation": [("cancel_reservation", {"reservation_id": 3}, {"reservationId": 3})],
    "CertificateSigned": [("send_signed_certificate", _CHAIN, {"certificateChain": certificate()})],
    "ClearChargingProfile": [("clear_charging_profile", {"profile_id": 5}, {"id": 5})],
    "DeleteCertificate": [("delete_certificate", {"certificate": _HASH}, {"certificateHashData": HASHES})],
    "ExtendedTriggerMessage": [
        ("trigger_message", {"message": "LogStatusNotification"}, {"requestedMessage": "LogStatusNotification"})
    ],
    "GetCompositeSchedule": [
        (
            "get_composite_schedule",
            {"evse": 1, "duration_s": 3600, "unit": "A"},
            {"connectorId": 1, "duration": 3600, "chargingRateUnit": "A"},
        )
    ],
    "GetDiagnostics": [("get_log", {"location": _UPLOAD}, {"location": _UPLOAD})],
    "GetInstalledCertificateIds": [
        (
            "get_installed_certificates",
            {"uses": ["CSMSRootCertificate"]},
            {"certificateType": "CentralSystemRootCertificate"},
        )
    ],
    "GetLocalListVersion": [("get_local_list_version", {}, {})],
    "GetLog": [("get_log", {"location": _UPLOAD, "kind": "SecurityLog"}, {"logType": "SecurityLog"})],
    "InstallCertificate": [
        (
            "install_certificate",
            _ROOT,
            {"certificateType": "CentralSystemRootCertificate", "certificate": certificate()},
        )
    ],
    "ReserveNow": [("reserve_now", _RESERVED, {"connectorId": 1, "idTag": "DRIVER"})],
    "SendLocalList": [
        (
            "send_local_list",
            {"version": 5, "full": True, "entries": _ENTRIES},
            {
                "listVersion": 5,
                "updateType": "Full",
                "localAuthorizationList": [{"idTag": "DRIVER", "idTagInfo": {"status": "Accepted"}}],
            },
        )
    ],
    "SetChargingProfile": [
        (
            "set_charging_profile",
            {"evse": 1, "profile": _PROFILE},
            {
                "connectorId": 1,
                "csChargingProfiles": {
                    "chargingProfileId": 5,
                    "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": _PERIODS},
                },
            },
        )
    ],
    "SignedUpdateFirmware": [
        ("update_firmware", _SIGNED, {"firmware": {"location": _LOCATION, "signature": "c2lnbmF0dXJl"}})
    ],
    "UpdateFirmware": [("update_firmware", _FIRMWARE, {"location": _LOCATION})],
    "ChangeAvailability": [
        (
            "change_availability",
            {"evse": {"evse": 1}, "operative": False},
            {"connectorId": 1, "type": "Inoperative"},
        )
    ],
    "ChangeConfiguration": [
        (
            "set_variables",
            {"settings": [{"ref": _INTERVAL, "value": "300"}]},
            {"key": "HeartbeatInterval", "value": "300"},
        ),
        ("change_password", {"password": _PASSWORD}, {"key": "AuthorizationKey"}),
    ],
    "ClearCache": [("clear_cache", {}, {})],
    "DataTransfer": [("send_data", {"vendor_id": "org.example"}, {"vendorId": "org.example"})],
    "GetConfiguration": [
        ("get_variables", {"variables": [_INTERVAL]}, {"key": ["HeartbeatInterval"]}),
        ("get_base_report", {}, {}),
    ],
    "RemoteStartTransaction": [
        ("request_start", {"token": _TOKEN, "evse": _EVSE}, {"idTag": "DRIVER", "connectorId": 1})
    ],
    "RemoteStopTransaction": [("request_stop", {"transaction_id": "17"}, {"transactionId": 17})],
    "Reset": [("reset_station", {"kind": "OnIdle"}, {"type": "Soft"})],
    "TriggerMessage": [
        (
            "trigger_message",
            {"message": "StatusNotification", "evse": _EVSE},
            {"requestedMessage": "StatusNotification", "connectorId": 1},
        )
    ],
    "UnlockConnector": [("unlock_connector", {"evse": _EVSE}, {"connectorId": 1})],
}

_V2 = {
    "CancelReservation": [("cancel_reservation", {"reservation_id": 3}, {"reservationId": 3})],
    "CertificateSigned": [("send_signed_certificate", _CHAIN, {"certificateChain": certificate()})],
    "ClearChargingProfile": [("clear_charging_profile", {"profile_id": 5}, {"chargingProfileId": 5})],
    "ClearDisplayMessage": [("clear_display_message", {"message_id": 9}, {"id": 9})],
    "ClearVariableMonitoring": [("clear_variable_monitoring", {"ids": [21]}, {"id": [21]})],
    "CostUpdated": [
        (
            "update_cost",
            {"transaction_id": "tx-every", "total": "1.25"},
            {"transactionId": "tx-every", "totalCost": 1.25},
        )
    ],
    "CustomerInformation": [
        (
            "customer_information",
            {"report": True, "clear": False, "token": _TOKEN},
            {"report": True, "clear": False, "idToken": _TOKEN_2},
        )
    ],
    "DeleteCertificate": [("delete_certificate", {"certificate": _HASH}, {"certificateHashData": HASHES})],
    "GetBaseReport": [("get_base_report", {"base": "FullInventory"}, {"reportBase": "FullInventory"})],
    "GetChargingProfiles": [
        (
            "get_charging_profiles",
            {"purpose": "TxDefaultProfile"},
            {"chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile"}},
        )
    ],
    "GetCompositeSchedule": [
        ("get_composite_schedule", {"evse": 1, "duration_s": 3600}, {"evseId": 1, "duration": 3600})
    ],
    "GetDisplayMessages": [("get_display_messages", {}, {})],
    "GetInstalledCertificateIds": [
        (
            "get_installed_certificates",
            {"uses": ["CSMSRootCertificate"]},
            {"certificateType": ["CSMSRootCertificate"]},
        )
    ],
    "GetLocalListVersion": [("get_local_list_version", {}, {})],
    "GetLog": [
        (
            "get_log",
            {"location": _UPLOAD, "kind": "SecurityLog"},
            {"logType": "SecurityLog", "log": {"remoteLocation": _UPLOAD}},
        )
    ],
    "GetMonitoringReport": [
        (
            "get_monitoring_report",
            {"criteria": ["ThresholdMonitoring"]},
            {"monitoringCriteria": ["ThresholdMonitoring"]},
        )
    ],
    "GetReport": [("get_report", {"criteria": ["Available"]}, {"componentCriteria": ["Available"]})],
    "GetTransactionStatus": [("get_transaction_status", {"transaction_id": "tx-every"}, {"transactionId": "tx-every"})],
    "InstallCertificate": [
        ("install_certificate", _ROOT, {"certificateType": "CSMSRootCertificate", "certificate": certificate()})
    ],
    "PublishFirmware": [
        (
            "publish_firmware",
            {"location": _LOCATION, "checksum": "0" * 32},
            {"location": _LOCATION, "checksum": "0" * 32},
        )
    ],
    "ReserveNow": [("reserve_now", _RESERVED, {"evseId": 1, "idToken": _TOKEN_2})],
    "SendLocalList": [
        (
            "send_local_list",
            {"version": 5, "full": True, "entries": _ENTRIES},
            {
                "versionNumber": 5,
                "updateType": "Full",
                "localAuthorizationList": [{"idToken": _TOKEN_2, "idTokenInfo": {"status": "Accepted"}}],
            },
        )
    ],
    "SetChargingProfile": [
        (
            "set_charging_profile",
            {"evse": 1, "profile": _PROFILE},
            {
                "evseId": 1,
                "chargingProfile": {
                    "id": 5,
                    "chargingSchedule": [{"chargingRateUnit": "A", "chargingSchedulePeriod": _PERIODS}],
                },
            },
        )
    ],
    "SetDisplayMessage": [
        (
            "set_display_message",
            {"message": {"id": 9, "text": {"content": "Welcome"}}},
            {"message": {"id": 9, "message": {"content": "Welcome"}}},
        )
    ],
    "SetMonitoringBase": [("set_monitoring_base", {"base": "All"}, {"monitoringBase": "All"})],
    "SetMonitoringLevel": [("set_monitoring_level", {"severity": 4}, {"severity": 4})],
    "SetNetworkProfile": [
        (
            "set_network_profile",
            {"configuration_slot": 1, "profile": {"url": "wss://csms.example.org/ocpp", "security_profile": 2}},
            {"configurationSlot": 1, "connectionData": {"ocppCsmsUrl": "wss://csms.example.org/ocpp"}},
        )
    ],
    "SetVariableMonitoring": [
        (
            "set_variable_monitoring",
            {
                "monitors": [
                    {
                        "ref": {"variable": "Temperature", "component": "Controller"},
                        "type": "UpperThreshold",
                        "value": 80,
                        "severity": 4,
                    }
                ]
            },
            {"setMonitoringData": [{**_MONITOR_2, "type": "UpperThreshold", "value": 80, "severity": 4}]},
        )
    ],
    "UnpublishFirmware": [("unpublish_firmware", {"checksum": "0" * 32}, {"checksum": "0" * 32})],
    "UpdateFirmware": [
        ("update_firmware", _FIRMWARE, {"firmware": {"location": _LOCATION}}),
    ],
    "ChangeAvailability": [
        (
            "change_availability",
            {"evse": _EVSE, "operative": False},
            {"operationalStatus": "Inoperative", "evse": {"id": 1, "connectorId": 1}},
        )
    ],
    "ClearCache": [("clear_cache", {}, {})],
    "DataTransfer": [("send_data", {"vendor_id": "org.example"}, {"vendorId": "org.example"})],
    "GetVariables": [("get_variables", {"variables": [_INTERVAL]}, {"getVariableData": [_INTERVAL_2]})],
    "RequestStartTransaction": [
        (
            "request_start",
            {"token": _TOKEN, "evse": {"evse": 1}, "remote_start_id": 19},
            {"idToken": _TOKEN_2, "evseId": 1},
        )
    ],
    "RequestStopTransaction": [("request_stop", {"transaction_id": "tx-1"}, {"transactionId": "tx-1"})],
    "Reset": [("reset_station", {"kind": "OnIdle"}, {"type": "OnIdle"})],
    "SetVariables": [
        (
            "set_variables",
            {"settings": [{"ref": _INTERVAL, "value": "300"}]},
            {"setVariableData": [{**_INTERVAL_2, "attributeValue": "300"}]},
        ),
        (
            "change_password",
            {"password": _PASSWORD},
            {"setVariableData": [{"variable": {"name": "BasicAuthPassword"}, "attributeValue": _PASSWORD}]},
        ),
    ],
    "TriggerMessage": [
        (
            "trigger_message",
            {"message": "StatusNotification", "evse": _EVSE},
            {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}},
        )
    ],
    "UnlockConnector": [("unlock_connector", {"evse": _EVSE}, {"evseId": 1, "connectorId": 1})],
}

_V21 = {
    **_V2,
    "AFRRSignal": [("send_afrr_signal", {"signal": 12, "at": _AT}, {"signal": 12})],
    "AdjustPeriodicEventStream": [
        ("adjust_event_stream", {"stream_id": 31, "interval_s": 20}, {"id": 31, "params": {"interval": 20}})
    ],
    "ChangeTransactionTariff": [
        (
            "change_transaction_tariff",
            {"transaction_id": "tx-every", "tariff": _TARIFF},
            {"transactionId": "tx-every", "tariff": {"tariffId": "T-1", "currency": "EUR"}},
        )
    ],
    "ClearDERControl": [
        ("clear_der_control", {"is_default": False, "control_id": "der-1"}, {"isDefault": False, "controlId": "der-1"})
    ],
    "ClearTariffs": [("clear_tariffs", {"tariff_ids": ["T-1"]}, {"tariffIds": ["T-1"]})],
    "GetDERControl": [("get_der_control", {"is_default": False}, {"isDefault": False})],
    "GetPeriodicEventStream": [("get_event_streams", {}, {})],
    "GetTariffs": [("get_tariffs", {"evse": 1}, {"evseId": 1})],
    "NotifyAllowedEnergyTransfer": [
        (
            "allow_energy_transfers",
            {"transaction_id": "tx-every", "transfers": ["AC_three_phase"]},
            {"transactionId": "tx-every", "allowedEnergyTransfer": ["AC_three_phase"]},
        )
    ],
    "NotifyWebPaymentStarted": [
        ("notify_web_payment_started", {"evse": 1, "timeout_s": 60}, {"evseId": 1, "timeout": 60})
    ],
    "RequestBatterySwap": [("request_battery_swap", {"token": _TOKEN}, {"idToken": _TOKEN_2})],
    "SetDERControl": [("set_der_control", {"control": _DER}, {"controlId": "der-1", "fixedVar": {"unit": "PctMaxW"}})],
    "SetDefaultTariff": [
        ("set_default_tariff", {"tariff": _TARIFF, "evse": 1}, {"evseId": 1, "tariff": {"tariffId": "T-1"}})
    ],
    "UpdateDynamicSchedule": [
        (
            "update_dynamic_schedule",
            {"profile_id": 77, "update": {"limit": 10}},
            {"chargingProfileId": 77, "scheduleUpdate": {"limit": 10}},
        )
    ],
    "UsePriorityCharging": [
        (
            "use_priority_charging",
            {"transaction_id": "tx-every", "activate": True},
            {"transactionId": "tx-every", "activate": True},
        )
    ],
    "Reset": [
        *_V2["Reset"],
        ("reset_station", {"kind": "ImmediateAndResume"}, {"type": "ImmediateAndResume"}),
    ],
}

TYPED = {Version.V16: _V16, Version.V201: _V2, Version.V21: _V21}

_PLACE = {"evse": 1, "connector": 1}
FIELDS_OVER_REST = {
    "change_availability": {"operative": False, **_PLACE},
    "request_start": {"token": "DRIVER", "token_type": "ISO14443", "evse": 1},
    "set_variables": {"settings": [{**_INTERVAL, "value": "300"}]},
    "trigger_message": {"message": "StatusNotification", **_PLACE},
    "unlock_connector": _PLACE,
}
"""The everyday words have bodies of their own, flatter than the words: what stands for the fields above there."""

SHOWN_ELSEWHERE = {"change_password": "tests/conformance/test_provisioning_story.py"}
"""Words that need more of a station than its answer, and where their story is."""
