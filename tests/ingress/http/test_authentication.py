"""The HTTP door is closed by default."""

import pytest
from fastapi import Request
from starlette.testclient import TestClient

from ingress.http.app import create_app
from ingress.http.keys import Scope
from tests.ingress.http.house import KEYS, TestHouse

OPEN = ("/healthz", "/readyz", "/metrics")


def all_operations():
    document = create_app(TestHouse().services).openapi()
    operations = [(method, path) for path, item in document["paths"].items() for method in item]
    return [*operations, ("get", "/api/v1/openapi.json"), ("get", "/api/v1/nothing-here"), ("get", "/api/")]


def concrete(path: str) -> str:
    return (
        path.replace("{station}", "CP-1")
        .replace("{transaction_id}", "1")
        .replace("{value}", "T")
        .replace("{command_id}", "c")
    )


@pytest.fixture(scope="module")
def stranger():
    """A client without a key, of one house for all: none of its requests may reach anything."""
    house = TestHouse()
    with TestClient(create_app(house.services)) as client:
        yield client
    assert house.gateway.requests == []
    assert house.store.values == {}


@pytest.mark.parametrize(("method", "path"), all_operations())
@pytest.mark.parametrize(
    "header", [None, "Bearer narke_wrong", "Bearer", "Bearer ", "Basic Zm9vOmJhcg==", KEYS[Scope.ADMIN], "Bearer \xe4"]
)
def test_every_route_needs_a_key(stranger, method, path, header):
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    response = stranger.request(method, concrete(path), headers=headers, content=b"{broken")
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert response.json()["what_to_do"]


def test_there_are_routes_to_protect():
    assert len(all_operations()) > 25


@pytest.mark.parametrize("path", OPEN)
def test_health_and_metrics_are_open(house, client_of, path):
    assert client_of(house, None).get(path).status_code == 200


def test_two_authorization_headers_are_refused(house, client_of):
    headers = [("Authorization", f"Bearer {KEYS[Scope.ADMIN]}")] * 2
    assert client_of(house, None).get("/api/v1/stations", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "needed"),
    [
        ("get", "/api/v1/stations", None, Scope.READ),
        ("get", "/api/v1/openapi.json", None, Scope.READ),
        ("post", "/api/v1/stations/CP-1/reset", {}, Scope.OPERATE),
        ("post", "/api/v1/stations/CP-1/commands", {"command": "clear_cache"}, Scope.OPERATE),
        ("put", "/api/v1/tokens/T", {}, Scope.OPERATE),
        ("post", "/api/v1/tokens", [{"token": "T"}], Scope.OPERATE),
        ("delete", "/api/v1/tokens/T", None, Scope.OPERATE),
        ("put", "/api/v1/stations/CP-1", {}, Scope.ADMIN),
        ("patch", "/api/v1/stations/CP-1", {}, Scope.ADMIN),
    ],
)
def test_a_scope_reaches_as_far_as_it_says(client_of, method, path, body, needed):
    for scope in Scope:
        house = TestHouse()
        house.add_station("CP-1")
        response = client_of(house, scope).request(method, path, json=body)
        assert (response.status_code == 403) == (not scope.allows(needed)), (scope, response.text)
        if response.status_code == 403:
            assert str(needed) in response.json()["detail"]
            assert house.gateway.requests == []


CHANGES_NOTHING = ("/api/v1/site-checks",)
"""Asked by POST because the question is long."""


def test_every_route_that_changes_something_needs_more_than_read(house):
    app = create_app(house.services)
    document = app.openapi()
    changing = [
        (m, p) for p, item in document["paths"].items() for m in item if m != "get" and p not in CHANGES_NOTHING
    ]
    assert changing
    client = TestClient(app, headers={"Authorization": f"Bearer {KEYS[Scope.READ]}"})
    bodies = {"/api/v1/tokens": [{"token": "T"}], "/api/v1/stations/{station}/commands": {"command": "clear_cache"}}
    full = {"token": "T", "transaction_id": "1", "evse": 1, "message": "Heartbeat", "operative": True}
    for method, path in changing:
        schema = document["paths"][path][method].get("requestBody")
        ref = schema["content"]["application/json"]["schema"].get("$ref", "") if schema else ""
        known = document["components"]["schemas"].get(ref.rpartition("/")[2], {}).get("properties", {})
        body = bodies.get(path, {name: value for name, value in full.items() if name in known})
        assert client.request(method, concrete(path), json=body).status_code == 403, (method, path)


def test_the_key_is_not_in_what_handlers_see(house, client_of):
    client = client_of(house)
    seen = []

    @client.app.get("/api/v1/mirror")
    async def mirror(request: Request):
        seen.extend(name for name, _ in request.scope["headers"])
        return {}

    assert client.get("/api/v1/mirror").status_code == 200
    assert b"authorization" not in seen
