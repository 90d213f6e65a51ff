"""A typical payload of every action of OCPP 1.6 with the security whitepaper, written by hand."""

from tests.conformance.samples.certificates import HASHES, certificate, signing_request

AT = "2026-11-21T10:00:00.000Z"
LATER = "2026-11-22T10:00:00.000Z"
ACCEPTED = {"status": "Accepted"}
METER_VALUE = {
    "timestamp": AT,
    "sampledValue": [
        {"value": "12345", "unit": "Wh"},
        {"value": "16.0", "measurand": "Current.Import", "unit": "A", "phase": "L1"},
    ],
}
SCHEDULE = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}]}
PROFILE = {
    "chargingProfileId": 5,
    "stackLevel": 1,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": {**SCHEDULE, "startSchedule": AT, "duration": 3600},
}
LOG = {"remoteLocation": "https://logs.example.org/upload", "oldestTimestamp": AT, "latestTimestamp": LATER}

FROM_STATION = {
    "Authorize": {"idTag": "DRIVER"},
    "BootNotification": {"chargePointVendor": "Acme", "chargePointModel": "One", "firmwareVersion": "1.2.3"},
    "DataTransfer": {"vendorId": "org.example", "messageId": "Ping", "data": "hello"},
    "DiagnosticsStatusNotification": {"status": "Uploading"},
    "FirmwareStatusNotification": {"status": "Downloading"},
    "Heartbeat": {},
    "LogStatusNotification": {"status": "Uploading", "requestId": 7},
    "MeterValues": {"connectorId": 1, "meterValue": [METER_VALUE]},
    "SecurityEventNotification": {"type": "InvalidFirmwareSignature", "timestamp": AT, "techInfo": "slot 2"},
    "SignCertificate": {"csr": signing_request("EVERY-1.6")},
    "SignedFirmwareStatusNotification": {"status": "SignatureVerified", "requestId": 8},
    "StartTransaction": {"connectorId": 1, "idTag": "DRIVER", "meterStart": 1000, "timestamp": AT},
    "StatusNotification": {"connectorId": 2, "errorCode": "NoError", "status": "Charging", "timestamp": AT},
    "StopTransaction": {
        "transactionId": 1,
        "idTag": "DRIVER",
        "meterStop": 2000,
        "timestamp": LATER,
        "reason": "Local",
    },
}
"""What a station says."""

FROM_CSMS = {
    "CancelReservation": ({"reservationId": 3}, ACCEPTED),
    "CertificateSigned": ({"certificateChain": certificate()}, ACCEPTED),
    "ChangeAvailability": ({"connectorId": 1, "type": "Inoperative"}, {"status": "Scheduled"}),
    "ChangeConfiguration": ({"key": "HeartbeatInterval", "value": "300"}, {"status": "RebootRequired"}),
    "ClearCache": ({}, ACCEPTED),
    "ClearChargingProfile": ({"id": 5}, ACCEPTED),
    "DataTransfer": ({"vendorId": "org.example", "messageId": "Pong", "data": "hello"}, {**ACCEPTED, "data": "back"}),
    "DeleteCertificate": ({"certificateHashData": HASHES}, ACCEPTED),
    "ExtendedTriggerMessage": ({"requestedMessage": "LogStatusNotification"}, ACCEPTED),
    "GetCompositeSchedule": (
        {"connectorId": 1, "duration": 3600, "chargingRateUnit": "A"},
        {**ACCEPTED, "connectorId": 1, "scheduleStart": AT, "chargingSchedule": SCHEDULE},
    ),
    "GetConfiguration": (
        {"key": ["HeartbeatInterval", "Nonsense"]},
        {
            "configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}],
            "unknownKey": ["Nonsense"],
        },
    ),
    "GetDiagnostics": ({"location": "https://logs.example.org/upload"}, {"fileName": "diagnostics.zip"}),
    "GetInstalledCertificateIds": (
        {"certificateType": "CentralSystemRootCertificate"},
        {**ACCEPTED, "certificateHashData": [HASHES]},
    ),
    "GetLocalListVersion": ({}, {"listVersion": 4}),
    "GetLog": ({"logType": "SecurityLog", "requestId": 7, "log": LOG}, {**ACCEPTED, "filename": "security.log"}),
    "InstallCertificate": (
        {"certificateType": "CentralSystemRootCertificate", "certificate": certificate()},
        ACCEPTED,
    ),
    "RemoteStartTransaction": ({"idTag": "DRIVER", "connectorId": 1}, ACCEPTED),
    "RemoteStopTransaction": ({"transactionId": 1}, ACCEPTED),
    "ReserveNow": (
        {"connectorId": 1, "expiryDate": LATER, "idTag": "DRIVER", "reservationId": 3},
        {"status": "Occupied"},
    ),
    "Reset": ({"type": "Soft"}, ACCEPTED),
    "SendLocalList": (
        {
            "listVersion": 5,
            "updateType": "Full",
            "localAuthorizationList": [{"idTag": "DRIVER", "idTagInfo": {"status": "Accepted"}}],
        },
        ACCEPTED,
    ),
    "SetChargingProfile": ({"connectorId": 1, "csChargingProfiles": PROFILE}, ACCEPTED),
    "SignedUpdateFirmware": (
        {
            "requestId": 8,
            "firmware": {
                "location": "https://firmware.example.org/2.bin",
                "retrieveDateTime": AT,
                "signingCertificate": certificate(),
                "signature": "c2lnbmF0dXJl",
            },
        },
        ACCEPTED,
    ),
    "TriggerMessage": ({"requestedMessage": "StatusNotification", "connectorId": 1}, ACCEPTED),
    "UnlockConnector": ({"connectorId": 1}, {"status": "Unlocked"}),
    "UpdateFirmware": ({"location": "https://firmware.example.org/2.bin", "retrieveDate": AT}, {}),
}
"""What Narke says, and what a good station answers."""
