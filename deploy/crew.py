"""The crew: actors of one kind (station actors, ingresses), each node its share, kept so while nodes come and go.

    coming    its process starts; nobody is sent to it yet
    up        it has answered
    leaving   its node is to leave or has more than its share: it ends when its farewell is said

Each is pinned to its node, for Ray does not honour a mere wish where an actor reserves no CPU. Those of a node that is
gone are ended at once, and nobody waits for them. Nobody leaves before all who come have arrived.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from enum import Enum
from itertools import count

import msgspec
import structlog

from actors import runtime
from actors.runtime import ActorRef, Spawn

log = structlog.get_logger()

COME_S_MAX = 120.0
RETRY_S = 30.0
"""How long a node is left alone on which an actor could not start."""


class Phase(Enum):
    """Where an actor is in its life."""

    COMING = "coming"
    UP = "up"
    LEAVING = "leaving"


class _Member(msgspec.Struct):
    node_id: str
    ref: ActorRef
    phase: Phase = Phase.COMING


class Crew:
    """The actors of one kind.

    Args:
        kind: What their names begin with; a number follows.
        spec: How the actor of that name is to run.
        refs: Where their handles are kept, by name, for whoever watches or calls them.
        wait_until_up: Returns at an actor's first answer, or raises what keeps it from starting.
        farewell: Sees an actor off; False: not now, it is asked again.
    """

    def __init__(
        self,
        kind: str,
        spec: Callable[[str], Spawn],
        refs: MutableMapping[str, ActorRef],
        wait_until_up: Callable[[str], Awaitable[None]],
        farewell: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._kind = kind
        self._spec = spec
        self._refs = refs
        self._wait_until_up = wait_until_up
        self._farewell = farewell
        self._members: dict[str, _Member] = {}
        self._arrivals: set[asyncio.Task[None]] = set()
        self._barred: set[str] = set()

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(self._members)

    @property
    def nodes(self) -> frozenset[str]:
        """The ids of the nodes that have one of them."""
        return frozenset(member.node_id for member in self._members.values())

    @property
    def staying(self) -> tuple[str, ...]:
        """Those that are up and are to stay."""
        return tuple(name for name, member in self._members.items() if member.phase is Phase.UP)

    def begin(self, shares: Mapping[str, int]) -> None:
        """Makes the processes of the first ones. Blocks.

        Raises:
            NameTaken: Somebody else's actor has such a name.
        """
        for name, node_id in zip(self._free_names(), _places(shares), strict=False):
            self._add(name, node_id, runtime.spawn(self._pinned(name, node_id)))

    async def arrive(self) -> None:
        """Returns when the first ones are up.

        Raises:
            Exception: What kept one from starting.
        """
        await asyncio.gather(*map(self._wait_until_up, self._members))
        for member in self._members.values():
            member.phase = Phase.UP

    async def keep(self, living: frozenset[str], shares: Mapping[str, int]) -> None:
        """Brings the crew nearer to what it should be. Returns soon: who comes is waited for elsewhere.

        Args:
            living: The ids of the nodes that live, those that are to leave among them.
            shares: How many belong on each node, by id; a node that is not named has none.
        """
        await self._see_off()
        for name in [name for name, member in self._members.items() if member.node_id not in living]:
            log.warning("an actor's node is gone", name=name, node=self._members[name].node_id)
            await self._end(name)
        for node_id in living:
            await self._fill(node_id, shares.get(node_id, 0))
        if not any(member.phase is Phase.COMING for member in self._members.values()):
            self._let_go(living, shares)

    async def close(self) -> None:
        """Waits for nobody any more. The actors go on."""
        for task in self._arrivals:
            task.cancel()
        await asyncio.gather(*self._arrivals, return_exceptions=True)

    def _free_names(self) -> Iterator[str]:
        names = (f"{self._kind}{number}" for number in count())
        return (name for name in names if name not in self._members)

    def _pinned(self, name: str, node_id: str) -> Spawn:
        return self._spec(name)._replace(node_id=node_id, pinned=True)

    def _add(self, name: str, node_id: str, ref: ActorRef) -> None:
        self._members[name] = _Member(node_id, ref)
        self._refs[name] = ref

    def _on(self, node_id: str) -> list[str]:
        """Those of a node that are not leaving."""
        return [
            name
            for name, member in self._members.items()
            if member.node_id == node_id and member.phase is not Phase.LEAVING
        ]

    async def _fill(self, node_id: str, share: int) -> None:
        """Starts what a node lacks."""
        lacks = share - len(self._on(node_id)) if node_id not in self._barred else 0
        for _ in range(lacks):
            name = next(self._free_names())
            try:
                ref = await asyncio.to_thread(runtime.spawn, self._pinned(name, node_id))
            except runtime.NameTaken:  # its forerunner is on its way out: the next time
                return
            self._add(name, node_id, ref)
            log.info("an actor comes", name=name, node=node_id)
            arrival = asyncio.create_task(self._arrive(name))
            self._arrivals.add(arrival)
            arrival.add_done_callback(self._arrivals.discard)

    async def _arrive(self, name: str) -> None:
        member = self._members[name]
        try:
            async with asyncio.timeout(COME_S_MAX):
                await self._wait_until_up(name)
        except Exception as error:  # noqa: BLE001 (whatever it is, this node cannot do it now; the others go on)
            if self._members.get(name) is member:
                log.warning("an actor could not start on a node", name=name, node=member.node_id, why=repr(error))
                self._barred.add(member.node_id)
                asyncio.get_running_loop().call_later(RETRY_S, self._barred.discard, member.node_id)
                await self._end(name)
        else:
            member.phase = Phase.UP
            log.info("an actor is up", name=name, node=member.node_id)

    def _let_go(self, living: frozenset[str], shares: Mapping[str, int]) -> None:
        """Tells the surplus of each node to leave, the youngest first."""
        for node_id in living:
            for name in self._on(node_id)[shares.get(node_id, 0) :]:
                self._members[name].phase = Phase.LEAVING
                log.info("an actor is to leave", name=name, node=node_id)

    async def _see_off(self) -> None:
        for name in [name for name, member in self._members.items() if member.phase is Phase.LEAVING]:
            if await self._farewell(name):
                await self._end(name)
                log.info("an actor left", name=name)

    async def _end(self, name: str) -> None:
        member = self._members.pop(name)
        self._refs.pop(name, None)
        await asyncio.to_thread(member.ref.kill)


def _places(shares: Mapping[str, int]) -> Iterator[str]:
    """Node ids, each as often as its share, by turns."""
    for place in range(max(shares.values(), default=0)):
        for node_id, share in shares.items():
            if place < share:
                yield node_id
