"""Caps over REST: told, heard, released; nonsense is refused with every fault."""

import msgspec
import pytest

from engine.model.caps import CapDirection, CapSource, CapStep, HeldCap
from storage.site_book_memory import MemorySiteBook
from tests.ingress.http.house import NOW, TestHouse
from tests.smartcharging.sites import depot

AT = "2026-05-01T12:00:00Z"
LATER = "2026-05-01T13:00:00Z"
CAP = {"steps": [{"at": AT, "kw": 30}], "fallback_kw": 11, "heartbeat_s": 60}


@pytest.fixture
async def house():
    book = MemorySiteBook(TestHouse().store, tenant="default")
    await book.save_site(depot(), "ada", NOW)
    house = TestHouse(sites=book)
    house.sites = book
    return house


def put(client, source="grid:north", site="depot", **changes):
    text = msgspec.json.encode(CAP | changes).replace(b'"NaN"', b"NaN")
    return client.put(f"/api/v1/sites/{site}/caps/{source}", content=text, headers={"Content-Type": "application/json"})


def faults(answer) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [fault["where"] for fault in answer.json()["errors"]]


async def test_a_cap_is_told_and_listed(house, client):
    answer = put(client, node="board", emergency=True)
    assert (answer.status_code, answer.json()["warnings"]) == (200, [])
    cap = CapSource(
        site="depot", source="grid:north", steps=(CapStep(NOW, 30.0),), node="board", fallback_kw=11.0,
        heartbeat_s=60.0, emergency=True,
    )  # fmt: skip
    assert await house.sites.caps() == {("depot", "grid:north"): HeldCap(cap, NOW, NOW)}
    (listed,) = client.get("/api/v1/sites/depot/caps").json()
    assert msgspec.convert(listed, HeldCap) == HeldCap(cap, NOW, NOW)


def test_a_source_is_heard_and_released(client):
    put(client)
    for given in ({}, {"json": {}}):
        heard = client.post("/api/v1/sites/depot/caps/grid:north/heartbeat", **given)
        assert heard.json() == {"site": "depot", "source": "grid:north", "heard_at": AT}
    assert client.post("/api/v1/sites/depot/caps/operator/heartbeat").status_code == 404
    assert client.delete("/api/v1/sites/depot/caps/grid:north").status_code == 204
    assert client.delete("/api/v1/sites/depot/caps/grid:north").json()["type"].endswith("unknown-cap")
    assert client.get("/api/v1/sites/depot/caps").json() == []


def test_a_site_that_is_not_there(client):
    assert put(client, site="yard").status_code == 404
    assert client.get("/api/v1/sites/yard/caps").status_code == 404


def test_a_heartbeat_without_a_fallback_is_odd(client):
    answer = put(client, fallback_kw=None)
    assert answer.status_code == 200
    assert answer.json()["warnings"][0].startswith("fallback_kw: ")


def test_steps_that_cap_nothing_are_odd(client):
    assert put(client, steps=[{"at": AT, "kw": None}]).json()["warnings"] == ["steps: none of them caps anything"]


async def test_export_is_capped_alike(house, client):
    assert put(client, direction="export").status_code == 200
    (held,) = (await house.sites.caps()).values()
    assert held.cap.direction is CapDirection.EXPORT


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"steps": []}, "body.steps"),
        ({"steps": [{"at": AT, "kw": -1}]}, "body.steps[0].kw"),
        ({"steps": [{"at": AT, "kw": "NaN"}]}, "body.steps[0].kw"),
        ({"steps": [{"at": AT, "kw": 1}, {"at": AT, "kw": 2}]}, "body.steps[1].at"),
        ({"steps": [{"at": LATER, "kw": 1}, {"at": AT, "kw": 2}]}, "body.steps[1].at"),
        ({"steps": [{"at": "2026-05-01T12:00:00", "kw": 1}]}, "body.steps[0].at"),
        ({"steps": [{"at": "2036-05-01T12:00:00Z", "kw": 1}]}, "body.steps[0].at"),
        ({"steps": [{"at": AT, "kw": 1, "a": 2}]}, "body.steps[0].a"),
        ({"steps": [{"at": AT, "kw": 1}] * 1025}, "body.steps"),
        ({"valid_until": AT}, "body.valid_until"),
        ({"valid_until": "2026-05-01T11:00:00Z"}, "body.valid_until"),
        ({"fallback_kw": -1}, "body.fallback_kw"),
        ({"fallback_kw": "NaN"}, "body.fallback_kw"),
        ({"heartbeat_s": 0}, "body.heartbeat_s"),
        ({"heartbeat_s": "NaN"}, "body.heartbeat_s"),
        ({"node": "baord"}, "body.node"),
        ({"direction": "sideways"}, "body.direction"),
        ({"kw": 3}, "body.kw"),
    ],
)
def test_nonsense_is_refused_with_its_place(client, changes, where):
    assert faults(put(client, **changes))[0] == where


async def test_all_faults_are_told_at_once_and_nothing_is_kept(house, client):
    found = faults(put(client, node="x", fallback_kw=-1, heartbeat_s=0, valid_until=AT))
    assert found == ["body.node", "body.fallback_kw", "body.valid_until", "body.heartbeat_s"]
    assert await house.sites.caps() == {}


def test_nobody_else_speaks_for_a_station(client):
    assert faults(put(client, source="station:CP-1:EMS")) == ["body.source"]
