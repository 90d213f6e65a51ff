"""What is fixed at the first start of an installation: the number of shards. Kept beside the data it describes."""

from engine.ports import JournalUnavailable
from storage.redis_link import RedisLink

SHARDS_KEY = b"narke:{operator}:shards"


class LayoutDiffers(Exception):  # noqa: N818 (a state)
    """The data was laid out for another number of shards. The message says what to do."""


async def fix_shards(link: RedisLink, shards: int) -> bool:
    """Writes the number of shards down at the first start, compares it at every later one; True: this was the first.

    Raises:
        LayoutDiffers: The data has another number.
        JournalUnavailable: Redis does not answer.
    """
    first = await link.command(b"SET", SHARDS_KEY, b"%d" % shards, b"NX")
    if first is not None:
        return True
    stored = await link.command(b"GET", SHARDS_KEY)
    if stored is None:
        raise JournalUnavailable(f"Redis at {link.place} forgot {SHARDS_KEY.decode()} while Narke started: start again")
    if int(stored) != shards:
        raise LayoutDiffers(
            f"the data in Redis at {link.place} was laid out for {int(stored)} shards, actors.shards is {shards}: "
            f"set actors.shards = {int(stored)}; the number cannot be changed later"
        )
    return False
