"""The killer: carries out the plan with kill -9 and waits until each part is back."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from loadtests.audit.nodes import Nodes
from loadtests.audit.options import AuditError
from loadtests.audit.plan import Strike, Victim
from loadtests.audit.probe import Felt
from loadtests.audit.running import RunningNarke

POLL_S = 0.2
THERE_S_MAX = 10.0
"""A part that is down already is waited for so long before its turn is left out."""
NODE_AWAY_S = 2.0
"""A node stays away so long before it is made anew, as a machine that reboots would, only shorter."""
REVIVE_S_MAX = 300.0
"""What Ray may take, all attempts together, to start a node."""
_PREFIXES = {"ingress": "ingress-", "stations": "stations-"}


@dataclass
class Kill:
    """One part that was killed.

    Attributes:
        at_s: Since the load began.
        kind: As the plan names it.
        name: The process, or node-1; empty: it was not there to be killed.
        pid: Of that process, or of the node's raylet.
        back_s: How long until it was back and all answered; None: not yet, or not at all.
        problem: Why it was not killed or is not back.
        felt: What stations felt of it.
    """

    at_s: float
    kind: str
    name: str = ""
    pid: int = 0
    back_s: float | None = None
    problem: str | None = None
    felt: Felt | None = None


class Killer:
    """Kills parts of a Narke.

    Args:
        narke: Whom.
        nodes: Its Ray nodes; None: there is one only.
        back_s_max: How long a part may be away.
        began: When time 0 was, `monotonic`.
    """

    def __init__(self, narke: RunningNarke, nodes: Nodes | None, back_s_max: float, began: float) -> None:
        self.kills: list[Kill] = []
        self._narke = narke
        self.nodes = nodes
        self._back_s_max = back_s_max
        self._began = began
        self._nodes_away: set[int] = set()

    @property
    def away(self) -> list[str]:
        """Names of what is not back yet."""
        return [kill.name for kill in self.kills if kill.name and kill.back_s is None and kill.problem is None]

    async def carry_out(self, plan: Sequence[Strike]) -> None:
        """Returns when the last that was killed is back or is given up."""
        async with asyncio.TaskGroup() as group:
            for strike in plan:
                await asyncio.sleep(max(0.0, strike.at_s - self._now()))
                for victim in strike.victims:
                    group.create_task(self._strike(victim))

    async def _strike(self, victim: Victim) -> None:
        kill = Kill(self._now(), victim.kind)
        self.kills.append(kill)
        try:
            if victim.kind == "node":
                await self._kill_node(kill, victim.draw)
            else:
                await self._kill_process(kill, victim.draw)
        except AuditError as error:
            kill.problem = str(error)

    def _now(self) -> float:
        return monotonic() - self._began

    async def _kill_process(self, kill: Kill, draw: int) -> None:
        there = await self._there(kill.kind)
        if not there:
            return
        kill.name = sorted(there)[draw % len(there)]
        kill.pid = there[kill.name]
        kill.at_s = self._now()
        with contextlib.suppress(ProcessLookupError):
            os.kill(kill.pid, signal.SIGKILL)
        await self._wait_until_back(kill, lambda: self._narke.living.get(kill.name) not in (None, kill.pid))

    async def _there(self, kind: str) -> dict[str, int]:
        """Processes of a kind that live; waits for them a little when there is none."""
        prefix = _PREFIXES.get(kind)
        ends = monotonic() + THERE_S_MAX
        while True:
            living = await asyncio.to_thread(lambda: self._narke.living)
            found = {
                name: pid
                for name, pid in living.items()
                if (name == kind if prefix is None else name.startswith(prefix))
            }
            if found or monotonic() > ends:
                return found
            await asyncio.sleep(POLL_S)

    async def _kill_node(self, kill: Kill, draw: int) -> None:
        nodes = self.nodes
        assert nodes is not None, "the options made sure of it"
        if self._nodes_away:  # Ray's head survives one at a time
            return
        had = len(self._narke.processes)
        number, kill.pid = await asyncio.to_thread(nodes.kill, draw)
        kill.name = f"node-{number}"
        self._nodes_away.add(number)
        await asyncio.sleep(NODE_AWAY_S)
        await self._revive(nodes, number)

        def is_back() -> bool:
            living = self._narke.living
            return len(living) >= had and bool(nodes.workers(number) & set(living.values()))

        await self._wait_until_back(kill, is_back)
        self._nodes_away.discard(number)

    async def _revive(self, nodes: Nodes, number: int) -> None:
        """Tries again: on a busy machine Ray itself gives up, and Narke's time begins when the node is there."""
        ends = monotonic() + REVIVE_S_MAX
        while True:
            try:
                await asyncio.to_thread(nodes.revive, number)
            except AuditError:
                if monotonic() > ends:
                    raise
            else:
                return

    async def _wait_until_back(self, kill: Kill, is_back: Callable[[], bool]) -> None:
        ends = monotonic() + self._back_s_max

        def all_back() -> bool:
            with contextlib.suppress(AuditError):  # the run file is being replaced, say
                return is_back() and self._narke.is_ready()
            return False

        while not await asyncio.to_thread(all_back):
            if monotonic() > ends:
                raise AuditError(f"{kill.name} was not back within {self._back_s_max:g} s")
            await asyncio.sleep(POLL_S)
        kill.back_s = self._now() - kill.at_s
