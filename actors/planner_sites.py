"""The sites of one planner process: which are its own, how a site's planner is made and restored, who hears what.

Sites are shared out by rendezvous hashing of their ids over the planner processes, as units are over station actors.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import Any, NamedTuple, Protocol

import structlog

from actors.placement import owner
from actors.postgres_planner import PlannerReads
from engine.model.caps import HeldCap
from engine.model.charging_profiles import ChargingProfile
from engine.model.commands import Outcome
from engine.model.facts import Fact, OperatorFact
from engine.model.plans import PlanFact, SiteAlertRaised
from engine.model.sites import DriverAsked, Site, SiteSeries
from engine.ports import Clock, SiteBook
from smartcharging.words import Order
from storage.queries.charging_history import PastStay
from storage.queries.station_stories import Stories

log = structlog.get_logger()


class Kept(NamedTuple):
    """What the operator's book holds for one site."""

    caps: Sequence[HeldCap]
    series: Sequence[SiteSeries]
    requests: Sequence[DriverAsked]


class Host(Protocol):
    """What a hosted site tells its process."""

    def touched(self, hosted: "HostedSite") -> None:
        """Something was heard that may concern its plan or its orders."""


class Draft(Protocol):
    """A plan under way."""

    solve_ms: float
    repaired: str | None
    """What was wrong with the allocator's answer; None: nothing."""

    def solve(self) -> None:
        """Runs the allocator; in any thread, one at a time per site."""


class Planned(Protocol):
    """What a plan came to."""

    @property
    def orders(self) -> Sequence[Order]:
        """To be sent."""

    @property
    def facts(self) -> Sequence[PlanFact]:
        """To be recorded."""


class SitePlanning(Protocol):
    """The planner of one site, as its process needs it (`smartcharging.planning.site_planner.SitePlanner`). Pure.

    A protocol, so that a process without sites imports no solver.

    `stations`: whose facts it wants; `meters`: those of them whose meters it reads outside of transactions, too.
    """

    @property
    def stations(self) -> Sequence[str]:
        """See above."""

    @property
    def meters(self) -> Sequence[str]:
        """See above."""

    def restore(
        self,
        facts: Mapping[str, Sequence[tuple[Fact, datetime]]],
        caps: Sequence[HeldCap],
        series: Sequence[SiteSeries],
        requests: Sequence[DriverAsked],
        now: datetime,
    ) -> None:
        """Takes what the stores know; before anything else."""

    def learn(self, past: Sequence[PastStay]) -> None:
        """Stays of before, for the forecast."""

    def hear(self, station: str, fact: Fact, at: datetime) -> None:
        """A fact about one of its stations; `at`: when it was recorded, our clock."""

    def hear_operator(self, fact: OperatorFact) -> bool:
        """A fact of the operator's, of this site or not; False: it changes nothing here."""

    def reconcile(self, caps: Sequence[HeldCap], now: datetime) -> None:
        """All caps that the book holds for it at this moment."""

    def settled(self, order_id: str, outcome: Outcome, now: datetime) -> None:
        """What became of an order."""

    def due_at(self, now: datetime) -> datetime:
        """When it wants to be planned, or its orders to be asked for."""

    def is_urgent(self) -> bool:
        """Whether an emergency waits to be told to stations."""

    def wants_plan(self, now: datetime) -> bool:
        """Whether it is to be planned now; else only its orders are due."""

    def plan_urgently(self, now: datetime) -> Planned:
        """By the real-time layer, at once; the whole plan follows."""

    def draft(self, now: datetime) -> Draft:
        """The beginning of a plan: what is to be solved."""

    def finish(self, draft: Any, now: datetime) -> Planned:
        """The end of a plan, after its draft was solved."""

    def send(self, now: datetime) -> Planned:
        """What may go out now, without a new plan."""

    def first_profile(self, station: str, evse: int, now: datetime) -> ChargingProfile | None:
        """What a remote start should carry; None: nothing."""

    @property
    def alerts(self) -> Sequence[SiteAlertRaised]:
        """Those that are raised."""

    @property
    def cars(self) -> int:
        """How many were planned last."""


class HostedSite:
    """A site with its planner, in the process that plans it. Implements `actors.planner_feed.Listener`.

    `busy`: it is being solved. `rests_until`: it failed, and is left alone until then. `sends_at`: not before that are
    its orders asked for again: what stations say meanwhile is answered together.
    """

    def __init__(self, site: Site, planner: SitePlanning, host: Host) -> None:
        self.site = site
        self.planner = planner
        self.busy = False
        self.rests_until: datetime | None = None
        self.sends_at: datetime | None = None
        self._due: datetime | None = None
        self._host = host

    @property
    def name(self) -> str:
        """The site's id."""
        return self.site.site

    def due_at(self, now: datetime) -> datetime:
        """When its planner wants something; asked once, until `stirred`."""
        if self._due is None:
            self._due = self.planner.due_at(now)
        return self._due

    def stirred(self) -> None:
        """Something happened that may change when it is due."""
        self._due = None

    def hear(self, station: str, fact: Fact, at: datetime) -> None:
        """See `Listener.hear`."""
        self.planner.hear(station, fact, at)
        self._host.touched(self)

    def unsent(self, order_id: str, outcome: Outcome, now: datetime) -> None:
        """An order could not be put on record."""
        self.planner.settled(order_id, outcome, now)
        self._host.touched(self)


class Restored(NamedTuple):
    """Hosted sites that know everything up to some place in the streams. `as_of_s`: `monotonic`, when that was so."""

    sites: Sequence[HostedSite]
    positions: Mapping[str, str]
    as_of_s: float


class SiteLoader:
    """Makes the planners of this process' sites, and fills them from the stores.

    Args:
        name: Of this process.
        peers: Names of all planner processes, this one among them.
        book: Sites, caps, prices, requests.
        reads: PostgreSQL.
        make: Makes a planner, given its site.
        clock: Time.
    """

    def __init__(
        self,
        name: str,
        peers: Collection[str],
        book: SiteBook,
        reads: PlannerReads,
        make: Callable[[Site], SitePlanning],
        clock: Clock,
    ) -> None:
        self._name = name
        self._peers = tuple(peers)
        self._book = book
        self._reads = reads
        self._make = make
        self._clock = clock

    def wants(self, site: Site) -> bool:
        """Whether this process plans a site as it is in the book."""
        return site.enabled and self.is_mine(site.site)

    def is_mine(self, site: str) -> bool:
        """Whether this process plans a site of that id."""
        return owner(site, self._peers) == self._name

    async def load(self, host: Host, only: Collection[str] | None = None) -> Restored:
        """The planners of all sites of this process, or of some, restored.

        A site that cannot be planned (an allocator that is not installed, say) is left out, and said in the log.

        Raises:
            JournalUnavailable: Redis does not answer.
            ReadsFailed: PostgreSQL does not answer.
        """
        sites = await self._sites(only)
        kept = await self._kept([site.site for site in sites]) if sites else {}
        hosted = []
        for site in sites:
            await asyncio.sleep(0)  # there may be hundreds, and the process has others to listen to
            try:
                hosted.append(HostedSite(site, self._make(site), host))
            except Exception:  # one site's fault must not keep the others from being planned
                log.exception("a site cannot be planned", site=site.site)
        stations = [station for each in hosted for station in each.planner.stations]
        meters = [station for each in hosted for station in each.planner.meters]
        as_of_s = monotonic()
        stories = await self._reads.stories(stations, meters)
        past: dict[str, list[PastStay]] = {}
        for stay in await self._reads.history(stations, self._clock.now()):
            past.setdefault(stay.station, []).append(stay)
        for each in hosted:
            await asyncio.sleep(0)
            each.planner.learn([stay for station in each.planner.stations for stay in past.get(station, ())])
            self._fill(each.planner, stories, kept[each.name])
        return Restored(hosted, stories.positions, as_of_s)

    def _fill(self, planner: SitePlanning, stories: Stories, kept: Kept) -> None:
        facts = {station: stories.facts.get(station, ()) for station in planner.stations}
        planner.restore(facts, kept.caps, kept.series, kept.requests, self._clock.now())

    async def _sites(self, only: Collection[str] | None) -> list[Site]:
        if only is not None and len(only) == 1:
            found = await self._book.site(next(iter(only)))
            return [found] if found is not None and self.wants(found) else []
        every = (await self._book.sites()).values()
        return [site for site in every if self.wants(site) and (only is None or site.site in only)]

    async def _kept(self, sites: Sequence[str]) -> Mapping[str, Kept]:
        """By site. Drivers' requests name no site: every site gets all, and takes those of its own stations."""
        caps: dict[str, list[HeldCap]] = {}
        for (site, _), cap in (await self._book.caps()).items():
            caps.setdefault(site, []).append(cap)
        series: dict[str, list[SiteSeries]] = {}
        for (site, _), told in (await self._book.series()).items():
            series.setdefault(site, []).append(told)
        requests = await self._book.requests(self._clock.now())
        return {site: Kept(caps.get(site, ()), series.get(site, ()), requests) for site in sites}
