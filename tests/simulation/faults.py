"""Faults: a network, a journal and a projection that fail as the real ones do, by a seeded chance.

Every fault is one of these: nothing happened; it happened and nobody was told; it happened late; it happened twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any

from actors.projector import ProjectionFailed
from engine.ports import ActorGone, ActorUnavailable
from storage.journal_memory import MemoryJournal, MemoryStore
from storage.projection_memory import MemoryProjection
from tests.simulation.virtual_time import Died, Process


class Weather:
    """How bad things are now, and the dice. Calm: only delays."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.stormy = True
        self.postgres_away = False

    def strikes(self, probability: float) -> bool:
        return self.stormy and self.dice.random() < probability

    async def delay(self, longest_s: float) -> None:
        await asyncio.sleep(self.dice.uniform(0, longest_s))


class Network:
    """Stands for Ray: named processes and calls between them. A book for `actors.router.Router`."""

    def __init__(self, weather: Weather) -> None:
        self.processes: dict[str, Process] = {}
        self._weather = weather

    def add(self, process: Process) -> "Reference":
        self.processes[process.name] = process
        process.start()
        return Reference(process.name, self)

    async def call(self, name: str, method: str, *arguments: Any) -> Any:
        """See `actors.router.ActorBook.call`."""
        process = self.processes.get(name)
        if process is None:
            raise ActorGone(name)
        await self._weather.delay(0.02)
        if self._weather.strikes(0.01):
            await asyncio.sleep(self._weather.dice.uniform(25, 35))  # longer than a caller waits
        if self._weather.strikes(0.02):
            raise ActorUnavailable(f"the call to {name} got lost")
        if method == "deliver" and self._weather.strikes(0.05):
            process.spawn(self._again(process, method, arguments))
        return await self._answered(process, method, arguments)

    async def _answered(self, process: Process, method: str, arguments: tuple[Any, ...]) -> Any:
        try:
            if not process.reachable:
                raise ActorUnavailable(f"{process.name} cannot be reached")
            answer = await process.call(method, *arguments)
        except Died:
            raise ActorUnavailable(f"{process.name} died") from None
        await self._weather.delay(0.02)
        if not process.reachable or self._weather.strikes(0.02):
            raise ActorUnavailable(f"the answer of {process.name} got lost")
        return answer

    async def _again(self, process: Process, method: str, arguments: tuple[Any, ...]) -> None:
        """The same call once more, later."""
        await self._weather.delay(5)
        await process.call(method, *arguments)


class Reference:
    """What the directory holds of an actor."""

    def __init__(self, name: str, network: Network) -> None:
        self._name = name
        self._network = network

    async def pid(self) -> int:
        process = self._network.processes[self._name]
        if not (process.alive and process.reachable):
            raise ActorUnavailable(self._name)
        return process.pid


class FaultyJournal:
    """A memory journal that takes its time. Outages are the store's (`unavailable`, `replies_lost`).

    Its owner may die before an operation has its effect, or after it, before the answer.
    """

    def __init__(self, store: MemoryStore, weather: Weather) -> None:
        self._journal = MemoryJournal(store, tenant="t")
        self._weather = weather

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        operation = getattr(self._journal, name)

        async def call(*arguments: Any) -> Any:
            await self._weather.delay(0.01)
            result = await operation(*arguments)
            await self._weather.delay(0.01)
            return result

        return call


class FaultyProjection(MemoryProjection):
    """A projection that fails before or after its commit."""

    weather: Weather

    async def apply(self, entries: Sequence[Any]) -> dict[str, str]:
        await self._fail(0.02)
        positions = await super().apply(entries)
        await self._fail(0.02)
        return positions

    async def positions(self) -> dict[str, str]:
        await self._fail(0.02)
        return await super().positions()

    async def keep_retention(self, _now: object) -> None:
        await self._fail(0.02)

    async def _fail(self, probability: float) -> None:
        await self.weather.delay(0.05)
        if self.weather.postgres_away or self.weather.strikes(probability):
            raise ProjectionFailed("PostgreSQL is away")
