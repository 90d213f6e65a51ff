"""What a named scenario is: how stations arrive, what happens when, and what must hold at the end.

The scenarios themselves are in `loadtests.scenarios`. Each process of a fleet plays the scenario with its own stations;
times are seconds since the fleet's start, which all processes share.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from loadtests.behaviour import Behaviour
from loadtests.fleet_result import FleetResult
from loadtests.parameters import check_bounds
from loadtests.station import Station


@dataclass(frozen=True)
class Verdict:
    """Whether something held; `found`: what was seen."""

    invariant: str
    held: bool
    found: str


Invariant = Callable[[FleetResult], Verdict]


class Stage(Protocol):
    """The stations of one process, and what a scenario can do to them."""

    @property
    def stations(self) -> Sequence[Station]:
        """All."""

    @property
    def tokens(self) -> tuple[str, ...]:
        """What drivers present."""

    @property
    def chance(self) -> Random:
        """Randomness of the seed, another one in each process."""

    @property
    def is_first(self) -> bool:
        """Whether this process does what must be done once."""

    def region(self, share: float) -> list[Station]:
        """The stations that stand together: the first ones of the whole fleet, this share of it."""

    async def until(self, seconds: float) -> None:
        """Waits until so long after the last station began to connect."""

    def wave(self, name: str, stations: Sequence[Station], *, boots: bool) -> None:
        """From now on these stations must come back: the time until all did is measured."""

    def cut_power(self, station: Station, off_s: float) -> None:
        """The station goes dark without a word, comes back after so long and boots."""

    def send_driver(self, station: Station) -> bool:
        """A driver walks up to a free connector of the station; returns whether there was one."""


@dataclass(frozen=True)
class Scenario:
    """Stations arrive evenly and live their lives; nothing happens to them."""

    def __post_init__(self) -> None:
        check_bounds(self)

    @property
    def needs_s(self) -> float:
        """How long the fleet must run after it began to connect, for all that happens and the time to recover."""
        return 0.0

    def arrival_s(self, rank: float, connect_s: float) -> float:
        """When a station begins to connect; `rank`: its place in the fleet, 0 to 1."""
        return rank * connect_s

    def habits(self) -> Mapping[str, object]:
        """What it changes of the stations' `Habits`, by field."""
        return {}

    def behaviour(self, rank: float) -> Behaviour | None:
        """How a station behaves instead of what the mix says; None: as the mix says."""
        del rank
        return None

    async def play(self, stage: Stage) -> None:
        """What happens; may end before the fleet does."""

    @property
    def invariants(self) -> tuple[Invariant, ...]:
        """What must hold at the end, beside what holds for every fleet."""
        return ()
