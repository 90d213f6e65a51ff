"""Which actor owns which unit: rendezvous hashing, pure.

Every (unit, actor) pair has a score; the live actor with the highest score owns the unit. When an actor dies only
its own units move, spread over all survivors, and they come back when it does (Thaler and Ravishankar, 1998).
"""

import hashlib
from collections.abc import Collection


def score(unit: str, actor: str) -> int:
    """How much this actor is meant for this unit; the same on every machine."""
    return int.from_bytes(hashlib.blake2b(f"{unit}\0{actor}".encode(), digest_size=8).digest())


def owner(unit: str, live: Collection[str]) -> str | None:
    """The actor that should own the unit; None when no actor lives."""
    return max(live, key=lambda actor: score(unit, actor), default=None)
