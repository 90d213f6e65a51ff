"""Narke on a Ray cluster of two nodes on this machine, with PostgreSQL and Redis of its own.

The first node is where `narke up` runs; the second is killed with kill -9 while stations charge.
"""

import asyncio
import contextlib
import itertools
import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx2
import psutil
import psycopg
import pytest
from pydantic import SecretStr

from actors.runtime import Node
from deploy.cluster import problems_of
from deploy.servers.local import LocalServers
from deploy.settings import Settings
from tests.running import BIN, Narke, eventually, free_port
from tests.stations import SUBPROTOCOLS, Teller, assert_kept

STATIONS = 6
BEFORE, AFTER = 3, 5
"""Meter values of each station that are answered before the node dies and after."""
BACK_S = 60
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
"""As an operator secures a cluster: the same for all nodes, and for whoever joins."""
POSTGRES_URL = SecretStr("postgresql://narke@db.example/narke")
REDIS_URL = SecretStr("redis://redis.example:6379/0")
LOOPBACK_URL = SecretStr("redis://127.0.0.1:6379/0")


class RayCluster:
    """Ray nodes as an operator starts them; each raylet is a process of its own and can be killed."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.port = free_port()
        self.environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("NARKE_", "PROMETHEUS_"))
        } | {"RAY_USAGE_STATS_ENABLED": "0", **TOKEN}
        self.nodes = []
        self._started = []

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def add(self, *, head=False):
        """Starts a node; the process that holds it is its `ray start --block`."""
        where = ["--head", "--port", self.port] if head else ["--address", self.address]
        sizes = ["--num-cpus", 1, "--object-store-memory", 80_000_000, "--include-log-monitor", "false"]
        command = [BIN / "ray", "start", "--block", *where, *sizes, "--disable-usage-stats"]
        if head:
            command += ["--temp-dir", self.folder, "--include-dashboard", "false"]
        with (self.folder.parent / f"node-{len(self.nodes)}.log").open("w") as log:
            started = subprocess.Popen(
                [str(part) for part in command], stdout=log, stderr=log, env=self.environment, start_new_session=True
            )
        self._started.append(started)
        self.nodes.append(psutil.Process(started.pid))
        Narke.wait_until(lambda: self.raylet(-1) is not None or started.poll() is not None, 40)
        assert started.poll() is None, (self.folder.parent / f"node-{len(self.nodes) - 1}.log").read_text()

    def raylet(self, number):
        """The raylet of a node; None: not there."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in self.nodes[number].children(recursive=True):
                if process.name() == "raylet":
                    return process
        return None

    def workers(self, number):
        """The processes of Ray's actors on a node, by pid."""
        raylet = self.raylet(number)
        return set() if raylet is None else {process.pid for process in raylet.children(recursive=True)}

    def stop(self):
        for node in reversed(self.nodes):
            with contextlib.suppress(psutil.NoSuchProcess):
                family = [*node.children(recursive=True), node]
                node.terminate()
                _, left = psutil.wait_procs(family, 10)
                for process in left:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.kill()
                psutil.wait_procs(left, 5)
        for started in self._started:
            started.wait(10)


class ClusterNarke(Narke):
    """`narke up --address`, on servers that are not its own."""

    def __init__(self, folder, urls, **settings):
        super().__init__(folder, **settings)
        self.urls = urls

    @property
    def environment(self):
        return super().environment | TOKEN

    def arguments(self, address):
        urls = ["--postgres-url", self.urls.postgres_url, "--redis-url", self.urls.redis_url]
        return ["--address", address, *urls]

    def sql(self, query, *parameters):
        with psycopg.connect(self.urls.postgres_url, row_factory=psycopg.rows.dict_row) as connection:
            return connection.execute(query, parameters).fetchall()


@pytest.fixture(scope="module")
def urls(tmp_path_factory):
    servers = LocalServers(Settings(data_dir=tmp_path_factory.mktemp("servers")))
    yield servers.start()
    servers.stop()


@pytest.fixture(scope="module")
def cluster():
    with tempfile.TemporaryDirectory(prefix="narke-ray-") as folder:  # short: it is part of names of sockets
        cluster = RayCluster(Path(folder) / "ray")
        cluster.folder.mkdir()
        try:
            cluster.add(head=True)
            cluster.add()
            yield cluster
        finally:
            cluster.stop()


def refused(folder, *arguments):
    """What `narke up` says when it cannot start."""
    narke = Narke(folder)
    ports = ["--port", narke.ocpp_port, "--http-port", narke.http_port]
    command = [BIN / "narke", "up", "--data-dir", narke.data_dir, *ports, *arguments]
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        env=narke.environment | TOKEN,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout + done.stderr


def names_in(address):
    """Names of Narke's actors in the cluster, asked from outside."""
    code = (
        "import sys; from actors import runtime; "
        "runtime.start(address=sys.argv[1], namespace='narke', object_store_mb=80); print(*runtime.names())"
    )
    command = [sys.executable, "-c", code, address]
    environment = {**os.environ, **TOKEN}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True, timeout=60)
    return set(done.stdout.split())


async def charge(teller, until):
    """Meter values in closed loop."""
    while not until.is_set():
        await teller.meter()
        await asyncio.sleep(0.05)


async def gone_on(tellers, count):
    goals = [(teller, len(teller.readings) + count) for teller in tellers]
    await eventually(lambda: all(len(teller.readings) >= goal for teller, goal in goals), BACK_S)


@pytest.mark.cluster
@pytest.mark.integration
@pytest.mark.crash
@pytest.mark.timeout(115)
async def test_a_node_dies_and_nothing_answered_is_lost(cluster, urls, tmp_path):
    narke = ClusterNarke(tmp_path, urls, actors__ingresses=2, actors__station_actors=4)
    narke.start(*narke.arguments(cluster.address))
    try:
        await eventually((narke.data_dir / "run" / "narke.json").exists)
        assert_spread(narke, cluster)
        assert_both_nodes_show_their_metrics(narke)
        narke.cli("tokens", "add", "DRIVER")
        versions = itertools.islice(itertools.cycle(SUBPROTOCOLS), STATIONS)
        tellers = [Teller(narke, f"CLUSTER-{number}", version) for number, version in enumerate(versions)]
        await asyncio.gather(*(teller.tell("boot", "authorize", "start") for teller in tellers))
        until = asyncio.Event()
        charging = [asyncio.create_task(charge(teller, until)) for teller in tellers]
        await gone_on(tellers, BEFORE)

        lost = cluster.workers(1) & set(narke.processes.values())
        cluster.raylet(1).kill()
        await gone_on(tellers, AFTER)
        await eventually(lambda: not lost & set(narke.processes.values()) and narke.is_ready(), BACK_S)
        assert set(narke.processes.values()) <= cluster.workers(0), "all live on the node that is left"

        until.set()
        await asyncio.gather(*charging)
        await asyncio.gather(*(teller.stop() for teller in tellers))
        await asyncio.to_thread(assert_kept, narke, tellers)
        await asyncio.gather(*(teller.close() for teller in tellers))
        assert len(places_of(narke)) == 1, "the exporter went with its node"
    finally:
        status = narke.stop()
    assert status == 0, narke.said()
    assert names_in(cluster.address) == set(), "the cluster lives on, without us"


def assert_spread(narke, cluster):
    """What needs the data directory is where `narke up` is; ingresses and station actors are on both nodes."""
    pids = narke.processes
    here, there = ({name for name, pid in pids.items() if pid in cluster.workers(node)} for node in (0, 1))
    assert {"http", "projector", "directory"} <= here, (here, there)
    assert all(any(name.startswith(kind) for name in there) for kind in ("ingress-", "stations-")), (here, there)
    assert any(name.startswith("ingress-") for name in here), (here, there)


def places_of(narke):
    targets = narke.api("GET", "/system/targets").json()
    return [place for each in targets if each["labels"]["job"] == "narke" for place in each["targets"]]


def assert_both_nodes_show_their_metrics(narke):
    places = places_of(narke)
    assert len(set(places)) == 2
    shown = [httpx2.get(f"http://{place}/metrics", timeout=10).text for place in places]
    assert all("narke_ingress_connections" in text and "narke_actor_mailbox" in text for text in shown)
    assert sum("narke_directory_version 0.0" in text for text in shown) == 1, "the directory is on one of them"


@pytest.mark.cluster
@pytest.mark.integration
@pytest.mark.timeout(90)
def test_a_second_narke_in_the_namespace_is_refused(cluster, urls, tmp_path):
    narke = ClusterNarke(tmp_path / "first", urls)
    (tmp_path / "first").mkdir()
    narke.start(*narke.arguments(cluster.address))
    try:
        said = refused(tmp_path / "second", *narke.arguments(cluster.address))
        assert "another Narke runs in namespace narke" in said
        assert "--set ray.namespace=" in said
        assert narke.is_ready()
    finally:
        narke.stop()


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


def settings_of(postgres=POSTGRES_URL, redis=REDIS_URL, host="0.0.0.0"):
    return Settings(servers={"postgres_url": postgres, "redis_url": redis}, ocpp={"host": host})


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
