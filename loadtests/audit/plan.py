"""The plan of kills: what dies when, all of it drawn from the seed before anything begins."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

TOGETHER_SHARE = 0.2
"""Of the strikes that hit several parts at once."""
TOGETHER_MAX = 3


@dataclass(frozen=True)
class Victim:
    """What to kill: a kind of process (or `node`) and a number that chooses one of that kind, whatever there are."""

    kind: str
    draw: int


@dataclass(frozen=True)
class Strike:
    """Kills at one moment, `at_s` after the load began."""

    at_s: float
    victims: tuple[Victim, ...]


def planned(seed: int, duration_s: float, every_s: float, kinds: Sequence[str]) -> tuple[Strike, ...]:
    """One strike in each `every_s`, at a random moment of it.

    Kinds come from a shuffled deck, so that all of them have their turn before one comes again.
    """
    chance = random.Random(seed)
    deck = _deck(chance, kinds)
    strikes = []
    for turn in range(int(duration_s / every_s)):
        at_s = (turn + chance.uniform(0.1, 0.9)) * every_s
        count = 1
        if len(kinds) > 1 and chance.random() < TOGETHER_SHARE:
            count = chance.randint(2, min(TOGETHER_MAX, len(kinds)))
        kinds_hit: list[str] = []
        while len(kinds_hit) < count:
            kind = next(deck)
            if kind not in kinds_hit:
                kinds_hit.append(kind)
        strikes.append(Strike(at_s, tuple(Victim(kind, chance.getrandbits(16)) for kind in kinds_hit)))
    return tuple(strikes)


def _deck(chance: random.Random, kinds: Sequence[str]) -> Iterator[str]:
    while True:
        yield from chance.sample(sorted(kinds), len(kinds))
