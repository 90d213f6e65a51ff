"""The two ports are looked at before anything starts."""

import socket

import pytest

from deploy import doors
from deploy.doors import DoorTaken, check
from deploy.settings import Settings


def settings_with(tmp_path, ocpp, http):
    plain = Settings(data_dir=tmp_path)
    return plain.model_copy(
        update={
            "ocpp": plain.ocpp.model_copy(update={"port": ocpp}),
            "http": plain.http.model_copy(update={"port": http}),
        }
    )


@pytest.fixture
def free():
    def port():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    return port


@pytest.fixture
def taken():
    """A port on which somebody listens, ready to share it as an ingress is."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_free_ports_pass(tmp_path, free):
    check(settings_with(tmp_path, free(), free()))


def test_a_taken_port_is_named_with_the_flag_that_changes_it(tmp_path, free, taken, monkeypatch):
    monkeypatch.setattr(doors, "PATIENCE_S", 0)
    with pytest.raises(DoorTaken, match=rf"OCPP port.*{taken}.*--port"):
        check(settings_with(tmp_path, taken, free()))


def test_both_taken_ports_are_named(tmp_path, taken, monkeypatch):
    monkeypatch.setattr(doors, "PATIENCE_S", 0)
    with pytest.raises(DoorTaken) as caught:
        check(settings_with(tmp_path, taken, taken))
    assert "OCPP port" in str(caught.value)
    assert "--http-port" in str(caught.value)


def test_files_of_tls_that_cannot_be_used_are_said_before_anything_starts(tmp_path, monkeypatch):
    monkeypatch.setattr(doors, "PATIENCE_S", 0.0)
    settings = settings_with(tmp_path, 0, 0)
    tls = {"tls_port": 0, "tls_certificates": (tmp_path / "missing.pem",)}
    settings = settings.model_copy(update={"ocpp": settings.ocpp.model_copy(update=tls)})
    with pytest.raises(DoorTaken, match=r"TLS files: .*missing\.pem cannot be read"):
        check(settings)
