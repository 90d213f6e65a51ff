"""Tokens, local lists, reservations and payments: from a real socket to rows over REST, in every version."""

import asyncio
import contextlib
import json
from datetime import timedelta

import pytest
from websockets.exceptions import ConnectionClosed

from tests.running import Narke, eventually
from tests.stations import SUBPROTOCOLS, cli, now, open_socket, written

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

VERSIONS = pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
TOKENS = [
    {"token": "DRIVER", "group": "FAMILY", "in_local_list": True, "language": "de", "message": "Hallo"},
    {"token": "SISTER", "group": "FAMILY", "in_local_list": True},
    {"token": "LOST", "blocked": True, "in_local_list": True},
    {"token": "EVSE2", "places": ["*:2"], "in_local_list": True},
    {"token": "PREPAID", "credit": 12.5},
    {"token": "EMPTY", "credit": 0},
    {"token": "ELSEWHERE", "places": ["SITE-B-*"]},
    {"token": "ONCE", "concurrent_max": 1},
    {"token": "MASTER", "group": "MASTERS"},
]


@pytest.fixture(scope="module")
def narke(tmp_path_factory):
    """A Narke that looks often at who charges where, and stops what runs on tokens that are not accepted."""
    settings = {
        "authorization__uses_interval_s": "0.2",
        "authorization__stop_invalid": "narke",
        "authorization__stop_invalid_after_s": "1",
        "authorization__master_group": "MASTERS",
        "authorization__receipt_url": "https://pay.example/{station}/{receipt}",
        "local_lists__interval_s": "0.5",
        "local_lists__entries_per_message": "2",
    }
    running = Narke(tmp_path_factory.mktemp("narke"), **settings)
    running.start()
    assert running.api("POST", "/tokens", json=TOKENS).json() == {"saved": len(TOKENS)}
    running.wait_for_rows("SELECT 1 FROM tokens", count=len(TOKENS))
    yield running
    running.stop()


class Station:
    """A station of raw frames with a local list and reservations, which obeys the rules of the specification."""

    def __init__(self, identity, socket, version):
        self.identity, self.socket, self.version = identity, socket, version
        self.asked, self._waiting, self._number = [], {}, 0
        self.list_version, self.list, self.reserved, self.answers = 0, {}, {}, {}
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self):
        with contextlib.suppress(ConnectionClosed):
            async for text in self.socket:
                kind, name, *rest = json.loads(text)
                if kind == 2:
                    self.asked.append(tuple(rest))
                    await self.socket.send(json.dumps([3, name, self._answer(*rest)]))
                else:
                    self._waiting.pop(name).set_result((kind, rest))

    def _answer(self, action, payload):
        if action in self.answers:
            return self.answers[action]
        match action:
            case "SendLocalList":
                return {"status": self._updated(payload)}
            case "GetLocalListVersion":
                return {self.named("listVersion", "versionNumber"): self.list_version}
            case "ReserveNow":
                self.reserved[payload[self.named("reservationId", "id")]] = payload
                return {"status": "Accepted"}
            case "CancelReservation":
                known = self.reserved.pop(payload["reservationId"], None) is not None
                return {"status": "Accepted" if known else "Rejected"}
            case "NotifyWebPaymentStarted":
                return {}
        return {"status": "Accepted"}

    def _updated(self, payload):
        version = payload[self.named("listVersion", "versionNumber")]
        full = payload["updateType"] == "Full"
        if not full and version <= self.list_version:
            return "VersionMismatch"
        entries = {} if full else self.list
        for entry in payload.get("localAuthorizationList", ()):
            token = entry["idTag"] if self.version == "1.6" else entry["idToken"]["idToken"]
            info = entry.get(self.named("idTagInfo", "idTokenInfo"))
            entries.pop(token, None)
            if info is not None:
                entries[token] = info
        self.list, self.list_version = entries, version
        return "Accepted"

    def named(self, in_16, in_2x):
        return in_16 if self.version == "1.6" else in_2x

    async def say(self, action, payload):
        self._number += 1
        name = f"m{self._number}"
        waiting = self._waiting[name] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps([2, name, action, payload]))
        kind, rest = await asyncio.wait_for(waiting, 30)
        assert kind == 3, rest
        return rest[0]

    async def boot(self):
        payload = {"chargePointVendor": "Acme", "chargePointModel": "One"}
        if self.version != "1.6":
            payload = {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "One"}}
        assert (await self.say("BootNotification", payload))["status"] == "Accepted"

    def token(self, token, kind="ISO14443"):
        return {"idTag": token} if self.version == "1.6" else {"idToken": {"idToken": token, "type": kind}}

    async def authorize(self, token):
        return (await self.say("Authorize", self.token(token)))[self.named("idTagInfo", "idTokenInfo")]

    async def start(self, token, transaction_id="tx-1", place=1, reservation=None):
        """The id of the transaction, and what the station is told of the token."""
        more = {} if reservation is None else {"reservationId": reservation}
        if self.version == "1.6":
            payload = {"connectorId": place, "idTag": token, "meterStart": 0, "timestamp": written(now()), **more}
            told = await self.say("StartTransaction", payload)
            return str(told["transactionId"]), told["idTagInfo"], told
        told = await self.say(
            "TransactionEvent",
            {
                "eventType": "Started",
                "timestamp": written(now()),
                "triggerReason": "Authorized",
                "seqNo": 0,
                "transactionInfo": {"transactionId": transaction_id},
                "evse": {"id": place, "connectorId": 1},
                **self.token(token),
                **more,
            },
        )
        return transaction_id, told["idTokenInfo"], told

    async def stop(self, transaction_id, token):
        if self.version == "1.6":
            payload = {
                "transactionId": int(transaction_id),
                "meterStop": 5,
                "timestamp": written(now()),
                "idTag": token,
            }
            return (await self.say("StopTransaction", payload))["idTagInfo"]
        payload = {
            "eventType": "Ended",
            "timestamp": written(now()),
            "triggerReason": "StopAuthorized",
            "seqNo": 1,
            "transactionInfo": {"transactionId": transaction_id, "stoppedReason": "Local"},
            **self.token(token),
        }
        return (await self.say("TransactionEvent", payload))["idTokenInfo"]

    def said(self, action):
        return [payload for name, payload in self.asked if name == action]


@contextlib.asynccontextmanager
async def connected(narke, name, version):
    identity = f"{name}-{version.replace('.', '')}"
    async with open_socket(narke, identity, SUBPROTOCOLS[version]) as socket:
        station = Station(identity, socket, version)
        await station.boot()
        yield station
        station._listening.cancel()


async def asked(narke, method, path, **options):
    return await asyncio.get_running_loop().run_in_executor(None, lambda: narke.api(method, path, **options))


async def rows(narke, table, station, enough):
    """The rows of a table, once they are as they should be."""
    found = []
    for _ in range(100):
        found = (await asked(narke, "GET", f"/{table}", params={"station": station.identity, "limit": 100})).json()[
            "items"
        ]
        if enough(found):
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(found)


async def known(narke, station):
    """Waits until the projection knows which version the station speaks."""
    for _ in range(100):
        found = await asked(narke, "GET", f"/stations/{station.identity}")
        if found.status_code == 200 and found.json()["station"]["version"] == station.version:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(found.text)


# Tokens


@VERSIONS
async def test_C01_what_a_station_is_told_of_tokens(narke, version):
    async with connected(narke, "TOKENS", version) as station:
        driver = await station.authorize("driver")
        assert driver["status"] == "Accepted"
        if version == "1.6":
            assert driver["parentIdTag"] == "FAMILY"
        else:
            assert driver["groupIdToken"]["idToken"] == "FAMILY"
            assert (driver["language1"], driver["personalMessage"]["content"]) == ("de", "Hallo")
            assert (await station.authorize("EVSE2"))["evseId"] == [2]
        statuses = [(await station.authorize(token))["status"] for token in ("LOST", "EMPTY", "ELSEWHERE", "NOBODY")]
        in_16, in_2x = ["Blocked", *["Invalid"] * 3], ["Blocked", "NoCredit", "NotAtThisLocation", "Invalid"]
        assert statuses == station.named(in_16, in_2x)
        unknown = await rows(narke, "unknown-tokens", station, lambda found: found)
        assert [(row["token"], row["status"]) for row in unknown] == [("NOBODY", "Invalid")]


@VERSIONS
async def test_C09_either_token_of_a_group_stops_and_C16_a_master_stops_and_never_starts(narke, version):
    async with connected(narke, "GROUP", version) as station:
        transaction, told, _ = await station.start("DRIVER")
        assert told["status"] == "Accepted"
        assert (await station.stop(transaction, "SISTER"))["status"] == "Accepted"
        assert (await station.authorize("MASTER"))["status"] == "Accepted"
        assert (await station.start("MASTER", "tx-2"))[1]["status"] == "Invalid"


@VERSIONS
async def test_C17_a_prepaid_card_starts_with_its_credit_as_the_limit(narke, version):
    async with connected(narke, "PREPAID", version) as station:
        _, told, answer = await station.start("PREPAID")
        assert told["status"] == "Accepted"
        assert answer.get("transactionLimit") == ({"maxCost": 12.5} if version == "2.1" else None)


async def test_a_token_that_charges_in_one_version_is_concurrent_in_the_others_until_it_stops(narke):
    async with (
        connected(narke, "FIRST", "1.6") as first,
        connected(narke, "SECOND", "2.0.1") as second,
        connected(narke, "THIRD", "2.1") as third,
    ):
        transaction, told, _ = await first.start("ONCE")
        assert told["status"] == "Accepted"

        async def told_elsewhere(status):
            for _ in range(100):
                if {(await second.authorize("ONCE"))["status"], (await third.authorize("ONCE"))["status"]} == {status}:
                    return True
                await asyncio.sleep(0.1)
            return False

        assert await told_elsewhere("ConcurrentTx")
        assert (await first.stop(transaction, "ONCE"))["status"] == "Accepted"
        assert await told_elsewhere("Accepted")


@VERSIONS
async def test_a_transaction_on_a_token_that_is_not_accepted_is_stopped_by_narke(narke, version):
    async with connected(narke, "INVALID", version) as station:
        transaction, told, _ = await station.start("NOBODY")
        assert told["status"] == "Invalid"
        stop = station.named("RemoteStopTransaction", "RequestStopTransaction")
        await eventually(lambda: station.said(stop))
        wanted = int(transaction) if version == "1.6" else transaction
        assert station.said(stop)[0]["transactionId"] == wanted


# Local lists


@VERSIONS
async def test_D01_a_list_is_sent_in_parts_followed_by_differences_and_repaired(narke, version):
    async with connected(narke, "LIST", version) as station:
        path = f"/stations/{station.identity}/local-list"
        await known(narke, station)
        synced = (await asked(narke, "POST", f"{path}/sync", json={})).json()
        names = {"DRIVER", "SISTER", "LOST"} | ({"EVSE2"} if version != "1.6" else set())
        assert set(station.list) == names
        assert (synced["version"], synced["entries"], synced["whole"]) == (2, len(names), True)
        assert station.list["LOST"]["status"] == "Blocked"
        (row,) = await rows(narke, "local-lists", station, lambda found: found and found[0]["state"] == "in_sync")
        assert (row["version"], row["entries"]) == (2, len(names))
        entries = await rows(narke, "local-list-entries", station, lambda found: len(found) == len(names))
        assert {entry["token"] for entry in entries} == names
        # nothing to say
        again = (await asked(narke, "POST", f"{path}/sync", json={})).json()
        assert (again["messages"], again["version"]) == (0, 2)
        # the station refuses a difference: it gets the whole list
        station.list_version, station.list = 40, {}
        checked = (await asked(narke, "POST", f"{path}/check", json={})).json()
        assert (checked["version"], checked["expected"], checked["synced"]["whole"]) == (40, 2, True)
        assert (set(station.list), station.list_version) == (names, 42)


@VERSIONS
async def test_D01_FR_03_a_refused_difference_is_followed_by_the_whole_list(narke, version):
    async with connected(narke, "MISMATCH", version) as station:
        path = f"/stations/{station.identity}/local-list"
        await known(narke, station)
        await asked(narke, "POST", f"{path}/sync", json={})
        await rows(narke, "local-lists", station, lambda found: found and found[0]["state"] == "in_sync")
        extra = f"EXTRA-{version}"
        await asked(narke, "PUT", f"/tokens/{extra}", json={"in_local_list": True})
        await asyncio.get_running_loop().run_in_executor(
            None, lambda: narke.wait_for_rows("SELECT 1 FROM tokens WHERE token = %s", extra)
        )
        station.list_version, station.list = 77, {}
        synced = (await asked(narke, "POST", f"{path}/sync", json={})).json()
        assert synced["whole"]
        assert extra in station.list
        assert station.list_version == synced["version"] > 77
        await asked(narke, "DELETE", f"/tokens/{extra}")


@VERSIONS
async def test_a_station_that_lost_its_list_while_it_booted_gets_it_again_by_itself(narke, version):
    async with connected(narke, "LOSES", version) as station:
        path = f"/stations/{station.identity}/local-list"
        await known(narke, station)
        await asked(narke, "POST", f"{path}/sync", json={})
        had, station.list, station.list_version = dict(station.list), {}, 0
        await station.boot()
        await eventually(lambda: station.list == had, 40)


@VERSIONS
async def test_TC_043_1_a_station_without_lists_is_known_as_such(narke, version):
    async with connected(narke, "NOLIST", version) as station:
        await known(narke, station)
        if version == "1.6":
            station.answers["SendLocalList"] = {"status": "NotSupported"}
        else:
            station.answers["SendLocalList"] = {"status": "Failed"}
        refused = await asked(narke, "POST", f"/stations/{station.identity}/local-list/sync", json={})
        assert refused.status_code == 409
        state = "unsupported" if version == "1.6" else "stale"
        await rows(narke, "local-lists", station, lambda found: found and found[0]["state"] == state)


# Reservations


@VERSIONS
async def test_H01_a_reservation_from_the_command_line_to_the_transaction_that_uses_it(narke, version):
    async with connected(narke, "RESERVE", version) as station:
        made = await cli(narke, "reserve", station.identity, "--token", "DRIVER", "--evse", "1", "--group", "FAMILY")
        assert "reservation 1 until" in made.stdout
        payload = station.reserved[1]
        assert payload[station.named("connectorId", "evseId")] == 1
        taken = await cli(narke, "reserve", station.identity, "--token", "SISTER", "--evse", "1", check=False)
        assert taken.returncode == 5
        assert "reservation 1" in taken.stdout + taken.stderr
        transaction, _, _ = await station.start("SISTER", reservation=1)
        found = await rows(narke, "reservations", station, lambda found: "Used" in [row["status"] for row in found])
        (used,) = [row for row in found if row["status"] == "Used"]
        assert (used["reservation_id"], used["transaction_id"], used["token"]) == (1, transaction, "DRIVER")


@VERSIONS
async def test_H02_a_cancelled_reservation_and_H04_one_that_the_station_ends(narke, version):
    async with connected(narke, "CANCEL", version) as station:
        until = written(now() + timedelta(minutes=20))
        path = f"/stations/{station.identity}/commands"
        for place in (1, 2):
            body = {
                "command": "reserve_now",
                "token": {"value": "DRIVER"},
                "expires_at": until,
                "evse": {"evse": place},
            }
            assert (await asked(narke, "POST", path, json=body)).json()["result"] == "accepted"
        done = await cli(narke, "unreserve", station.identity, "1")
        assert "accepted" in done.stdout
        assert list(station.reserved) == [2]
        if version != "1.6":
            said = {"reservationId": 2, "reservationUpdateStatus": "Removed"}
            assert await station.say("ReservationStatusUpdate", said) == {}
            assert await station.say("ReservationStatusUpdate", {**said, "reservationId": 99}) == {}
        wanted = {1: "Cancelled", 2: "Active"} if version == "1.6" else {1: "Cancelled", 2: "Removed", 99: "Removed"}
        await rows(
            narke,
            "reservations",
            station,
            lambda found: {row["reservation_id"]: row["status"] for row in found} == wanted,
        )


# Payments, new in 2.1


async def test_C18_to_C25_an_ad_hoc_payment_from_its_terminal_to_its_receipt(narke):
    async with connected(narke, "PAY", "2.1") as station:
        told = await station.say(
            "Authorize",
            {
                "idToken": {
                    "idToken": "psp-1",
                    "type": "DirectPayment",
                    "additionalInfo": [{"additionalIdToken": "1234", "type": "CardLast4Digits"}],
                }
            },
        )
        assert told["idTokenInfo"]["status"] == "Accepted"
        vat = await station.say("VatNumberValidation", {"vatNumber": "DE136695976", "evseId": 1})
        assert vat == {"vatNumber": "DE136695976", "evseId": 1, "status": "Accepted"}
        wrong = await station.say("VatNumberValidation", {"vatNumber": "DE136695975"})
        assert (wrong["status"], wrong["statusInfo"]["reasonCode"]) == ("Rejected", "InvalidValue")
        settled = {
            "pspRef": "psp-1",
            "status": "Settled",
            "settlementAmount": 9.9,
            "settlementTime": written(now()),
        }
        receipt = await station.say("NotifySettlement", settled)
        assert receipt["receiptUrl"] == f"https://pay.example/{station.identity}/{receipt['receiptId']}"
        (row,) = await rows(narke, "settlements", station, lambda found: found)
        assert (row["reference"], row["amount"], row["status"]) == ("psp-1", 9.9, "Settled")
        body = {"command": "notify_web_payment_started", "evse": 1, "timeout_s": 60}
        answer = await asked(narke, "POST", f"/stations/{station.identity}/commands", json=body)
        assert answer.json()["result"] == "accepted"
        assert station.said("NotifyWebPaymentStarted") == [{"evseId": 1, "timeout": 60}]
