"""Which actor owns which unit: rendezvous hashing, pure.

Every (unit, actor) pair has a score; the live actor with the highest score owns the unit. When an actor dies only
its own units move, spread over all survivors, and they come back when it does (Thaler and Ravishankar, 1998). When one
joins it takes its share from all others, and nothing moves between those.
"""

import hashlib
from collections.abc import Collection
from functools import lru_cache

PAIRS_MAX = 65_536
"""Scores kept, those of 1,024 units on 64 actors."""


@lru_cache(maxsize=PAIRS_MAX)
def score(unit: str, actor: str) -> int:
    """How much this actor is meant for this unit; the same on every machine."""
    return int.from_bytes(hashlib.blake2b(f"{unit}\0{actor}".encode(), digest_size=8).digest())


def owner(unit: str, live: Collection[str]) -> str | None:
    """The actor that should own the unit; None when no actor lives."""
    return max(live, key=lambda actor: score(unit, actor), default=None)
