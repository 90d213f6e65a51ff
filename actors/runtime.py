"""Ray, all of it: the only file that imports ray.

An actor of ours is a plain class with async methods, made by a factory inside its Ray process. `Host` is the Ray actor
around it: it makes the object at the first call (also after a restart, which Ray does by itself), awaits its
`start()`, and hands calls on. What Ray raises becomes the errors of `engine.ports`.

Factory and arguments travel pickled: nothing of the house is imported in an actor's process before its node's directory
of metrics is set, because prometheus_client looks for that when it is imported.
"""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import ray
import ray.exceptions
import structlog
from ray import cloudpickle
from ray._private.services import canonicalize_bootstrap_address_or_die
from ray._private.state import state
from ray.util import list_named_actors
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from engine.ports import ActorGone, ActorUnavailable

log = structlog.get_logger()

CONCURRENT_CALLS_MAX = 1_000
METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_CLUSTER_ANSWER_S_MAX = 5.0
RAY_LOCAL = {
    # Ray gives its workers a niceness of 15: under load our own processes would come after everybody else's.
    "RAY_worker_niceness": "0",
    # A record of every call, for Ray's dashboard, which we do not start.
    "RAY_task_events_report_interval_ms": "0",
}
"""How a Ray that we start differs from Ray's defaults. A cluster's nodes have theirs from whoever starts them."""


START_TRIES = 3


class ClusterUnavailable(ConnectionError):  # noqa: N818 (a state)
    """There is no Ray cluster to join. The message says where and what to do."""


class NameTaken(Exception):  # noqa: N818 (a state)
    """An actor of that name exists in our namespace."""


class Actor(Protocol):
    """What a class must have to be hosted."""

    async def start(self) -> None:
        """Called once per process, before any other method."""


class Node(NamedTuple):
    """A living node of the cluster.

    `address`: its IP address. `cpus`: as it told Ray. `draining`: it is to leave, and Ray puts nothing new on it.
    """

    id: str
    address: str
    cpus: float
    draining: bool = False


class MetricsDirs(NamedTuple):
    """Where processes keep the files of prometheus_client: a directory per node.

    `at_home`: on the node `home`. `elsewhere`: on every other, with the node's id below it.
    """

    home: str
    at_home: Path
    elsewhere: Path

    def of(self, node_id: str) -> Path:
        """The directory of a node's processes."""
        return self.at_home if node_id == self.home else self.elsewhere / node_id


class Spawn(NamedTuple):
    """How an actor is to run.

    `node_id`: on that Ray node; None: Ray spreads them. `pinned`: there or nowhere; else elsewhere once it is gone.
    `metrics`: None: of this process alone.
    """

    name: str
    factory: Callable[..., Actor]
    arguments: tuple[Any, ...]
    cpus: float = 0.0
    node_id: str | None = None
    pinned: bool = False
    metrics: MetricsDirs | None = None


class Host:
    """The Ray actor: makes the object of the house inside the process and hands calls on to it."""

    def __init__(self, pickled: bytes, metrics: MetricsDirs | None) -> None:
        if metrics is not None:
            folder = metrics.of(here())
            folder.mkdir(parents=True, exist_ok=True)
            os.environ[METRICS_VARIABLE] = str(folder)  # noqa: TID251 (prometheus_client takes it from nowhere else)
        self._factory, self._arguments = cloudpickle.loads(pickled)
        self._starting: asyncio.Task[Actor] | None = None

    async def call(self, method: str, *arguments: Any) -> Any:
        """Starts the object if this is the first call, then awaits `method(*arguments)` of it."""
        if self._starting is None or (self._starting.done() and self._starting.exception() is not None):
            self._starting = asyncio.get_running_loop().create_task(self._make())
        actor = await asyncio.shield(self._starting)
        return await getattr(actor, method)(*arguments)

    async def pid(self) -> int:
        """The process, whether or not the object could start."""
        return os.getpid()

    async def look(self) -> tuple[int, dict[str, Any]]:
        """The process and what the object says of its health; starts it if this is the first call."""
        return os.getpid(), await self.call("health")

    async def _make(self) -> Actor:
        actor: Actor = self._factory(*self._arguments)
        await actor.start()
        return actor


class ActorRef:
    """A handle of a hosted actor. Calls raise `ActorUnavailable` or `ActorGone`, or what the method raised."""

    def __init__(self, name: str, handle: Any) -> None:
        self.name = name
        self._handle = handle

    async def call(self, method: str, *arguments: Any) -> Any:
        """Awaits the method in the actor's process."""
        return await self._answer("call", method, *arguments)

    async def look(self) -> tuple[int, dict[str, Any]]:
        """The process id of the actor, and what it says of its health: one call, for it is made for ever."""
        pid, health = await self._answer("look")
        return int(pid), health

    async def pid(self) -> int:
        """The process id of the actor now."""
        return int(await self._answer("pid"))

    async def _answer(self, entry: str, *arguments: Any) -> Any:
        """What a method of the actor's `Host` returns."""
        try:
            return await getattr(self._handle, entry).remote(*arguments)
        except (ray.exceptions.ActorDiedError, ray.exceptions.ActorUnschedulableError) as error:
            raise ActorGone(f"actor {self.name} is dead, or its node is gone") from error
        except (ray.exceptions.RayActorError, ray.exceptions.GetTimeoutError, ray.exceptions.RaySystemError) as error:
            raise ActorUnavailable(f"actor {self.name} does not answer: {type(error).__name__}") from error
        except ray.exceptions.RayTaskError as error:
            raise _cause(error) from error

    def kill(self) -> None:
        """Ends the actor for good; Ray does not restart it."""
        ray.kill(self._handle, no_restart=True)


def _cause(error: ray.exceptions.RayTaskError) -> BaseException:
    """What the method raised; Ray's own wrapper where that is unknown."""
    return error.cause if isinstance(error.cause, BaseException) else error


def start(*, address: str | None, namespace: str, object_store_mb: int) -> Path:
    """Starts a local Ray (address None) or joins a running cluster; returns the folder of Ray's temporary files.

    Raises:
        ClusterUnavailable: There is no cluster at `address`, or this machine is not one of its nodes.
    """
    of_ray = logging.getLogger("ray")
    of_ray.handlers.clear()  # what Ray says goes where we log, not between the lines of a table
    of_ray.propagate = True
    options: dict[str, Any] = {"namespace": namespace, "log_to_driver": False, "configure_logging": False}
    if address is None:
        for variable, value in RAY_LOCAL.items():
            os.environ.setdefault(variable, value)  # noqa: TID251 (Ray's servers take it from nowhere else)
        options |= {
            "address": "local",
            "include_dashboard": False,
            "object_store_memory": object_store_mb * 1024 * 1024,
            "num_cpus": max(2, len(os.sched_getaffinity(0))),
        }
        context: Any = _started(options)
    else:
        options["address"] = _place_of_cluster(address)
        try:
            context = ray.init(**options)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ClusterUnavailable(
                f"the Ray cluster at {options['address']} cannot be joined: {error}. Run `narke up` on one of its "
                "machines, with the Ray and Python that the cluster has."
            ) from error
    return Path(context.address_info["session_dir"]).parent


def _started(options: dict[str, Any]) -> Any:
    """Starts Ray's servers. On a busy machine they may miss Ray's own 30 s: then once more from the beginning."""
    for tries_left in reversed(range(START_TRIES)):
        try:
            return ray.init(**options)
        except Exception as error:  # Ray raises plain ones for this
            if not tries_left or "timed out during startup" not in str(error):
                raise
            log.warning("Ray did not start in time; again", why=str(error))
            ray.shutdown()
    raise AssertionError("the last try returns or raises")


def _place_of_cluster(address: str) -> str:
    """Where a cluster answers. Looked for by ourselves: Ray takes minutes to say that there is none."""
    advice = "Start one (`ray start --head`), correct --address, or leave it out: then Narke starts its own Ray."
    if address.startswith("ray://"):
        raise ClusterUnavailable(
            f"--address {address}: Narke joins a cluster as one of its machines, not through Ray Client. Run "
            "`narke up --address auto` on a machine of the cluster (`ray start --address=<head>:6379` makes it one)."
        )
    try:
        place = canonicalize_bootstrap_address_or_die(address)
    except ConnectionError as error:
        raise ClusterUnavailable(f"no Ray cluster runs on this machine (--address {address}). {advice}") from error
    host, _, port = place.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CLUSTER_ANSWER_S_MAX).close()
    except (OSError, ValueError) as error:
        raise ClusterUnavailable(
            f"no Ray cluster answers at {place} (--address {address}): {error}. {advice}"
        ) from error
    return place


def shutdown() -> None:
    """Leaves Ray, and Ray ends all actors that we spawned; a local Ray ends with it."""
    ray.shutdown()


def here() -> str:
    """The id of the node that this process runs on."""
    return str(ray.get_runtime_context().get_node_id())


def nodes() -> tuple[Node, ...]:
    """The living nodes of the cluster, by id. Asks Ray: blocks for a moment."""
    known: Any = ray.nodes()  # type: ignore[no-untyped-call]  # Ray has no types there
    leaving = state.get_draining_nodes()
    living = [node for node in known if node["Alive"]]
    return tuple(
        sorted(
            Node(
                id=node["NodeID"],
                address=node["NodeManagerAddress"],
                cpus=node["Resources"].get("CPU", 0.0),
                draining=node["NodeID"] in leaving,
            )
            for node in living
        )
    )


def names() -> frozenset[str]:
    """All actors of our namespace that live or are being restarted."""
    return frozenset(list_named_actors())


def end(prefix: str) -> None:
    """Ends all actors of our namespace whose name begins so."""
    for name in names():
        if name.startswith(prefix):
            with contextlib.suppress(ActorGone):
                find(name).kill()


def spawn(spec: Spawn, *, adopt: bool = False) -> ActorRef:
    """Makes a named Ray actor that Ray restarts for ever.

    `adopt`: one of that name that exists is as good, and it outlives whoever spawned it: `end` it. Others end with the
    process that spawned them.

    Raises:
        NameTaken: There is one of that name, and it is not to be adopted.
    """
    kind = type(spec.factory.__name__.title().replace("_", ""), (Host,), {})
    strategy: Any = "SPREAD"
    if spec.node_id is not None:
        strategy = NodeAffinitySchedulingStrategy(spec.node_id, soft=not spec.pinned)
    options: Any = ray.remote(kind).options(
        name=spec.name,
        get_if_exists=adopt,
        lifetime="detached" if adopt else None,
        max_restarts=-1,
        max_task_retries=0,
        max_concurrency=CONCURRENT_CALLS_MAX,
        num_cpus=spec.cpus,
        scheduling_strategy=strategy,
    )
    pickled: bytes = cloudpickle.dumps((spec.factory, spec.arguments))  # type: ignore[no-untyped-call]  # of Ray
    try:
        return ActorRef(spec.name, options.remote(pickled, spec.metrics))
    except ValueError as error:
        raise NameTaken(f"an actor named {spec.name} exists in this namespace") from error


def find(name: str) -> ActorRef:
    """The named actor of our namespace.

    Raises:
        ActorGone: There is none of that name.
    """
    try:
        return ActorRef(name, ray.get_actor(name))
    except ValueError as error:
        raise ActorGone(f"there is no actor {name}") from error
