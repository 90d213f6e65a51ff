"""What the swarm takes from gevent: the only module that imports it, for it brings no types.

All of it works without Locust's patch of the standard library, in a process that runs asyncio beside it.
"""

from gevent import Timeout, sleep, spawn, spawn_later  # type: ignore[import-untyped]  # gevent brings no types
from gevent.event import AsyncResult, Event  # type: ignore[import-untyped]  # gevent brings no types
from gevent.lock import BoundedSemaphore, RLock  # type: ignore[import-untyped]  # gevent brings no types
from gevent.pool import Group  # type: ignore[import-untyped]  # gevent brings no types
from gevent.socket import create_connection  # type: ignore[import-untyped]  # gevent brings no types
from gevent.ssl import SSLContext  # type: ignore[import-untyped]  # gevent brings no types

__all__ = [
    "AsyncResult",
    "BoundedSemaphore",
    "Event",
    "Group",
    "RLock",
    "SSLContext",
    "Timeout",
    "create_connection",
    "sleep",
    "spawn",
    "spawn_later",
]
