"""The slots that a horizon is cut into: the first one from now to a boundary of the wall clock, then whole blocks.

Boundaries are multiples of the block since midnight UTC: all sites and all leases meet at the same ones, and a plan
made a minute later has the same slots but for the first. Every time zone in use is a multiple of 15 minutes away.
"""

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

BLOCK_S = 900.0
HORIZON_S = 86_400.0
SLOTS_MAX = 96
FIRST_S_MIN = 60.0
"""A first slot shorter than this is joined to the second: there is no sense in a limit for some seconds."""


def slots(
    now: datetime, horizon_s: float = HORIZON_S, *, block_s: float = BLOCK_S, slots_max: int = SLOTS_MAX
) -> tuple[datetime, NDArray[np.float64]]:
    """The slots of a plan made now.

    Args:
        now: Aware; the first slot begins here.
        horizon_s: How far to look at least, unless `slots_max` is reached before.
        block_s: Length of each slot but the first, which ends at the next boundary.
        slots_max: The most slots.

    Returns:
        Begin of the first slot (`now`, UTC), and the length of each slot (t,), s; t is at least 1.

    Raises:
        ValueError: Where `now` has no time zone, or a length is not positive.
    """
    if now.tzinfo is None:
        raise ValueError("slots need an aware time")
    if not (block_s > 0 and horizon_s > 0 and slots_max > 0):
        raise ValueError(f"slots of {block_s} s over {horizon_s} s, {slots_max} at most: each must be positive")
    start = now.astimezone(UTC)
    first_s = block_s - start.timestamp() % block_s
    if first_s < min(FIRST_S_MIN, block_s / 2):
        first_s += block_s
    count = 1 + int(np.ceil(max(horizon_s - first_s, 0.0) / block_s))
    lengths = np.full(min(count, slots_max), block_s)
    lengths[0] = first_s
    return start, lengths
