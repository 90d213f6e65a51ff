"""The planner in a whole Narke: a site comes by REST, stations obey plans by OCPP, caps and kill -9 break no limit."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.running import eventually
from tests.stations import SUBPROTOCOLS, open_socket, written

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

LIMIT_A = 40.0
KW_PER_A = 0.69
SITE = {
    "site": "depot",
    "allocator": "max-min",
    "nodes": [
        {"node": "grid", "kind": "grid", "limit_a": [LIMIT_A] * 3},
        *(
            {"node": f"e{n}", "kind": "evse", "parent": "grid", "outlet": {"station": f"PLAN-{n}", "evse": 1}}
            for n in range(3)
        ),
    ],
}
VERSIONS = dict(zip((f"PLAN-{n}" for n in range(3)), SUBPROTOCOLS, strict=True))
VARIABLES = {"GetConfiguration": {"configurationKey": [], "unknownKey": []}}


class Car:
    """A station with one car, on raw frames: it takes every profile, and knows what its car may draw."""

    def __init__(self, narke, identity):
        self.narke, self.identity, self.version = narke, identity, VERSIONS[identity]
        self.is_16 = self.version == "1.6"
        self.default = self.own = None
        self.asked = []
        self.transaction = None
        self._answers = {}
        self._count = 0
        self._listening = None

    async def connect(self):
        self.socket = await open_socket(self.narke, self.identity, SUBPROTOCOLS[self.version])
        self._listening = asyncio.create_task(self._listen())
        if self.is_16:
            await self.say("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        else:
            station = {"vendorName": "V", "model": "M"}
            await self.say("BootNotification", {"chargingStation": station, "reason": "PowerUp"})

    async def start(self):
        now = written(datetime.now(UTC))
        if self.is_16:
            start = {"connectorId": 1, "idTag": "DRIVER", "meterStart": 0, "timestamp": now}
            self.transaction = (await self.say("StartTransaction", start))["transactionId"]
            return
        self.transaction = f"tx-{self.identity}"
        await self.say(
            "TransactionEvent",
            {
                "eventType": "Started",
                "timestamp": now,
                "triggerReason": "Authorized",
                "seqNo": 0,
                "transactionInfo": {"transactionId": self.transaction, "chargingState": "Charging"},
                "evse": {"id": 1, "connectorId": 1},
                "idToken": {"idToken": "DRIVER", "type": "ISO14443"},
            },
        )

    async def say(self, action, payload):
        self._count += 1
        message_id = f"{self.identity}-{self._count}"
        answer = self._answers[message_id] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps([2, message_id, action, payload]))
        return await asyncio.wait_for(answer, 30)

    async def close(self):
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        await self.socket.close()

    async def _listen(self):
        async for text in self.socket:
            kind, message_id, *rest = json.loads(text)
            if kind == 2:
                await self.socket.send(json.dumps([3, message_id, self._do(*rest)]))
            else:
                self._answers.pop(message_id).set_result(rest[0])

    def _do(self, action, payload):
        self.asked.append((action, payload))
        if action == "SetChargingProfile":
            self._install(payload["csChargingProfiles" if self.is_16 else "chargingProfile"])
            return {"status": "Accepted"}
        if action == "GetVariables":
            results = [
                {**{key: each[key] for key in ("component", "variable")}, "attributeStatus": "UnknownComponent"}
                for each in payload["getVariableData"]
            ]
            return {"getVariableResult": results}
        return VARIABLES.get(action, {"status": "Accepted"})

    def _install(self, profile):
        purpose = profile["chargingProfilePurpose"]
        if purpose == "TxProfile":
            assert profile["transactionId"] == self.transaction
            self.own = profile
        else:
            assert purpose == "TxDefaultProfile"
            self.default = profile

    @property
    def may_draw_a(self):
        profile = self.own or self.default
        return 32.0 if profile is None else min(32.0, self._now(profile))

    def _now(self, profile):
        schedule = profile["chargingSchedule"]
        schedule = schedule if self.is_16 else schedule[0]
        begun = datetime.fromisoformat(schedule["startSchedule"])
        elapsed_s = (datetime.now(UTC) - begun).total_seconds()
        periods = schedule["chargingSchedulePeriod"]
        return next(each["limit"] for each in reversed(periods) if each["startPeriod"] <= elapsed_s)


@pytest.fixture(scope="module")
def site(narke):
    narke.cli("tokens", "add", "DRIVER")
    answer = narke.api("PUT", "/sites/depot", json=SITE)
    assert answer.status_code == 200, answer.text
    return SITE


@pytest.fixture
async def cars(narke, site):
    del site
    made = [Car(narke, identity) for identity in VERSIONS]
    for car in made:
        await car.connect()
    yield made
    for car in made:
        await car.close()


def together_a(cars):
    return sum(car.may_draw_a for car in cars)


async def kept_until(cars, limit_a, condition, seconds=30):
    """Waits, and sees to it that the limit is kept at every moment meanwhile."""

    def judged():
        assert together_a(cars) <= limit_a + 1e-6, [car.may_draw_a for car in cars]
        return condition()

    await eventually(judged, seconds)


async def test_plans_caps_and_kill_9(narke, cars):
    await eventually(lambda: all(car.default is not None for car in cars))
    for car in cars:
        await car.start()
    await kept_until(cars, LIMIT_A, lambda: all(car.own is not None for car in cars))
    await kept_until(cars, LIMIT_A, lambda: together_a(cars) > LIMIT_A - 1)

    capped_kw = 15.0
    steps = [{"at": written(datetime.now(UTC) - timedelta(seconds=1)), "kw": capped_kw}]
    answer = narke.api("PUT", "/sites/depot/caps/operator", json={"steps": steps, "emergency": True})
    assert answer.status_code == 200, answer.text
    await kept_until(cars, LIMIT_A, lambda: together_a(cars) * KW_PER_A <= capped_kw + 1e-6)

    pid = narke.kill("planner-0")
    await kept_until(
        cars, LIMIT_A, lambda: narke.processes.get("planner-0") not in (None, pid) and narke.is_ready(), 60
    )
    assert together_a(cars) * KW_PER_A <= capped_kw + 1e-6
    assert narke.api("DELETE", "/sites/depot/caps/operator").status_code == 204
    await kept_until(cars, LIMIT_A, lambda: together_a(cars) > LIMIT_A - 1, 60)

    decided = narke.wait_for_rows("SELECT * FROM limit_decisions WHERE site = 'depot' AND layer = 'real_time'", count=3)
    assert {row["station"] for row in decided} == set(VERSIONS)
    plans = narke.wait_for_rows("SELECT * FROM site_plans WHERE site = 'depot' AND cars = 3")
    assert max(row["planned_kw"] for row in plans) <= LIMIT_A * KW_PER_A + 1e-6
