"""The embedded Redis, for real."""

import os
import shutil
import signal
import socket
import stat

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError

from deploy.processes import working_in
from deploy.servers.binaries import redis_programs
from deploy.servers.data_dir import DataDir, ServerNote
from deploy.servers.errors import BinariesMissing, DataDirError, StartFailed
from deploy.servers.identity import Identity, can_become
from deploy.servers.redis import RedisServer

pytestmark = pytest.mark.integration


@pytest.fixture
def data_dir(tmp_path):
    data_dir = DataDir(tmp_path / "da ta")  # Redis' configuration file has its own idea of spaces
    data_dir.prepare()
    return data_dir


@pytest.fixture
def server(data_dir):
    server = RedisServer(data_dir)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(server):
    with Redis.from_url(server.url, decode_responses=True) as client:
        yield client


def test_it_serves_with_safe_settings_on_loopback_only(client):
    wanted = {
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "save": "",
        "aof-load-truncated": "yes",
        "no-appendfsync-on-rewrite": "no",
        "bind": "127.0.0.1",
        "protected-mode": "yes",
    }
    assert {name: client.config_get(name)[name] for name in wanted} == wanted


def test_nobody_gets_in_without_the_password(server):
    with Redis(host="127.0.0.1", port=server.port) as stranger, pytest.raises(AuthenticationError):
        stranger.ping()


def test_its_configuration_is_closed_to_others(server):
    assert stat.S_IMODE((server.folder / "redis.conf").stat().st_mode) == 0o600
    assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700


def test_port_and_data_are_the_same_after_stop_and_start(server, client):
    client.set("answer", 42)
    url = server.url
    server.stop()
    assert (server.alive(), working_in(server.folder)) == (False, [])
    assert server.start() == url
    assert client.get("answer") == "42"


def test_after_kill_9_it_comes_back_with_all_that_was_answered(server, client):
    client.set("answer", 42)
    pid = server.pid
    os.kill(pid, signal.SIGKILL)
    server.process.ended.wait(10)
    server.restart()
    assert server.pid != pid
    assert client.get("answer") == "42"


def test_a_tail_cut_off_by_a_crash_costs_only_the_tail(server, client):
    client.set("answer", 42)
    client.set("last", "x" * 100)
    server.process.kill()
    aof = server.folder / "appendonly.aof"
    os.truncate(aof, aof.stat().st_size - 20)
    server.restart()
    assert (client.get("answer"), client.get("last")) == ("42", None)


def test_damage_in_the_middle_is_refused_with_advice(server, client):
    for number in range(100):
        client.set(f"key{number}", "x" * 100)
    server.stop()
    with (server.folder / "appendonly.aof").open("r+b") as file:
        file.seek(2000)
        file.write(b"garbage" * 10)
    with pytest.raises(
        StartFailed, match=r"redis ended as it started[\s\S]*reading the append only file[\s\S]*redis-check-aof"
    ):
        server.start()
    assert not server.alive()


def test_data_that_has_gone_is_told_and_not_made_anew(server):
    server.stop()
    shutil.rmtree(server.folder)
    with pytest.raises(DataDirError, match=r"Redis' data is gone from .* Restore the data directory"):
        server.start()


def test_data_of_a_later_redis_is_refused(server, data_dir):
    server.stop()
    data_dir.save_note("redis", ServerNote(port=server.port, flavour="redis", version=(99, 0, 1), made=True))
    with pytest.raises(BinariesMissing, match=r"written by redis 99\.0\.1"):
        server.start()


def test_data_of_redis_7_is_recognised_without_its_note(data_dir):
    # Redis 6.2 would ignore the folder and start with nothing.
    (data_dir.path / "redis" / "appendonlydir").mkdir(parents=True)
    old = [program for program in redis_programs() if program.version < (7,)]
    with pytest.raises(BinariesMissing, match="An older one cannot read it"):
        RedisServer(data_dir, programs=old).start()


def test_what_it_is_is_noted(server, data_dir):
    note = data_dir.note("redis")
    assert (note.port, note.made) == (server.port, True)
    assert note.flavour in {"redis", "valkey"}
    assert note.version >= (6, 2)


def test_a_busy_port_is_left_for_another(server, data_dir):
    server.stop()
    port = server.port
    with socket.create_server(("127.0.0.1", port)):
        server.start()
        assert server.port != port
        assert data_dir.note("redis").port == server.port


def test_a_server_left_over_by_a_killed_narke_is_ended(server, client, data_dir):
    client.set("answer", 42)
    left = server.process
    second = RedisServer(data_dir)
    try:
        second.start()
        assert left.ended.wait(5)
        assert second.port == server.port
        assert client.get("answer") == "42"
    finally:
        second.stop()


def test_a_changed_password_counts_at_the_next_start(server, data_dir):
    server.stop()
    (data_dir.secrets / "redis.password").unlink()
    before = server.url
    assert server.start() != before


@pytest.mark.parametrize("identity", [Identity.NAMESPACE, Identity.NOBODY_SEARCH])
def test_root_can_change_its_way(server, client, data_dir, identity):
    if os.geteuid() != 0 or not can_become(identity):
        pytest.skip(f"this user cannot become {identity}")
    client.set("answer", 42)
    server.stop()
    other = RedisServer(data_dir, identity=identity)
    try:
        other.start()
        assert other.folder.stat().st_uid == identity.file_owner
        assert client.get("answer") == "42"
    finally:
        other.stop()
    server.start()
    assert client.get("answer") == "42"


def test_ctrl_c_in_the_terminal_does_not_reach_it(server):
    assert os.getsid(server.pid) == server.pid


@pytest.mark.usefixtures("server")
def test_the_log_is_in_the_data_directory(data_dir):
    assert "Ready to accept connections" in (data_dir.log / "redis.log").read_text()
