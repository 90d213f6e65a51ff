"""Greenlets beside a test's asyncio loop: in a thread of their own, without Locust's patch."""

import asyncio

import gevent


async def in_greenlets(play, seconds=20):
    """What `play` returns; it runs in a greenlet of another thread."""

    def work():
        try:
            return gevent.spawn(play).get(timeout=seconds)
        finally:
            gevent.get_hub().destroy(destroy_loop=True)

    return await asyncio.to_thread(work)


def until(condition):
    """Waits in a greenlet for what another one does."""
    while not condition():
        gevent.sleep(0.005)
