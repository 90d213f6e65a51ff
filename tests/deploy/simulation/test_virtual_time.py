"""Virtual time: jumps, order, lives that end and freeze, polls that rest."""

import asyncio

import pytest

from deploy.simulation.virtual_time import BEGINNING, Life, Poll, Stuck, VirtualClock, VirtualLoop, loop_time


@pytest.fixture
def loop():
    return VirtualLoop()


def run(loop, work):
    return loop.run_until_complete(loop.create_task(work))


def test_an_hour_passes_at_once(loop):
    async def hour():
        await asyncio.sleep(3_600)
        return loop_time(), VirtualClock().now() - BEGINNING

    time, since = run(loop, hour())
    assert time == since.total_seconds() == 3_600


def test_what_is_due_together_happens_in_the_order_it_was_asked_for(loop):
    order = []
    for number in range(100):
        loop.call_at(5.0, order.append, number)
    run(loop, asyncio.sleep(6))
    assert order == [*range(100)]


def test_what_is_cancelled_does_not_happen(loop):
    happened = []
    loop.call_at(1.0, happened.append, 1).cancel()
    loop.call_soon(happened.append, 2).cancel()
    run(loop, asyncio.sleep(2))
    assert happened == []


def test_waiting_for_what_cannot_happen_is_an_error(loop):
    task = loop.create_task(asyncio.Event().wait())
    with pytest.raises(Stuck):
        loop.run_until_complete(task)
    task.get_coro().close()
    task._log_destroy_pending = False


def test_the_dead_do_nothing_not_even_a_finally(loop):
    done = []

    async def work():
        try:
            await asyncio.sleep(10)
            done.append("slept")
        finally:
            asyncio.get_running_loop().call_soon(done.append, "finally")

    life = Life("a", loop)
    life.spawn(work())
    life.run(loop.call_later, 1.0, done.append, "timer")

    async def world():
        await asyncio.sleep(0.5)
        life.end()
        await asyncio.sleep(20)

    run(loop, world())
    assert done == []


def test_the_frozen_go_on_later_in_order(loop):
    done = []
    life = Life("a", loop)
    for at in (1.0, 2.0, 30.0):
        life.run(loop.call_at, at, lambda: done.append(loop.time()))
    life.frozen_until = 10.0
    run(loop, asyncio.sleep(40))
    assert done == [10.0, 10.0, 30.0]


def test_an_idle_poll_rests_until_its_life_is_touched_and_keeps_its_rhythm(loop):
    looked = []
    life = Life("a", loop)
    due = [None]
    life.poll_due = lambda: due[0]

    async def poll():
        while True:
            await asyncio.sleep(Poll(1.0))
            looked.append(loop.time())

    life.spawn(poll())

    async def world():
        await asyncio.sleep(100.5)
        life.touch()
        await asyncio.sleep(99.7)
        due[0] = 5.0
        life.touch()
        await asyncio.sleep(10)
        life.end()

    run(loop, world())
    assert looked == [101.0, 201.0, 206.0]


def test_an_error_that_nobody_takes_ends_the_run(loop):
    loop.call_later(1.0, lambda: 1 / 0)
    task = loop.create_task(asyncio.sleep(2))
    with pytest.raises(ZeroDivisionError):
        loop.run_until_complete(task)
    task.get_coro().close()
    task._log_destroy_pending = False
