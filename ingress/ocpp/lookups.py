"""Lookups in the operator's book: all that wait go together, in one round trip at a time.

When thousands of stations come at once, a round trip for each would wait for the few connections to Redis until it is
too late, and then be made again.
"""

import asyncio
from typing import Final

from engine.model.stations import StationRecord
from engine.ports import OperatorBook, SeamError

_TOGETHER_MAX = 500


class Lookups:
    """Records of stations, looked up together. How many may wait is bounded by the handshakes under way.

    Args:
        book: What the operator knows of stations.
    """

    def __init__(self, book: OperatorBook) -> None:
        self._book: Final = book
        self._waiting: dict[str, asyncio.Future[StationRecord | None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def find(self, station: str) -> StationRecord | None:
        """See `OperatorBook.look_up`; None: no such station is registered.

        Raises:
            SeamError, OSError: It is unknown.
        """
        loop = asyncio.get_running_loop()
        found = self._waiting.get(station)
        if found is None:
            found = self._waiting[station] = loop.create_future()
        if self._task is None:
            self._task = loop.create_task(self._work())
        return await asyncio.shield(found)  # others may wait for the same

    async def _work(self) -> None:
        while self._waiting:
            await asyncio.sleep(0)  # whoever comes in this turn goes along
            together = [*self._waiting.items()][:_TOGETHER_MAX]
            for station, _ in together:
                del self._waiting[station]
            await self._look_up(dict(together))
        self._task = None

    async def _look_up(self, together: dict[str, asyncio.Future[StationRecord | None]]) -> None:
        try:
            records = await self._book.look_up([*together])
        except asyncio.CancelledError:
            for found in together.values():
                found.cancel()
            raise
        except Exception as error:  # noqa: BLE001 (whoever asked hears of it, each by itself)
            for found in together.values():
                if not found.done():
                    found.set_exception(_own(error))
                    found.exception()  # seen: nobody may wait any more
        else:
            for station, found in together.items():
                if not found.done():
                    found.set_result(records.get(station))


def _own(error: Exception) -> Exception:
    """The error for one of several who wait: an exception that is raised twice would grow a trace of all."""
    if isinstance(error, SeamError | OSError):
        return type(error)(*error.args)
    return error
