"""Narke on a Ray cluster whose nodes join, die and are drained while stations charge.

One Narke for all, started on a cluster of one node; each test brings a second node and ends without it.
PostgreSQL holds what was answered, each exactly once, whatever happened to the nodes.
"""

import asyncio
import contextlib
import itertools
import re
import subprocess
import tempfile
from pathlib import Path

import pytest

from deploy.servers.local import LocalServers
from deploy.settings import Settings
from tests.deploy.ray_cluster import ClusterNarke, RayCluster
from tests.running import BIN, Narke, eventually
from tests.stations import SUBPROTOCOLS, Teller, assert_kept

pytestmark = [pytest.mark.cluster, pytest.mark.integration, pytest.mark.crash, pytest.mark.timeout(300)]

STATIONS = 6
STEP = 4
"""Meter values of each station that are answered before something happens, and after it."""
PACE_S, PAUSE_S = 0.05, 0.5
BACK_S = 120
names = itertools.count(1)


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
            yield cluster
        finally:
            cluster.stop()


@pytest.fixture(scope="module")
def narke(cluster, urls, tmp_path_factory):
    narke = ClusterNarke(tmp_path_factory.mktemp("narke"), urls)
    narke.start(*narke.arguments(cluster.address))
    try:
        Narke.wait_until((narke.data_dir / "run" / "narke.json").exists, BACK_S)
        narke.cli("tokens", "add", "DRIVER")
        yield narke
    finally:
        status = narke.stop()
    assert status == 0, narke.said()
    assert cluster.ask()["names"] == [], "the cluster lives on, without us"


class Crowd:
    """Stations of the three versions that charge in closed loop."""

    def __init__(self, narke):
        versions = itertools.islice(itertools.cycle(SUBPROTOCOLS), STATIONS)
        self.tellers = [Teller(narke, f"CLUSTER-{next(names):03}", version) for version in versions]
        self._narke = narke
        self._until = asyncio.Event()
        self._tasks = []

    async def start(self):
        await asyncio.gather(*(teller.tell("boot", "authorize", "start") for teller in self.tellers))
        self._tasks = [asyncio.create_task(self._charge(teller)) for teller in self.tellers]
        await self.go_on()

    async def go_on(self):
        """Returns when each had some more meter values answered."""
        goals = [(teller, len(teller.readings) + STEP) for teller in self.tellers]
        await eventually(lambda: all(len(teller.readings) >= goal for teller, goal in goals), BACK_S)

    @property
    def sockets(self):
        """The connections that are open; a station that lost one has another."""
        return [id(teller._socket) for teller in self.tellers if teller._socket is not None]

    async def finish(self):
        """All tell their stories to the end; nothing of them is lost, nothing is there twice."""
        self._until.set()
        await asyncio.gather(*self._tasks)
        await asyncio.gather(*(teller.stop() for teller in self.tellers))
        await asyncio.to_thread(assert_kept, self._narke, self.tellers)

    async def close(self):
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(teller.close() for teller in self.tellers))

    async def _charge(self, teller):
        while not self._until.is_set():
            await teller.meter()
            await asyncio.sleep(PACE_S)


@pytest.fixture
async def crowd(narke):
    crowd = Crowd(narke)
    yield crowd
    await crowd.close()


async def until(condition):
    """Waits for what takes a while and is not asked for free: seldom, and beside the loop in which stations charge."""
    async with asyncio.timeout(BACK_S):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(PAUSE_S)


@contextlib.asynccontextmanager
async def second_node(cluster, narke):
    """A node that has joined, for the time of a test. It is gone afterwards, and so is what ran there."""
    node = await asyncio.to_thread(cluster.add)
    try:
        yield node
    finally:
        node.kill()
        await until(lambda: at_home_only(cluster, narke))


async def works(narke, node):
    """Returns the names of what works on the node once it does: a station actor and an ingress."""
    await until(lambda: kinds(narke.on(node)) == {"stations", "ingress"} and narke.is_ready())
    return narke.on(node)


def kinds(processes):
    return {name.rpartition("-")[0] or name for name in processes} - {"exporter"}


def at_home_only(cluster, narke):
    """The servers are nobody's workers."""
    head = cluster.nodes[0]
    own = {name for name, pid in narke.processes.items() if pid in narke_family(narke)}
    return narke.processes.keys() - own == narke.on(head) and narke.is_ready()


def narke_family(narke):
    return {process.pid for process in narke.family()}


async def shares(cluster):
    """Units by station actor, as the directory has them."""
    return (await asyncio.to_thread(cluster.ask))["directory"]["units_by_actor"]


async def moved_to(cluster, names):
    """Returns when each of the station actors owns units."""
    async with asyncio.timeout(BACK_S):
        owned = await shares(cluster)
        while not all(owned.get(name) for name in names):
            await asyncio.sleep(0.2)
            owned = await shares(cluster)


def hosts(processes):
    return {name for name in processes if name.startswith("stations-")}


def facts_of(text):
    """How many facts a node's station actors have recorded, by its metrics."""
    return sum(float(count) for count in re.findall(r"^narke_facts_total\{[^}]*\} (\S+)$", text, re.MULTILINE))


async def test_a_node_that_joins_takes_shards_and_no_socket_is_dropped(cluster, narke, crowd):
    await crowd.start()
    sockets = crowd.sockets
    async with second_node(cluster, narke) as node:
        await moved_to(cluster, hosts(await works(narke, node)))
        found = await asyncio.to_thread(cluster.ask)
        assert sum(found["directory"]["units_by_actor"].values()) == 64
        assert min(found["directory"]["units_by_actor"].values()) > 64 // 4, "a fair share"

        (other,) = [node_id for node_id in narke.places if f"exporter-{node_id}" in found["names"]]
        before = facts_of(narke.metrics_of(other))
        await crowd.go_on()
        assert facts_of(narke.metrics_of(other)) > before, "the new node works"
        assert crowd.sockets == sockets
        await crowd.finish()
        assert crowd.sockets == sockets


async def test_a_node_dies_and_nothing_answered_is_lost(cluster, narke, crowd):
    async with second_node(cluster, narke) as node:
        lost = await works(narke, node)
        assert {"http", "projector", "directory"} <= narke.on(cluster.nodes[0])
        await moved_to(cluster, hosts(lost))
        await crowd.start()
        node.kill()
        await crowd.go_on()
        await until(lambda: not lost & narke.processes.keys() and narke.is_ready())
        await crowd.finish()
        assert not hosts(lost) & (await shares(cluster)).keys(), "nobody waits for them"
        await until(lambda: len(narke.places) == 1)


async def test_a_drained_node_gives_everything_away_before_it_leaves(cluster, narke, crowd):
    async with second_node(cluster, narke) as node:
        left = await works(narke, node)
        await moved_to(cluster, hosts(left))
        await crowd.start()
        (other,) = [node_id for node_id, place in narke.places.items() if not place.endswith(f":{narke.http_port}")]
        await asyncio.to_thread(cluster.drain, other)
        await until(lambda: not left & narke.processes.keys() and narke.is_ready())
        await crowd.go_on()
        assert not hosts(left) & (await shares(cluster)).keys()
        await crowd.finish()
        await until(lambda: len(narke.places) == 1)


async def test_the_directory_dies_while_a_node_joins(cluster, narke, crowd):
    await crowd.start()
    sockets = crowd.sockets
    known = hosts(narke.processes)
    async with second_node(cluster, narke) as node:
        await until(lambda: hosts(narke.processes) - known)
        pid = narke.kill("directory")
        await asyncio.to_thread(narke.wait_until_back, "directory", pid)
        await moved_to(cluster, hosts(await works(narke, node)))
        await crowd.go_on()
        await crowd.finish()
        assert crowd.sockets == sockets


def test_a_second_narke_in_the_namespace_is_refused(cluster, narke, tmp_path):
    second = ClusterNarke(tmp_path, narke.urls)
    ports = ["--port", second.ocpp_port, "--http-port", second.http_port]
    command = [BIN / "narke", "up", "--data-dir", second.data_dir, *ports, *second.arguments(cluster.address)]
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, env=second.environment, check=False, timeout=90
    )
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "another Narke runs in namespace narke" in said
    assert "--set ray.namespace=" in said
    assert narke.is_ready()
