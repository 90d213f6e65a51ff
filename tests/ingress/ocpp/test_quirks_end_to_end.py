"""Quirks from the first boot to the next connection, with a real station actor behind real sockets."""

import orjson
import pytest
from websockets.asyncio.client import connect

from engine.model.quirks import OdditiesCounted, QuirkBook, QuirkProfile
from engine.model.sessions import IdentityContested, SessionEnded, VersionChanged
from engine.model.stations import StationRecord
from engine.station.policy import Policy
from ingress.ocpp.server import SUPERSEDED

BOOK = QuirkBook(
    [
        QuirkProfile(name="acme", vendor=("acme",), reason="r", source="s", switches={"error_code": "GenericError"}),
        QuirkProfile(name="lenient", reason="r", source="s", switches={"lenient_actions": ["*"]}),
    ]
)
BOOT = {"chargePointVendor": "Acme", "chargePointModel": "One"}


@pytest.fixture
async def house(make_house):
    return await make_house(policy=Policy(quirks=BOOK))


def open_station(house, ingress="one", version="1.6"):
    url = f"ws://127.0.0.1:{house.ingresses[ingress].port}/ocpp/CP-1"
    return connect(url, subprotocols=[f"ocpp{version}"], compression=None, ping_interval=None)


async def ask(station, action, payload, message_id="1"):
    await station.send(orjson.dumps([2, message_id, action, payload]).decode())
    return orjson.loads(await station.recv())


async def test_a_station_has_the_quirks_of_its_make_from_its_boot_on_and_on_every_connection_after(house):
    async with open_station(house) as station:
        assert (await ask(station, "Authorize", {}))[2] == "ProtocolError"
        assert (await ask(station, "BootNotification", BOOT, "2"))[2]["status"] == "Accepted"
        assert (await ask(station, "Authorize", {}, "3"))[2] == "GenericError"
    async with open_station(house, "two") as station:
        assert (await ask(station, "Authorize", {}, "4"))[2] == "GenericError"


async def test_what_its_record_names_is_there_from_its_next_connection_on(house, eventually):
    long = {"idTag": "x" * 40}
    async with open_station(house) as station:
        assert (await ask(station, "Authorize", long))[0] == 4
        await eventually(lambda: "CP-1" in house.actor._turns.stations)
    house.book.records["CP-1"] = StationRecord("CP-1", quirks=("lenient",))
    async with open_station(house) as station:
        assert (await ask(station, "Authorize", long, "2"))[0] == 3


async def test_what_was_odd_about_a_connection_is_on_record_when_it_is_over(house, eventually):
    async with open_station(house) as station:
        await ask(station, "BootNotification", BOOT)
        await ask(station, "Authorize", {}, "2")
        await ask(station, "MakeCoffee", {}, "3")
    await eventually(lambda: any(isinstance(fact, SessionEnded) for _, fact in house.facts()))
    (counted,) = [fact for _, fact in house.facts() if isinstance(fact, OdditiesCounted)]
    assert dict(counted.counts) == {"refused": 1, "unknown_action": 1}
    assert counted.make.vendor == "Acme"


@pytest.mark.parametrize("ingresses", [("one", "one"), ("one", "two")], ids=["at-one-ingress", "at-two"])
async def test_two_devices_that_fight_for_an_identity_are_an_event(house, eventually, ingresses):
    """They come from one address here, so ten takeovers are needed; the door allows twelve a minute."""
    stations = []
    for number in range(11):
        stations.append(await open_station(house, ingresses[number % 2]))
        order = number + 1
        await eventually(lambda order=order: house.session_order("CP-1") == order)
    await eventually(lambda: any(isinstance(fact, IdentityContested) for _, fact in house.facts()))
    (contested,) = [fact for _, fact in house.facts() if isinstance(fact, IdentityContested)]
    assert (contested.addresses, contested.takeovers) == (("127.0.0.1",), 10)
    assert (await ask(stations[-1], "Heartbeat", {}))[0] == 3
    for station in stations[:-1]:
        await station.wait_closed()
        assert station.close_code == SUPERSEDED
    await stations[-1].close()


async def test_a_station_that_was_updated_speaks_its_new_version_and_its_transaction_goes_on(house):
    async with open_station(house) as station:
        await ask(station, "BootNotification", BOOT)
        start = {"connectorId": 1, "idTag": "A", "meterStart": 100, "timestamp": "2025-05-01T12:00:00Z"}
        number = (await ask(station, "StartTransaction", start, "2"))[2]["transactionId"]
    async with open_station(house, version="2.0.1") as station:
        end = {
            "eventType": "Ended",
            "timestamp": "2025-05-01T13:00:00Z",
            "triggerReason": "StopAuthorized",
            "seqNo": 3,
            "transactionInfo": {"transactionId": str(number), "stoppedReason": "Local"},
            "meterValue": [
                {"timestamp": "2025-05-01T13:00:00Z", "sampledValue": [{"value": 600, "context": "Transaction.End"}]}
            ],
        }
        assert (await ask(station, "TransactionEvent", end, "3"))[:2] == [3, "3"]
    (changed,) = [fact for _, fact in house.facts() if isinstance(fact, VersionChanged)]
    assert (changed.before, changed.after, changed.transactions_open) == ("1.6", "2.0.1", (str(number),))
    ended = [fact for _, fact in house.facts() if type(fact).__name__ == "TransactionEnded"]
    assert [(fact.transaction_id, fact.energy_wh) for fact in ended] == [(str(number), 500.0)]
    assert [*house.actor._turns.stations["CP-1"].state.ledger.open] == []
