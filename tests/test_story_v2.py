"""Stations of OCPP 2.0.1 and 2.1, of another maker than Narke's: from boot to PostgreSQL, and operators' commands."""

import asyncio
import json

import pytest
from ocpp.exceptions import NotImplementedError as NotImplementedByNarke
from ocpp.exceptions import SecurityError
from websockets.exceptions import InvalidStatus

from tests.stations import SUBPROTOCOLS, cli, exchange, now, open_socket, package_station, written

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120), pytest.mark.parametrize("version", ["2.0.1", "2.1"])]

TOKEN = {"id_token": "DRIVER", "type": "ISO14443"}
BOOT = {"charging_station": {"model": "Two", "vendor_name": "Acme", "serial_number": "S-1"}, "reason": "PowerUp"}


@pytest.fixture(scope="module", autouse=True)
def _driver(narke):
    narke.cli("tokens", "add", "DRIVER", "--group", "FLEET")


def meter_value(at, *sampled):
    return [{"timestamp": written(at), "sampled_value": list(sampled)}]


async def test_what_a_station_tells_of_a_transaction_stands_in_postgresql(narke, version):
    name, transaction = f"STORY-{version}", {"transaction_id": f"tx-{version}"}
    async with package_station(narke, name, version) as station:
        boot = await station.say("BootNotification", **BOOT)
        assert (boot.status, 270 <= boot.interval <= 300) == ("Accepted", True)
        await station.say("StatusNotification", **_status("Occupied"))
        info = (await station.say("Authorize", id_token=TOKEN)).id_token_info
        assert (info["status"], info["group_id_token"]["id_token"]) == ("Accepted", "FLEET")
        unknown = (await station.say("Authorize", id_token={"id_token": "STRANGER", "type": "ISO14443"})).id_token_info
        assert unknown["status"] == "Invalid"
        started_at = now()
        started = await station.say(
            "TransactionEvent",
            event_type="Started",
            timestamp=written(started_at),
            trigger_reason="Authorized",
            seq_no=0,
            transaction_info=transaction | {"charging_state": "EVConnected"},
            evse={"id": 1, "connector_id": 2},
            id_token=TOKEN,
            meter_value=meter_value(started_at, {"value": 12_345, "context": "Transaction.Begin"}),
        )
        assert started.id_token_info["status"] == "Accepted"
        sampled_at = now()
        await station.say(
            "TransactionEvent",
            event_type="Updated",
            timestamp=written(sampled_at),
            trigger_reason="MeterValuePeriodic",
            seq_no=1,
            transaction_info=transaction | {"charging_state": "Charging"},
            meter_value=meter_value(
                sampled_at,
                {"value": 12.401, "unit_of_measure": {"unit": "kWh"}},
                {"value": 736, "measurand": "Power.Active.Import", "unit_of_measure": {"unit": "W", "multiplier": 1}},
                {"value": 15.9, "measurand": "Current.Import", "phase": "L1"},
                {"value": 41, "measurand": "SoC", "location": "EV", "unit_of_measure": {"unit": "Percent"}},
            ),
        )
        ended_at = now()
        await station.say(
            "TransactionEvent",
            event_type="Ended",
            timestamp=written(ended_at),
            trigger_reason="StopAuthorized",
            seq_no=2,
            transaction_info=transaction | {"stopped_reason": "Local"},
            id_token=TOKEN,
            meter_value=meter_value(ended_at, {"value": 15_678, "context": "Transaction.End"}),
        )

    [row] = narke.wait_for_rows("SELECT * FROM transactions WHERE station = %s AND ended_at IS NOT NULL", name)
    assert (row["transaction_id"], row["number"]) == (f"tx-{version}", None)
    assert (row["evse"], row["connector"], row["last_sequence"]) == (1, 2, 2)
    assert (row["started_at"], row["ended_at"]) == (started_at, ended_at)
    assert (row["meter_start_wh"], row["meter_stop_wh"], row["energy_wh"]) == (12_345, 15_678, 3_333)
    assert (row["token"], row["token_type"], row["token_group"]) == ("DRIVER", "ISO14443", "FLEET")
    assert (row["token_status"], row["stop_reason"], row["flags"]) == ("Accepted", "Local", [])

    values = narke.sql("SELECT * FROM meter_readings WHERE station = %s ORDER BY id", name)
    shown = ("value", "unit", "measurand", "phase", "context", "location", "sampled_at")
    assert [tuple(value[key] for key in shown) for value in values] == [
        (12_345, "Wh", "Energy.Active.Import.Register", None, "Transaction.Begin", "Outlet", started_at),
        (12_401, "Wh", "Energy.Active.Import.Register", None, "Sample.Periodic", "Outlet", sampled_at),
        (7_360, "W", "Power.Active.Import", None, "Sample.Periodic", "Outlet", sampled_at),
        (15.9, "A", "Current.Import", "L1", "Sample.Periodic", "Outlet", sampled_at),
        (41, "Percent", "SoC", None, "Sample.Periodic", "EV", sampled_at),
        (15_678, "Wh", "Energy.Active.Import.Register", None, "Transaction.End", "Outlet", ended_at),
    ]
    assert {(value["transaction_id"], value["evse"]) for value in values} == {(f"tx-{version}", 1)}

    [seen] = narke.wait_for_rows("SELECT * FROM stations WHERE station = %s AND NOT connected", name)
    assert (seen["vendor"], seen["model"], seen["serial_number"]) == ("Acme", "Two", "S-1")
    assert (seen["version"], seen["boot_reason"], seen["boot_registration"]) == (version, "PowerUp", "Accepted")
    [connector] = narke.sql("SELECT evse, connector, status FROM connectors WHERE station = %s", name)
    assert tuple(connector.values()) == (1, 2, "Occupied")


def _status(status):
    return {"timestamp": written(now()), "connector_status": status, "evse_id": 1, "connector_id": 2}


async def test_the_command_line_starts_and_stops_a_transaction(narke, version):
    name = f"REMOTE-{version}"
    async with package_station(narke, name, version) as station:
        await station.say("BootNotification", **BOOT)
        station.answer("RequestStartTransaction", status="Accepted")
        await cli(narke, "start", name, "--token", "DRIVER", "--token-type", "ISO14443", "--evse", "1")
        asked = await station.wait_for("RequestStartTransaction")
        assert (asked["id_token"], asked["evse_id"]) == (TOKEN, 1)
        await _event(station, "Started", 0, 100, remote_start_id=asked["remote_start_id"])
        narke.wait_for_rows("SELECT 1 FROM transactions WHERE station = %s", name)
        station.answer("RequestStopTransaction", status="Accepted")
        await cli(narke, "stop", name)
        assert await station.wait_for("RequestStopTransaction") == {"transaction_id": "remote"}
        await _event(station, "Ended", 1, 120, stopped_reason="Remote")
        station.answer("RequestStartTransaction", status="Rejected")
        assert (await cli(narke, "start", name, "--token", "DRIVER", "--evse", "1", check=False)).returncode == 5
    [row] = narke.wait_for_rows("SELECT * FROM transactions WHERE station = %s AND ended_at IS NOT NULL", name)
    assert (row["stop_reason"], row["energy_wh"]) == ("Remote", 20)
    assert row["remote_start_id"] == asked["remote_start_id"]
    commands = narke.wait_for_rows(
        "SELECT result, status FROM commands WHERE station = %s AND settled_at IS NOT NULL ORDER BY requested_at",
        name,
        count=3,
    )
    assert [tuple(row.values()) for row in commands] == [
        ("accepted", "Accepted"),
        ("accepted", "Accepted"),
        ("refused", "Rejected"),
    ]


async def _event(station, kind, sequence, register_wh, **info):
    at = now()
    return await station.say(
        "TransactionEvent",
        event_type=kind,
        timestamp=written(at),
        trigger_reason="RemoteStart" if kind == "Started" else "RemoteStop",
        seq_no=sequence,
        transaction_info={"transaction_id": "remote", **info},
        evse={"id": 1, "connector_id": 1},
        meter_value=meter_value(at, {"value": register_wh}),
    )


async def test_operators_command_by_name_and_by_any_action(narke, version):
    name = f"ORDERS-{version}"
    component, variable = {"name": "OCPPCommCtrlr"}, {"name": "HeartbeatInterval"}
    one = {"component": component, "variable": variable}
    change = {"setVariableData": [{**one, "attributeValue": "60"}]}
    data = {"vendorId": "org.example", "data": {"ping": 1.5}}
    async with package_station(narke, name, version) as station:
        await station.say("BootNotification", **BOOT)
        station.answer("Reset", status="Scheduled")
        station.answer("UnlockConnector", status="Unlocked")
        station.answer("TriggerMessage", status="Accepted")
        station.answer("ChangeAvailability", status="Accepted")
        station.answer(
            "GetVariables", get_variable_result=[{**one, "attribute_status": "Accepted", "attribute_value": "300"}]
        )
        station.answer("SetVariables", set_variable_result=[{**one, "attribute_status": "RebootRequired"}])
        station.answer("DataTransfer", status="Accepted", data={"pong": [1, {}]})
        told = await asyncio.gather(
            cli(narke, "reset", name, "--json"),
            cli(narke, "unlock", name, "1", "2", "--json"),
            cli(narke, "trigger", name, "StatusNotification", "--evse", "1", "--connector", "2", "--json"),
            cli(narke, "availability", name, "--operative", "--evse", "1", "--json"),
            cli(narke, "send", name, "GetVariables", json.dumps({"getVariableData": [one]}), "--json"),
            cli(narke, "send", name, "SetVariables", json.dumps(change), "--json"),
            cli(narke, "send", name, "DataTransfer", json.dumps(data), "--json"),
        )
        answers = [json.loads(done.stdout) for done in told]
        assert [answer["result"] for answer in answers] == ["accepted"] * 7
        assert [answer["status"] for answer in answers[:4]] == ["Scheduled", "Unlocked", "Accepted", "Accepted"]
        assert answers[4]["payload"]["getVariableResult"][0]["attributeValue"] == "300"
        assert answers[5]["payload"]["setVariableResult"][0]["attributeStatus"] == "RebootRequired"
        assert answers[6]["payload"]["data"] == {"pong": [1, {}]}
        asked = dict(station.asked)
        assert asked["Reset"] == {"type": "OnIdle"}
        assert asked["UnlockConnector"] == {"evse_id": 1, "connector_id": 2}
        assert asked["TriggerMessage"] == {
            "requested_message": "StatusNotification",
            "evse": {"id": 1, "connector_id": 2},
        }
        assert asked["ChangeAvailability"] == {"operational_status": "Operative", "evse": {"id": 1}}
        assert asked["SetVariables"] == {"set_variable_data": [{**one, "attribute_value": "60"}]}
        assert asked["DataTransfer"] == {"vendor_id": "org.example", "data": {"ping": 1.5}}
        resumed = await cli(narke, "reset", name, "--resume", "--json", check=False)
        assert resumed.returncode == (5 if version == "2.0.1" else 0), "only 2.1 can say ImmediateAndResume"


async def test_events_are_kept_and_every_message_is_in_the_log(narke, version):
    name = f"NOTICE-{version}"
    notice = {"type": "SettingSystemTime", "timestamp": written(now()), "techInfo": 'ä "quoted" \\ € 🔌'}
    event = {
        "generatedAt": written(now()),
        "seqNo": 0,
        "eventData": [
            {
                "eventId": 1,
                "timestamp": written(now()),
                "trigger": "Delta",
                "actualValue": "true",
                "eventNotificationType": "HardWiredNotification",
                "component": {"name": "ChargingStation", "customData": {"vendorId": "org.example", "deep": [1, {}]}},
                "variable": {"name": "Problem"},
            }
        ],
    }
    async with open_socket(narke, name, SUBPROTOCOLS[version]) as socket:
        boot = {"chargingStation": {"model": "Two", "vendorName": "Acme"}, "reason": "PowerUp"}
        assert (await exchange(socket, [2, "0", "BootNotification", boot]))[2]["status"] == "Accepted"
        assert await exchange(socket, [2, "1", "SecurityEventNotification", notice]) == [3, "1", {}]
        assert await exchange(socket, [2, "2", "NotifyEvent", event]) == [3, "2", {}]
        data = {"vendorId": "org.example", "data": {"free": ["form"]}}
        assert (await exchange(socket, [2, "3", "DataTransfer", data]))[2] == {"status": "UnknownVendorId"}
        if version == "2.1":
            stream = {"id": 7, "pending": 0, "basetime": written(now()), "data": [{"t": 0, "v": "1"}]}
            await socket.send(json.dumps([6, "4", "NotifyPeriodicEventStream", stream]))  # a SEND has no answer
        assert (await exchange(socket, [2, "5", "MakeCoffee", {}]))[:3] == [4, "5", "NotImplemented"]
    [transfer] = narke.wait_for_rows(
        "SELECT data FROM station_events WHERE station = %s AND kind = 'data_transfer'", name
    )
    assert transfer["data"] == {"message_id": None, "status": "UnknownVendorId", "data": {"free": ["form"]}}
    [kept] = narke.sql("SELECT * FROM security_events WHERE station = %s", name)
    assert (kept["type"], kept["detail"], written(kept["occurred_at"])) == (
        notice["type"],
        notice["techInfo"],
        notice["timestamp"],
    )
    [problem] = narke.sql("SELECT * FROM monitoring_events WHERE station = %s", name)
    assert (problem["component"], problem["variable"], problem["value"]) == ("ChargingStation", "Problem", "true")
    if version == "2.1":
        [value] = narke.wait_for_rows("SELECT * FROM event_stream_values WHERE station = %s", name)
        assert value["stream_id"] == 7
        assert value["values"] == [[0, "1"]]
    narke.wait_for_rows("SELECT 1 FROM messages WHERE station = %s", name, count=10 + (version == "2.1"))
    messages = json.loads((await cli(narke, "messages", name, "--json")).stdout)
    assert len(messages) == 10 + (version == "2.1")
    assert messages[-1]["outcome"] == "NotImplemented"
    assert json.loads(messages[2]["frame"])[3] == notice


async def test_a_pending_station_is_told_so_until_the_operator_accepts_it(narke, version):
    name = f"PENDING-{version}"
    await cli(narke, "station", "register", name, "--registration", "Pending")
    async with package_station(narke, name, version) as station:
        assert (await station.say("BootNotification", **BOOT)).status == "Pending"
        with pytest.raises(SecurityError):
            await station.say("StatusNotification", **_status("Occupied"))
        station.answer("RequestStartTransaction", status="Accepted")
        refused = await cli(narke, "start", name, "--token", "DRIVER", "--evse", "1", check=False)
        assert (refused.returncode, station.asked) == (5, [])
        await cli(narke, "station", "register", name, "--registration", "Accepted")
        assert (await station.say("BootNotification", **BOOT)).status == "Accepted"
        await station.say("StatusNotification", **_status("Occupied"))


async def test_unknown_actions_are_answered_and_the_station_goes_on(narke, version):
    async with package_station(narke, f"UNKNOWN-{version}", version) as station:
        await station.say("BootNotification", **BOOT)
        with pytest.raises(NotImplementedByNarke):
            await station.say_unknown("MakeCoffee")
        assert (await station.say("Heartbeat")).current_time.endswith("Z")


async def test_a_station_with_a_password_must_present_it(narke, version):
    name, secret = f"LOCKED-{version}", "correct horse bätter"
    narke.cli("station", "register", name)
    narke.cli("station", "passwd", name, "--stdin", input=f"{secret}\n")
    for wrong in (None, "wrong-password-123", ""):
        with pytest.raises(InvalidStatus) as refused:
            await open_socket(narke, name, SUBPROTOCOLS[version], password=wrong)
        assert refused.value.response.status_code == 401
    async with package_station(narke, name, version, password=secret) as station:
        assert (await station.say("BootNotification", **BOOT)).status == "Accepted"


async def test_a_second_connection_of_the_same_identity_takes_over(narke, version):
    name = f"TWIN-{version}"
    async with package_station(narke, name, version) as first:
        await first.say("BootNotification", **BOOT)
        await _event(first, "Started", 0, 5)
        async with package_station(narke, name, version) as second:
            await asyncio.wait_for(first.socket.wait_closed(), 30)
            assert first.socket.close_code == 4000
            await _event(second, "Ended", 1, 9)
            [row] = narke.wait_for_rows("SELECT * FROM transactions WHERE station = %s AND ended_at IS NOT NULL", name)
            assert row["energy_wh"] == 4
            assert narke.sql("SELECT connected FROM stations WHERE station = %s", name) == [{"connected": True}]
