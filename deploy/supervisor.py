"""The supervisor: keeps an eye on every process of ours and tells when one came back as another.

Ray restarts a killed actor; the first call after that makes its parts anew. The supervisor's question is that call.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog

from actors.runtime import ActorRef
from deploy import metrics
from engine.ports import SeamError

log = structlog.get_logger()

INTERVAL_S = 1.0
ANSWER_S_MAX = 10.0


class Supervisor:
    """Watches actors by name. `actors` may change at any time."""

    def __init__(self, actors: Mapping[str, ActorRef]) -> None:
        self._actors = actors
        self.pids: dict[str, int] = {}
        self.healths: dict[str, dict[str, Any]] = {}
        self._failures: dict[str, str] = {}

    async def wait_until_up(self, name: str) -> None:
        """Waits for the actor's first answer.

        Raises:
            Exception: Whatever kept it from starting.
        """
        self.pids[name], self.healths[name] = await self._actors[name].look()

    async def watch(self) -> None:
        """Asks everybody, also those that join later, for ever; who leaves is forgotten."""
        watched: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                for name in [name for name, task in watched.items() if task.done() or name not in self._actors]:
                    watched.pop(name).cancel()
                for name in self._actors.keys() - watched.keys():
                    watched[name] = group.create_task(self._watch(name))
                self._forget_others()
                await asyncio.sleep(INTERVAL_S)

    def _forget_others(self) -> None:
        for name in (self.pids.keys() | self.healths.keys() | self._failures.keys()) - self._actors.keys():
            self.pids.pop(name, None)
            self.healths.pop(name, None)
            self._failures.pop(name, None)

    async def _watch(self, name: str) -> None:
        while name in self._actors:
            try:
                async with asyncio.timeout(ANSWER_S_MAX):
                    await self._ask(name)
            except (SeamError, TimeoutError, OSError) as error:
                self.healths.pop(name, None)
                self._tell(name, str(error) or f"no answer within {ANSWER_S_MAX:g} s")
            except Exception as error:  # noqa: BLE001 (an actor that cannot start: say why, ask again)
                self.healths.pop(name, None)
                self._tell(name, repr(error))
            await asyncio.sleep(INTERVAL_S)

    async def _ask(self, name: str) -> None:
        pid, health = await self._actors[name].look()
        before = self.pids.get(name)
        self.healths[name], self.pids[name] = health, pid
        self._failures.pop(name, None)
        if before not in (None, pid):
            metrics.restarts.labels(name).inc()
            log.warning("a process was restarted", name=name, pid=pid, pid_before=before)

    def _tell(self, name: str, failure: str) -> None:
        if self._failures.get(name) != failure:
            self._failures[name] = failure
            log.warning("a process does not answer", name=name, why=failure)
