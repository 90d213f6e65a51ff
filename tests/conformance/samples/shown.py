"""What REST shows once a station has said its sample: action -> (version, payload) -> [(path, filters, a part)]."""

from engine.ocpp.versions import Version

EVENTS = "/stations/{station}/events"
VALUES = "/stations/{station}/meter-values"


def event(kind, **data):
    """One line of the station's history, with a part of its data."""
    return [(EVENTS, {"kind": kind}, {"data": data})]


def nothing(_version, _payload):
    """The message log alone shows it."""
    return []


def authorized(_version, _payload):
    return event("token_checked", token={"value": "DRIVER"}, verdict={"status": "Accepted"})


def booted(version, _payload):
    model = "One" if version is Version.V16 else "Two"
    seen = {"vendor": "Acme", "model": model, "firmware_version": "1.2.3", "boot_registration": "Accepted"}
    return [
        ("/stations", {}, {"station": f"EVERY-{version}", **seen}),
        *event("boot", boot={"vendor": "Acme", "model": model}),
    ]


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


def listed(path, **expected):
    """One row of a block's own listing, with a part of it."""
    return [(path, {"station": "{station}"}, expected)]


def firmware_status(word, of="update"):
    return lambda _version, payload: [
        *event(f"{'publication' if of == 'publication' else 'firmware'}_status_recorded", status=word),
        *listed("/firmware-statuses", of=of, status=word, said_id=payload.get("requestId")),
    ]


def log_status(_version, payload):
    said = {"status": payload["status"], "said_id": payload.get("requestId")}
    return [*event("log_status_recorded", status=payload["status"]), *listed("/log-statuses", **said)]


def security_event(_version, payload):
    seen = {"type": payload["type"], "detail": payload["techInfo"]}
    return [*event("security_event_recorded", report=seen), *listed("/security-events", critical=True, **seen)]


def signing_asked(_version, payload):
    return listed("/certificate-requests", csr=payload["csr"])


def certificate_told(_version, _payload):
    return event("certificate_status_told", statuses=[{"state": "Failed"}])


def contract_told(_version, payload):
    return event("contract_certificate_told", action=payload["action"], accepted=False)


def limit_imposed(_version, payload):
    source = payload["chargingLimit"]["chargingLimitSource"]
    return event("limit_imposed", limit={"evse": 1, "source": source, "schedules": [{"unit": "A"}]})


def limit_released(_version, payload):
    return event("limit_released", evse=1, source=payload["chargingLimitSource"])


def customer_information(_version, payload):
    return listed("/customer-information", request_id=payload["requestId"], unasked=True)


def display_messages(_version, payload):
    [message] = payload["messageInfo"]
    seen = {"message_id": message["id"], "content": "Welcome", "format": "UTF8", "language": "en"}
    return listed("/display-messages", priority="NormalCycle", **seen)


def charging_needs(_version, payload):
    wanted = payload["chargingNeeds"]["requestedEnergyTransfer"]
    return listed("/charging-needs", evse=1, verdict="no_profile", energy_transfer=wanted, energy_wh=20_000)


def ev_schedule(_version, _payload):
    return listed("/ev-schedules", evse=1, schedule={"unit": "A", "periods": [{"limit": 16, "start_s": 0}]})


def monitoring_event(_version, _payload):
    seen = {"component": "Controller", "variable": "Temperature", "value": "81.5", "trigger": "Alerting"}
    return listed("/monitoring-events", event_id=1, monitor_id=21, **seen)


def monitoring_report(_version, payload):
    monitor = {"monitor_id": 21, "component": "Controller", "type": "UpperThreshold", "value": 80, "severity": 4}
    return [
        *listed("/variable-monitors", **monitor),
        *listed("/monitoring-reports", request_id=payload["requestId"], unasked=True),
    ]


def report(_version, payload):
    seen = {"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval", "attribute": "Actual", "value": "300"}
    return [*listed("/variables", **seen), *listed("/reports", request_id=payload["requestId"], status="Complete")]


def profiles_reported(_version, payload):
    [profile] = payload["chargingProfile"]
    return listed("/charging-profiles", profile_id=profile["id"], evse=1, source="CSO", installed=True)


def reservation_ended(_version, payload):
    seen = {"reservation_id": payload["reservationId"], "status": payload["reservationUpdateStatus"]}
    return [*event("reservation_ended", **seen), *listed("/reservations", **seen)]


def battery_swapped(_version, payload):
    return [
        *event("swap_moved", report={"event": "BatteryIn", "token": {"value": "DRIVER"}}),
        *listed(
            "/battery-swaps", request_id=payload["requestId"], token="DRIVER", batteries_in=[{"serial_number": "B-1"}]
        ),
    ]


def stream_opened(_version, _payload):
    return event("event_stream_opened", accepted=True, stream={"stream_id": 31, "interval_s": 10, "monitor_id": 21})


def stream_closed(_version, payload):
    return event("event_stream_closed", stream_id=payload["id"])


def stream_values(_version, _payload):
    return listed("/event-stream-values", stream_id=31, values=[[0, "230.1"], [1, "230.2"]])


def der_alarm(_version, payload):
    return listed("/der-alarms", type=payload["controlType"], fault=payload["gridEventFault"], active=True)


def der_ran(_version, payload):
    return [
        *event("der_control_ran", control_id=payload["controlId"], started=True),
        *listed("/der-controls", control_id="der-1", running=True),
    ]


def der_reported(_version, _payload):
    settings = {"unit": "PctMaxW", "priority": 1, "setpoint": 10}
    return listed("/der-controls", control_id="der-1", type="FixedVar", installed=True, settings=settings)


def priority_changed(_version, payload):
    return event("priority_changed", active=True, transaction_id=payload["transactionId"])


def settled(_version, payload):
    seen = {"reference": payload["pspRef"], "status": "Settled", "amount": 12.5, "transaction_id": "tx-every"}
    return listed("/settlements", **seen)


def update_pulled(_version, payload):
    return event("dynamic_schedule_updated", profile_id=payload["chargingProfileId"], pulled=True)


def vat_checked(_version, payload):
    return event("vat_number_checked", vat_number=payload["vatNumber"], evse=1, valid=False)


SHOWN = {
    "Authorize": authorized,
    "BatterySwap": battery_swapped,
    "BootNotification": booted,
    "ClearedChargingLimit": limit_released,
    "ClosePeriodicEventStream": stream_closed,
    "DataTransfer": data_transferred,
    "DiagnosticsStatusNotification": log_status,
    "FirmwareStatusNotification": firmware_status("Downloading"),
    "Get15118EVCertificate": contract_told,
    "GetCertificateChainStatus": certificate_told,
    "GetCertificateStatus": certificate_told,
    "Heartbeat": nothing,
    "LogStatusNotification": log_status,
    "MeterValues": metered,
    "NotifyChargingLimit": limit_imposed,
    "NotifyCustomerInformation": customer_information,
    "NotifyDERAlarm": der_alarm,
    "NotifyDERStartStop": der_ran,
    "NotifyDisplayMessages": display_messages,
    "NotifyEVChargingNeeds": charging_needs,
    "NotifyEVChargingSchedule": ev_schedule,
    "NotifyEvent": monitoring_event,
    "NotifyMonitoringReport": monitoring_report,
    "NotifyPeriodicEventStream": stream_values,
    "NotifyPriorityCharging": priority_changed,
    "NotifyReport": report,
    "NotifySettlement": settled,
    "OpenPeriodicEventStream": stream_opened,
    "PublishFirmwareStatusNotification": firmware_status("Published", of="publication"),
    "PullDynamicScheduleUpdate": update_pulled,
    "ReportChargingProfiles": profiles_reported,
    "ReportDERControl": der_reported,
    "ReservationStatusUpdate": reservation_ended,
    "SecurityEventNotification": security_event,
    "SignCertificate": signing_asked,
    "SignedFirmwareStatusNotification": firmware_status("SignatureVerified"),
    "StartTransaction": started,
    "StatusNotification": status_changed,
    "StopTransaction": stopped,
    "TransactionEvent": started,
    "VatNumberValidation": vat_checked,
}
