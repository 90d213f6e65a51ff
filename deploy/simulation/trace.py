"""The trace of a run: time, who, what. Written only when somebody will read it."""

import hashlib
from datetime import timedelta
from typing import Final

from deploy.simulation.virtual_time import BEGINNING, VirtualLoop

LINES_MAX = 200_000


class Trace:
    """Lines of one run, the oldest dropped beyond LINES_MAX. `digest` covers all of them."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.lines: list[str] = []
        self._loop: Final = loop
        self._hash = hashlib.blake2b(digest_size=16)

    def say(self, who: str, what: str) -> None:
        """One line."""
        at = BEGINNING + timedelta(seconds=self._loop.time())
        line = f"{at:%d %H:%M:%S.%f}  {who:<12}  {what}"
        self._hash.update(line.encode())
        self.lines.append(line)
        if len(self.lines) > LINES_MAX:
            del self.lines[: LINES_MAX // 10]

    @property
    def digest(self) -> str:
        """Of all lines: two runs with the same are the same."""
        return self._hash.hexdigest()
