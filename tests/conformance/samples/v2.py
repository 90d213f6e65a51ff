"""A typical payload of every action of OCPP 2.0.1 and 2.1, written by hand."""

from tests.conformance.samples.certificates import EXI, HASHES, certificate, signing_request

AT = "2026-11-21T10:00:00.000Z"
LATER = "2026-11-22T10:00:00.000Z"
ACCEPTED = {"status": "Accepted"}
TOKEN = {"idToken": "DRIVER", "type": "ISO14443"}
EVSE = {"id": 1, "connectorId": 1}
VARIABLE = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
METER_VALUE = {
    "timestamp": AT,
    "sampledValue": [
        {"value": 12.345, "measurand": "Energy.Active.Import.Register", "unitOfMeasure": {"unit": "kWh"}},
        {"value": 16.0, "measurand": "Current.Import", "phase": "L1", "unitOfMeasure": {"unit": "A"}},
    ],
}
SCHEDULE = {
    "id": 1,
    "startSchedule": AT,
    "duration": 3600,
    "chargingRateUnit": "A",
    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}],
}
PROFILE = {
    "id": 5,
    "stackLevel": 1,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": [SCHEDULE],
}
LOG = {"remoteLocation": "https://logs.example.org/upload", "oldestTimestamp": AT, "latestTimestamp": LATER}
MESSAGE = {"id": 9, "priority": "NormalCycle", "message": {"format": "UTF8", "language": "en", "content": "Welcome"}}
TARIFF = {
    "tariffId": "T-1",
    "currency": "EUR",
    "energy": {"prices": [{"priceKwh": 0.42}], "taxRates": [{"type": "VAT", "tax": 19}]},
}

FROM_STATION = {
    "Authorize": {"idToken": TOKEN},
    "BootNotification": {
        "reason": "PowerUp",
        "chargingStation": {"vendorName": "Acme", "model": "Two", "serialNumber": "S-1", "firmwareVersion": "1.2.3"},
    },
    "ClearedChargingLimit": {"chargingLimitSource": "EMS", "evseId": 1},
    "DataTransfer": {"vendorId": "org.example", "messageId": "Ping", "data": {"greeting": "hello"}},
    "FirmwareStatusNotification": {"status": "Downloading", "requestId": 8},
    "Get15118EVCertificate": {
        "iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef",
        "action": "Install",
        "exiRequest": EXI,
    },
    "GetCertificateStatus": {"ocspRequestData": {**HASHES, "responderURL": "http://ocsp.example.org"}},
    "Heartbeat": {},
    "LogStatusNotification": {"status": "Uploading", "requestId": 7},
    "MeterValues": {"evseId": 1, "meterValue": [METER_VALUE]},
    "NotifyChargingLimit": {
        "evseId": 1,
        "chargingLimit": {"chargingLimitSource": "EMS", "isGridCritical": False},
        "chargingSchedule": [SCHEDULE],
    },
    "NotifyCustomerInformation": {"requestId": 11, "seqNo": 0, "generatedAt": AT, "data": "nothing is known"},
    "NotifyDisplayMessages": {"requestId": 12, "messageInfo": [MESSAGE]},
    "NotifyEVChargingNeeds": {
        "evseId": 1,
        "chargingNeeds": {
            "requestedEnergyTransfer": "AC_three_phase",
            "departureTime": LATER,
            "acChargingParameters": {
                "energyAmount": 20_000,
                "evMinCurrent": 6,
                "evMaxCurrent": 32,
                "evMaxVoltage": 400,
            },
        },
    },
    "NotifyEVChargingSchedule": {"evseId": 1, "timeBase": AT, "chargingSchedule": SCHEDULE},
    "NotifyEvent": {
        "generatedAt": AT,
        "seqNo": 0,
        "eventData": [
            {
                "eventId": 1,
                "timestamp": AT,
                "trigger": "Alerting",
                "actualValue": "81.5",
                "eventNotificationType": "CustomMonitor",
                "component": {"name": "Controller"},
                "variable": {"name": "Temperature"},
                "variableMonitoringId": 21,
            }
        ],
    },
    "NotifyMonitoringReport": {
        "requestId": 13,
        "seqNo": 0,
        "generatedAt": AT,
        "monitor": [
            {
                "component": {"name": "Controller"},
                "variable": {"name": "Temperature"},
                "variableMonitoring": [
                    {"id": 21, "transaction": False, "value": 80, "type": "UpperThreshold", "severity": 4}
                ],
            }
        ],
    },
    "NotifyReport": {
        "requestId": 14,
        "seqNo": 0,
        "generatedAt": AT,
        "reportData": [{**VARIABLE, "variableAttribute": [{"type": "Actual", "value": "300"}]}],
    },
    "PublishFirmwareStatusNotification": {
        "status": "Published",
        "location": ["http://10.0.0.1/2.bin"],
        "requestId": 15,
    },
    "ReportChargingProfiles": {
        "requestId": 16,
        "chargingLimitSource": "CSO",
        "evseId": 1,
        "chargingProfile": [PROFILE],
    },
    "ReservationStatusUpdate": {"reservationId": 3, "reservationUpdateStatus": "Expired"},
    "SecurityEventNotification": {"type": "InvalidFirmwareSignature", "timestamp": AT, "techInfo": "slot 2"},
    "SignCertificate": {"csr": signing_request("EVERY-2"), "certificateType": "ChargingStationCertificate"},
    "StatusNotification": {"timestamp": AT, "connectorStatus": "Occupied", "evseId": 1, "connectorId": 2},
    "TransactionEvent": {
        "eventType": "Started",
        "timestamp": AT,
        "triggerReason": "Authorized",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "tx-every", "chargingState": "Charging"},
        "evse": EVSE,
        "idToken": TOKEN,
        "meterValue": [METER_VALUE],
    },
}
"""What a station says in both versions."""

_MONITOR = {"id": 21, "transaction": False, "value": 80, "type": "UpperThreshold", "severity": 4}
FROM_STATION_21 = {
    "NotifyMonitoringReport": {
        "requestId": 13,
        "seqNo": 0,
        "generatedAt": AT,
        "monitor": [
            {
                "component": {"name": "Controller"},
                "variable": {"name": "Temperature"},
                "variableMonitoring": [{**_MONITOR, "eventNotificationType": "CustomMonitor"}],
            }
        ],
    },
    "BatterySwap": {
        "batteryData": [{"evseId": 1, "serialNumber": "B-1", "soC": 20, "soH": 98}],
        "eventType": "BatteryIn",
        "idToken": TOKEN,
        "requestId": 17,
    },
    "ClosePeriodicEventStream": {"id": 31},
    "GetCertificateChainStatus": {
        "certificateStatusRequests": [
            {"certificateHashData": HASHES, "source": "OCSP", "urls": ["http://ocsp.example.org"]}
        ]
    },
    "NotifyDERAlarm": {"controlType": "FreqDroop", "timestamp": AT, "gridEventFault": "UnderFrequency"},
    "NotifyDERStartStop": {"controlId": "der-1", "started": True, "timestamp": AT},
    "NotifyPeriodicEventStream": {
        "id": 31,
        "pending": 0,
        "basetime": AT,
        "data": [{"t": 0.0, "v": "230.1"}, {"t": 1.0, "v": "230.2"}],
    },
    "NotifyPriorityCharging": {"transactionId": "tx-every", "activated": True},
    "NotifySettlement": {
        "transactionId": "tx-every",
        "pspRef": "psp-1",
        "status": "Settled",
        "settlementAmount": 12.5,
        "settlementTime": AT,
    },
    "OpenPeriodicEventStream": {
        "constantStreamData": {"id": 31, "params": {"interval": 10, "values": 5}, "variableMonitoringId": 21}
    },
    "PullDynamicScheduleUpdate": {"chargingProfileId": 5},
    "ReportDERControl": {
        "requestId": 18,
        "fixedVar": [
            {
                "id": "der-1",
                "isDefault": False,
                "isSuperseded": False,
                "fixedVar": {"priority": 1, "setpoint": 10, "unit": "PctMaxW"},
            }
        ],
    },
    "VatNumberValidation": {"vatNumber": "DE123456789", "evseId": 1},
}
"""What a station says in 2.1 alone, or otherwise than in 2.0.1."""

FROM_CSMS = {
    "CancelReservation": ({"reservationId": 3}, ACCEPTED),
    "CertificateSigned": (
        {"certificateChain": certificate(), "certificateType": "ChargingStationCertificate"},
        ACCEPTED,
    ),
    "ChangeAvailability": ({"operationalStatus": "Inoperative", "evse": EVSE}, {"status": "Scheduled"}),
    "ClearCache": ({}, ACCEPTED),
    "ClearChargingProfile": ({"chargingProfileId": 5}, ACCEPTED),
    "ClearDisplayMessage": ({"id": 9}, ACCEPTED),
    "ClearVariableMonitoring": ({"id": [21]}, {"clearMonitoringResult": [{"status": "Accepted", "id": 21}]}),
    "CostUpdated": ({"totalCost": 1.25, "transactionId": "tx-every"}, {}),
    "CustomerInformation": ({"requestId": 11, "report": True, "clear": False, "idToken": TOKEN}, ACCEPTED),
    "DataTransfer": ({"vendorId": "org.example", "data": [1, 2]}, {**ACCEPTED, "data": {"back": True}}),
    "DeleteCertificate": ({"certificateHashData": HASHES}, ACCEPTED),
    "GetBaseReport": ({"requestId": 14, "reportBase": "FullInventory"}, ACCEPTED),
    "GetChargingProfiles": (
        {"requestId": 16, "chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile"}},
        ACCEPTED,
    ),
    "GetCompositeSchedule": (
        {"duration": 3600, "evseId": 1},
        {
            **ACCEPTED,
            "schedule": {
                "evseId": 1,
                "duration": 3600,
                "scheduleStart": AT,
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}],
            },
        },
    ),
    "GetDisplayMessages": ({"requestId": 12}, ACCEPTED),
    "GetInstalledCertificateIds": (
        {"certificateType": ["CSMSRootCertificate"]},
        {
            **ACCEPTED,
            "certificateHashDataChain": [{"certificateType": "CSMSRootCertificate", "certificateHashData": HASHES}],
        },
    ),
    "GetLocalListVersion": ({}, {"versionNumber": 4}),
    "GetLog": ({"logType": "SecurityLog", "requestId": 7, "log": LOG}, {**ACCEPTED, "filename": "security.log"}),
    "GetMonitoringReport": ({"requestId": 13, "monitoringCriteria": ["ThresholdMonitoring"]}, ACCEPTED),
    "GetReport": ({"requestId": 14, "componentCriteria": ["Available"]}, {"status": "EmptyResultSet"}),
    "GetTransactionStatus": ({"transactionId": "tx-every"}, {"messagesInQueue": False, "ongoingIndicator": True}),
    "GetVariables": (
        {"getVariableData": [VARIABLE]},
        {"getVariableResult": [{**VARIABLE, "attributeStatus": "Accepted", "attributeValue": "300"}]},
    ),
    "InstallCertificate": ({"certificateType": "CSMSRootCertificate", "certificate": certificate()}, ACCEPTED),
    "PublishFirmware": (
        {"location": "https://firmware.example.org/2.bin", "checksum": "0" * 32, "requestId": 15},
        ACCEPTED,
    ),
    "RequestStartTransaction": ({"remoteStartId": 19, "idToken": TOKEN, "evseId": 1}, ACCEPTED),
    "RequestStopTransaction": ({"transactionId": "tx-every"}, ACCEPTED),
    "ReserveNow": ({"id": 3, "expiryDateTime": LATER, "idToken": TOKEN, "evseId": 1}, {"status": "Occupied"}),
    "Reset": ({"type": "OnIdle"}, {"status": "Scheduled"}),
    "SendLocalList": (
        {
            "versionNumber": 5,
            "updateType": "Full",
            "localAuthorizationList": [{"idToken": TOKEN, "idTokenInfo": {"status": "Accepted"}}],
        },
        ACCEPTED,
    ),
    "SetChargingProfile": ({"evseId": 1, "chargingProfile": PROFILE}, ACCEPTED),
    "SetDisplayMessage": ({"message": MESSAGE}, ACCEPTED),
    "SetMonitoringBase": ({"monitoringBase": "All"}, ACCEPTED),
    "SetMonitoringLevel": ({"severity": 4}, ACCEPTED),
    "SetNetworkProfile": (
        {
            "configurationSlot": 1,
            "connectionData": {
                "ocppVersion": "OCPP20",
                "ocppTransport": "JSON",
                "ocppCsmsUrl": "wss://csms.example.org/ocpp",
                "messageTimeout": 30,
                "securityProfile": 2,
                "ocppInterface": "Wired0",
            },
        },
        ACCEPTED,
    ),
    "SetVariableMonitoring": (
        {
            "setMonitoringData": [
                {
                    "value": 80,
                    "type": "UpperThreshold",
                    "severity": 4,
                    "component": {"name": "Controller"},
                    "variable": {"name": "Temperature"},
                }
            ]
        },
        {
            "setMonitoringResult": [
                {
                    "id": 21,
                    "status": "Accepted",
                    "type": "UpperThreshold",
                    "severity": 4,
                    "component": {"name": "Controller"},
                    "variable": {"name": "Temperature"},
                }
            ]
        },
    ),
    "SetVariables": (
        {"setVariableData": [{**VARIABLE, "attributeValue": "300"}]},
        {"setVariableResult": [{**VARIABLE, "attributeStatus": "RebootRequired"}]},
    ),
    "TriggerMessage": ({"requestedMessage": "StatusNotification", "evse": EVSE}, ACCEPTED),
    "UnlockConnector": ({"evseId": 1, "connectorId": 1}, {"status": "Unlocked"}),
    "UnpublishFirmware": ({"checksum": "0" * 32}, {"status": "Unpublished"}),
    "UpdateFirmware": (
        {"requestId": 8, "firmware": {"location": "https://firmware.example.org/2.bin", "retrieveDateTime": AT}},
        ACCEPTED,
    ),
}
"""What Narke says in both versions, and what a good station answers."""

FROM_CSMS_21 = {
    "AFRRSignal": ({"timestamp": AT, "signal": 12}, ACCEPTED),
    "AdjustPeriodicEventStream": ({"id": 31, "params": {"interval": 20}}, ACCEPTED),
    "ChangeTransactionTariff": ({"transactionId": "tx-every", "tariff": TARIFF}, ACCEPTED),
    "ClearDERControl": ({"isDefault": False, "controlId": "der-1"}, ACCEPTED),
    "ClearTariffs": (
        {"tariffIds": ["T-1"]},
        {"clearTariffsResult": [{"tariffId": "T-1", "status": "Accepted"}]},
    ),
    "GetDERControl": ({"requestId": 18, "isDefault": False}, ACCEPTED),
    "GetPeriodicEventStream": (
        {},
        {"constantStreamData": [{"id": 31, "params": {"interval": 10}, "variableMonitoringId": 21}]},
    ),
    "GetTariffs": (
        {"evseId": 1},
        {**ACCEPTED, "tariffAssignments": [{"tariffId": "T-1", "tariffKind": "DefaultTariff", "evseIds": [1]}]},
    ),
    "NotifyAllowedEnergyTransfer": (
        {"transactionId": "tx-every", "allowedEnergyTransfer": ["AC_three_phase"]},
        ACCEPTED,
    ),
    "NotifyWebPaymentStarted": ({"evseId": 1, "timeout": 60}, {}),
    "RequestBatterySwap": ({"idToken": TOKEN, "requestId": 17}, ACCEPTED),
    "SetDERControl": (
        {
            "isDefault": False,
            "controlId": "der-1",
            "controlType": "FixedVar",
            "fixedVar": {"priority": 1, "setpoint": 10, "unit": "PctMaxW"},
        },
        ACCEPTED,
    ),
    "SetDefaultTariff": ({"evseId": 1, "tariff": TARIFF}, ACCEPTED),
    "UpdateDynamicSchedule": ({"chargingProfileId": 5, "scheduleUpdate": {"limit": 10.0}}, ACCEPTED),
    "UsePriorityCharging": ({"transactionId": "tx-every", "activate": True}, ACCEPTED),
}
"""What Narke says in 2.1 alone, and what a good station answers."""
