"""What closed loop to run, and what is wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loadtests.wording import WORDING_OF_VERSION

STATIONS_MAX = 2_000
MINUTES_MIN = 1.0
MINUTES_MAX = 24 * 60.0


class LoopError(Exception):
    """The loop cannot be run as asked, or not be brought to its end; the message says why and what to do."""


@dataclass(frozen=True)
class LoopOptions:
    """What loop to run.

    Attributes:
        stations: Charging stations; sites are made for them.
        minutes: How long cars charge, in real time.
        seed: Of sites, cars and trouble.
        versions: OCPP versions, dealt out in turn.
        data_dir: Of a Narke that runs; None: one is started in a temporary folder, and ended after.
        notice_s: A cap that counts at once counts for the meters so much later: what telling it to stations and cars
            may take.

    Raises:
        LoopError: Something of it cannot be met.
    """

    stations: int = 24
    minutes: float = 5.0
    seed: int = 1
    versions: tuple[str, ...] = ("1.6", "2.0.1", "2.1")
    data_dir: Path | None = None
    notice_s: float = 15.0

    def __post_init__(self) -> None:
        for problem in _wrong(self):
            raise LoopError(problem)

    @property
    def seconds(self) -> float:
        """Of load."""
        return 60.0 * self.minutes

    @property
    def command(self) -> str:
        """How to repeat it."""
        words = f"narke smart-bench --closed-loop --stations {self.stations} --minutes {self.minutes:g}"
        return f"{words} --seed {self.seed}"


def _wrong(options: LoopOptions) -> Iterator[str]:
    if not 1 <= options.stations <= STATIONS_MAX:
        yield f"--stations is 1 to {STATIONS_MAX}, not {options.stations}"
    if not MINUTES_MIN <= options.minutes <= MINUTES_MAX:
        yield f"--minutes is {MINUTES_MIN:g} to {MINUTES_MAX:g}, not {options.minutes:g}"
    unknown = [each for each in options.versions if each not in WORDING_OF_VERSION]
    if unknown or not options.versions:
        yield f"unknown OCPP version {', '.join(unknown)}: use some of {', '.join(WORDING_OF_VERSION)}"
    if not 0.0 <= options.notice_s <= 600.0:
        yield f"the notice of a cap is 0 to 600 s, not {options.notice_s:g}"
