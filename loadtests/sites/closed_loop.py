"""A closed loop: the planner of a whole Narke against virtual stations through OCPP, judged by meters at every limit.

Narke starts -> sites are imported -> stations boot -> all hold a profile -> cars come; in between a cap from outside
drops and ends, connections are lost, the planner is killed -> the meters are asked
"""

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, time
from urllib.parse import quote

from loadtests.audit.house import OwnNarke, Programs
from loadtests.audit.options import AuditError
from loadtests.audit.running import RunningNarke
from loadtests.sites import rest
from loadtests.sites.loop_options import LoopError, LoopOptions
from loadtests.sites.loop_report import Event, LoopReport
from loadtests.sites.plan_of_sites import cap_of, plans_of
from loadtests.sites.site_crowd import Site, SiteCrowd, Trouble
from loadtests.sites.tree import Cap

TOKEN = "LOOP-DRIVER"  # noqa: S105 (what a driver presents)
PREFIX = "LOOP"
PLANNER = "planner"
CAP_SOURCE = "grid:loop"
CAP_SHARE = 0.6
LOST_SHARE = 0.15
LOST_S = 25.0
FIRST_WITHIN_S = 20.0
COVERED_S_MAX = 90.0
"""Until every station holds a profile."""
BACK_S_MAX = 60.0
POLL_S = 0.25


@dataclass(frozen=True)
class Progress:
    """Where a loop is."""

    phase: str
    seconds: float = 0.0
    charging: int = 0
    violations: int = 0


Show = Callable[[Progress], None]


def run_closed_loop(options: LoopOptions, programs: Programs, show: Show, trouble: Trouble | None = None) -> LoopReport:
    """Runs it in this process and children of it. Blocks.

    Raises:
        LoopError: It could not be brought to its end.
    """
    folder = Path(tempfile.mkdtemp(prefix="narke-loop-"))
    keep = True
    try:
        report = _run(options, programs, show, folder, trouble or Trouble())
        keep = not report.is_good
        return replace(report, kept=folder) if keep else report
    except (AuditError, TimeoutError) as error:
        raise LoopError(f"{error}\nLogs are kept in {folder}") from error
    except LoopError as error:
        raise LoopError(f"{error}\nLogs are kept in {folder}") from error
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _run(options: LoopOptions, programs: Programs, show: Show, folder: Path, trouble: Trouble) -> LoopReport:
    show(Progress("starting Narke"))
    with contextlib.ExitStack() as stack:
        if options.data_dir is not None:
            narke = RunningNarke(options.data_dir, programs.narke)
            if not narke.is_ready():
                raise LoopError(f"the Narke on {options.data_dir} is not ready: look at `narke status`")
        else:
            own = OwnNarke(folder, programs, 1)
            stack.callback(own.stop)
            own.start()
            narke = own
        names = [f"{PREFIX}-{number:04}" for number in range(1, options.stations + 1)]
        plans = plans_of(names, options.seed)
        narke.command("tokens", "add", TOKEN)
        for plan in plans:
            rest.put(narke, f"/sites/{plan.name}", plan.site)
        crowd = SiteCrowd(plans, narke.ocpp_url, (TOKEN,), options.seed, trouble, options.versions)
        return asyncio.run(_Loop(options, narke, crowd, show).run())


class _Loop:
    """One loop on a Narke that runs."""

    def __init__(self, options: LoopOptions, narke: RunningNarke, crowd: SiteCrowd, show: Show) -> None:
        self._options = options
        self._narke = narke
        self._crowd = crowd
        self._show = show
        self._phase = "stations boot"
        self._began = monotonic()
        self._events: list[Event] = []
        self._problems: list[str] = []

    async def run(self) -> LoopReport:
        """The report."""
        showing = asyncio.create_task(self._keep_showing())
        try:
            await self._crowd.start()
            await self._wait_until_covered()
            lasted_s = await self._load()
        finally:
            await _end(showing)
            await self._crowd.leave()
        return self._report(lasted_s)

    async def _load(self) -> float:
        """Cars come and things happen, until the time is over; returns how long it took."""
        self._phase, self._began = "cars charge", monotonic()
        self._crowd.open_doors(FIRST_WITHIN_S)
        tasks = [asyncio.create_task(self._crowd.watch()), asyncio.create_task(self._acts())]
        try:
            while self._now() < self._options.seconds or not tasks[-1].done():
                for task in tasks:
                    if task.done():
                        task.result()
                await asyncio.sleep(POLL_S)
        finally:
            for task in tasks:
                await _end(task)
        return self._now()

    def _now(self) -> float:
        return monotonic() - self._began

    async def _keep_showing(self) -> None:
        while True:
            violations = sum(site.meter.counted for site in self._crowd.sites.values())
            self._show(Progress(self._phase, self._now(), self._crowd.statistics.charging, violations))
            await asyncio.sleep(1.0)

    async def _wait_until_covered(self) -> None:
        """No car comes before each station holds a profile: what nobody told cannot be held."""
        self._phase = "the planner tells stations their first limits"
        ends = monotonic() + COVERED_S_MAX
        while bare := self._crowd.bare:
            self._crowd.check()
            if monotonic() > ends:
                raise LoopError(
                    f"after {COVERED_S_MAX:g} s {len(bare)} of {self._options.stations} stations hold no charging "
                    f"profile ({bare[0]} and so on): does the planner run?"
                )
            await asyncio.sleep(POLL_S)

    # What is done to it

    async def _acts(self) -> None:
        """A cap drops in the middle and ends, connections are lost, the planner dies; all within the time."""
        seconds = self._options.seconds
        acts: list[tuple[float, Callable[[], object]]] = [
            (0.25 * seconds, self._lose_connections),
            (0.35 * seconds, self._drop_cap),
            (0.50 * seconds, self._kill_planner),
            (0.65 * seconds, self._end_cap),
            (0.75 * seconds, self._lose_connections),
        ]
        for at_s, act in acts:
            await asyncio.sleep(max(0.0, at_s - self._now()))
            made = act()
            if asyncio.iscoroutine(made):
                await made

    def _lose_connections(self) -> None:
        lost = self._crowd.lose_connections(LOST_SHARE, LOST_S)
        self._events.append(Event(self._now(), f"{len(lost)} stations lose their connection for {LOST_S:g} s"))

    @property
    def _largest(self) -> Site:
        return max(self._crowd.sites.values(), key=lambda site: len(site.plan.stations))

    async def _drop_cap(self) -> None:
        site = self._largest
        kw = cap_of(site.plan, CAP_SHARE)
        at_s, told_at = self._now(), time()
        body = {"steps": [{"at": datetime.fromtimestamp(told_at, UTC).isoformat(), "kw": kw}], "emergency": True}
        await asyncio.to_thread(rest.put, self._narke, _cap_path(site), body)
        site.caps.append(Cap(CAP_SOURCE, "", time() + self._options.notice_s, kw))
        limit_kw = site.plan.site["nodes"][0]["limit_kw"]
        words = f"{site.plan.name} is capped to {kw:g} of {limit_kw:g} kW at once (told in {time() - told_at:.1f} s)"
        self._events.append(Event(at_s, words))

    async def _end_cap(self) -> None:
        site = self._largest
        at_s = self._now()
        site.caps.append(Cap(CAP_SOURCE, "", time(), None))
        await asyncio.to_thread(rest.delete, self._narke, _cap_path(site))
        self._events.append(Event(at_s, f"the cap of {site.plan.name} ends"))

    async def _kill_planner(self) -> None:
        """Kill -9 of every planner's process; returns when all are back."""
        before = await asyncio.to_thread(self._planners)
        at_s = self._now()
        if not before:
            self._problems.append("no planner's process was found to be killed")
            return
        for pid in before.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        ends = monotonic() + BACK_S_MAX
        while True:
            now = await asyncio.to_thread(self._planners)
            if now.keys() == before.keys() and not set(now.values()) & set(before.values()):
                break
            if monotonic() > ends:
                self._problems.append(f"the planner was not back within {BACK_S_MAX:g} s")
                break
            await asyncio.sleep(POLL_S)
        self._events.append(Event(at_s, f"kill -9 of {', '.join(sorted(before))}", self._now() - at_s))

    def _planners(self) -> dict[str, int]:
        with contextlib.suppress(AuditError):  # the run file is being replaced, say
            return {name: pid for name, pid in self._narke.living.items() if name.startswith(PLANNER)}
        return {}

    # What came of it

    def _report(self, seconds: float) -> LoopReport:
        crowd = self._crowd
        meters = [site.meter for site in crowd.sites.values()]
        highest: dict[str, float] = {}
        for meter in meters:
            highest |= {f"{meter.tree.site} {row}": share for row, share in meter.highest.items()}
        if crowd.statistics.transactions == 0:
            self._problems.append("not one car charged")
        shorter = sorted((each for meter in meters for each in meter.shorter), key=lambda each: -each.over)
        return LoopReport(
            command=self._options.command,
            stations=self._options.stations,
            sites=len(meters),
            seconds=seconds,
            rows=len(highest),
            looks=max((meter.looks for meter in meters), default=0),
            violations=tuple(crowd.violations),
            counted=sum(meter.counted for meter in meters),
            shorter=tuple(shorter),
            counted_shorter=sum(meter.counted_shorter for meter in meters),
            highest=highest,
            energy_kwh=crowd.energy_kwh,
            transactions=crowd.statistics.transactions,
            seen=crowd.counted,
            commands=dict(crowd.commands),
            events=tuple(self._events),
            problems=tuple(self._problems),
        )


def _cap_path(site: Site) -> str:
    return f"/sites/{site.plan.name}/caps/{quote(CAP_SOURCE, safe='')}"


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)  # what it raised was seen before
