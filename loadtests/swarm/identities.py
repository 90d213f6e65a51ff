"""Names for stations that no other station of this run has, and that a later run has again."""

import heapq

SPACE = 1_000_000
"""Stations of a version in one process at most."""


class Identities:
    """Gives identities out and takes them back; a freed one is given out again, the lowest first.

    A station keeps its version: the CSMS remembers what an identity spoke. So the version is part of the name.

    Args:
        prefix: What all begin with.
        worker: Number of this Locust process among the workers of its master; 0 without workers.
    """

    def __init__(self, prefix: str, worker: int) -> None:
        self._stem = prefix
        self._worker = worker
        self._next: dict[str, int] = {}
        self._free: dict[str, list[int]] = {}

    def take(self, version: str) -> tuple[str, int]:
        """An identity for a station of the version, e.g. `SWARM-201-0-00001`, and its number.

        Raises:
            RuntimeError: There are none left.
        """
        free = self._free.setdefault(version, [])
        if free:
            number = heapq.heappop(free)
        else:
            number = self._next[version] = self._next.get(version, 0) + 1
            if number > SPACE:
                raise RuntimeError(f"more than {SPACE} stations of a version in one process")
        return f"{self._stem}-{version.replace('.', '')}-{self._worker}-{number:05}", number

    def give_back(self, version: str, number: int) -> None:
        """The station is gone."""
        heapq.heappush(self._free[version], number)
