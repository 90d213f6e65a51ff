"""Firmware, logs, monitoring, customers, streams and displays: from a real socket to rows that REST shows.

One Narke, raw frames of 1.6, 2.0.1 and 2.1.
"""

import asyncio
import contextlib
import json
import uuid

import pytest

from tests.running import Narke
from tests.stations import SUBPROTOCOLS, open_socket

pytestmark = pytest.mark.integration

AT = "2026-05-01T10:00:00.000Z"
EVSE = {"name": "EVSE", "evse": {"id": 1}}
BOOT = {
    "1.6": {"chargePointVendor": "Acme", "chargePointModel": "One", "firmwareVersion": "1.0"},
    "2": {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "One", "firmwareVersion": "1.0"}},
}
ALL = pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
TWO = pytest.mark.parametrize("version", ["2.0.1", "2.1"])


@pytest.fixture(scope="module")
def narke(tmp_path_factory):
    narke = Narke(tmp_path_factory.mktemp("story"))
    narke.start()
    yield narke
    narke.stop()


class Raw:
    """A station of raw frames: answers commands as `answers` says, says what it is told to."""

    def __init__(self, identity, socket, version):
        self.identity, self.socket, self.version = identity, socket, version
        self.answers = {}
        self.asked = []
        self._open = {}
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self):
        async for text in self.socket:
            kind, name, *rest = json.loads(text)
            if kind == 2:
                self.asked.append((rest[0], rest[1]))
                await self.socket.send(json.dumps([3, name, self.answers[rest[0]]]))
            else:
                self._open.pop(name).set_result(rest)

    async def say(self, action, payload):
        """The payload of the answer."""
        name = str(uuid.uuid4())
        self._open[name] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps([2, name, action, payload]))
        (answer,) = await asyncio.wait_for(self._open[name], 30)
        return answer

    async def send(self, action, payload):
        """A SEND of 2.1: nothing comes back."""
        await self.socket.send(json.dumps([6, str(uuid.uuid4()), action, payload]))

    async def boot(self, firmware="1.0"):
        payload = json.loads(json.dumps(BOOT["1.6" if self.version == "1.6" else "2"]))
        payload.get("chargingStation", payload)["firmwareVersion"] = firmware
        assert (await self.say("BootNotification", payload))["status"] == "Accepted"


@contextlib.asynccontextmanager
async def station(narke, version, name):
    identity = f"{name}-{version}"
    socket = await open_socket(narke, identity, SUBPROTOCOLS[version])
    raw = Raw(identity, socket, version)
    try:
        await raw.boot()
        yield raw
    finally:
        raw._listening.cancel()
        await asyncio.gather(raw._listening, return_exceptions=True)
        await socket.close()


async def command(narke, raw, word, **fields):
    """A command over REST, beside the loop in which the station answers."""
    body = {"command": word, **fields}
    answer = await asyncio.to_thread(narke.api, "POST", f"/stations/{raw.identity}/commands", json=body)
    return answer.json()


async def rows(narke, table, raw, wanted=bool, **query):
    """The rows of a station, once they are as wanted."""
    found = []

    def enough():
        nonlocal found
        answer = narke.api("GET", f"/{table}", params={"station": raw.identity, **query})
        assert answer.status_code == 200, answer.text
        found = answer.json()["items"]
        return wanted(found)

    await asyncio.to_thread(narke.wait_until, enough, 30)
    return found


@ALL
async def test_L01_L02_an_update_is_followed_to_the_boot_with_the_new_firmware(narke, version):
    async with station(narke, version, "FW") as raw:
        raw.answers["UpdateFirmware"] = {} if version == "1.6" else {"status": "Accepted"}
        answer = await command(narke, raw, "update_firmware", location="ftp://u:geheim@h/f")
        assert answer["result"] == "accepted", answer
        action, payload = raw.asked[-1]
        assert (action, "geheim" in json.dumps(payload)) == ("UpdateFirmware", True)
        number = {} if version == "1.6" else {"requestId": payload["requestId"]}
        for status in ("Downloading", "Downloaded", "Installing", "Installed"):
            assert await raw.say("FirmwareStatusNotification", {"status": status, **number}) == {}
        await raw.boot("2.0")
        (row,) = await rows(narke, "firmware-updates", raw, lambda found: found and found[0]["to_version"])
        assert (row["status"], row["result"], row["stalled"]) == ("Installed", "installed", False)
        assert (row["from_version"], row["to_version"]) == ("1.0", "2.0")
        assert row["location"] == "ftp://u:***@h/f"
        assert row["command_id"] == answer["command_id"]
        history = await rows(narke, "firmware-statuses", raw, lambda found: len(found) == 4)
        assert {each["request_id"] for each in history} == {row["request_id"]}


@ALL
async def test_L01_a_signed_update_that_is_refused_is_over(narke, version):
    async with station(narke, version, "SIGNED") as raw:
        action = "SignedUpdateFirmware" if version == "1.6" else "UpdateFirmware"
        raw.answers[action] = {"status": "InvalidCertificate"}
        signed = {"signing_certificate": "PEM", "signature": "c2ln"}
        answer = await command(narke, raw, "update_firmware", location="https://h/f", **signed)
        assert (answer["result"], answer["status"]) == ("refused", "InvalidCertificate")
        (row,) = await rows(narke, "firmware-updates", raw)
        assert (row["result"], row["answer"], row["signed"]) == ("refused", "InvalidCertificate", True)
        status = "SignedFirmwareStatusNotification" if version == "1.6" else "FirmwareStatusNotification"
        assert await raw.say(status, {"status": "InvalidSignature", "requestId": 999}) == {}
        (odd,) = await rows(narke, "firmware-statuses", raw)
        assert (odd["request_id"], odd["said_id"], odd["flags"]) == (None, 999, ["unknown_request"])


@ALL
async def test_N01_a_log_is_uploaded(narke, version):
    async with station(narke, version, "LOG") as raw:
        old = version == "1.6"
        raw.answers["GetDiagnostics"] = {"fileName": "d.zip"}
        raw.answers["GetLog"] = {"status": "Accepted", "filename": "d.zip"}
        answer = await command(narke, raw, "get_log", location="https://u:geheim@h/?sig=geheim")
        assert answer["result"] == "accepted", answer
        action, payload = raw.asked[-1]
        assert action == ("GetDiagnostics" if old else "GetLog")
        number = {} if old else {"requestId": payload["requestId"]}
        notification = "DiagnosticsStatusNotification" if old else "LogStatusNotification"
        for status in ("Uploading", "Uploaded"):
            assert await raw.say(notification, {"status": status, **number}) == {}
        (row,) = await rows(narke, "log-uploads", raw, lambda found: found and found[0]["result"])
        assert (row["result"], row["file_name"], row["kind"]) == ("uploaded", "d.zip", "DiagnosticsLog")
        frames = narke.api("GET", f"/stations/{raw.identity}/messages").text
        record = narke.api("GET", f"/commands/{answer['command_id']}").text
        assert "geheim" not in json.dumps(row) + frames + record


@ALL
async def test_a_status_of_1_6_and_2_x_that_nobody_asked_for_is_kept(narke, version):
    async with station(narke, version, "STRAY") as raw:
        assert await raw.say("FirmwareStatusNotification", {"status": "Downloading"}) == {}
        (row,) = await rows(narke, "firmware-statuses", raw)
        assert row["flags"] == ["unsolicited"]


async def test_1_6_says_what_to_use_instead(narke):
    async with station(narke, "1.6", "OLD") as raw:
        answer = await command(narke, raw, "get_display_messages")
        assert "send_data" in answer["detail"], answer
        assert raw.asked == []


@TWO
async def test_N02_N04_N06_monitors_are_set_reported_and_cleared(narke, version):
    async with station(narke, version, "MON") as raw:
        variable = {"name": "Power"}
        taken = {"id": 7, "status": "Accepted", "type": "Delta", "severity": 4, "component": EVSE, "variable": variable}
        raw.answers["SetVariableMonitoring"] = {"setMonitoringResult": [taken]}
        raw.answers["GetMonitoringReport"] = {"status": "Accepted"}
        raw.answers["ClearVariableMonitoring"] = {"clearMonitoringResult": [{"id": 8, "status": "Accepted"}]}
        ref = {"variable": "Power", "component": "EVSE", "evse": {"evse": 1}}
        monitor = {"ref": ref, "type": "Delta", "value": 5.0, "severity": 4}
        assert (await command(narke, raw, "set_variable_monitoring", monitors=[monitor]))["result"] == "accepted"
        (row,) = await rows(narke, "variable-monitors", raw)
        assert (row["monitor_id"], row["component"], row["evse"], row["kind"]) == (7, "EVSE", 1, "CustomMonitor")
        await command(narke, raw, "get_monitoring_report")
        number = raw.asked[-1][1]["requestId"]
        one = {"id": 8, "transaction": False, "value": 5, "type": "Delta", "severity": 4}
        if version == "2.1":
            one["eventNotificationType"] = "CustomMonitor"
        for sequence, more in ((0, True), (1, False)):
            monitors = [{"component": EVSE, "variable": variable, "variableMonitoring": [one | {"id": 8 + sequence}]}]
            part = {"requestId": number, "seqNo": sequence, "tbc": more, "generatedAt": AT, "monitor": monitors}
            assert await raw.say("NotifyMonitoringReport", part) == {}
        await rows(narke, "variable-monitors", raw, lambda found: [each["monitor_id"] for each in found] == [8, 9])
        (report,) = await rows(narke, "monitoring-reports", raw, lambda found: found[0]["complete"])
        assert (report["whole"], report["parts"]) == (True, 2)
        await command(narke, raw, "clear_variable_monitoring", ids=[8])
        await rows(narke, "variable-monitors", raw, lambda found: [each["monitor_id"] for each in found] == [9])


@TWO
async def test_N07_G01_events_are_rows_and_availability_is_a_connectors_status(narke, version):
    async with station(narke, version, "EVENT") as raw:
        event = {"eventId": 1, "timestamp": AT, "eventNotificationType": "HardWiredNotification"}
        connector = {"name": "Connector", "evse": {"id": 1, "connectorId": 2}}
        events = [
            event
            | {"trigger": "Delta", "actualValue": "Occupied", "component": connector}
            | {"variable": {"name": "AvailabilityState"}},
            event
            | {"eventId": 2, "trigger": "Alerting", "actualValue": "80", "component": EVSE, "techCode": "T7"}
            | {"variable": {"name": "Temperature"}},
        ]
        assert await raw.say("NotifyEvent", {"generatedAt": AT, "seqNo": 0, "eventData": events}) == {}
        found = await rows(narke, "monitoring-events", raw, lambda found: len(found) == 2)
        assert {(each["variable"], each["value"]) for each in found} == {
            ("AvailabilityState", "Occupied"),
            ("Temperature", "80"),
        }
        detail = narke.api("GET", f"/stations/{raw.identity}").json()
        statuses = [(each["evse"], each["connector"], each["status"]) for each in detail["connectors"]]
        assert statuses == [(1, 2, "Occupied")]


@TWO
async def test_N09_N10_what_a_station_keeps_of_a_customer_stays_private_and_can_be_deleted(narke, version):
    async with station(narke, version, "CUSTOMER") as raw:
        raw.answers["CustomerInformation"] = {"status": "Accepted"}
        fields = {"report": True, "clear": False, "customer_identifier": "geheim-7"}
        answer = await command(narke, raw, "customer_information", **fields)
        number = raw.asked[-1][1]["requestId"]
        for sequence, text in enumerate(("Name: ", "Jane Geheim")):
            part = {"data": text, "tbc": sequence == 0, "seqNo": sequence, "generatedAt": AT, "requestId": number}
            assert await raw.say("NotifyCustomerInformation", part) == {}
        await rows(narke, "customer-information", raw, lambda found: found and found[0]["complete"])
        address = f"/stations/{raw.identity}/customer-information/{number}"
        assert narke.api("GET", address).json()["text"] == "Name: Jane Geheim"
        places = (
            f"/stations/{raw.identity}/messages",
            f"/stations/{raw.identity}/events",
            f"/commands/{answer['command_id']}",
            "/customer-information",
        )
        answers = [narke.api("GET", place) for place in places]
        assert {each.status_code for each in answers} == {200}
        elsewhere = "".join(each.text for each in answers)
        assert "geheim" not in elsewhere.lower()
        assert narke.api("DELETE", address).status_code == 204
        await rows(narke, "customer-information", raw, lambda found: found[0]["forgotten_at"])
        assert narke.api("GET", address).json()["text"] == ""


async def test_N11_N15_values_of_a_stream_come_without_an_answer(narke):
    async with station(narke, "2.1", "STREAM") as raw:
        data = {"id": 3, "params": {"interval": 5}, "variableMonitoringId": 11}
        assert await raw.say("OpenPeriodicEventStream", {"constantStreamData": data}) == {"status": "Accepted"}
        for pending in range(4):
            values = [{"t": 0, "v": "1.5"}, {"t": 1, "v": "1.6"}]
            message = {"id": 3, "pending": pending, "basetime": AT, "data": values}
            await raw.send("NotifyPeriodicEventStream", message)
        await raw.send("NotifyPeriodicEventStream", {"id": 9, "pending": 0, "basetime": AT, "data": values})
        found = await rows(narke, "event-stream-values", raw, lambda found: len(found) == 5)
        assert {each["monitor_id"] for each in found} == {11, None}
        assert found[-1]["values"] == [[0.0, "1.5"], [1.0, "1.6"]]
        (stream,) = await rows(narke, "event-streams", raw, lambda found: found[0]["behind"])
        assert stream["open"]
        assert await raw.say("ClosePeriodicEventStream", {"id": 3}) == {}
        await rows(narke, "event-streams", raw, lambda found: not found[0]["open"])


@TWO
async def test_O01_O03_O05_messages_are_shown_reported_and_cleared(narke, version):
    async with station(narke, version, "SHOW") as raw:
        raw.answers["SetDisplayMessage"] = {"status": "Accepted"}
        raw.answers["GetDisplayMessages"] = {"status": "Accepted"}
        raw.answers["ClearDisplayMessage"] = {"status": "Accepted"}
        shown = {"id": 1, "text": {"content": "Hello", "language": "en"}, "priority": "AlwaysFront"}
        assert (await command(narke, raw, "set_display_message", message=shown))["result"] == "accepted"
        (row,) = await rows(narke, "display-messages", raw)
        assert (row["message_id"], row["content"], row["priority"]) == (1, "Hello", "AlwaysFront")
        await command(narke, raw, "get_display_messages")
        info = {"id": 2, "priority": "NormalCycle", "message": {"format": "UTF8", "content": "Hi"}}
        part = {"requestId": raw.asked[-1][1]["requestId"], "messageInfo": [info]}
        assert await raw.say("NotifyDisplayMessages", part) == {}
        await rows(narke, "display-messages", raw, lambda found: [each["message_id"] for each in found] == [2])
        await command(narke, raw, "clear_display_message", message_id=2)
        await rows(narke, "display-messages", raw, lambda found: found == [])


@TWO
async def test_L03_L04_a_local_controller_publishes(narke, version):
    async with station(narke, version, "LC") as raw:
        raw.answers["PublishFirmware"] = {"status": "Accepted"}
        raw.answers["UnpublishFirmware"] = {"status": "Unpublished"}
        await command(narke, raw, "publish_firmware", location="ftp://h/f", checksum="ab" * 16)
        status = {"status": "Published", "location": ["http://lc/f"], "requestId": raw.asked[-1][1]["requestId"]}
        assert await raw.say("PublishFirmwareStatusNotification", status) == {}
        (row,) = await rows(narke, "firmware-publications", raw, lambda found: found and found[0]["status"])
        assert (row["status"], row["locations"]) == ("Published", ["http://lc/f"])
        await command(narke, raw, "unpublish_firmware", checksum="ab" * 16)
        await rows(narke, "firmware-publications", raw, lambda found: found[0]["status"] == "Unpublished")


async def test_a_station_that_is_pending_may_tell_of_its_firmware(narke):
    assert narke.api("PUT", "/stations/PENDING-1.6", json={"registration": "Pending"}).status_code in (200, 201)
    socket = await open_socket(narke, "PENDING-1.6", SUBPROTOCOLS["1.6"])
    raw = Raw("PENDING-1.6", socket, "1.6")
    assert (await raw.say("BootNotification", BOOT["1.6"]))["status"] == "Pending"
    assert await raw.say("FirmwareStatusNotification", {"status": "Idle"}) == {}
    await rows(narke, "firmware-statuses", raw)
    raw._listening.cancel()
    await asyncio.gather(raw._listening, return_exceptions=True)
    await socket.close()
