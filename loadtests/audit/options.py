"""What to audit: its options, and what is wrong with them. Times are in s; the command line takes 30m, 20s, 1h."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

VICTIMS = ("ingress", "stations", "projector", "directory", "http", "postgres", "redis", "node")
"""All that can be killed: kinds of processes by the beginning of their names, and a whole Ray node."""
NODES_MAX = 8
_TIME = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>s|m|h)?")
_SECONDS = {None: 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


class AuditError(Exception):
    """The audit cannot be made as asked, or not be brought to its end; the message says why and what to do."""


@dataclass(frozen=True)
class AuditOptions:
    """What audit to make.

    Attributes:
        duration_s: How long there is load.
        stations: How many.
        kill_every_s: There is one strike in each such time, at a random moment of it.
        seed: Of the plan of kills and of the fleet.
        nodes: Ray nodes of the Narke that is started; 1: it starts Ray itself.
        victims: What may be killed.
        versions: OCPP versions, dealt out in turn.
        meter_interval_s: Between meter values of a station.
        data_dir: Of a running Narke to audit; None: one is started, and ended after.
        postgres_url: Of a running Narke whose PostgreSQL is not its own; None: the embedded one.
        back_s_max: What was killed must be back within this.
        settle_s_max: After the load, what is left must be told, and PostgreSQL have caught up, within this.

    Raises:
        AuditError: Something of it cannot be met.
    """

    duration_s: float = 1800.0
    stations: int = 5_000
    kill_every_s: float = 20.0
    seed: int = 1
    nodes: int = 2
    victims: tuple[str, ...] = VICTIMS
    versions: tuple[str, ...] = ("1.6", "2.0.1", "2.1")
    meter_interval_s: float = 10.0
    data_dir: Path | None = None
    postgres_url: str | None = None
    back_s_max: float = 120.0
    settle_s_max: float = 180.0

    def __post_init__(self) -> None:
        for problem in (*_wrong_numbers(self), *_wrong_victims(self)):
            raise AuditError(problem)

    @property
    def command(self) -> str:
        """How to repeat it."""
        words = [
            f"narke audit --duration {self.duration_s:g}s --stations {self.stations}",
            f"--kill-every {self.kill_every_s:g}s --seed {self.seed} --nodes {self.nodes}",
            f"--victims {','.join(self.victims)} --version {','.join(self.versions)}",
            f"--meter-interval {self.meter_interval_s:g}s",
        ]
        return " ".join(words) + (f" --data-dir {self.data_dir}" if self.data_dir else "")


def seconds_of(text: str, name: str) -> float:
    """A time such as 90, 90s, 1.5m or 1h in s.

    Raises:
        AuditError: It is none; `name` says which option it is of.
    """
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise AuditError(f"{name} must be a time such as 90s, 30m or 1h, not {text!r}")
    return float(found["number"]) * _SECONDS[found["unit"]]


def victims_of(options_nodes: int) -> tuple[str, ...]:
    """What can be killed on so many nodes: a node only where another one is left."""
    return VICTIMS if options_nodes > 1 else tuple(each for each in VICTIMS if each != "node")


def _wrong_numbers(options: AuditOptions) -> Iterator[str]:
    if options.kill_every_s < 1:
        yield f"--kill-every must be at least 1s, not {options.kill_every_s:g}s: nothing would be back before the next"
    if options.duration_s < options.kill_every_s:
        yield (
            f"--duration ({options.duration_s:g}s) must not be shorter than --kill-every ({options.kill_every_s:g}s): "
            "nothing would be killed"
        )
    if options.stations < 1:
        yield f"--stations must be at least 1, not {options.stations}"
    if options.meter_interval_s <= 0:
        yield f"--meter-interval must be more than 0s, not {options.meter_interval_s:g}s"
    if not 1 <= options.nodes <= NODES_MAX:
        yield f"--nodes must be 1 to {NODES_MAX}, not {options.nodes}"


def _wrong_victims(options: AuditOptions) -> Iterator[str]:
    unknown = [each for each in options.victims if each not in VICTIMS]
    if unknown:
        yield f"--victims does not know {', '.join(unknown)}: use some of {', '.join(VICTIMS)}"
    elif not options.victims:
        yield f"--victims must name something: some of {', '.join(VICTIMS)}"
    if "node" in options.victims and (options.nodes < 2 or options.data_dir is not None):
        yield (
            "--victims: a node can be killed only where this audit started it and another one is left: "
            "use --nodes 2 without --data-dir, or leave node out"
        )
    if options.postgres_url is not None and options.data_dir is None:
        yield "--postgres-url is for a Narke that runs already: name its --data-dir too"
    if options.data_dir is not None and not (options.data_dir / "run" / "narke.json").is_file():
        yield f"no Narke runs on {options.data_dir} (it has no run/narke.json): start one by narke up, or leave it out"
