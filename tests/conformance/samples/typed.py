"""Commands by Narke's own words: version -> action -> (word, fields, what of them the station must be sent)."""

from engine.ocpp.versions import Version

_TOKEN = {"value": "DRIVER", "type": "ISO14443"}
_TOKEN_2 = {"idToken": "DRIVER", "type": "ISO14443"}
_INTERVAL = {"variable": "HeartbeatInterval", "component": "OCPPCommCtrlr"}
_INTERVAL_2 = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
_EVSE = {"evse": 1, "connector": 1}

_V16 = {
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
        )
    ],
    "ClearCache": [("clear_cache", {}, {})],
    "DataTransfer": [("send_data", {"vendor_id": "org.example"}, {"vendorId": "org.example"})],
    "GetConfiguration": [("get_variables", {"variables": [_INTERVAL]}, {"key": ["HeartbeatInterval"]})],
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
        )
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
    "Reset": [
        *_V2["Reset"],
        ("reset_station", {"kind": "ImmediateAndResume"}, {"type": "ImmediateAndResume"}),
    ],
}

TYPED = {Version.V16: _V16, Version.V201: _V2, Version.V21: _V21}
