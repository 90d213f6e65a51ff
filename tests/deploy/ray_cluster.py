"""A Ray cluster of several nodes on this machine, and a Narke on it, with PostgreSQL and Redis that are not its own."""

import contextlib
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import httpx2
import psutil
import psycopg

from tests.running import BIN, Narke, free_port

TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
"""As an operator secures a cluster: the same for all nodes, and for whoever joins."""
START_S, ASK_S, STOP_S = 90, 90, 20
STARTS_MAX = 3
FROM_OUTSIDE = """
import asyncio, json, sys
from actors import runtime
runtime.start(address=sys.argv[1], namespace="narke", object_store_mb=80)
found = {"names": sorted(runtime.names())}
if "directory" in found["names"]:
    found["directory"] = asyncio.run(runtime.find("directory").call("health"))
print(json.dumps(found))
"""


class RayNode:
    """A node: `ray start --block`, its raylet, and the workers of that."""

    def __init__(self, command, environment, log):
        self._log = log
        with log.open("w") as file:
            self._started = subprocess.Popen(
                [str(part) for part in command], stdout=file, stderr=file, env=environment, start_new_session=True
            )
        self._holder = psutil.Process(self._started.pid)
        Narke.wait_until(lambda: "Ray runtime started" in self.said or not self.lives, START_S)

    @property
    def said(self):
        return self._log.read_text()

    @property
    def lives(self):
        return self._started.poll() is None

    @property
    def raylet(self):
        """The process; None: it has ended."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in self._holder.children(recursive=True):
                if process.name() == "raylet":
                    return process
        return None

    @property
    def workers(self):
        """The pids of the processes of Ray's actors."""
        with contextlib.suppress(psutil.NoSuchProcess):
            raylet = self.raylet
            return {process.pid for process in raylet.children(recursive=True)} if raylet else set()
        return set()

    def kill(self):
        """The machine loses its power."""
        if self.raylet is not None:
            self.raylet.kill()

    def stop(self):
        with contextlib.suppress(psutil.NoSuchProcess):
            family = [*self._holder.children(recursive=True), self._holder]
            self._holder.terminate()
            _, left = psutil.wait_procs(family, STOP_S)
            for process in left:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(left, STOP_S)
        self._started.wait(STOP_S)


class RayCluster:
    """Nodes as an operator starts them."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.address = f"127.0.0.1:{free_port()}"
        self.environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("NARKE_", "PROMETHEUS_"))
        } | {"RAY_USAGE_STATS_ENABLED": "0", **TOKEN}
        self.nodes = []

    def add(self, *, head=False):
        """Starts a node of one CPU."""
        where = ["--head", "--port", self.address.rpartition(":")[2]] if head else ["--address", self.address]
        sizes = ["--num-cpus", 1, "--object-store-memory", 80_000_000, "--include-log-monitor", "false"]
        command = [BIN / "ray", "start", "--block", *where, *sizes, "--disable-usage-stats"]
        if head:
            command += ["--temp-dir", self.folder, "--include-dashboard", "false"]
        for _ in range(STARTS_MAX):  # on a busy machine Ray gives up: it grants its own helpers 15 s to start
            node = RayNode(command, self.environment, self.folder.parent / f"node-{len(self.nodes)}.log")
            self.nodes.append(node)
            if node.lives:
                return node
        raise AssertionError(node.said)

    def drain(self, node_id):
        """As an operator, or an autoscaler, says that a node is to leave."""
        reason = ["--reason", "DRAIN_NODE_REASON_PREEMPTION", "--reason-message", "maintenance"]
        command = [BIN / "ray", "drain-node", "--address", self.address, "--node-id", node_id, *reason]
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment, check=False, timeout=ASK_S)
        assert done.returncode == 0, done.stdout + done.stderr

    def ask(self):
        """Names of Narke's actors in the cluster, and the health of its directory, asked from outside."""
        done = subprocess.run(
            [sys.executable, "-c", FROM_OUTSIDE, self.address],
            capture_output=True,
            text=True,
            env={**os.environ, **TOKEN},
            check=True,
            timeout=ASK_S,
        )
        return json.loads(done.stdout)

    def stop(self):
        for node in reversed(self.nodes):
            node.stop()


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

    def on(self, node):
        """Names of its processes on a node."""
        workers = node.workers
        return {name for name, pid in self.processes.items() if pid in workers}

    @property
    def places(self):
        """Where each node shows its metrics, by the node's id."""
        targets = self.api("GET", "/system/targets").json()
        return {each["labels"]["ray_node"]: each["targets"][0] for each in targets if each["labels"]["job"] == "narke"}

    def metrics_of(self, node_id):
        return httpx2.get(f"http://{self.places[node_id]}/metrics", timeout=10).text
