import pytest
from starlette.testclient import TestClient

from ingress.http.app import create_app
from ingress.http.keys import Scope
from tests.ingress.http.house import KEYS, TestHouse


@pytest.fixture
def house():
    return TestHouse()


@pytest.fixture
def client_of():
    """A client of a house, with the key of a scope (None: no key)."""
    opened = []

    def connect(house: TestHouse, scope: Scope | None = Scope.ADMIN) -> TestClient:
        headers = {} if scope is None else {"Authorization": f"Bearer {KEYS[scope]}"}
        client = TestClient(create_app(house.services), headers=headers)
        opened.append(client)
        return client

    yield connect
    for client in opened:
        client.close()


@pytest.fixture
def client(house, client_of):
    return client_of(house)
