"""Smart charging, tariffs, DER control, V2X and battery swap: from a real socket to rows that REST shows.

Stations are raw JSON, so no codec of Narke's can hide a mistake twice. One Narke for all of it.
"""

import asyncio
import json
import uuid

import pytest

from tests.stations import SUBPROTOCOLS, now, open_socket, written

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

VERSIONS = ("1.6", "2.0.1", "2.1")
TARIFF = {"currency": "EUR", "energy": {"prices": [{"amount": "0.25"}]}}


class Raw:
    """A station of raw frames: answers what it is asked as told, and keeps it."""

    def __init__(self, narke, identity, version):
        self.identity, self.version = identity, version
        self.answers, self.asked = {}, []
        self._narke, self._waiting = narke, {}

    async def __aenter__(self):
        self._socket = await open_socket(self._narke, self.identity, SUBPROTOCOLS[self.version])
        self._reading = asyncio.create_task(self._read())
        boot = {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "Two"}}
        if self.version == "1.6":
            boot = {"chargePointVendor": "Acme", "chargePointModel": "One"}
        assert (await self.says("BootNotification", boot))["status"] == "Accepted"
        return self

    async def __aexit__(self, *_):
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await self._socket.close()

    async def _read(self):
        async for text in self._socket:
            frame = json.loads(text)
            if frame[0] == 2:
                self.asked.append((frame[2], frame[3]))
                await self._socket.send(json.dumps([3, frame[1], self.answers.get(frame[2], {"status": "Accepted"})]))
            else:
                self._waiting.pop(frame[1]).set_result(frame)

    async def says(self, action, payload):
        """The payload of the answer."""
        name = str(uuid.uuid4())
        answered = self._waiting[name] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps([2, name, action, payload]))
        frame = await asyncio.wait_for(answered, 30)
        assert frame[0] == 3, frame
        return frame[2]

    async def told(self, command, **fields):
        """An operator commands it over REST; what came of it, and Narke's answer."""
        body = {"command": command, "deadline_s": 30, **fields}
        path = f"/stations/{self.identity}/commands"
        response = await asyncio.to_thread(self._narke.api, "POST", path, json=body)
        assert response.status_code == 200, response.text
        return response.json()["result"], response.json()

    async def rows(self, path, condition, **query):
        """The rows of a table once they are as they should be."""
        found = []

        def fetch():
            answer = self._narke.api("GET", f"/{path}", params={"station": self.identity, **query})
            assert answer.status_code == 200, answer.text
            found[:] = answer.json()["items"]
            return condition(found)

        for _ in range(150):
            if await asyncio.to_thread(fetch):
                return found
            await asyncio.sleep(0.2)
        raise AssertionError(f"{path}: {found}")

    def last(self, action):
        return [payload for name, payload in self.asked if name == action][-1]

    async def starts(self, wh):
        """A transaction; its id as text."""
        if self.version == "1.6":
            start = {"connectorId": 1, "idTag": "STORY", "meterStart": wh, "timestamp": written(now())}
            return str((await self.says("StartTransaction", start))["transactionId"])
        name = f"tx-{self.identity}"
        token = {"idToken": "STORY", "type": "ISO14443"}
        await self.event("Started", name, 0, wh, idToken=token, evse={"id": 1, "connectorId": 1})
        return name

    async def ends(self, transaction_id, wh):
        """The answer to its end."""
        if self.version == "1.6":
            stop = {"transactionId": int(transaction_id), "meterStop": wh, "timestamp": written(now())}
            return await self.says("StopTransaction", stop)
        return await self.event("Ended", transaction_id, 9, wh)

    async def event(self, kind, name, sequence, wh, **more):
        sampled = [{"value": wh, "measurand": "Energy.Active.Import.Register", "unitOfMeasure": {"unit": "Wh"}}]
        said = {
            "eventType": kind,
            "timestamp": written(now()),
            "triggerReason": "MeterValuePeriodic",
            "seqNo": sequence,
            "transactionInfo": {"transactionId": name},
            "meterValue": [{"timestamp": written(now()), "sampledValue": sampled}],
        }
        return await self.says("TransactionEvent", said | more)


@pytest.fixture(scope="module", autouse=True)
def _driver(narke):
    narke.cli("tokens", "add", "STORY")
    assert narke.api("PUT", "/tariffs/story-1", json=TARIFF).status_code == 200
    assert narke.api("PUT", "/tariff-assignments/default/all", json={"tariff_id": "story-1"}).status_code == 200


def profile(number, purpose, **fields):
    schedule = {"unit": "A", "periods": [{"start_s": 0, "limit": 16}, {"start_s": 600, "limit": 8.5}]}
    kind = {"kind": "Relative"}
    if purpose == "ChargingStationMaxProfile":
        schedule["start_at"] = written(now())
        kind = {"kind": "Absolute"}
    return {"id": number, "stack_level": 0, "purpose": purpose, "schedules": [schedule], **kind, **fields}


@pytest.mark.parametrize("version", VERSIONS)
async def test_profiles_are_set_followed_and_cleared_and_the_transaction_has_its_cost(narke, version):
    async with Raw(narke, f"K-{version.replace('.', '')}", version) as station:
        await asyncio.sleep(6)  # the station actor may know the tariffs of five seconds ago
        result, answer = await station.told("set_charging_profile", evse=1, profile=profile(1, "TxProfile"))
        assert (result, "K01.FR.03" in answer["detail"]) == ("refused", True), answer
        maximum = profile(1, "ChargingStationMaxProfile")
        assert (await station.told("set_charging_profile", evse=0, profile=maximum))[0] == "accepted"
        assert (await station.told("set_charging_profile", evse=0, profile=profile(2, "TxDefaultProfile")))[
            0
        ] == "accepted"
        transaction_id = await station.starts(1_000)
        own = profile(3, "TxProfile", transaction_id=transaction_id)
        assert (await station.told("set_charging_profile", evse=1, profile=own))[0] == "accepted"
        said = station.last("SetChargingProfile")
        named = said["csChargingProfiles"] if version == "1.6" else said["chargingProfile"]
        assert str(named["transactionId"]) == transaction_id
        rows = await station.rows("charging-profiles", lambda rows: len(rows) == 3)
        assert [(row["profile_id"], row["evse"], row["installed"]) for row in rows] == [
            (1, 0, True),
            (2, 0, True),
            (3, 1, True),
        ]
        composite = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}]}
        at = written(now())
        station.answers["GetCompositeSchedule"] = {
            "status": "Accepted",
            **(
                {"connectorId": 1, "scheduleStart": at, "chargingSchedule": composite}
                if version == "1.6"
                else {"schedule": {"evseId": 1, "duration": 600, "scheduleStart": at, **composite}}
            ),
        }
        assert (await station.told("get_composite_schedule", evse=1, duration_s=600, unit="A"))[0] == "accepted"
        (told,) = await station.rows("composite-schedules", lambda rows: len(rows) == 1)
        assert (told["evse"], told["unit"], told["periods"]) == (1, "A", [{"limit": 16.0, "start_s": 0}])
        answer = await station.ends(transaction_id, 11_000)
        if version != "1.6":
            assert answer["totalCost"] == 2.5
        (cost,) = await station.rows("transaction-costs", lambda rows: rows and rows[0]["final"])
        assert (cost["transaction_id"], cost["tariff_id"], cost["total_incl"]) == (transaction_id, "story-1", 2.5)
        gone = await station.rows("charging-profiles", lambda rows: not rows[2]["installed"])
        assert gone[2]["removed_because"] == "transaction_ended"
        assert (await station.told("clear_charging_profile", purpose="TxDefaultProfile"))[0] == "accepted"
        await station.rows("charging-profiles", lambda rows: rows[1]["removed_because"] == "cleared")


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_remote_start_carries_the_first_profile(narke, version):
    async with Raw(narke, f"F-{version.replace('.', '')}", version) as station:
        fields = {"token": "STORY", "token_type": "ISO14443", "evse": 1, "profile": profile(7, "TxProfile")}
        assert (await station.told("request_start", **fields))[0] == "accepted"
        said = station.last("RemoteStartTransaction" if version == "1.6" else "RequestStartTransaction")
        assert "transactionId" not in said["chargingProfile"]
        if version == "1.6":
            transaction_id = await station.starts(0)
        else:
            transaction_id = "t-remote"
            info = {"transactionId": transaction_id, "remoteStartId": said["remoteStartId"]}
            more = {"idToken": {"idToken": "STORY", "type": "ISO14443"}, "evse": {"id": 1}, "transactionInfo": info}
            await station.event("Started", transaction_id, 0, 0, **more)
        (row,) = await station.rows("charging-profiles", lambda rows: rows and rows[0]["transaction_id"])
        assert (row["transaction_id"], row["evse"]) == (transaction_id, 1)


@pytest.mark.parametrize("version", VERSIONS[1:])
async def test_what_stations_of_2_x_tell_of_limits_needs_and_profiles(narke, version):
    async with Raw(narke, f"N-{version.replace('.', '')}", version) as station:
        schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10}]}
        limit = {"chargingLimit": {"chargingLimitSource": "EMS"}, "chargingSchedule": [schedule]}
        assert await station.says("NotifyChargingLimit", limit) == {}
        await station.rows("charging-limits", lambda rows: rows and rows[0]["active"])
        await station.says("ClearedChargingLimit", {"chargingLimitSource": "EMS"})
        await station.rows("charging-limits", lambda rows: not rows[0]["active"])
        ac = {"energyAmount": 9000, "evMinCurrent": 6, "evMaxCurrent": 16, "evMaxVoltage": 400}
        needs = {"requestedEnergyTransfer": "AC_three_phase", "acChargingParameters": ac}
        answer = await station.says("NotifyEVChargingNeeds", {"evseId": 1, "chargingNeeds": needs})
        assert answer["status"] == ("Rejected" if version == "2.0.1" else "NoChargingProfile")
        (row,) = await station.rows("charging-needs", lambda rows: len(rows) == 1)
        assert (row["energy_wh"], row["flags"]) == (9000, ["no_transaction"])
        plan = {"timeBase": written(now()), "evseId": 1, "chargingSchedule": schedule}
        assert (await station.says("NotifyEVChargingSchedule", plan))["status"] == "Accepted"
        await station.rows("ev-schedules", lambda rows: len(rows) == 1)
        assert (await station.told("set_charging_profile", evse=1, profile=profile(1, "TxDefaultProfile")))[
            0
        ] == "accepted"
        assert (await station.told("get_charging_profiles"))[0] == "accepted"
        request_id = station.last("GetChargingProfiles")["requestId"]
        reported = {
            "id": 9,
            "stackLevel": 1,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": [schedule],
        }
        part = {"requestId": request_id, "chargingLimitSource": "CSO", "evseId": 1, "chargingProfile": [reported]}
        assert await station.says("ReportChargingProfiles", part) == {}
        rows = await station.rows("charging-profiles", lambda rows: len(rows) == 2)
        assert [(row["profile_id"], row["removed_because"]) for row in rows] == [(1, "not_reported"), (9, None)]


async def test_dynamic_profiles_priority_and_tariffs_of_2_1(narke):
    async with Raw(narke, "D-21", "2.1") as station:
        schedule = {"unit": "A", "periods": [{"start_s": 0, "limit": 16}]}
        dynamic = profile(5, "TxDefaultProfile", kind="Dynamic", schedules=[schedule])
        assert (await station.told("set_charging_profile", evse=1, profile=dynamic))[0] == "accepted"
        assert (await station.told("update_dynamic_schedule", profile_id=5, update={"limit": 8}))[0] == "accepted"
        pulled = await station.says("PullDynamicScheduleUpdate", {"chargingProfileId": 5})
        assert pulled == {"status": "Accepted", "scheduleUpdate": {"limit": 8.0}}
        assert (await station.says("PullDynamicScheduleUpdate", {"chargingProfileId": 6}))["status"] == "Rejected"
        transaction_id = await station.starts(0)
        assert (await station.told("use_priority_charging", transaction_id=transaction_id, activate=True))[
            0
        ] == "accepted"
        assert await station.says("NotifyPriorityCharging", {"transactionId": transaction_id, "activated": True}) == {}
        tariff = {"id": "station-1", **TARIFF}
        assert (await station.told("set_default_tariff", tariff=tariff, evse=0))[0] == "accepted"
        assert station.last("SetDefaultTariff")["tariff"]["energy"]["prices"] == [{"priceKwh": 0.25}]
        await station.rows("tariffs-held", lambda rows: len(rows) == 1)
        transfers = {"transaction_id": transaction_id, "transfers": ["AC_BPT"]}
        assert (await station.told("allow_energy_transfers", **transfers))[0] == "accepted"
        assert (await station.told("send_afrr_signal", signal=1, at=written(now())))[0] == "accepted"
        await station.rows("allowed-energy-transfers", lambda rows: len(rows) == 1)


async def test_DER_controls_alarms_and_battery_swaps_of_2_1(narke):
    async with Raw(narke, "R-21", "2.1") as station:
        settings = {"priority": 1, "setpoint": 10, "unit": "PctMaxVar"}
        control = {"id": "c-1", "type": "FixedVar", "is_default": True, "settings": settings}
        assert (await station.told("set_der_control", control=control))[0] == "accepted"
        assert station.last("SetDERControl")["fixedVar"] == settings
        alarm = {"controlType": "FixedVar", "gridEventFault": "OverVoltage", "timestamp": written(now())}
        assert await station.says("NotifyDERAlarm", alarm) == {}
        await station.says("NotifyDERAlarm", {**alarm, "alarmEnded": True})
        (row,) = await station.rows("der-alarms", lambda rows: rows and not rows[0]["active"])
        assert (row["type"], row["fault"]) == ("FixedVar", "OverVoltage")
        (row,) = await station.rows("der-controls", lambda rows: len(rows) == 1)
        assert (row["control_id"], row["priority"], row["settings"]) == ("c-1", 1, settings)
        assert (await station.told("request_battery_swap", token={"value": "STORY", "type": "ISO14443"}))[
            0
        ] == "accepted"
        swap = {
            "requestId": station.last("RequestBatterySwap")["requestId"],
            "idToken": {"idToken": "STORY", "type": "ISO14443"},
            "batteryData": [{"evseId": 1, "serialNumber": "B-1", "soC": 20, "soH": 90}],
        }
        for event in ("BatteryIn", "BatteryOut"):
            assert await station.says("BatterySwap", {**swap, "eventType": event}) == {}
        (row,) = await station.rows("battery-swaps", lambda rows: rows and rows[0]["state"] == "out")
        assert (row["asked"], row["flags"]) == (True, None)
        assert [battery["serial_number"] for battery in row["batteries_in"]] == ["B-1"]


async def test_the_command_line_shows_profiles_and_costs(narke):
    async with Raw(narke, "CLI-201", "2.0.1") as station:
        assert (await station.told("set_charging_profile", evse=0, profile=profile(2, "TxDefaultProfile")))[
            0
        ] == "accepted"
        await station.rows("charging-profiles", lambda rows: len(rows) == 1)
        listed = await asyncio.to_thread(narke.cli, "profiles", "list", station.identity, "--json")
        assert [row["profile_id"] for row in json.loads(listed.stdout)] == [2]
        effective = await asyncio.to_thread(narke.cli, "profiles", "effective", station.identity, "--evse", 1, "--json")
        assert json.loads(effective.stdout)["limit_a"] == 16.0
        tariffs = await asyncio.to_thread(narke.cli, "tariffs", "list", "--json")
        assert "story-1" in {row["tariff_id"] for row in json.loads(tariffs.stdout)}
