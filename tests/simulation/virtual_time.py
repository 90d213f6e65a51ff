"""Virtual time: an event loop whose clock jumps to whatever is due next, and processes on it that can be killed.

Nothing sleeps. When nothing is ready, the clock moves; when nothing can ever happen any more, that is an error.
"""

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar, copy_context
from datetime import UTC, datetime, timedelta
from typing import Any
from weakref import WeakSet

BEGINNING = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for nothing: the time that it should wait passes at once."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("nothing is due and nothing can happen any more: everybody waits for somebody")
            self.now += max(0.0, timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time, which begins at 0 s. Its tasks belong to the process that started them."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self.set_task_factory(_belonging)

    def time(self) -> float:
        return self._jumping.now


class VirtualClock:
    """`engine.ports.Clock` of the running virtual loop."""

    def now(self) -> datetime:
        return BEGINNING + timedelta(seconds=loop_time())


def loop_time() -> float:
    """Stands for `time.monotonic`, s."""
    return asyncio.get_running_loop().time()


class Died(Exception):  # noqa: N818 (what happened)
    """The process that should have answered is dead."""


class Process:
    """What dies together: all tasks that were ever started from within.

    Args:
        name: For people.
        make: Makes and starts what lives in it, anew after each death.
    """

    def __init__(self, name: str, make: Callable[["Process"], Awaitable[Any]]) -> None:
        self.name = name
        self.pid = 0
        self.reachable = True
        self._make = make
        self._tasks: WeakSet[asyncio.Task[Any]] = WeakSet()
        self._made: asyncio.Task[Any] | None = None

    @property
    def alive(self) -> bool:
        return self._made is not None

    def start(self) -> None:
        """Begins a new life. Calls wait until it is ready."""
        assert self._made is None
        self.pid += 1
        self._made = self.spawn(self._make(self))

    def kill(self) -> None:
        """kill -9: every task ends where it stands, nothing is said to anybody."""
        self._made = None
        tasks, self._tasks = self._tasks, WeakSet()
        for task in tasks:
            task.cancel()

    def adopt(self, task: asyncio.Task[Any], pid: int) -> None:
        if self.alive and pid == self.pid:
            self._tasks.add(task)
        else:
            task.cancel()

    def spawn(self, work: Awaitable[Any]) -> asyncio.Task[Any]:
        """Runs something within."""
        context = copy_context()
        context.run(_PROCESS.set, (self, self.pid))
        task = asyncio.Task(_awaited(work), context=context)
        task.add_done_callback(_noticed)
        self._tasks.add(task)
        return task

    async def call(self, method: str, *arguments: Any) -> Any:
        """What the method returns or raises. Ends within even if the caller does not wait any more.

        Raises:
            Died: Before the answer. Whether the call had its effect is unknown.
        """
        if self._made is None:
            raise Died(self.name)

        async def work(made: Awaitable[Any]) -> Any:
            return await getattr(await made, method)(*arguments)

        running = self.spawn(work(asyncio.shield(self._made)))
        await asyncio.wait([running])
        if running.cancelled():
            raise Died(self.name)
        return running.result()

    def run_inside(self, action: Callable[[], Any]) -> Any:
        """Does something at once, as if from within: what it starts belongs to the process."""
        context = copy_context()
        context.run(_PROCESS.set, (self, self.pid))
        return context.run(action)

    @property
    def inside(self) -> Any:
        """What lives in it, if it is ready."""
        return self._made.result() if self._made is not None and self._made.done() else None


_PROCESS: ContextVar[tuple[Process, int] | None] = ContextVar("process", default=None)


def _belonging(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **options: Any) -> asyncio.Task[Any]:
    task = asyncio.Task(work, loop=loop, **options)
    owner = _PROCESS.get()
    if owner is not None:
        process, pid = owner
        process.adopt(task, pid)
    return task


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work


def _noticed(task: asyncio.Task[Any]) -> None:
    """Whoever called may be gone; its error is nobody's then."""
    if not task.cancelled():
        task.exception()
