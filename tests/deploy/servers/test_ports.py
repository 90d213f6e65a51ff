"""Free ports."""

import socket

import pytest

from deploy.servers import ports
from deploy.servers.errors import ServerError


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_listener_takes_its_port(taken):
    assert not ports.is_free(taken)


def test_the_remembered_port_is_taken_again_when_free(taken):
    port = ports.choose_port(None)
    assert ports.FIRST <= port < ports.LAST
    assert ports.choose_port(port) == port
    assert ports.choose_port(taken) != taken


def test_no_free_port_is_told(taken, monkeypatch):
    monkeypatch.setattr(ports, "FIRST", taken)
    monkeypatch.setattr(ports, "LAST", taken + 1)
    with pytest.raises(ServerError, match="no free TCP port"):
        ports.choose_port(None)
