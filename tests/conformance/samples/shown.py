"""What REST shows once a station has said its sample: action -> (version, payload) -> [(path, filters, a part)]."""

from engine.ocpp.catalogue import actions
from engine.ocpp.versions import Version

EVENTS = "/stations/{station}/events"
VALUES = "/stations/{station}/meter-values"


def event(kind, **data):
    """One line of the station's history, with a part of its data."""
    return [(EVENTS, {"kind": kind}, {"data": data})]


def nothing(_version, _payload):
    """The message log alone shows it."""
    return []


def noticed(action):
    """Kept verbatim."""
    return lambda _version, payload: [(EVENTS, {"kind": "notice", "action": action}, {"data": payload})]


def authorized(_version, _payload):
    return event("token_checked", token={"value": "DRIVER"}, verdict={"status": "Accepted"})


def booted(version, _payload):
    model = "One" if version is Version.V16 else "Two"
    seen = {"vendor": "Acme", "model": model, "firmware_version": "1.2.3", "boot_registration": "Accepted"}
    return [("/stations", {"q": f"EVERY-{version}"}, seen), *event("boot", boot={"vendor": "Acme", "model": model})]


def data_transferred(_version, payload):
    data = {"message_id": "Ping", "data": payload["data"]}
    return [(EVENTS, {"kind": "data_transfer"}, {"action": "org.example", "data": data})]


def metered(_version, _payload):
    wh = 12_345
    return [
        (VALUES, {}, {"value": wh, "unit": "Wh", "measurand": "Energy.Active.Import.Register", "evse": 1}),
        (VALUES, {}, {"value": 16, "unit": "A", "measurand": "Current.Import", "phase": "L1"}),
    ]


def started(version, _payload):
    if version is Version.V16:
        return [
            ("/transactions", {"station": f"EVERY-{version}"}, {"token": "DRIVER", "meter_start_wh": 1000, "evse": 1})
        ]
    seen = {"transaction_id": "tx-every", "token": "DRIVER", "meter_start_wh": 12_345, "charging_state": "Charging"}
    return [("/transactions", {"station": f"EVERY-{version}"}, seen)]


def stopped(version, _payload):
    """Of a transaction that nobody started: it is kept, and flagged."""
    seen = {"transaction_id": "1", "meter_stop_wh": 2000, "stop_reason": "Local"}
    return [("/transactions", {"station": f"EVERY-{version}"}, seen)]


def status_changed(version, payload):
    status = payload["status"] if version is Version.V16 else payload["connectorStatus"]
    place = {"evse": 2, "connector": 1} if version is Version.V16 else {"evse": 1, "connector": 2}
    return [("/stations/{station}/connectors", {}, {**place, "status": status})]


_KNOWN = {
    "Authorize": authorized,
    "BootNotification": booted,
    "DataTransfer": data_transferred,
    "Heartbeat": nothing,
    "MeterValues": metered,
    "StartTransaction": started,
    "StatusNotification": status_changed,
    "StopTransaction": stopped,
    "TransactionEvent": started,
}
SHOWN = {
    name: _KNOWN.get(name, noticed(name))
    for version in Version
    for name, row in actions(version).items()
    if row.from_station is not None
}
