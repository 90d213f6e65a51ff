"""What processes cost: CPU and memory of a whole Narke by the parts that the run file names, Ray's own apart.

A process counts for the part that it or its nearest ancestor of a name is. CPU includes that of children that have
ended and were waited for, so nothing is lost when one goes between two looks.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psutil

RAY = "ray"
"""Raylet, GCS, agents, dashboard, idle workers: all that runs for Ray and hosts no part."""
UP = "up"
"""`narke up` itself, which supervises."""
PARTS = ("ingress", "stations", "redis", "projector", "postgres", "directory", "http")
"""Parts in the order in which they are shown; others follow by name."""
_TITLES = {"ray::StationActor": "stations", "ray::Ingress": "ingress", "ray::Projector": "projector"}
"""Ray's titles of actors that the run file need not name, as in literal mode."""


@dataclass(frozen=True)
class Family:
    """The processes of one Narke.

    Attributes:
        root: Pid of `narke up`.
        named: Pid by the run file's names.
    """

    root: int
    named: Mapping[str, int]

    def cpu_s(self) -> dict[str, float]:
        """Seconds of CPU by part since each process began. Rising; a difference of two is what was spent between."""
        return self._by_part(_cpu_s)

    def memory_kib(self) -> dict[str, float]:
        """KiB of memory by part, proportional set size: what is shared counts once over all."""
        return self._by_part(_pss_kib)

    def _by_part(self, cost: Callable[[psutil.Process], float]) -> dict[str, float]:
        part_of = {pid: part_name(name) for name, pid in self.named.items()}
        costs: dict[str, float] = defaultdict(float)
        root = psutil.Process(self.root)
        waiting = [(root, UP, self.root in part_of)]
        while waiting:
            process, inherited, by_name = waiting.pop()
            try:
                part, by_name = self._part(process, inherited, by_name=by_name, part_of=part_of)
                children = process.children()
                costs[part] += cost(process)
            except psutil.NoSuchProcess:
                continue
            waiting += [(child, part, by_name) for child in children]
        return dict(costs)

    def _part(
        self, process: psutil.Process, inherited: str, *, by_name: bool, part_of: Mapping[int, str]
    ) -> tuple[str, bool]:
        if process.pid in part_of:
            return part_of[process.pid], True
        if by_name or process.pid == self.root:
            return inherited, by_name
        title = "".join(process.cmdline()[:1])
        for beginning, part in _TITLES.items():
            if title.startswith(beginning):
                return part, True
        return RAY, False


def part_name(name: str) -> str:
    """The part that a name in the run file belongs to: `stations-1` is one of the `stations`."""
    return re.sub(r"-\d+$", "", name)


def in_order(costs: Mapping[str, float]) -> list[str]:
    """The names of parts as they are shown."""
    known = [part for part in PARTS if part in costs]
    return known + sorted(set(costs) - set(known) - {RAY, UP}) + [part for part in (RAY, UP) if part in costs]


def difference(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What was added between two looks; a part that came meanwhile counts whole."""
    return {part: after[part] - before.get(part, 0.0) for part in after}


def own_cpu_s(pid: int) -> float:
    """Seconds of CPU of one process, its ended children included."""
    return _cpu_s(psutil.Process(pid))


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _pss_kib(process: psutil.Process) -> float:
    return float(process.memory_full_info().pss / 1024)
