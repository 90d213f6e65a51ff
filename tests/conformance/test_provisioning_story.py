"""Provisioning, remote control, availability, transactions and data transfer: from a real socket to rows over REST."""

import asyncio
import contextlib
import json

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.running import Narke, eventually
from tests.stations import SUBPROTOCOLS, now, open_socket, written

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

VERSIONS = pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
X2 = pytest.mark.parametrize("version", ["2.0.1", "2.1"])


@pytest.fixture(scope="module")
def narke(tmp_path_factory):
    """A Narke that asks new stations for their device model soon after their boot."""
    settings = {
        "provisioning__on_boot": "report",
        "provisioning__on_boot_after_s": "1",
        "provisioning__on_boot_spread_s": "0",
        "provisioning__start_s": "10",
    }
    running = Narke(tmp_path_factory.mktemp("narke"), **settings)
    running.start()
    running.cli("tokens", "add", "DRIVER")
    yield running
    running.stop()


class RawStation:
    """A station of raw frames: answers what it is asked by its table, keeps what it was asked."""

    def __init__(self, socket, version):
        self.socket, self.version = socket, version
        self.answers, self.asked, self._waiting, self._number = {}, [], {}, 0
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self):
        with contextlib.suppress(ConnectionClosed):
            async for text in self.socket:
                frame = json.loads(text)
                if frame[0] == 2:
                    self.asked.append((frame[2], frame[3]))
                    answer = self.answers.get(frame[2])
                    if answer is None:
                        await self.socket.send(json.dumps([4, frame[1], "NotImplemented", "", {}]))
                    else:
                        await self.socket.send(json.dumps([3, frame[1], answer]))
                else:
                    self._waiting.pop(frame[1]).set_result(frame)

    async def say(self, action, payload):
        self._number += 1
        waiting = self._waiting[f"m{self._number}"] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps([2, f"m{self._number}", action, payload]))
        frame = await asyncio.wait_for(waiting, 20)
        assert frame[0] == 3, frame
        return frame[2]

    async def was_asked(self, action):
        await eventually(lambda: any(name == action for name, _ in self.asked))
        return [payload for name, payload in self.asked if name == action][-1]

    async def boot(self, firmware="1.0"):
        if self.version == "1.6":
            said = {"chargePointVendor": "Acme", "chargePointModel": "One", "firmwareVersion": firmware}
        else:
            station = {"vendorName": "Acme", "model": "One", "firmwareVersion": firmware}
            said = {"reason": "PowerUp", "chargingStation": station}
        answer = await self.say("BootNotification", said)
        assert answer["status"] == "Accepted"
        return answer

    async def start(self, transaction_id="tx", **more):
        at = written(now())
        if self.version == "1.6":
            said = {"connectorId": 1, "idTag": "DRIVER", "meterStart": 0, "timestamp": at}
            return str((await self.say("StartTransaction", said))["transactionId"])
        await self.event("Started", 0, transaction_id, idToken={"idToken": "DRIVER", "type": "ISO14443"}, **more)
        return transaction_id

    async def event(self, kind, sequence, transaction_id="tx", info=None, **more):
        said = {
            "eventType": kind,
            "timestamp": written(now()),
            "triggerReason": "Trigger",
            "seqNo": sequence,
            "transactionInfo": {"transactionId": transaction_id, **(info or {})},
            "evse": {"id": 1, "connectorId": 1},
            **more,
        }
        return await self.say("TransactionEvent", said)

    async def close(self):
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        await self.socket.close()


@contextlib.asynccontextmanager
async def station_of(narke, name, version, password=None):
    socket = await open_socket(narke, name, SUBPROTOCOLS[version], password=password)
    station = RawStation(socket, version)
    try:
        yield station
    finally:
        await station.close()


async def api(narke, method, path, **options):
    return await asyncio.to_thread(narke.api, method, path, **options)


async def command(narke, station, word, **fields):
    """Sends a command by its word; the answer of the API."""
    answer = await api(narke, "POST", f"/stations/{station}/commands", json={"command": word, **fields})
    return answer.status_code, answer.json()


async def rows(narke, table, count=1, **where):
    """The rows of a block's table, once there are so many."""
    found = []

    async def look():
        answer = await api(narke, "GET", f"/{table}", params={key: str(value) for key, value in where.items()})
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    for _ in range(300):
        found = await look()
        if len(found) >= count:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"{table}: {found}")


async def row_with(narke, table, want, **where):
    """The row of these filters, once it has these values."""
    found = []
    for _ in range(300):
        found = await rows(narke, table, **where)
        for row in found:
            if want.items() <= row.items():
                return row
        await asyncio.sleep(0.1)
    raise AssertionError(f"{table}: {found}")


def report_data(component, variable, value, **attribute):
    return {
        "component": {"name": component},
        "variable": {"name": variable},
        "variableAttribute": [{"value": value, "mutability": "ReadWrite", **attribute}],
        "variableCharacteristics": {"dataType": "integer", "unit": "s", "supportsMonitoring": False},
    }


async def told_of_its_model(station, request_id):
    part = {"requestId": request_id, "generatedAt": written(now())}
    interval = report_data("OCPPCommCtrlr", "HeartbeatInterval", "300")
    await station.say("NotifyReport", {**part, "seqNo": 0, "tbc": True, "reportData": [interval]})
    password = report_data("SecurityCtrlr", "BasicAuthPassword", "open sesame")
    await station.say("NotifyReport", {**part, "seqNo": 1, "reportData": [password]})


@VERSIONS
async def test_B07_the_device_model_is_asked_after_the_boot_and_kept_right(narke, version):
    name = f"MODEL-{version}"
    async with station_of(narke, name, version) as station:
        key = {"key": "HeartbeatInterval", "readonly": False, "value": "300"}
        secret = {"key": "AuthorizationKey", "readonly": False, "value": "open sesame"}
        station.answers = {
            "GetConfiguration": {"configurationKey": [key, secret]},
            "GetBaseReport": {"status": "Accepted"},
        }
        await station.boot()
        if version == "1.6":
            assert await station.was_asked("GetConfiguration") == {}
        else:
            asked = await station.was_asked("GetBaseReport")
            assert asked["reportBase"] == "FullInventory"
            await told_of_its_model(station, asked["requestId"])
        await row_with(narke, "reports", {"status": "Complete", "kind": "FullInventory"}, station=name)
        wanted = {"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval"}
        row = await row_with(narke, "variables", {"value": "300", "source": "report"}, station=name, **wanted)
        assert row["mutability"] == "ReadWrite"
        found = await rows(narke, "variables", 2, station=name)
        assert {each["variable"]: each["value"] for each in found if each["variable"] != "HeartbeatInterval"} in (
            {"BasicAuthPassword": None},
            {"AuthorizationKey": None},
        )
        await station.boot()
        assert len([action for action, _ in station.asked]) == 1, "it is asked once per firmware"

        setting = {"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval", "value": "60"}
        result = {
            "attributeStatus": "Accepted",
            "component": {"name": "OCPPCommCtrlr"},
            "variable": {"name": "HeartbeatInterval"},
        }
        station.answers |= {
            "ChangeConfiguration": {"status": "Accepted"},
            "SetVariables": {"setVariableResult": [result]},
        }
        status, answer = await command(narke, name, "set_variables", settings=[setting])
        assert (status, answer["result"]) == (200, "accepted")
        await row_with(narke, "variables", {"value": "60", "source": "written"}, station=name, **wanted)
        station.answers |= {
            "ChangeConfiguration": {"status": "RebootRequired"},
            "SetVariables": {"setVariableResult": [{**result, "attributeStatus": "RebootRequired"}]},
        }
        await command(narke, name, "set_variables", settings=[{**setting, "value": "90"}])
        await row_with(narke, "variables", {"value": "60", "value_next": "90"}, station=name, **wanted)
        shown = await asyncio.to_thread(narke.cli, "variables", name, "--variable", "HeartbeatInterval")
        assert "60 -> 90 (after a restart)" in shown.stdout


@VERSIONS
async def test_TC_073_TC_A_09_a_new_password_takes_effect_when_the_station_shows_it(narke, version):
    name, old = f"LOCK-{version}", "0123456789abcdef0123"
    record = {"registration": "Accepted", "security_profile": 1, "password": old}
    assert (await api(narke, "PUT", f"/stations/{name}", json=record)).status_code in (200, 201)
    result = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    async with station_of(narke, name, version, old) as station:
        await station.boot()
        station.answers = {
            "ChangeConfiguration": {"status": "Rejected"},
            "SetVariables": {"setVariableResult": [{**result, "attributeStatus": "Rejected"}]},
        }
        status, answer = await command(narke, name, "change_password", password="")
        assert (status, answer["result"]) == (200, "refused")
        shown = (await api(narke, "GET", f"/stations/{name}")).json()["station"]
        assert not shown["has_password_next"], "TC_A_10: a refused password is forgotten"
        station.answers = {
            "ChangeConfiguration": {"status": "Accepted"},
            "SetVariables": {"setVariableResult": [{**result, "attributeStatus": "Accepted"}]},
        }
        station.asked.clear()
        done = await asyncio.to_thread(narke.cli, "station", "rotate-password", name)
        assert "accepted" in done.stdout
        payload = await station.was_asked("ChangeConfiguration" if version == "1.6" else "SetVariables")
        told = payload["value"] if version == "1.6" else payload["setVariableData"][0]["attributeValue"]
    presented = bytes.fromhex(told) if version == "1.6" else told
    async with station_of(narke, name, version, old):
        pass  # until the new one was shown the old one is good
    async with station_of(narke, name, version, presented) as station:
        await station.boot()
    with pytest.raises(InvalidStatus) as refused:
        await open_socket(narke, name, SUBPROTOCOLS[version], password=old)
    assert refused.value.response.status_code == 401
    commands = narke.wait_for_rows("SELECT * FROM commands WHERE station = %s", name, count=2)
    assert told not in json.dumps(commands, default=str)
    frames = narke.sql("SELECT * FROM exchanges WHERE station = %s", name)
    assert told not in json.dumps(frames, default=str)


@VERSIONS
async def test_F01_F02_a_remote_start_is_followed_or_missed(narke, version):
    name = f"REMOTE-{version}"
    async with station_of(narke, name, version) as station:
        await station.boot()
        station.answers |= {
            "RemoteStartTransaction": {"status": "Accepted"},
            "RequestStartTransaction": {"status": "Accepted"},
            "RemoteStopTransaction": {"status": "Accepted"},
            "RequestStopTransaction": {"status": "Accepted"},
        }
        body = {"token": "DRIVER", "token_type": None if version == "1.6" else "ISO14443", "evse": 1}
        missed = (await api(narke, "POST", f"/stations/{name}/start", json=body)).json()
        await row_with(narke, "follow-ups", {"command_id": missed["command_id"], "status": "missing"}, station=name)
        (await api(narke, "POST", f"/stations/{name}/start", json=body)).raise_for_status()
        more = {}
        if version != "1.6":
            asked = await station.was_asked("RequestStartTransaction")
            more = {"info": {"remoteStartId": asked["remoteStartId"]}}
        transaction_id = await station.start(f"tx-{version}", **more)
        await row_with(narke, "follow-ups", {"status": "came", "transaction_id": transaction_id}, station=name)
        body = {"transaction_id": transaction_id}
        assert (await api(narke, "POST", f"/stations/{name}/stop", json=body)).json()["result"] == "accepted"
        await row_with(narke, "follow-ups", {"what": "stop", "status": "awaited"}, station=name)


@VERSIONS
async def test_G03_what_the_operator_wants_of_a_place_and_when_it_is_reached(narke, version):
    name = f"PLACE-{version}"
    async with station_of(narke, name, version) as station:
        await station.boot()
        station.answers["ChangeAvailability"] = {"status": "Scheduled"}
        body = {"operative": False, "evse": 1, "connector": 1}
        (await api(narke, "POST", f"/stations/{name}/availability", json=body)).raise_for_status()
        row = await row_with(narke, "availability", {"wanted": "Inoperative", "answer": "Scheduled"}, station=name)
        assert row["reached_at"] is None
        if version == "1.6":
            said = {"connectorId": 1, "errorCode": "NoError", "status": "Unavailable"}
        else:
            said = {"evseId": 1, "connectorId": 1, "connectorStatus": "Unavailable", "timestamp": written(now())}
        await station.say("StatusNotification", said)
        for _ in range(100):
            (row,) = await rows(narke, "availability", station=name)
            if row["reached_at"] is not None:
                break
            await asyncio.sleep(0.1)
        assert row["reached_at"] is not None


@X2
async def test_E_gaps_and_what_2x_says_besides_stand_with_the_transaction(narke, version):
    name = f"GAPS-{version}"
    async with station_of(narke, name, version) as station:
        await station.boot()
        await station.start("tx")
        more = {"evseSleep": True, "preconditioningStatus": "Ready"} if version == "2.1" else {}
        info = {"operationMode": "ChargingOnly", "transactionLimit": {"maxEnergy": 5000}} if version == "2.1" else {}
        await station.event("Updated", 5, info=info, **more)
        await station.event("Updated", 3)
        await station.event("Ended", 7, info={"timeSpentCharging": 90})
        [row] = narke.wait_for_rows("SELECT * FROM transactions WHERE station = %s AND ended_at IS NOT NULL", name)
        assert row["gaps"] == "1-2, 4, 6"
        besides = {
            "evse_sleep": True,
            "preconditioning": "Ready",
            "operation_mode": "ChargingOnly",
            "limit": {"energy_wh_max": 5000.0},
        }
        assert row["details"] == {"charging_s": 90, **(besides if version == "2.1" else {})}


@X2
async def test_E14_B09_a_transactions_status_and_a_network_profile_are_told(narke, version):
    name = f"ASK-{version}"
    async with station_of(narke, name, version) as station:
        await station.boot()
        await station.start("tx")
        station.answers |= {
            "GetTransactionStatus": {"ongoingIndicator": False, "messagesInQueue": False},
            "SetNetworkProfile": {"status": "Accepted"},
        }
        status, answer = await command(narke, name, "get_transaction_status", transaction_id="tx")
        assert (status, answer["status"]) == (200, "Over")
        [row] = narke.wait_for_rows("SELECT * FROM transactions WHERE station = %s AND ended_at IS NOT NULL", name)
        assert (row["stop_reason"], "abandoned" in row["flags"]) == ("Abandoned", True)
        profile = {
            "url": "wss://op:secret@csms.example/ocpp",
            "security_profile": 2,
            "vpn": {"server": "v", "user": "u", "password": "hush-password", "vpn_key": "hush-key", "type": "IKEv2"},
        }
        status, answer = await command(narke, name, "set_network_profile", configuration_slot=1, profile=profile)
        assert (status, answer["result"]) == (200, "accepted")
        row = await row_with(narke, "network-profiles", {"status": "Accepted"}, station=name)
        assert row["url"] == "wss://op:***@csms.example/ocpp"
        kept = narke.sql("SELECT * FROM commands WHERE station = %s", name)
        kept += narke.sql("SELECT * FROM exchanges WHERE station = %s", name)
        assert "hush" not in json.dumps(kept, default=str)


async def test_1_6_says_what_it_cannot_and_what_to_use_instead(narke):
    async with station_of(narke, "SAYS-1.6", "1.6") as station:
        await station.boot()
        for word, fields, hint in (
            ("get_report", {"criteria": ["Problem"]}, "get_variables"),
            ("get_transaction_status", {"transaction_id": "1"}, "MeterValues"),
            (
                "set_network_profile",
                {"configuration_slot": 1, "profile": {"url": "ws://x", "security_profile": 1}},
                "SecurityProfile",
            ),
        ):
            status, answer = await command(narke, "SAYS-1.6", word, **fields)
            assert (status, hint in answer["detail"]) == (422, True), answer


@VERSIONS
async def test_TC_064_P02_an_unknown_vendor_is_told_so_and_the_data_is_kept(narke, version):
    name = f"VENDOR-{version}"
    async with station_of(narke, name, version) as station:
        await station.boot()
        answer = await station.say("DataTransfer", {"vendorId": "com.nobody", "messageId": "m", "data": "x"})
        assert answer == {"status": "UnknownVendorId"}
        narke.wait_for_rows("SELECT * FROM station_events WHERE station = %s AND kind = 'data_transfer'", name)
        station.answers["DataTransfer"] = {"status": "UnknownMessageId"}
        done = await asyncio.to_thread(narke.cli, "data-transfer", name, "com.acme", "hello", "text", check=False)
        assert (done.returncode, "UnknownMessageId" in done.stdout) == (5, True)
        assert station.asked[-1] == ("DataTransfer", {"vendorId": "com.acme", "messageId": "hello", "data": "text"})
