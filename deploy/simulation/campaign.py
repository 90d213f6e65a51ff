"""Many seeds: over several processes, added up; and a failing one made small."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from typing import Final

import msgspec

from deploy.simulation.house import Setting
from deploy.simulation.run import Run, Seen, simulate

CHUNK: Final = 8
"""Seeds that a process gets at a time."""
AHEAD: Final = 4
"""Chunks per process that are handed out beforehand."""
SHRINK_RUNS_MAX: Final = 60


class Campaign(msgspec.Struct):
    """What came of many seeds. `failed`: runs with violations, by seed. `interrupted`: by Ctrl-C, so not all ran."""

    seeds: int = 0
    interrupted: bool = False
    failed: dict[int, Run] = {}
    seen: Seen = msgspec.field(default_factory=Seen)

    def add(self, run: Run) -> None:
        """One more run."""
        self.seeds += 1
        self.seen.add(run.seen)
        if run.violations:
            self.failed[run.seed] = run

    @property
    def violations(self) -> int:
        """In all runs."""
        return sum(len(run.violations) for run in self.failed.values())

    @property
    def station_days_per_cpu_s(self) -> float:
        """How fast the simulation is, whatever else the machine does."""
        return self.seen.station_days / self.seen.cpu_s if self.seen.cpu_s else 0.0


def run_seeds(seeds: range, setting: Setting, *, jobs: int, on_run: Callable[[Run], None]) -> Campaign:
    """Runs all seeds; `on_run` hears of each as it is done, in no particular order.

    Args:
        seeds: Which.
        setting: Of each.
        jobs: Processes; 1: this one.
        on_run: For progress.
    """
    campaign = Campaign()
    try:
        for run in _in_this_process(seeds, setting) if jobs == 1 else _in_processes(seeds, setting, jobs):
            campaign.add(run)
            on_run(run)
    except KeyboardInterrupt:
        campaign.interrupted = True
    return campaign


def _in_this_process(seeds: Iterable[int], setting: Setting) -> Iterator[Run]:
    for seed in seeds:
        yield simulate(seed, setting)


def _in_processes(seeds: range, setting: Setting, jobs: int) -> Iterator[Run]:
    chunks = iter(seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK))
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        running: set[Future[list[Run]]] = set()
        try:
            while True:
                while len(running) < jobs * AHEAD and (chunk := next(chunks, None)) is not None:
                    running.add(pool.submit(_chunk, chunk, setting))
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield from future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _chunk(seeds: range, setting: Setting) -> list[Run]:
    return [*_in_this_process(seeds, setting)]


def shrink(seed: int, setting: Setting) -> Setting:
    """A smaller setting in which the seed still fails: fewer stations, then fewer kinds of faults.

    Chance falls otherwise in a smaller run, so it is another failure at times; it is one all the same.
    """
    left = SHRINK_RUNS_MAX

    def fails(smaller: Setting) -> bool:
        nonlocal left
        left -= 1
        return left >= 0 and bool(simulate(seed, smaller).violations)

    for stations in range(1, setting.stations):
        smaller = msgspec.structs.replace(setting, stations=stations)
        if fails(smaller):
            setting = smaller
            break
    for kind in setting.kinds:
        smaller = msgspec.structs.replace(setting, kinds=tuple(other for other in setting.kinds if other != kind))
        if fails(smaller):
            setting = smaller
    return setting
