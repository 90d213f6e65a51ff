"""Virtual time: an event loop whose clock jumps to whatever is due next, and lives on it that can end at any moment.

Nothing sleeps and idle time is free. When nothing can ever happen any more, that is an error (`Stuck`). What is due at
the same moment happens in the order in which it was asked for, so a run is the same everywhere.

A *life* is one incarnation of a process: every task and timer that was started from within carries it in its context.
A life that has ended (kill -9) runs nothing any more, not even a `finally`; a frozen one (SIGSTOP, a paused machine)
goes on later, believing that no time passed.
"""

import asyncio
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Any, cast

BEGINNING = datetime(2026, 11, 21, tzinfo=UTC)
_TASKS_KEPT = 64

_LIFE: ContextVar["Life | None"] = ContextVar("life", default=None)


class Stuck(Exception):  # noqa: N818 (what happened)
    """Nothing is due and nothing can happen any more: everybody waits for somebody."""


class Poll(float):
    """Seconds between looks at whether something is to be done.

    While there is nothing, such a timer costs nothing: it rests until its life is touched (`Life.touch`) and then goes
    on in its rhythm.
    """


class Life:
    """One incarnation of a process.

    Args:
        name: For the trace.
        loop: Where it lives.

    `poll_due`: seconds until a `Poll` has something to do; None: nothing, until the life is touched.
    """

    __slots__ = ("_loop", "_parked", "_tasks", "alive", "context", "frozen_until", "name", "poll_due")

    def __init__(self, name: str, loop: "VirtualLoop") -> None:
        self.name = name
        self.alive = True
        self.frozen_until = 0.0
        self.poll_due: Callable[[], float | None] | None = None
        self.context: Context = copy_context()
        self.context.run(_LIFE.set, self)
        self._loop = loop
        self._tasks: list[asyncio.Task[Any]] = []
        self._parked: list[tuple[_Handle, float]] = []

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Runs something within."""
        return self._loop.create_task(work, context=self.context.copy())

    def run(self, action: Callable[..., Any], *arguments: Any) -> Any:
        """Does something at once, as if from within."""
        return self.context.copy().run(action, *arguments)

    def keep(self, task: asyncio.Task[Any]) -> None:
        """The task ends with this life."""
        self._tasks.append(task)
        if len(self._tasks) > _TASKS_KEPT:
            self._tasks = [each for each in self._tasks if not each.done()]

    def park(self, handle: "_Handle", interval_s: float) -> None:
        """A poll that rests."""
        self._parked.append((handle, interval_s))

    def touch(self) -> None:
        """Something came from outside: polls go on, at the next beat of their rhythm."""
        parked, self._parked = self._parked, []
        for handle, interval_s in parked:
            missed = max(0.0, self._loop.time() - handle.when())
            handle.due_at = handle.when() + interval_s * -(-missed // interval_s)
            self._loop.push(handle)

    def end(self) -> None:
        """Ends it as kill -9 does. Must not be called from within."""
        self.alive = False
        self._parked.clear()
        for task in self._tasks:
            if not task.done():
                self._bury(task)
        self._tasks.clear()

    def _bury(self, task: asyncio.Task[Any]) -> None:
        """Frees what a task held. What its `finally` starts belongs to the dead and never runs."""
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 (asyncio's own way to say so)
        work = cast("Coroutine[Any, Any, Any]", task.get_coro())
        try:
            self.context.copy().run(work.close)
        except RuntimeError:  # its `finally` wanted to wait for something
            return


class _Handle(asyncio.TimerHandle):
    """A callback that is due, and whose it is."""

    __slots__ = ("arguments", "callback", "context", "due_at", "is_cancelled")

    def __init__(self, due_at: float, callback: Callable[..., Any], arguments: tuple[Any, ...], context: Any) -> None:
        self.due_at = due_at
        self.callback = callback
        self.arguments = arguments
        self.context: Context = copy_context() if context is None else context
        self.is_cancelled = False

    def cancel(self) -> None:
        """It never runs."""
        self.is_cancelled = True
        self.callback = _nothing
        self.arguments = ()

    def cancelled(self) -> bool:
        """Whether it never runs."""
        return self.is_cancelled

    def when(self) -> float:
        """When it is due."""
        return self.due_at


def _nothing(*_: Any) -> None:
    """What a cancelled handle does."""


class VirtualLoop(asyncio.AbstractEventLoop):
    """An event loop in virtual time, which begins at 0 s."""

    def __init__(self) -> None:
        self.steps = 0
        """Callbacks run so far."""
        self.failures: list[str] = []
        """Exceptions that nobody took."""
        self._now = 0.0
        self._ready: deque[_Handle] = deque()
        self._timers: list[tuple[float, int, _Handle]] = []
        self._order = 0

    def time(self) -> float:
        """Seconds since the beginning."""
        return self._now

    def run_until_complete(self, future: Any) -> Any:
        """Runs until the task is done; returns its result.

        Raises:
            Stuck: It never will be.
            Exception: What a callback raised: there is nobody who could take it.
        """
        events._set_running_loop(self)  # noqa: SLF001 (asyncio's hook for loops)
        try:
            while not future.done():
                self._step()
            return future.result()
        finally:
            events._set_running_loop(None)  # noqa: SLF001

    def _step(self) -> None:
        if self._ready:
            handle = self._ready.popleft()
        elif self._timers:
            due_at, _, handle = heappop(self._timers)
            if handle.is_cancelled:
                return
            self._now = max(self._now, due_at)
        else:
            raise Stuck("nothing is due and nothing can happen any more: everybody waits for somebody")
        context = handle.context
        life = context.get(_LIFE)
        if life is not None:
            if not life.alive:
                return
            if life.frozen_until > self._now:
                handle.due_at = life.frozen_until
                self.push(handle)
                return
        self.steps += 1
        context.run(handle.callback, *handle.arguments)

    # What asyncio wants of a loop

    def push(self, handle: _Handle) -> None:
        """Puts a handle where it is due."""
        self._order += 1
        heappush(self._timers, (handle.due_at, self._order, handle))

    def call_soon(  # type: ignore[override]  # asyncio's types say TypeVarTuple, which costs more than it tells here
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """See asyncio."""
        handle = _Handle(self._now, callback, args, context)
        self._ready.append(handle)
        return handle

    def call_at(  # type: ignore[override]  # as above
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """See asyncio."""
        handle = _Handle(when, callback, args, context)
        self._order += 1
        heappush(self._timers, (when, self._order, handle))
        return handle

    def call_later(  # type: ignore[override]  # as above
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """See asyncio; knows `Poll`."""
        handle = _Handle(self._now + delay, callback, args, context)
        life = handle.context.get(_LIFE) if type(delay) is Poll else None
        if life is not None and life.poll_due is not None:
            due_s = life.poll_due()
            if due_s is None:
                life.park(handle, delay)
                return handle
            handle.due_at += delay * max(0.0, -(-due_s // delay) - 1)
        self.push(handle)
        return handle

    def create_task(self, coro: Any, *, name: str | None = None, context: Context | None = None) -> asyncio.Task[Any]:
        """See asyncio; the task belongs to the life it is started from."""
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, name=name or "", context=context)
        life = _LIFE.get() if context is None else context.get(_LIFE)
        if life is not None:
            life.keep(task)
        return task

    def create_future(self) -> asyncio.Future[Any]:
        """See asyncio."""
        return asyncio.Future(loop=self)

    def get_debug(self) -> bool:
        """Never."""
        return False

    def is_running(self) -> bool:
        """Always."""
        return True

    def is_closed(self) -> bool:
        """Never."""
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keeps what nobody took."""
        self.failures.append(f"{context.get('message')}: {context.get('exception')!r}")


def loop_time() -> float:
    """Stands for `time.monotonic`: virtual seconds."""
    return asyncio.get_running_loop().time()


def current_life() -> Life | None:
    """The life that runs now; None: the world around."""
    return _LIFE.get()


class VirtualClock:
    """`engine.ports.Clock` of a machine. `ahead_s`: by how much it is wrong."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def now(self) -> datetime:
        """The time as this machine has it."""
        return BEGINNING + timedelta(seconds=loop_time() + self.ahead_s)
