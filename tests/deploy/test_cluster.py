"""What joining a Ray cluster asks of the settings, and what is said where there is none to join."""

import subprocess

import pytest
from pydantic import SecretStr

from actors.runtime import Node
from deploy.cluster import fit, overbookings_of, problems_of
from deploy.settings import Settings
from tests.running import BIN, Narke, free_port

POSTGRES_URL = SecretStr("postgresql://narke@db.example/narke")
REDIS_URL = SecretStr("redis://redis.example:6379/0")
LOOPBACK_URL = SecretStr("redis://127.0.0.1:6379/0")


def refused(folder, *arguments):
    """What `narke up` says when it cannot start."""
    narke = Narke(folder)
    ports = ["--port", narke.ocpp_port, "--http-port", narke.http_port]
    command = [BIN / "narke", "up", "--data-dir", narke.data_dir, *ports, *arguments]
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        env=narke.environment,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.integration
def test_no_cluster_at_the_address_is_said_at_once(tmp_path):
    port = free_port()
    said = refused(tmp_path, "--address", f"127.0.0.1:{port}")
    assert "no Ray cluster answers at" in said
    assert str(port) in said
    assert "leave it out" in said


@pytest.mark.integration
def test_ray_client_is_refused_with_the_way_to_go(tmp_path):
    assert "--address auto" in refused(tmp_path, "--address", "ray://127.0.0.1:10001")


HOME, TWIN, FAR = Node("a", "10.0.0.1", 2), Node("b", "10.0.0.1", 2), Node("c", "10.0.0.9", 4)


def settings_of(postgres=POSTGRES_URL, redis=REDIS_URL, host="0.0.0.0", **actors):
    return Settings(servers={"postgres_url": postgres, "redis_url": redis}, ocpp={"host": host}, actors=actors)


def test_one_node_may_use_embedded_servers():
    assert list(problems_of(settings_of(None, None, "127.0.0.1"), [HOME], "a")) == []


def test_several_nodes_need_servers_of_the_operator():
    postgres, redis = problems_of(settings_of(None, None), [HOME, TWIN], "a")
    assert "--postgres-url" in postgres
    assert "--redis-url" in redis


def test_other_machines_do_not_reach_our_loopback():
    (problem,) = problems_of(settings_of(redis=LOOPBACK_URL), [HOME, FAR], "a")
    assert "--redis-url" in problem
    assert "10.0.0.9" in problem
    assert list(problems_of(settings_of(redis=LOOPBACK_URL), [HOME, TWIN], "a")) == []


def test_other_machines_do_not_have_our_address():
    (problem,) = problems_of(settings_of(host="10.0.0.1"), [HOME, FAR], "a")
    assert "ocpp.host = 0.0.0.0" in problem


def test_a_cluster_of_several_machines_with_servers_of_its_own_is_fine():
    assert list(problems_of(settings_of(), [HOME, TWIN, FAR], "a")) == []


def test_a_node_that_joins_later_and_cannot_be_used_is_left_out_with_the_reason():
    usable, (problem,) = fit(settings_of(redis=LOOPBACK_URL), [HOME, TWIN, FAR], "a")
    assert usable == (HOME, TWIN)
    assert "node c at 10.0.0.9" in problem
    assert "--redis-url" in problem


def test_nodes_that_fit_are_all_used():
    assert fit(settings_of(), [FAR, HOME, TWIN], "a") == ((HOME, FAR, TWIN), ())


def test_actors_that_would_reserve_more_than_a_node_has_are_refused():
    (problem,) = overbookings_of(settings_of(actor_cpus=1), [HOME, Node("d", "10.0.0.4", 1)], "a")
    assert "10.0.0.4 has 1 CPUs" in problem
    assert "would reserve 2" in problem
    assert "actors.actor_cpus" in problem


def test_actors_that_reserve_nothing_overbook_nobody():
    assert list(overbookings_of(settings_of(station_actors=64), [HOME, TWIN], "a")) == []
