"""How a process finds the actors that host stations, and the ingresses that hold sessions.

Implements `engine.ports.StationActors` and `Ingresses` over the runtime. The table of placements is renewed by
asking the directory when something failed, and by a waiting question that it answers when units move.
"""

import asyncio
import contextlib
from typing import Any

import structlog

from actors import runtime
from actors.directory import Table
from actors.runtime import ActorRef
from engine.model.ids import Unit, unit_of
from engine.ports import ActorGone, ActorUnavailable, JournalUnavailable, Placement, SeamError

log = structlog.get_logger()

DIRECTORY = "directory"
RETRY_S = 0.5


class ActorBook:
    """Handles by name, looked up once, and anew where one is dead: another actor may have the name by now."""

    def __init__(self) -> None:
        self._refs: dict[str, ActorRef] = {}

    async def call(self, name: str, method: str, *arguments: Any) -> Any:
        """Calls a named actor.

        Raises:
            ActorGone: There is none of that name.
            ActorUnavailable: It does not answer now.
        """
        ref = self._refs.get(name)
        if ref is not None:
            with contextlib.suppress(ActorGone):
                return await ref.call(method, *arguments)
        ref = self._refs[name] = self._look_up(name)
        try:
            return await ref.call(method, *arguments)
        except ActorGone:
            self._refs.pop(name, None)
            raise

    def _look_up(self, name: str) -> ActorRef:
        self._refs.pop(name, None)
        return runtime.find(name)


class Router:
    """The way to the station actors.

    Args:
        book: Handles.
        shards: Number of shards of the system.
        literal: One actor per station.
    """

    def __init__(self, book: ActorBook, *, shards: int, literal: bool) -> None:
        self._book = book
        self._shards = shards
        self._literal = literal
        self._table = Table(0, {})
        self._follower: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins to follow the directory's table."""
        if self._follower is None:
            self._follower = asyncio.create_task(self._follow())

    def unit_of(self, station: str) -> Unit:
        """The unit a station belongs to."""
        return unit_of(station, self._shards, literal=self._literal)

    def placement(self, unit: Unit) -> Placement | None:
        """The owner as last heard; None: not heard of."""
        return self._table.placements.get(unit.name)

    async def locate(self, unit: Unit, *, suspect: Placement | None = None) -> Placement:
        """The owner as the directory says. See `engine.ports.StationActors.locate`."""
        try:
            self._take(await self._book.call(DIRECTORY, "locate", unit, suspect))
        except (ActorGone, JournalUnavailable) as error:
            raise ActorUnavailable(str(error)) from error
        placement = self.placement(unit)
        if placement is None:
            raise ActorUnavailable(f"the directory knows no owner of {unit.name}")
        return placement

    async def deliver(self, actor: str, batch: bytes) -> bytes:
        """Hands a batch over. See `engine.ports.StationActors.deliver`."""
        return bytes(await self._book.call(actor, "deliver", batch))

    async def command(self, placement: Placement, request: bytes) -> bytes:
        """Hands a command over and waits for its outcome.

        Raises:
            Fenced: The actor does not own the unit.
            ActorUnavailable, ActorGone: As for `deliver`.
        """
        return bytes(await self._book.call(placement.actor, "command", placement, request))

    async def submit(self, placement: Placement, request: bytes) -> None:
        """Hands a command over; returns when it is on record. Raises as `command`."""
        await self._book.call(placement.actor, "submit", placement, request)

    async def submit_many(self, actor: str, placements: tuple[Placement, ...], requests: bytes) -> bytes:
        """Hands many commands over, encoded as one tuple; returns when they are on record: a `Taken` for each, a byte.

        `placements`: of all their units; all are this actor's.

        Raises:
            ActorUnavailable: It is unknown whether they were taken.
            ActorGone: Ask the directory.
        """
        return bytes(await self._book.call(actor, "submit_many", placements, requests))

    async def cancel(self, placement: Placement, cancel: bytes) -> bytes:
        """Takes a command back; returns what is true of it now. Raises as `command`."""
        return bytes(await self._book.call(placement.actor, "cancel", placement, cancel))

    def _take(self, table: Table) -> None:
        if table.version != self._table.version:
            self._table = table

    async def _follow(self) -> None:
        while True:
            try:
                self._take(await self._book.call(DIRECTORY, "changed_since", self._table.version))
            except SeamError as error:
                log.debug("the directory does not answer", error=str(error))
                await asyncio.sleep(RETRY_S)


class IngressRoutes:
    """The way to the ingresses, by name."""

    def __init__(self, book: ActorBook) -> None:
        self._book = book

    async def send(self, ingress: str, downlinks: bytes) -> None:
        """Hands downlinks over. See `engine.ports.Ingresses.send`."""
        await self._book.call(ingress, "receive_downlinks", downlinks)
