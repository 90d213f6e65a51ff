"""The planner process: hears what its sites' stations say, plans the sites whose turn it is, sends orders, tells why.

    _listen    restores all sites, then reads the streams: facts to the sites' planners
    _load      makes the planners of sites that are new or were changed
    _plan      emergencies at once and for all sites before anything else; then who is due, in threads
    outbox     orders -> commands on record
    telling    decisions -> the planner's own stream
    _look      now and then: whether the book has other sites than we plan

It holds nothing that the stores do not have: killed at any moment it goes on from there, and what stations hold
meanwhile is safe by construction. While Redis is away it plans nothing and sends nothing.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import structlog

from actors import metrics
from actors.planner_feed import Feed, Heard, RawSource
from actors.planner_outbox import Outbox
from actors.planner_sites import HostedSite, Planned, Restored, SiteLoader
from actors.planner_telling import Telling
from actors.postgres_planner import ReadsFailed
from engine.model.codec import encode
from engine.model.facts import OperatorFact
from engine.model.plans import SitePlanned
from engine.model.sites import SiteRemoved, SiteSaved
from engine.ports import Clock, CommandGateway, JournalUnavailable, SiteBook
from storage.keys import OPERATOR

log = structlog.get_logger()

TICK_S = 1.0
SPIN_S = 0.02
"""Between two looks at who is due, at least."""
SEND_PACE = timedelta(seconds=0.2)
"""Between two looks at what a site may send: answers of its stations come in dozens."""
RETRY_S_MIN = 0.5
RETRY_S_MAX = 5.0
REST_AFTER_BUG = timedelta(seconds=30)
CALM_AFTER_EMERGENCY = timedelta(seconds=3)
"""For so long after an emergency nothing else is planned or sent: stations are to be told of that first."""
HURRY_SPIN_S = 0.25
"""The same while stations are told of an emergency: what several sites send then shares calls and commits."""
HUSH = timedelta(seconds=2)
HUSH_MAX = timedelta(seconds=6)
"""So long after the last of several emergencies, and after the first, only the operator is heard: what stations answer
can wait, for a decrease needs nobody's leave."""
HURRY_MAX = timedelta(seconds=15)
"""After the first of several emergencies, whatever comes and whatever is still on its way."""
URGENT_AT_ONCE = 8
"""Sites of an emergency that are planned before the loop does anything else, such as sending."""


class PlannerActor:
    """Plans its share of the sites, for ever.

    Args:
        loader: Makes and restores the planners of its sites.
        feed: The streams.
        source: The same streams, to ask where they end.
        book: Where decisions go.
        gateway: The way to the stations.
        clock: Time.
        threads: Sites that are solved at the same time.
        reconcile_s: Between two looks at the book.
    """

    def __init__(  # noqa: PLR0913 (each is a seam of its own)
        self,
        loader: SiteLoader,
        feed: Feed,
        source: RawSource,
        book: SiteBook,
        gateway: CommandGateway,
        clock: Clock,
        *,
        threads: int = 2,
        reconcile_s: float = 600.0,
    ) -> None:
        self._loader = loader
        self._feed = feed
        self._source = source
        self._book = book
        self._clock = clock
        self._reconcile_s = reconcile_s
        self.outbox = Outbox(gateway, clock)
        self.telling = Telling(book, clock)
        self._sites: dict[str, HostedSite] = {}
        self._touched: set[str] = set()
        self._wake = asyncio.Event()
        self._adoptions: deque[Restored] = deque()
        self._to_load: set[str] = set()
        self._load_now = asyncio.Event()
        self._removed: set[str] = set()
        """Sites that were removed since the last restore: one that is being loaded is not taken up."""
        self._failure = "not started"
        self._lag_s = 0.0
        self._plans = 0
        self._hurry: tuple[datetime, datetime] | None = None
        """When the first and the last emergency were planned, while they are being told."""
        self._calm = asyncio.Event()
        """Nobody is planned in a hurry: there is time to listen."""
        self._calm.set()
        self._solving = asyncio.Semaphore(threads)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="solve")
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begins. Redis and PostgreSQL may be away."""
        for work in (self._listen, self._load, self._plan, self._look, self.outbox.run, self.telling.run):
            self._spawn(_for_ever(work))

    async def health(self) -> dict[str, Any]:
        """`failure` is empty while it hears of its sites."""
        alerts = sum(len(hosted.planner.alerts) for hosted in self._sites.values())
        metrics.planner_alerts.set(alerts)
        metrics.planner_cars.set(sum(hosted.planner.cars for hosted in self._sites.values()))
        return {
            "failure": self._failure,
            "sites": len(self._sites),
            "plans": self._plans,
            "alerts": alerts,
            "orders_waiting": len(self.outbox),
            "lag_s": round(self._lag_s, 3),
        }

    async def first_profile(self, station: str, evse: int) -> bytes | None:
        """The profile that a remote start should carry, encoded; None: none, the station's default counts."""
        hosted = self._feed.listener(station)
        if not isinstance(hosted, HostedSite) or self._failure:
            return None
        profile = self._safely(hosted, lambda now: hosted.planner.first_profile(station, evse, now))
        return None if profile is None else encode(profile)

    async def stop(self) -> None:
        """Ends all work, for tests: a process is simply killed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def touched(self, hosted: HostedSite) -> None:
        """See `actors.planner_sites.Host.touched`."""
        hosted.stirred()
        self._touched.add(hosted.name)
        self._wake.set()

    # Hearing

    async def _listen(self) -> None:
        retry_s = RETRY_S_MIN
        reason = "start"
        while True:
            try:
                await self._restore_all(reason)
                reason = "behind"
                while True:
                    await self._calm.wait()
                    heard = await self._feed.read(operator_only=_is_hushed(self._hurry, self._clock.now()))
                    self._failure, retry_s = "", RETRY_S_MIN
                    await self._heard(heard)
                    if heard.is_behind:
                        log.warning("the planner fell behind the streams and begins anew", sites=len(self._sites))
                        break
                    while self._adoptions:
                        self._adopt(self._adoptions.popleft())
            except (JournalUnavailable, ReadsFailed) as error:
                reason = "away"
                if str(error) != self._failure:
                    log.warning("the planner waits", why=str(error))
                self._failure = str(error)
                await asyncio.sleep(retry_s)
                retry_s = min(2 * retry_s, RETRY_S_MAX)

    async def _restore_all(self, reason: str) -> None:
        """Begins with what the stores have, whatever was known before."""
        for name in list(self._sites):
            await self._retire(name)
        self._adoptions.clear()
        self._to_load.clear()
        self._removed.clear()
        begin = await self._source.last_ids((OPERATOR,))
        restored = await self._loader.load(self)
        self._feed.begin(begin)
        self._adopt(restored)
        metrics.planner_restores.labels(reason).inc()
        log.info("the planner begins", sites=len(self._sites), stations=len(self._feed.stations), why=reason)

    def _adopt(self, restored: Restored) -> None:
        for hosted in restored.sites:
            if hosted.name in self._removed or hosted.name in self._to_load:  # meanwhile
                continue
            self._sites[hosted.name] = hosted
            self._feed.listen(hosted, hosted.planner.stations, restored.positions, as_of_s=restored.as_of_s)
            self.touched(hosted)
        metrics.planner_sites.set(len(self._sites))

    async def _retire(self, name: str) -> None:
        """A site is not planned any more, or anew: what it still wanted to send does not go out."""
        hosted = self._sites.pop(name, None)
        self._touched.discard(name)
        if hosted is not None:
            self._feed.forget(hosted.planner.stations)
            await self.outbox.nothing_left(name)
        metrics.planner_sites.set(len(self._sites))

    async def _heard(self, heard: Heard) -> None:
        metrics.planner_facts.inc(heard.facts)
        if heard.newest_at is not None:
            self._lag_s = max(0.0, (self._clock.now() - heard.newest_at).total_seconds())
        metrics.planner_lag_seconds.set(self._lag_s if heard.entries else 0.0)
        for fact in heard.operator:
            await self._operator(fact)

    async def _operator(self, fact: OperatorFact) -> None:
        match fact:
            case SiteSaved(site=site):
                hosted = self._sites.get(site.site)
                if (hosted is None or hosted.site != site) and self._loader.is_mine(site.site):
                    await self._load_anew(site.site)
            case SiteRemoved(site=name):
                self._removed.add(name)
                await self._retire(name)
            case _:
                for hosted in self._sites.values():
                    if hosted.planner.hear_operator(fact):
                        self.touched(hosted)

    async def _load_anew(self, name: str) -> None:
        """A site is new or another: its planner is made from the stores, while the others go on."""
        await self._retire(name)
        self._removed.discard(name)
        self._to_load.add(name)
        self._load_now.set()

    async def _load(self) -> None:
        """Loads what is to be loaded, all that waits at once; the feed's task takes it up."""
        while True:
            await self._load_now.wait()
            self._load_now.clear()
            names, self._to_load = self._to_load, set()
            if not names:
                continue
            try:
                self._adoptions.append(await self._loader.load(self, names))
            except (JournalUnavailable, ReadsFailed) as error:
                log.warning("sites wait to be planned", sites=len(names), why=str(error))
                self._to_load |= names
                await asyncio.sleep(RETRY_S_MAX)
                self._load_now.set()

    async def _look(self) -> None:
        """Whether the book has other sites than we plan: what was missed is made good."""
        while True:
            await asyncio.sleep(self._reconcile_s)
            if self._failure:
                continue
            try:
                wanted = {name: site for name, site in (await self._book.sites()).items() if self._loader.wants(site)}
                held = list((await self._book.caps()).values())
            except JournalUnavailable as error:
                log.warning("the book could not be looked at", why=str(error))
                continue
            now = self._clock.now()
            for name in self._sites.keys() | wanted.keys():
                hosted = self._sites.get(name)
                if name not in wanted:
                    await self._retire(name)
                elif hosted is None or hosted.site != wanted[name]:
                    await self._load_anew(name)
                else:
                    hosted.planner.reconcile([cap for cap in held if cap.cap.site == name], now)
                    self.touched(hosted)

    # Planning

    async def _plan(self) -> None:
        while True:
            await self._until_due()
            if self._failure:
                await asyncio.sleep(TICK_S / 4)
                continue
            await self._emergencies()
            now = self._clock.now()
            if self._is_in_a_hurry(now):
                await asyncio.sleep(HURRY_SPIN_S)
                continue
            for hosted in list(self._sites.values()):
                if hosted.busy or (hosted.rests_until is not None and now < hosted.rests_until):
                    continue
                if hosted.due_at(now) <= now and hosted.planner.wants_plan(now):
                    hosted.busy = True
                    self._spawn(self._solve(hosted))
                elif self._may_send(hosted, now):
                    self._send(hosted, now)

    def _is_in_a_hurry(self, now: datetime) -> bool:
        """Whether an emergency is still being told to stations: all else waits, for a bounded time."""
        if self._hurry is None:
            return False
        began, last = self._hurry
        is_over = not began <= now < began + HURRY_MAX  # also where the clock was put back
        if is_over or (now >= last + CALM_AFTER_EMERGENCY and not len(self.outbox)):
            self._hurry = None
            return False
        return True

    def _may_send(self, hosted: HostedSite, now: datetime) -> bool:
        """Whether its orders are to be asked for: it heard something, or they are due, and it was not just now."""
        if hosted.name not in self._touched and hosted.due_at(now) > now:
            return False
        return hosted.sends_at is None or not now < hosted.sends_at <= now + SEND_PACE

    async def _until_due(self) -> None:
        """Until somebody is due or something was heard that can be answered now."""
        now = self._clock.now()
        waits = [hosted for hosted in self._sites.values() if not hosted.busy]
        dues = [hosted.due_at(now) for hosted in waits]
        dues += [hosted.sends_at or now for hosted in waits if hosted.name in self._touched]
        wait_s = min(((due - now).total_seconds() for due in dues), default=TICK_S)
        try:
            async with asyncio.timeout(min(max(wait_s, SPIN_S), TICK_S)):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _emergencies(self) -> None:
        """Everybody concerned, by the real-time layer; what is made goes out while the next are planned."""
        waiting = [hosted for hosted in self._sites.values() if hosted.planner.is_urgent()]
        if not waiting:
            return
        self._calm.clear()
        for number, hosted in enumerate(waiting, 1):
            planned = self._safely(hosted, hosted.planner.plan_urgently)
            if planned is not None:
                self._out(hosted, planned)
            if number % URGENT_AT_ONCE == 0:
                await asyncio.sleep(0)
        now = self._clock.now()
        self._hurry = (now if self._hurry is None else self._hurry[0], now)
        self._calm.set()
        log.info("an emergency was planned", sites=len(waiting))

    async def _solve(self, hosted: HostedSite) -> None:
        """One plan of one site."""
        try:
            async with self._solving:
                draft = self._safely(hosted, hosted.planner.draft)
                if draft is None or hosted.name not in self._sites:
                    return
                await asyncio.get_running_loop().run_in_executor(self._pool, draft.solve)
                metrics.planner_solve_seconds.observe(draft.solve_ms / 1000)
                if draft.repaired is not None:
                    metrics.planner_repairs.inc()
                    log.warning("a plan was repaired", site=hosted.name, why=draft.repaired)
                if self._sites.get(hosted.name) is hosted:
                    planned = self._safely(hosted, lambda now: hosted.planner.finish(draft, now))
                    if planned is not None:
                        self._out(hosted, planned)
        except Exception:  # an allocator's or ours: the site rests, the others go on
            log.exception("a site could not be solved; it rests", site=hosted.name)
            metrics.bugs.inc()
            hosted.rests_until = self._clock.now() + REST_AFTER_BUG
        finally:
            hosted.busy = False
            self.touched(hosted)

    def _safely(self, hosted: HostedSite, work: "Callable[[datetime], Any]") -> Any:
        """What the work gives; None: it failed, and the site rests for a while."""
        try:
            return work(self._clock.now())
        except Exception:  # a bug of one site must not stop the others
            log.exception("a site could not be planned; it rests", site=hosted.name)
            metrics.bugs.inc()
            hosted.rests_until = self._clock.now() + REST_AFTER_BUG
            return None

    def _send(self, hosted: HostedSite, now: datetime) -> None:
        """What may go out without a new plan: increases that waited, renewals."""
        self._touched.discard(hosted.name)
        hosted.sends_at = now + SEND_PACE
        planned = self._safely(hosted, hosted.planner.send)
        if planned is not None:
            self.outbox.hand_over(hosted.name, planned.orders, hosted.unsent)
            self.telling.record(planned.facts)
        hosted.stirred()

    def _out(self, hosted: HostedSite, planned: Planned) -> None:
        hosted.rests_until = None
        hosted.stirred()
        self._plans += 1
        self.outbox.hand_over(hosted.name, planned.orders, hosted.unsent)
        for fact in planned.facts:
            if isinstance(fact, SitePlanned):
                metrics.planner_plans.labels(fact.layer.value).inc()
        self.telling.record(planned.facts)

    # Tasks

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _is_hushed(hurry: tuple[datetime, datetime] | None, now: datetime) -> bool:
    """Whether stations are told of an emergency just now, which needs none of their answers."""
    return hurry is not None and hurry[0] <= now < min(hurry[0] + HUSH_MAX, hurry[1] + HUSH)


async def _for_ever(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    while True:
        try:
            await work()
        except Exception:  # a bug: whatever it was, the process goes on
            metrics.bugs.inc()
            log.exception("a task of the planner failed", task=work.__name__)
            await asyncio.sleep(RETRY_S_MAX)
