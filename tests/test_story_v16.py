"""A station of OCPP 1.6, of another maker than Narke's: from boot to PostgreSQL, and operators' commands."""

import asyncio
import json

import pytest
from ocpp.exceptions import NotImplementedError as NotImplementedByNarke
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.running import eventually
from tests.stations import cli, exchange, now, open_socket, package_station, written

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

BOOT = {"charge_point_vendor": "Acme", "charge_point_model": "One", "firmware_version": "1.2.3"}


@pytest.fixture(scope="module", autouse=True)
def _driver(narke):
    narke.cli("tokens", "add", "DRIVER", "--group", "FLEET")


async def test_what_a_station_tells_of_a_transaction_stands_in_postgresql(narke):
    started_at = now()
    async with package_station(narke, "STORY-16", "1.6") as station:
        boot = await station.say("BootNotification", **BOOT)
        assert boot.status == "Accepted"
        assert 270 <= boot.interval <= 300, "not all stations beat at once"
        for connector in (0, 1):
            await station.say(
                "StatusNotification",
                connector_id=connector,
                error_code="NoError",
                status="Preparing" if connector else "Available",
                timestamp=written(started_at),
            )
        tag = (await station.say("Authorize", id_tag="driver")).id_tag_info
        assert (tag["status"], tag["parent_id_tag"]) == ("Accepted", "FLEET")
        assert (await station.say("Authorize", id_tag="STRANGER")).id_tag_info["status"] == "Invalid"
        start = await station.say(
            "StartTransaction", connector_id=1, id_tag="DRIVER", meter_start=12_345, timestamp=written(started_at)
        )
        assert start.transaction_id > 0
        assert start.id_tag_info["status"] == "Accepted"
        sampled_at = now()
        await station.say(
            "MeterValues",
            connector_id=1,
            transaction_id=start.transaction_id,
            meter_value=[
                {
                    "timestamp": written(sampled_at),
                    "sampled_value": [
                        {"value": "12.401", "unit": "kWh", "context": "Sample.Clock"},
                        {"value": "7.36", "unit": "kW", "measurand": "Power.Active.Import"},
                        {"value": "15.9", "unit": "A", "measurand": "Current.Import", "phase": "L1"},
                        {"value": "16.1", "unit": "A", "measurand": "Current.Import", "phase": "L2"},
                        {"value": "231", "measurand": "Voltage", "phase": "L1-N"},
                        {"value": "41", "unit": "Percent", "measurand": "SoC", "location": "EV"},
                    ],
                }
            ],
        )
        ended_at = now()
        stop = await station.say(
            "StopTransaction",
            transaction_id=start.transaction_id,
            id_tag="DRIVER",
            meter_stop=15_678,
            timestamp=written(ended_at),
            reason="Remote",
            transaction_data=[
                {
                    "timestamp": written(ended_at),
                    "sampled_value": [{"value": "15678", "context": "Transaction.End", "unit": "Wh"}],
                }
            ],
        )
        assert stop.id_tag_info["status"] == "Accepted"

    [row] = narke.wait_for_rows(
        "SELECT * FROM transactions WHERE station = 'STORY-16' AND ended_at IS NOT NULL", seconds=30
    )
    assert row["transaction_id"] == str(start.transaction_id)
    assert (row["number"], row["evse"], row["connector"]) == (start.transaction_id, 1, 1)
    assert (row["started_at"], row["ended_at"]) == (started_at, ended_at)
    assert (row["meter_start_wh"], row["meter_stop_wh"], row["energy_wh"]) == (12_345, 15_678, 3_333)
    assert (row["token"], row["token_status"], row["token_group"]) == ("DRIVER", "Accepted", "FLEET")
    assert (row["stop_reason"], row["flags"], row["offline"]) == ("Remote", [], False)

    values = narke.sql("SELECT * FROM meter_readings WHERE station = 'STORY-16' ORDER BY id")
    shown = ("value", "unit", "measurand", "phase", "context", "location")
    assert [tuple(value[key] for key in shown) for value in values] == [
        (12_401, "Wh", "Energy.Active.Import.Register", None, "Sample.Clock", "Outlet"),
        (7_360, "W", "Power.Active.Import", None, "Sample.Periodic", "Outlet"),
        (15.9, "A", "Current.Import", "L1", "Sample.Periodic", "Outlet"),
        (16.1, "A", "Current.Import", "L2", "Sample.Periodic", "Outlet"),
        (231, "V", "Voltage", "L1-N", "Sample.Periodic", "Outlet"),
        (41, "Percent", "SoC", None, "Sample.Periodic", "EV"),
        (15_678, "Wh", "Energy.Active.Import.Register", None, "Transaction.End", "Outlet"),
    ]
    assert [value["sampled_at"] for value in values] == [sampled_at] * 6 + [ended_at]
    assert {value["transaction_id"] for value in values} == {str(start.transaction_id)}

    [seen] = narke.wait_for_rows("SELECT * FROM stations WHERE station = 'STORY-16' AND NOT connected")
    assert (seen["vendor"], seen["model"], seen["firmware_version"], seen["version"]) == ("Acme", "One", "1.2.3", "1.6")
    connectors = narke.sql("SELECT evse, connector, status FROM connectors WHERE station = 'STORY-16' ORDER BY evse")
    assert [tuple(row.values()) for row in connectors] == [(0, 0, "Available"), (1, 1, "Preparing")]
    events = narke.sql("SELECT kind, data FROM station_events WHERE station = 'STORY-16' ORDER BY id")
    assert [event["kind"] for event in events] == [
        "session_started",
        "boot",
        "connector_status",
        "connector_status",
        "token_checked",
        "token_checked",
        "session_ended",
    ]


async def test_the_command_line_starts_and_stops_a_transaction(narke):
    async with package_station(narke, "REMOTE-16", "1.6") as station:
        await station.say("BootNotification", **BOOT)
        station.answer("RemoteStartTransaction", status="Accepted")
        said = await cli(narke, "start", "REMOTE-16", "--token", "DRIVER", "--evse", "1")
        assert "accepted" in said.stdout
        assert await station.wait_for("RemoteStartTransaction") == {"id_tag": "DRIVER", "connector_id": 1}
        start = await station.say(
            "StartTransaction", connector_id=1, id_tag="DRIVER", meter_start=0, timestamp=written(now())
        )
        narke.wait_for_rows("SELECT 1 FROM transactions WHERE station = 'REMOTE-16'")
        station.answer("RemoteStopTransaction", status="Accepted")
        assert "accepted" in (await cli(narke, "stop", "REMOTE-16")).stdout
        assert await station.wait_for("RemoteStopTransaction") == {"transaction_id": start.transaction_id}
        await station.say(
            "StopTransaction", transaction_id=start.transaction_id, meter_stop=20, timestamp=written(now())
        )
        station.answer("RemoteStartTransaction", status="Rejected")
        refused = await cli(narke, "start", "REMOTE-16", "--token", "DRIVER", check=False)
        assert refused.returncode == 5
        assert "refused" in refused.stdout + refused.stderr
    [row] = narke.wait_for_rows("SELECT * FROM transactions WHERE station = 'REMOTE-16' AND ended_at IS NOT NULL")
    assert (row["stop_reason"], row["energy_wh"]) == ("Local", 20)
    commands = narke.wait_for_rows(
        "SELECT kind, result, status FROM commands WHERE station = 'REMOTE-16' AND settled_at IS NOT NULL "
        "ORDER BY requested_at",
        count=3,
    )
    assert [(row["result"], row["status"]) for row in commands] == [
        ("accepted", "Accepted"),
        ("accepted", "Accepted"),
        ("refused", "Rejected"),
    ]


async def test_operators_command_by_name_and_by_any_action(narke):
    async with package_station(narke, "ORDERS-16", "1.6") as station:
        await station.say("BootNotification", **BOOT)
        station.answer("Reset", status="Accepted")
        station.answer("UnlockConnector", status="Unlocked")
        station.answer("TriggerMessage", status="Accepted")
        station.answer("ChangeAvailability", status="Scheduled")
        station.answer(
            "GetConfiguration",
            configuration_key=[{"key": "HeartbeatInterval", "readonly": False, "value": "300"}],
            unknown_key=["Nonsense"],
        )
        station.answer("ChangeConfiguration", status="RebootRequired")
        station.answer("DataTransfer", status="Accepted", data="pong")
        keys = json.dumps({"key": ["HeartbeatInterval", "Nonsense"]})
        change = json.dumps({"key": "HeartbeatInterval", "value": "60"})
        data = json.dumps({"vendorId": "org.example", "messageId": "ping", "data": "ping"})
        told = await asyncio.gather(
            cli(narke, "reset", "ORDERS-16", "--hard", "--json"),
            cli(narke, "unlock", "ORDERS-16", "1", "--json"),
            cli(narke, "trigger", "ORDERS-16", "StatusNotification", "--evse", "1", "--json"),
            cli(narke, "availability", "ORDERS-16", "--inoperative", "--evse", "1", "--json"),
            cli(narke, "send", "ORDERS-16", "GetConfiguration", keys, "--json"),
            cli(narke, "send", "ORDERS-16", "ChangeConfiguration", change, "--json"),
            cli(narke, "send", "ORDERS-16", "DataTransfer", data, "--json"),
        )
        answers = [json.loads(done.stdout) for done in told]
        assert [answer["result"] for answer in answers] == ["accepted"] * 7
        assert [answer["status"] for answer in answers[:4]] == ["Accepted", "Unlocked", "Accepted", "Scheduled"]
        assert answers[4]["payload"] == {
            "configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}],
            "unknownKey": ["Nonsense"],
        }
        assert (answers[5]["status"], answers[6]["payload"]["data"]) == ("RebootRequired", "pong")
        asked = dict(station.asked)
        assert asked["Reset"] == {"type": "Hard"}
        assert asked["UnlockConnector"] == {"connector_id": 1}
        assert asked["TriggerMessage"] == {"requested_message": "StatusNotification", "connector_id": 1}
        assert asked["ChangeAvailability"] == {"connector_id": 1, "type": "Inoperative"}
        assert asked["ChangeConfiguration"] == {"key": "HeartbeatInterval", "value": "60"}
        assert asked["DataTransfer"] == {"vendor_id": "org.example", "message_id": "ping", "data": "ping"}
        unhandled = await cli(narke, "send", "ORDERS-16", "ClearCache", "--json", check=False)
        assert unhandled.returncode == 5
        assert json.loads(unhandled.stdout)["result"] == "failed"


async def test_events_and_data_are_kept_and_every_message_is_in_the_log(narke):
    notice = {"type": "SettingSystemTime", "timestamp": written(now()), "tech_info": 'ä "quoted" \\ € 🔌'}
    async with package_station(narke, "NOTICE-16", "1.6") as station:
        await station.say("BootNotification", **BOOT)
        await station.say("SecurityEventNotification", **notice)
        await station.say("FirmwareStatusNotification", status="Downloading")
        data = await station.say("DataTransfer", vendor_id="org.example", message_id="m", data='{"free": "text"}')
        assert data.status == "UnknownVendorId"
        with pytest.raises(NotImplementedByNarke):
            await station.say_unknown("MakeCoffee")
    events = narke.wait_for_rows(
        "SELECT kind, action, data FROM station_events WHERE station = 'NOTICE-16' "
        "AND kind IN ('security_event_recorded', 'firmware_status_recorded', 'data_transfer') ORDER BY id",
        count=3,
    )
    [kept] = narke.sql("SELECT * FROM security_events WHERE station = 'NOTICE-16'")
    told = {"type": notice["type"], "timestamp": notice["timestamp"], "techInfo": notice["tech_info"]}
    assert (kept["type"], kept["detail"]) == (told["type"], told["techInfo"])
    assert written(kept["occurred_at"]) == told["timestamp"]
    assert [event["kind"] for event in events] == [
        "security_event_recorded",
        "firmware_status_recorded",
        "data_transfer",
    ]
    [firmware] = narke.sql("SELECT status FROM firmware_statuses WHERE station = 'NOTICE-16'")
    assert firmware["status"] == "Downloading"
    assert events[2]["data"] == {"message_id": "m", "status": "UnknownVendorId", "data": '{"free": "text"}'}
    narke.wait_for_rows("SELECT 1 FROM messages WHERE station = 'NOTICE-16'", count=10)
    messages = json.loads(narke.cli("messages", "NOTICE-16", "--json").stdout)
    assert [message["direction"] for message in messages] == ["in", "out"] * 5
    assert messages[-1]["outcome"] == "NotImplemented"
    assert json.loads(messages[2]["frame"])[3] == told


async def test_a_station_with_a_password_must_present_it(narke):
    secret = "00112233445566778899aabbccddeeff"
    narke.cli("station", "register", "LOCKED-16")
    narke.cli("station", "passwd", "LOCKED-16", "--stdin", input=f"{secret}\n")
    for wrong in (None, "wrong-password-123", b"\xff\xfe", ""):
        with pytest.raises(InvalidStatus) as refused:
            await open_socket(narke, "LOCKED-16", "ocpp1.6", password=wrong)
        assert refused.value.response.status_code == 401
        assert refused.value.response.headers["WWW-Authenticate"].startswith("Basic")
    for right in (secret, bytes.fromhex(secret)):
        async with package_station(narke, "LOCKED-16", "1.6", password=right) as station:
            assert (await station.say("BootNotification", **BOOT)).status == "Accepted"
    assert "set" in narke.cli("station", "show", "LOCKED-16").stdout
    assert secret not in json.dumps(narke.sql("SELECT * FROM stations WHERE station = 'LOCKED-16'"), default=str)


async def test_the_subprotocol_that_the_station_prefers_is_chosen(narke):
    async with open_socket(narke, "PREFERS", "ocpp2.0.1", "ocpp1.6") as socket:
        assert socket.subprotocol == "ocpp2.0.1"
    async with open_socket(narke, "PREFERS", "ocpp0.1", "ocpp1.6", path="") as socket:
        assert socket.subprotocol == "ocpp1.6"
        assert (await exchange(socket, [2, "1", "Heartbeat", {}]))[0] in (3, 4)
    for unknown in ((), ("ocpp0.1",)):
        async with open_socket(narke, "PREFERS", *unknown) as socket:
            assert socket.subprotocol is None
            with pytest.raises(ConnectionClosed):
                await asyncio.wait_for(socket.recv(), 30)


async def test_a_second_connection_of_the_same_identity_takes_over(narke):
    async with package_station(narke, "TWIN", "1.6") as first:
        await first.say("BootNotification", **BOOT)
        start = await first.say(
            "StartTransaction", connector_id=1, id_tag="DRIVER", meter_start=5, timestamp=written(now())
        )
        async with package_station(narke, "TWIN", "1.6") as second:
            await asyncio.wait_for(first.socket.wait_closed(), 30)
            assert first.socket.close_code == 4000
            await second.say(
                "StopTransaction", transaction_id=start.transaction_id, meter_stop=9, timestamp=written(now())
            )
            narke.wait_for_rows("SELECT 1 FROM transactions WHERE station = 'TWIN' AND energy_wh = 4")
            [row] = narke.sql("SELECT connected FROM stations WHERE station = 'TWIN'")
            assert row["connected"]
            second.answer("ClearCache", status="Accepted")
            assert (await cli(narke, "send", "TWIN", "ClearCache")).returncode == 0
        await eventually(
            lambda: narke.sql("SELECT connected FROM stations WHERE station = 'TWIN'") == [{"connected": False}]
        )
