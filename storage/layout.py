"""What is fixed at the first start of an installation, kept beside the data it describes.

The number of shards decides where a station's facts are. Whether a shard or a single station is fenced decides which
epoch guards them: actors of both kinds at once on the same data would not see each other.
"""

from engine.ports import JournalUnavailable
from storage.redis_link import RedisLink

LAYOUT_KEY = b"narke:{operator}:layout"


class LayoutDiffers(Exception):  # noqa: N818 (a state)
    """The data was laid out otherwise. The message says what to do."""


async def fix_layout(link: RedisLink, shards: int, *, literal: bool) -> bool:
    """Writes the layout down at the first start, compares it at every later one; True: this was the first.

    Raises:
        LayoutDiffers: The data has another layout.
        JournalUnavailable: Redis does not answer.
    """
    wanted = b"%d %b" % (shards, b"stations" if literal else b"shards")
    if await link.command(b"SET", LAYOUT_KEY, wanted, b"NX") is not None:
        return True
    stored = await link.command(b"GET", LAYOUT_KEY)
    if stored is None:
        raise JournalUnavailable(f"Redis at {link.place} forgot {LAYOUT_KEY.decode()} while Narke started: start again")
    stored_shards, _, stored_kind = stored.decode().partition(" ")
    if int(stored_shards) != shards:
        raise LayoutDiffers(
            f"the data in Redis at {link.place} was laid out for {stored_shards} shards, actors.shards is {shards}: "
            f"set actors.shards = {stored_shards}; the number cannot be changed later"
        )
    if (stored_kind == "stations") != literal:
        kept = "one station per actor" if stored_kind == "stations" else "several stations per actor"
        raise LayoutDiffers(
            f"the data in Redis at {link.place} was made with {kept}: keep actors.stations_per_actor "
            f"{'at' if stored_kind == 'stations' else 'above'} 1, or start on a new data directory"
        )
    return False
