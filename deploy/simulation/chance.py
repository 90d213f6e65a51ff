"""Chance: which faults a seed has, how often they strike, and where.

Each run has its own mixture (swarm testing, Groce et al. 2012): of all kinds each is on or off, and all of a run are
rare or frequent together; a bug that one kind of trouble hides is found in a run without it. Faults strike at
*places*, moments at which something is under way: a call, a round trip, a frame. So they hit what matters and idle time
costs nothing.
"""

from collections import Counter
from collections.abc import Iterable
from random import Random  # noqa: TID251 (the seed is an argument of every run)
from typing import Final

PLACES: Final[dict[str, dict[str, float]]] = {
    "call": {
        "call.lost": 4,
        "call.reply-lost": 4,
        "call.late": 4,
        "call.twice": 6,
        "crash.ingress": 1,
        "crash.actor": 2,
        "crash.directory": 1,
        "freeze.ingress": 0.5,
        "freeze.actor": 1.5,
        "partition.calls": 1.5,
        "host.clock": 1,
    },
    "redis": {
        "disk.slow": 3,
        "redis.lost": 2,
        "redis.reply-lost": 4,
        "redis.late": 3,
        "crash.redis": 1,
        "partition.redis": 1.5,
        "crash.actor": 2,
        "crash.directory": 0.5,
    },
    "frame": {
        "link.cut": 4,
        "link.silent": 2,
        "link.late": 3,
        "station.takeover": 2,
        "station.twice": 4,
        "station.power": 1,
        "station.clock": 1,
        "station.flap": 1,
        "station.flood": 0.7,
    },
    "command": {
        "link.cut": 20,
        "link.silent": 10,
        "crash.ingress": 15,
        "crash.actor": 15,
        "station.power": 5,
    },
    "apply": {
        "postgres.away": 3,
        "postgres.fails": 8,
        "postgres.unsure": 8,
        "crash.projector": 5,
        "store.full": 1,
    },
}
"""By place, the kinds that strike there and how often, relative to one another."""

KINDS: Final[tuple[str, ...]] = tuple(sorted({kind for kinds in PLACES.values() for kind in kinds}))
"""All kinds of faults."""

OFTEN: Final = (0.0004, 0.0012, 0.003)
"""Of the relative figures: a run is calm, ordinary or wild."""


class Chance:
    """The dice of one run.

    Args:
        seed: Decides everything.
        kinds: Faults that may strike; a run draws about two thirds of them.
        often: Of the relative figures; None: drawn.
    """

    def __init__(self, seed: int, kinds: Iterable[str], often: float | None = None) -> None:
        self.dice: Final = Random(seed)  # noqa: S311 (faults, not secrets)
        self.stormy = True
        self.struck: Counter[str] = Counter()
        """Faults so far, by kind."""
        allowed = frozenset(kinds)
        drawn = [kind for kind in KINDS if self.dice.random() < 2 / 3]
        self.kinds: Final = tuple(kind for kind in drawn if kind in allowed)
        drawn_often = self.dice.choice(OFTEN)
        self._kinds_of: Final[dict[str, list[str]]] = {}
        self._weights_of: Final[dict[str, list[float]]] = {}
        self._rate_of: Final[dict[str, float]] = {}
        for place, weights in PLACES.items():
            on = [kind for kind in weights if kind in self.kinds]
            self._kinds_of[place] = on
            self._weights_of[place] = [weights[kind] for kind in on]
            self._rate_of[place] = (drawn_often if often is None else often) * sum(self._weights_of[place])

    def strikes(self, place: str, *, times: int = 1) -> str | None:
        """The fault that strikes here and now; None: none does. `times`: so many times as likely as else."""
        if not self.stormy or self.dice.random() >= self._rate_of[place] * times:
            return None
        kind = self.dice.choices(self._kinds_of[place], self._weights_of[place])[0]
        self.struck[kind] += 1
        return kind

    def between(self, least: float, most: float) -> float:
        """A duration, short ones more often."""
        return least + (most - least) * self.dice.random() ** 3


def dice_of(seed: int, name: str) -> Random:
    """Dice of one part, which no other part's throws disturb: without a station the others do as before."""
    return Random(f"{seed}/{name}")  # noqa: S311 (as above)
