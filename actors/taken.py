"""What becomes of each of many commands that travel to a station actor in one call: a byte for each goes back."""

from enum import IntEnum


class Taken(IntEnum):
    """Of one command."""

    RECORDED = 0
    """It is on record, and its outcome will be."""
    MOVED = 1
    """Its unit has another owner: ask the directory."""
    UNAVAILABLE = 2
    """Nothing was recorded, or that is unknown: try again."""
