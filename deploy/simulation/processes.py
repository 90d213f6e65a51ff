"""Processes that can be killed and frozen, and the calls between them: what Ray is in the real house.

A call is delivered, or not, or late, or twice; its answer likewise; whoever called hears `ActorUnavailable` or waits in
vain. A process that dies answers nobody. Partitions are between pairs of processes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import Any, Final, Protocol

from deploy.simulation.chance import Chance
from deploy.simulation.trace import Trace
from deploy.simulation.virtual_time import Life, VirtualClock, VirtualLoop, current_life
from engine.ports import ActorGone, ActorUnavailable

TRANSIT_S_MAX = 0.004
LATE_S = ((0.1, 5.0), (20.0, 60.0))
"""A little, or longer than anybody waits for an answer."""
HOT_S = 3.0
HOT_TIMES = 6
"""Just after a station connected, faults strike so much more often: that is when much begins and little is known."""
NOTICED_S_MAX = 30.0
"""Until Ray tells a caller that its call came to nothing."""

Answer = Callable[[Any, Exception | None], None]


class CallFaults(Protocol):
    """Who makes true what chance wants of a call."""

    def of_call(self, kind: str, caller: str, callee: str) -> None:
        """A fault beyond the call itself: a crash, a partition, ..."""


class Process:
    """A process of the house.

    Args:
        name: As others call it.
        loop: Time.
        make: Makes and starts what lives in it, anew after each death.
        trace: Where it is told.
    """

    def __init__(
        self, name: str, loop: VirtualLoop, make: Callable[["Process"], Awaitable[Any]], trace: Trace | None
    ) -> None:
        self.name: Final = name
        self.loop: Final = loop
        self.pid = 0
        self.clock: Final = VirtualClock()
        self.inside: Any = None
        """What lives in it; None: dead, or not ready yet."""
        self.life: Life | None = None
        self._make = make
        self._trace = trace
        self._pending: dict[int, Answer] = {}
        self._waiting: list[Callable[[], None]] = []
        self._calls = 0

    @property
    def alive(self) -> bool:
        """Whether it runs (perhaps frozen, perhaps not ready)."""
        return self.life is not None

    def start(self) -> None:
        """Begins a new incarnation. Calls wait until it is ready."""
        if self.life is None:
            self.pid += 1
            self.life = Life(f"{self.name}:{self.pid}", self.loop)
            self.life.spawn(self._begin(self.life))

    def kill(self) -> None:
        """Ends it as kill -9 does. Whoever waits for an answer hears of it."""
        life, self.life, self.inside = self.life, None, None
        if life is None:
            return
        if self._trace is not None:
            self._trace.say(self.name, "is killed")
        pending, self._pending = self._pending, {}
        self._waiting.clear()
        life.end()
        for answer in pending.values():
            answer(None, ActorUnavailable(f"{self.name} died"))

    def arrive(self, method: str, arguments: tuple[Any, ...], answer: Answer) -> None:
        """A call comes in."""
        life = self.life
        if life is None:
            answer(None, ActorUnavailable(f"{self.name} is dead"))
            return
        self._calls += 1
        number = self._calls
        self._pending[number] = answer
        life.touch()
        if self.inside is None:
            self._waiting.append(lambda: self._serve(life, number, method, arguments))
        else:
            self._serve(life, number, method, arguments)

    def _serve(self, life: Life, number: int, method: str, arguments: tuple[Any, ...]) -> None:
        life.spawn(self._work(number, method, arguments))

    async def _work(self, number: int, method: str, arguments: tuple[Any, ...]) -> None:
        result: Any = None
        failure: Exception | None = None
        try:
            result = self.pid if method == "pid" else await getattr(self.inside, method)(*arguments)
        except Exception as error:  # noqa: BLE001 (Ray carries whatever was raised to the caller)
            failure = error
        answer = self._pending.pop(number, None)
        if answer is not None:
            answer(result, failure)

    async def _begin(self, life: Life) -> None:
        made = await self._make(self)
        if self._trace is not None:
            self._trace.say(self.name, f"is up, process {self.pid}")
        self.inside = made
        waiting, self._waiting = self._waiting, []
        for serve in waiting:
            serve()
        life.touch()


class Network:
    """Named processes and the calls between them. A book for `actors.router.Router`."""

    def __init__(self, loop: VirtualLoop, chance: Chance, trace: Trace | None) -> None:
        self.processes: Final[dict[str, Process]] = {}
        self.faults: CallFaults | None = None
        self.calls = 0
        self._hot_until = 0.0
        self._loop = loop
        self._chance = chance
        self._trace = trace
        self._cut: dict[frozenset[str], float] = {}

    def add(self, name: str, make: Callable[[Process], Awaitable[Any]]) -> "Reference":
        """A new process, started."""
        process = self.processes[name] = Process(name, self._loop, make, self._trace)
        process.start()
        return Reference(name, self)

    def heat(self) -> None:
        """Something began that troubles are to hit."""
        self._hot_until = self._loop.time() + HOT_S

    def part(self, one: str, other: str, seconds: float) -> None:
        """No call between the two for so long."""
        self._cut[frozenset((one, other))] = self._loop.time() + seconds

    def heal(self) -> None:
        """All can reach all."""
        self._cut.clear()

    def apart(self, one: str, other: str) -> bool:
        """Whether no call gets through between the two."""
        return bool(self._cut) and self._cut.get(frozenset((one, other)), 0.0) > self._loop.time()

    async def call(self, name: str, method: str, *arguments: Any) -> Any:
        """See `actors.router.ActorBook.call`."""
        process = self.processes.get(name)
        if process is None:
            raise ActorGone(name)
        self.calls += 1
        life = current_life()
        caller = "operator" if life is None else life.name.partition(":")[0]
        fault = self._strikes(method)
        if fault is not None and self.faults is not None:
            self.faults.of_call(fault, caller, name)
        asked = _Asked(self, caller, name, self._loop.create_future(), fault)
        transit_s = self._chance.dice.random() * TRANSIT_S_MAX
        if fault == "call.late":
            transit_s += self._chance.between(*self._chance.dice.choice(LATE_S))
        if fault == "call.lost" or self.apart(caller, name):
            asked.fail_later(f"a call to {name} was lost")
        else:
            self._loop.call_later(transit_s, process.arrive, method, arguments, asked.answer, context=WORLD)
            if fault == "call.twice" and method == "deliver":
                again_s = transit_s + self._chance.between(0.0, 8.0)
                self._loop.call_later(again_s, process.arrive, method, arguments, _nobody, context=WORLD)
        return await asked.future

    def _strikes(self, method: str) -> str | None:
        if method == "pid":
            return None
        return self._chance.strikes("call", times=HOT_TIMES if self._loop.time() < self._hot_until else 1)

    def transit_s(self) -> float:
        """How long one message is under way."""
        return self._chance.dice.random() * TRANSIT_S_MAX

    def unnoticed_s(self) -> float:
        """Until a caller hears that there will be no answer."""
        return self._chance.between(0.0, NOTICED_S_MAX)


class _Asked:
    """A call that waits for its answer."""

    __slots__ = ("_callee", "_caller", "_context", "_fault", "_network", "future")

    def __init__(
        self, network: Network, caller: str, callee: str, future: asyncio.Future[Any], fault: str | None
    ) -> None:
        self.future = future
        self._network = network
        self._caller = caller
        self._callee = callee
        self._fault = fault
        self._context = copy_context()

    def answer(self, result: Any, failure: Exception | None) -> None:
        """The callee is done, or dead."""
        network = self._network
        if self._fault == "call.reply-lost" or network.apart(self._caller, self._callee):
            self.fail_later(f"the answer of {self._callee} was lost")
            return
        network._loop.call_later(network.transit_s(), self._resolve, result, failure, context=self._context)  # noqa: SLF001 (one part)

    def fail_later(self, why: str) -> None:
        """Nobody will answer; the caller hears of it some time."""
        network = self._network
        failure = ActorUnavailable(why)
        network._loop.call_later(network.unnoticed_s(), self._resolve, None, failure, context=self._context)  # noqa: SLF001 (one part)

    def _resolve(self, result: Any, failure: Exception | None) -> None:
        if self.future.done():
            return
        if failure is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(failure)


def _nobody(_result: Any, _failure: Exception | None) -> None:
    """Nobody waits for the answer to a repeated call."""


WORLD: Final = copy_context()
"""The context of what no process does: it runs whoever lives."""


class Reference:
    """What the directory holds of an actor."""

    def __init__(self, name: str, network: Network) -> None:
        self._name = name
        self._network = network

    async def pid(self) -> int:
        """See `actors.runtime.ActorRef.pid`. Raises ActorUnavailable."""
        return int(await self._network.call(self._name, "pid"))

    async def call(self, method: str, *arguments: Any) -> Any:
        """See `actors.runtime.ActorRef.call`. Raises ActorUnavailable."""
        return await self._network.call(self._name, method, *arguments)
