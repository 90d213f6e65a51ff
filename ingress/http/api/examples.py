"""Examples for the description of the API: one small site on one day, told consistently."""

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi.openapi.models import Example

from storage.queries.rows import (
    CommandRow,
    ConnectorRow,
    Counts,
    EventRow,
    MessageRow,
    MeterValueRow,
    StationDetail,
    StationRow,
    TokenRow,
    TransactionDetail,
    TransactionRow,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
COMMAND_ID = "01968b5e-8a00-7cc3-9d2b-0a1b2c3d4e5f"
CURSOR = "WyJzdGF0aW9ucyIsIkNQLTAwMDEiXQ"
_SECOND = timedelta(seconds=1)


def _page(*items: Any, more: str | None = None, follow: str | None = None) -> dict[str, Any]:
    return {"items": list(items), "next": more, "follow": follow}


_STATION = StationRow(
    station="CP-0001",
    registered=True,
    registration="Accepted",
    security_profile=1,
    has_password=True,
    note="north car park",
    vendor="Example",
    model="Twin 22",
    serial_number="T22-4711",
    firmware_version="1.4.2",
    booted_at=NOON - timedelta(hours=3),
    boot_reason="PowerUp",
    boot_registration="Accepted",
    heartbeat_interval_s=300,
    version="2.0.1",
    session="ingress-0:3:17",
    ingress="ingress-0",
    address="10.0.0.17:51844",
    connected=True,
    connected_at=NOON - timedelta(hours=3),
    seen_at=NOON,
)
_CONNECTOR = ConnectorRow(
    station="CP-0001",
    evse=1,
    connector=1,
    status="Occupied",
    received_at=NOON - timedelta(hours=1),
    status_at=NOON - timedelta(hours=1),
)
_TRANSACTION = TransactionRow(
    station="CP-0001",
    transaction_id="f3a1c0de",
    started_at=NOON - timedelta(hours=1),
    start_received_at=NOON - timedelta(hours=1) + _SECOND,
    updated_at=NOON,
    evse=1,
    connector=1,
    token="04A2B3C4D5E6F7",  # noqa: S106 (a driver's token of an example)
    token_type="ISO14443",  # noqa: S106 (likewise)
    token_status="Accepted",  # noqa: S106 (likewise)
    meter_start_wh=1_204_000.0,
    meter_last_wh=1_211_350.0,
    energy_wh=7_350.0,
    charging_state="Charging",
    last_sequence=14,
)
_METER_VALUE = MeterValueRow(
    id=90211,
    station="CP-0001",
    received_at=NOON,
    at=NOON - _SECOND,
    evse=1,
    connector=1,
    transaction_id="f3a1c0de",
    value=1_211_350.0,
    measurand="Energy.Active.Import.Register",
    unit="Wh",
    context="Sample.Periodic",
    location="Outlet",
    phase=None,
    raw=None,
    signed=None,
)
_MESSAGE = MessageRow(
    id=551,
    station="CP-0001",
    session="ingress-0:3:17",
    direction="in",
    at=NOON,
    kind="call",
    message_id="a81",
    action="Heartbeat",
    outcome="ok",
    latency_ms=None,
    frame='[2,"a81","Heartbeat",{}]',
)
_EVENT = EventRow(
    id=77,
    station="CP-0001",
    at=NOON,
    kind="notice",
    action="SecurityEventNotification",
    data={"type": "StartupOfTheDevice", "timestamp": "2026-05-01T09:00:00Z"},
)
_COMMAND = CommandRow(
    command_id=COMMAND_ID,
    station="CP-0001",
    kind="ResetStation",
    requested_at=NOON,
    command={"is": "ResetStation", "kind": "OnIdle"},
    requested_by="first",
    deadline_at=NOON + timedelta(seconds=30),
    settled_at=NOON + _SECOND,
    result="accepted",
    status="Scheduled",
    payload={"status": "Scheduled"},
)
_TOKEN_VALUES = {
    "type": "ISO14443",
    "blocked": False,
    "expires_at": datetime(2027, 1, 1, tzinfo=UTC),
    "group": "fleet-a",
    "note": "van 12",
    "places": ("SITE-A-*",),
    "hours": ("Mo-Fr 06:00-22:00",),
    "time_zone": "Europe/Berlin",
    "credit": None,
    "concurrent_max": 1,
    "in_local_list": True,
    "priority": None,
    "language": "de",
    "language2": None,
    "message": None,
}

STATIONS = _page(_STATION, more=CURSOR)
STATION = StationDetail(station=_STATION, connectors=(_CONNECTOR,), open_transactions=(_TRANSACTION,))
STATION_RECORD = {
    "station": "CP-0001",
    "registration": "Accepted",
    "security_profile": 1,
    "has_password": True,
    "message_log": None,
    "note": "north car park",
}
STATION_BODY = {
    "registration": "Accepted",
    "security_profile": 1,
    "password": "0123456789abcdef",
    "note": "north car park",
}
STATION_CHANGE = {"message_log": True}
STATIONS_IMPORT = [
    {"station": "CP-0001", "security_profile": 2, "generate": "password"},
    {"station": "CP-0002", "security_profile": 3, "certificate_name": "SN-4711", "note": "north car park"},
]
STATIONS_SAVED = {"saved": 2, "generated_passwords": {"CP-0001": "5f2b7e0c9d41a8836e1f20b47c95d3aa61e8f094"}}
CONNECTORS = _page(_CONNECTOR)
MESSAGES = _page(_MESSAGE, follow=CURSOR)
EVENTS = _page(_EVENT, follow=CURSOR)
METER_VALUES = _page(_METER_VALUE, follow=CURSOR)
TRANSACTIONS = _page(_TRANSACTION, more=CURSOR)
TRANSACTIONS_CSV = "station,transaction_id,started_at,...\r\nCP-0001,f3a1c0de,2026-05-01T11:00:00Z,...\r\n"
TRANSACTION = TransactionDetail(transaction=_TRANSACTION, meter_values=(_METER_VALUE,), complete=True)
TOKENS = _page(TokenRow(token="04A2B3C4D5E6F7", saved_at=NOON, **_TOKEN_VALUES))  # type: ignore[arg-type]  # noqa: S106 (one dict of several types; an example)
TOKEN = {"token": "04A2B3C4D5E6F7", **_TOKEN_VALUES}
TOKEN_BODY = {"type": "ISO14443", "expires_at": "2027-01-01T00:00:00Z", "group": "fleet-a", "note": "van 12"}
IMPORT = [
    {"token": "04A2B3C4D5E6F7", "group": "fleet-a"},
    {"token": "DE-NRK-C12345678-9", "type": "eMAID", "blocked": True},
]
IMPORT_ANSWER = {"saved": 2}
COMMANDS = _page(_COMMAND)
COMMAND = _COMMAND
COMMAND_ANSWER: dict[str, Any] = {
    "command_id": COMMAND_ID,
    "station": "CP-0001",
    "result": "accepted",
    "status": "Accepted",
    "detail": None,
    "payload": {"status": "Accepted"},
    "variables": [],
}
START = {"token": "04A2B3C4D5E6F7", "evse": 1}
STOP = {"transaction_id": "f3a1c0de"}
RESET = {"kind": "OnIdle"}
UNLOCK = {"evse": 1, "connector": 1}
TRIGGER = {"message": "StatusNotification", "evse": 1, "connector": 1}
AVAILABILITY = {"operative": False, "evse": 1}
_VARIABLE = {"component": "AlignedDataCtrlr", "variable": "Interval"}
COMMAND_BODIES: dict[str, Example] = {
    "request_start": {"value": {"command": "request_start", **START}},
    "request_stop": {"value": {"command": "request_stop", **STOP}},
    "reset": {"value": {"command": "reset", **RESET}},
    "unlock_connector": {"value": {"command": "unlock_connector", **UNLOCK}},
    "trigger_message": {"value": {"command": "trigger_message", **TRIGGER}},
    "change_availability": {"value": {"command": "change_availability", **AVAILABILITY}},
    "clear_cache": {"value": {"command": "clear_cache"}},
    "get_variables": {"value": {"command": "get_variables", "variables": [_VARIABLE]}},
    "set_variables": {"value": {"command": "set_variables", "settings": [{**_VARIABLE, "value": "900"}]}},
    "send_data": {"value": {"command": "send_data", "vendor_id": "com.example", "message_id": "ping", "data": "x"}},
    "raw": {"value": {"action": "GetLocalListVersion", "payload": {}, "deadline_s": 10}},
}
STATUS = {
    "version": "0.1.0",
    "now": NOON,
    "ready": True,
    "components": [{"name": "journal", "ready": True, "detail": "Redis answers"}],
    "counts": Counts(
        stations=24,
        stations_connected=24,
        stations_connected_by_version={"1.6": 8, "2.0.1": 8, "2.1": 8},
        connectors_by_status={"Available": 30, "Occupied": 18},
        transactions_open=18,
        transactions_started_today=212,
        transactions_ended_today=194,
        energy_ended_today_wh=1_830_450.0,
        energy_open_wh=96_120.0,
        tokens=40,
        commands_open=0,
        bad_entries=0,
    ),
}
TARGETS = [{"targets": ["127.0.0.1:8080"], "labels": {"job": "narke"}}]
PROBLEM = {
    "type": "urn:narke:problem:station-offline",
    "title": "Station offline",
    "status": 409,
    "detail": "CP-0001: The station is not connected; nothing was sent.",
    "what_to_do": "send it again when the station is back",
    "instance": "/api/v1/stations/CP-0001/reset",
    "command_id": COMMAND_ID,
    "result": "offline",
}
