"""Both servers together: started, watched, stopped; and what becomes of them when Narke is killed."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading

import psycopg
import pytest
from redis import Redis

from deploy.processes import wait_until_gone
from deploy.servers.data_dir import holder_of
from deploy.servers.errors import DataDirInUse, OutsideServerUnfit, ServerError, StartFailed
from deploy.servers.local import LocalServers
from deploy.settings import ServersSettings, Settings

pytestmark = pytest.mark.integration

CHILD = """
import json, sys, threading
from pathlib import Path
from deploy.servers.local import LocalServers
from deploy.settings import Settings
servers = LocalServers(Settings(data_dir=Path(sys.argv[1])))
starter = threading.Thread(target=servers.start)  # its end must not be the end of the servers
starter.start()
starter.join()
servers.watch()
print(json.dumps(dict(servers.pids)), flush=True)
sys.stdin.read()
servers.stop()
"""


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def servers(settings):
    servers = LocalServers(settings)
    yield servers
    servers.stop()


def roundtrip(urls):
    with Redis.from_url(urls.redis_url) as client:
        client.incr("count")
    with psycopg.connect(urls.postgres_url) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def test_both_start_serve_and_stop_and_the_lock_goes_with_them(servers, settings):
    urls = servers.start()
    assert roundtrip(urls)
    assert servers.alive() == {"postgres": True, "redis": True}
    assert holder_of(settings.data_dir) == os.getpid()
    pids = list(servers.pids.values())
    servers.stop()
    assert wait_until_gone(pids, 0) == []
    assert holder_of(settings.data_dir) is None
    assert servers.start() == urls
    servers.stop()
    servers.stop()


def test_a_second_narke_on_the_same_data_is_refused(servers, settings):
    servers.start()
    with pytest.raises(DataDirInUse, match=f"process {os.getpid()}"):
        LocalServers(settings).start()
    assert all(servers.alive().values())


def test_killed_servers_come_back_on_the_same_port_and_are_counted(servers):
    urls = servers.start()
    came_back = queue.Queue(10)
    servers.watch(lambda name, pid: came_back.put((name, pid)))
    before = dict(servers.pids)
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    back = dict([came_back.get(timeout=20), came_back.get(timeout=20)])
    assert back == dict(servers.pids)
    assert back.keys() == before.keys()
    assert set(back.values()).isdisjoint(before.values())
    assert servers.restarts == {"postgres": 1, "redis": 1}
    assert roundtrip(urls)
    os.kill(back["redis"], signal.SIGKILL)
    assert came_back.get(timeout=20)[0] == "redis"
    assert servers.restarts == {"postgres": 1, "redis": 2}
    assert roundtrip(urls)


def test_a_killed_backend_of_postgresql_does_not_stop_it(servers):
    urls = servers.start()
    servers.watch()
    with psycopg.connect(urls.postgres_url) as connection:
        backend = connection.info.backend_pid
        os.kill(backend, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert servers.alive()["postgres"]


def test_stopping_while_one_is_down_ends_all(servers):
    servers.start()
    servers.watch()
    pids = dict(servers.pids)
    os.kill(pids["redis"], signal.SIGKILL)
    servers.stop()
    assert wait_until_gone(pids.values(), 0) == []
    assert servers.pids == {}


def test_stop_from_another_thread_ends_a_start_under_way(servers):
    outcome = queue.Queue(1)

    def start():
        try:
            outcome.put(servers.start())
        except ServerError as error:
            outcome.put(error)

    starter = threading.Thread(target=start)
    starter.start()
    servers.stop()
    starter.join()
    servers.stop()
    assert servers.pids == {}
    assert isinstance(outcome.get(), StartFailed | tuple)


def test_when_one_does_not_start_the_other_does_not_stay(servers, settings):
    servers.start()
    servers.stop()
    aof = settings.data_dir / "redis" / "appendonly.aof"
    aof.write_bytes(b"garbage")
    with pytest.raises(StartFailed, match="redis ended as it started"):
        servers.start()
    assert servers.pids == {}
    assert holder_of(settings.data_dir) is None


def test_servers_given_by_url_are_checked_and_not_started(servers, tmp_path):
    urls = servers.start()
    outside = Settings(data_dir=tmp_path / "other").with_servers(
        postgres_url=urls.postgres_url, redis_url=urls.redis_url
    )
    other = LocalServers(outside)
    assert other.start() == urls
    assert (other.pids, other.restarts) == ({}, {})
    assert not (tmp_path / "other" / "postgres").exists()
    other.stop()
    assert roundtrip(urls)


@pytest.mark.parametrize("name", ["postgres_url", "redis_url"])
def test_an_outside_server_that_is_away_is_told(tmp_path, name):
    scheme = name.removesuffix("_url").replace("postgres", "postgresql")
    given = ServersSettings(**{name: f"{scheme}://:sesame@127.0.0.1:1/0"})
    servers = LocalServers(Settings(data_dir=tmp_path / "data", servers=given))
    with pytest.raises(OutsideServerUnfit, match=r"127\.0\.0\.1:1") as caught:
        servers.start()
    assert "sesame" not in str(caught.value)
    assert servers.pids == {}


def test_an_outside_redis_that_could_lose_data_is_refused(servers, tmp_path):
    urls = servers.start()
    with Redis.from_url(urls.redis_url) as client:
        client.config_set("appendfsync", "everysec")
    outside = Settings(data_dir=tmp_path / "other").with_servers(
        postgres_url=urls.postgres_url, redis_url=urls.redis_url
    )
    with pytest.raises(OutsideServerUnfit, match="appendfsync"):
        LocalServers(outside).start()


@pytest.fixture
def narke(settings):
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(settings.data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    process.servers = json.loads(process.stdout.readline())
    yield process
    process.kill()
    process.communicate()
    for pid in process.servers.values():
        wait_until_gone([pid], 10)


@pytest.mark.crash
def test_servers_die_with_a_narke_that_is_killed(narke, servers):
    assert len(narke.servers) == 2
    os.kill(narke.pid, signal.SIGKILL)
    narke.wait()
    assert wait_until_gone(narke.servers.values(), 20) == []
    assert roundtrip(servers.start())


@pytest.mark.crash
def test_a_new_narke_takes_over_while_the_servers_of_the_killed_one_still_end(narke, servers):
    os.kill(narke.pid, signal.SIGKILL)
    narke.wait()
    assert roundtrip(servers.start())
    assert set(servers.pids.values()).isdisjoint(narke.servers.values())


def test_ctrl_c_in_the_terminal_is_not_for_the_servers(narke):
    for pid in narke.servers.values():
        assert os.getpgid(pid) != os.getpgid(narke.pid)
