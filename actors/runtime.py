"""Ray, all of it: the only file that imports ray.

An actor of ours is a plain class with async methods, made by a factory inside its Ray process. `Host` is the Ray actor
around it: it makes the object at the first call (also after a restart, which Ray does by itself), awaits its
`start()`, and hands calls on. What Ray raises becomes the errors of `engine.ports`.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import ray
import ray.exceptions
import structlog
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from engine.ports import ActorGone, ActorUnavailable

log = structlog.get_logger()

CONCURRENT_CALLS_MAX = 1_000


class Actor(Protocol):
    """What a class must have to be hosted."""

    async def start(self) -> None:
        """Called once per process, before any other method."""


class Spawn(NamedTuple):
    """How an actor is to run. `node_id`: pinned to that Ray node; None: Ray spreads them."""

    name: str
    factory: Callable[..., Actor]
    arguments: tuple[Any, ...]
    cpus: float = 0.0
    env: dict[str, str] | None = None
    node_id: str | None = None


class Host:
    """The Ray actor: makes the object of the house inside the process and hands calls on to it."""

    def __init__(self, factory: Callable[..., Actor], arguments: tuple[Any, ...]) -> None:
        self._factory = factory
        self._arguments = arguments
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

    async def _make(self) -> Actor:
        actor = self._factory(*self._arguments)
        await actor.start()
        return actor


class ActorRef:
    """A handle of a hosted actor. Calls raise `ActorUnavailable` or `ActorGone`, or what the method raised."""

    def __init__(self, name: str, handle: Any) -> None:
        self.name = name
        self._handle = handle

    async def call(self, method: str, *arguments: Any) -> Any:
        """Awaits the method in the actor's process."""
        try:
            return await self._handle.call.remote(method, *arguments)
        except ray.exceptions.ActorDiedError as error:
            raise ActorGone(f"actor {self.name} is dead") from error
        except (ray.exceptions.RayActorError, ray.exceptions.GetTimeoutError, ray.exceptions.RaySystemError) as error:
            raise ActorUnavailable(f"actor {self.name} does not answer: {type(error).__name__}") from error
        except ray.exceptions.RayTaskError as error:
            raise _cause(error) from error

    async def pid(self) -> int:
        """The process id of the actor now."""
        try:
            return int(await self._handle.pid.remote())
        except ray.exceptions.RayActorError as error:
            raise ActorUnavailable(f"actor {self.name} does not answer: {type(error).__name__}") from error

    def kill(self) -> None:
        """Ends the actor for good; Ray does not restart it."""
        ray.kill(self._handle, no_restart=True)


def _cause(error: ray.exceptions.RayTaskError) -> BaseException:
    """What the method raised; Ray's own wrapper where that is unknown."""
    return error.cause if isinstance(error.cause, BaseException) else error


def start(*, address: str | None, namespace: str, object_store_mb: int) -> dict[str, Any]:
    """Starts a local Ray (address None) or joins a running cluster; returns what Ray says of itself.

    Raises:
        ConnectionError: There is no cluster at `address`.
    """
    options: dict[str, Any] = {"namespace": namespace, "log_to_driver": False, "configure_logging": False}
    if address is not None:
        options |= {"address": address}
    else:
        options |= {
            "address": "local",
            "include_dashboard": False,
            "object_store_memory": object_store_mb * 1024 * 1024,
            "num_cpus": max(2, len(os.sched_getaffinity(0))),
        }
    context: Any = ray.init(**options)
    return dict(context.address_info)


def shutdown() -> None:
    """Leaves Ray; a local Ray ends with it."""
    ray.shutdown()


def nodes() -> list[dict[str, Any]]:
    """The living nodes of the cluster, as Ray describes them."""
    return [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]  # Ray has no types there


def spawn(spec: Spawn) -> ActorRef:
    """Makes a named Ray actor that Ray restarts for ever; the one of that name if it exists."""
    kind = type(spec.factory.__name__.title().replace("_", ""), (Host,), {})
    strategy: Any = "SPREAD" if spec.node_id is None else NodeAffinitySchedulingStrategy(spec.node_id, soft=True)
    handle: Any = (
        ray.remote(kind)
        .options(
            name=spec.name,
            get_if_exists=True,
            max_restarts=-1,
            max_task_retries=0,
            max_concurrency=CONCURRENT_CALLS_MAX,
            num_cpus=spec.cpus,
            scheduling_strategy=strategy,
            runtime_env={"env_vars": spec.env} if spec.env else None,
        )
        .remote(spec.factory, spec.arguments)
    )
    return ActorRef(spec.name, handle)


def find(name: str) -> ActorRef:
    """The named actor of our namespace.

    Raises:
        ActorGone: There is none of that name.
    """
    try:
        return ActorRef(name, ray.get_actor(name))
    except ValueError as error:
        raise ActorGone(f"there is no actor {name}") from error
