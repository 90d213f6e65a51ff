"""Sites over REST: checked whole, saved, kept with history; prices and drivers' requests."""

import msgspec
import pytest

from engine.model.facts import OperatorEntry
from engine.model.sites import DriverAsked, DriverRequest, SeriesKind, Site
from ingress.http.keys import Scope
from storage import keys
from storage.journal_memory import MemoryJournalReader
from storage.site_book_memory import MemorySiteBook
from tests.ingress.http.house import NOW, TestHouse
from tests.smartcharging.sites import BOARD, GRID, changed, depot

AT = "2026-05-01T13:00:00Z"


@pytest.fixture
def house():
    store = TestHouse().store
    house = TestHouse(sites=MemorySiteBook(store, tenant="default"))
    house.store = store
    house.sites = house.services.sites
    return house


async def project(house):
    """What was told arrives in the tables."""
    entries = await MemoryJournalReader(house.store).read({keys.OPERATOR: keys.START}, 1000)
    assert all(isinstance(entry.entry, OperatorEntry) for entry in entries)
    await house.projection.positions()
    await house.projection.apply(entries)


def body(site: Site) -> dict:
    return msgspec.to_builtins(site)


def faults(answer) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    return [(fault["where"], fault["what"]) for fault in answer.json()["errors"]]


async def test_a_site_is_saved_read_and_removed(house, client):
    answer = client.put("/api/v1/sites/depot", json=body(depot()))
    assert (answer.status_code, answer.json()) == (200, {"site": "depot", "revision": 1, "problems": []})

    held = client.get("/api/v1/sites/depot").json()
    assert (held["revision"], held["saved_by"]) == (1, "admin key")
    assert msgspec.convert(held["site"], Site) == depot()
    assert await house.sites.sites() == {"depot": depot()}
    assert client.put("/api/v1/sites/depot", json=held["site"]).json()["revision"] == 1, "what is read can be saved"

    assert client.delete("/api/v1/sites/depot").status_code == 204
    assert client.delete("/api/v1/sites/depot").json()["type"].endswith("unknown-site")
    assert client.get("/api/v1/sites/depot").status_code == 404


async def test_every_revision_stays(house, client):
    client.put("/api/v1/sites/depot", json=body(depot()))
    client.put("/api/v1/sites/depot", json=body(depot(name="Depot North")))
    await project(house)

    (row,) = client.get("/api/v1/sites").json()["items"]
    assert (row["site"], row["revision"], row["name"]) == ("depot", 2, "Depot North")
    versions = client.get("/api/v1/site-versions?site=depot").json()["items"]
    assert {version["revision"] for version in versions} == {1, 2}
    first = client.get("/api/v1/sites/depot?revision=1").json()
    assert msgspec.convert(first["site"], Site) == depot()
    assert client.get("/api/v1/sites/depot?revision=9").status_code == 404


async def test_all_that_is_wrong_is_told_at_once_and_nothing_is_saved(house, client):
    broken = depot(changed(GRID, limit_a=(-1.0, 63.0, 63.0)), changed(BOARD, parent="gird"), currency="euro")
    found = faults(client.put("/api/v1/sites/depot", json=body(broken)))
    assert [where for where, _ in found] == ["site.currency", "board.parent", "grid.limit_a L1"]
    assert await house.sites.sites() == {}


def test_numbers_that_are_none(client):
    text = msgspec.json.encode(body(depot())).replace(b"40.0", b"NaN")
    answer = client.put("/api/v1/sites/depot", content=text, headers={"Content-Type": "application/json"})
    assert faults(answer)[0] == ("board.limit_a L1", "nan is no number")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"limt": 1}, "body.limt"),
        ({"nodes": [{"node": "g", "kind": "grid", "childs": []}]}, "body.nodes[0].childs"),
        ({"goals": {"price": 1}}, "body.goals.price"),
        ({"nodes": [{"node": "g", "outlet": {"evse": 1, "phase": 3}}]}, "body.nodes[0].outlet.phase"),
        ({"nodes": [{"node": "g", "kind": "ocean"}]}, "body.nodes[0].kind"),
        ({"voltage_v": "230"}, "body.voltage_v"),
        ({"site": "yard"}, "body.site"),
        ({"nodes": 3}, "body.nodes"),
    ],
)
def test_a_field_that_is_not_known_or_not_right_is_told_with_its_place(client, change, where):
    assert faults(client.put("/api/v1/sites/depot", json=body(depot()) | change))[0][0] == where


def test_the_field_that_was_meant_is_named(client):
    answer = client.put("/api/v1/sites/depot", json=body(depot()) | {"voltage": 230})
    assert answer.json()["what_to_do"] == "did you mean 'voltage_v'?"


def test_warnings_are_told_and_the_site_is_saved(client):
    odd = depot(changed(BOARD, limit_kw=0.0))
    answer = client.put("/api/v1/sites/depot", json=body(odd))
    assert answer.status_code == 200
    assert [(one["severity"], one["node"], one["field"]) for one in answer.json()["problems"]] == [
        ("warning", "board", "limit_kw")
    ]


def test_an_allocator_that_there_is_not(client):
    found = faults(client.put("/api/v1/sites/depot", json=body(depot(allocator="max-mni"))))
    assert found == [("site.allocator", "there is no allocator 'max-mni'")]


def test_a_station_of_another_site_is_a_conflict(client):
    client.put("/api/v1/sites/depot", json=body(depot()))
    answer = client.put("/api/v1/sites/yard", json=body(changed(depot(), site="yard")))
    assert answer.status_code == 409
    assert "CP-1 belongs to site 'depot'" in answer.json()["detail"]


def test_who_names_a_revision_overwrites_no_others_change(client):
    assert client.put("/api/v1/sites/depot?revision=0", json=body(depot())).status_code == 200
    answer = client.put("/api/v1/sites/depot?revision=0", json=body(depot(name="x")))
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:narke:problem:site-conflict")


async def test_a_site_can_be_checked_without_being_saved(house, client):
    answer = client.post("/api/v1/site-checks", json=body(depot(currency="x")))
    assert answer.json()["good"] is False
    assert answer.json()["problems"][0]["field"] == "currency"
    assert client.post("/api/v1/site-checks", json=body(depot())).json() == {"good": True, "problems": []}
    assert await house.sites.sites() == {}


def test_who_may_do_what(house, client_of):
    read, operate = client_of(house, Scope.READ), client_of(house, Scope.OPERATE)
    assert operate.put("/api/v1/sites/depot", json=body(depot())).status_code == 403
    assert operate.delete("/api/v1/sites/depot").status_code == 403
    assert read.post("/api/v1/site-checks", json=body(depot())).status_code == 200
    assert read.post("/api/v1/driver-requests", json={"token": "a", "energy_kwh": 1}).status_code == 403
    assert read.put("/api/v1/sites/depot/series/price", json={"start_at": AT, "values": [1]}).status_code == 403


async def test_prices_are_told(house, client):
    client.put("/api/v1/sites/depot", json=body(depot()))
    answer = client.put("/api/v1/sites/depot/series/price", json={"start_at": AT, "values": [0.3, -0.1]})
    assert (answer.status_code, answer.json()["end_at"]) == (200, "2026-05-01T15:00:00Z")
    series = await house.sites.series()
    assert series["depot", SeriesKind.PRICE].values == (0.3, -0.1)


@pytest.mark.parametrize(
    ("kind", "changes", "where"),
    [
        ("price", {"values": []}, "body.values"),
        ("price", {"values": ["NaN"]}, "body.values[0]"),
        ("co2", {"values": [300, -1]}, "body.values[1]"),
        ("price", {"start_at": "2026-05-01T10:00:00Z"}, "body.start_at"),
        ("price", {"start_at": "2026-05-01T13:00:00"}, "body.start_at"),
        ("price", {"start_at": "9999-12-31T23:59:59Z"}, "body.start_at"),
        ("price", {"step_s": 0}, "body.step_s"),
        ("prices", {}, "path.kind"),
    ],
)
def test_prices_that_tell_nothing_are_refused(client, kind, changes, where):
    client.put("/api/v1/sites/depot", json=body(depot()))
    told = {"start_at": AT, "values": [0.3]} | changes
    text = msgspec.json.encode(told).replace(b'"NaN"', b"NaN")
    answer = client.put(
        f"/api/v1/sites/depot/series/{kind}", content=text, headers={"Content-Type": "application/json"}
    )
    assert faults(answer)[0][0] == where


def test_prices_of_a_site_that_is_not_there(client):
    answer = client.put("/api/v1/sites/depot/series/price", json={"start_at": AT, "values": [0.3]})
    assert answer.status_code == 404


async def test_a_driver_asks(house, client):
    answer = client.post(
        "/api/v1/driver-requests", json={"station": "CP-1", "evse": 1, "energy_kwh": 20, "departs_at": AT}
    )
    assert answer.status_code == 200
    (asked,) = await house.sites.requests()
    assert asked == DriverAsked(
        DriverRequest(station="CP-1", evse=1, energy_kwh=20.0, departs_at=asked.request.departs_at), "admin key", NOW
    )
    assert client.post("/api/v1/driver-requests", json={"token": "04AB", "may_discharge": True}).status_code == 200
    await project(house)
    assert [row["place"] for row in client.get("/api/v1/driver-requests").json()["items"]] == ["token:04AB", "CP-1/1"]


@pytest.mark.parametrize(
    ("request_body", "where"),
    [
        ({"energy_kwh": 1}, "body"),
        ({"station": "A", "evse": 1, "token": "b", "energy_kwh": 1}, "body"),
        ({"station": "A", "energy_kwh": 1}, "body.evse"),
        ({"token": "a", "evse": 1, "energy_kwh": 1}, "body.evse"),
        ({"token": "a"}, "body"),
        ({"token": "a", "energy_kwh": -5}, "body.energy_kwh"),
        ({"token": "a", "energy_kwh": 0}, "body.energy_kwh"),
        ({"token": "a", "soc_percent": 101}, "body.soc_percent"),
        ({"token": "a", "departs_at": "2026-05-01T11:59:59Z"}, "body.departs_at"),
        ({"token": "a", "departs_at": "2026-06-01T12:00:00Z"}, "body.departs_at"),
        ({"token": "a", "departs_at": "2026-05-01T15:00:00"}, "body.departs_at"),
        ({"token": "a", "priority": 5000}, "body.priority"),
        ({"token": "a", "energy": 5}, "body.energy"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(client, request_body, where):
    assert faults(client.post("/api/v1/driver-requests", json=request_body))[0][0] == where
