"""A process that plans sites. What the mathematics needs is imported when the first site is planned, not before."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

from actors.gateway import Gateway
from actors.planner import PlannerActor
from actors.planner_feed import Feed
from actors.planner_sites import SiteLoader, SitePlanning
from actors.postgres_planner import PostgresPlanner
from actors.router import ActorBook
from deploy.settings import Settings
from deploy.wiring.parts import SystemClock, new_id, postgres_url, router_of, site_book_of
from engine.model.sites import Site
from smartcharging.planning.settings import BY, PlannerSettings
from storage.journal_reader import JournalReader
from storage.redis_client import redis_client


def maker_of(settings: PlannerSettings, incarnation: str) -> Callable[[Site], SitePlanning]:
    """Makes planners of sites, each with a name that no other ever had.

    Args:
        settings: How to plan.
        incarnation: Of this process.
    """
    numbers = count()

    def make(site: Site) -> SitePlanning:
        from smartcharging.planning.site_planner import SitePlanner  # noqa: PLC0415 (a solver)

        return SitePlanner(site, settings, name=f"{BY}:{site.site}:{incarnation}.{next(numbers)}")

    return make


class PlannerProcess:
    """Opens what a planner needs, and runs it.

    Args:
        name: Its own.
        peers: Names of all planners, which share the sites.
        settings: All.
    """

    def __init__(self, name: str, peers: tuple[str, ...], settings: Settings) -> None:
        self._name = name
        self._peers = peers
        self._settings = settings
        self._planner: PlannerActor | None = None

    async def start(self) -> None:
        """Begins. Redis and PostgreSQL may be away: then sites wait."""
        settings, chosen = self._settings, self._settings.planner
        router = router_of(settings, ActorBook())
        await router.start()
        clock = SystemClock()
        book = site_book_of(settings)
        reads = PostgresPlanner(
            postgres_url(settings), settings.postgres, settings.tenant, timedelta(days=chosen.history_days)
        )
        source = JournalReader(redis_client(settings.redis), settings.redis)
        self._planner = PlannerActor(
            SiteLoader(self._name, self._peers, book, reads, maker_of(chosen, new_id().hex[:12]), clock),
            Feed(source, shards=settings.actors.shards),
            source,
            book,
            Gateway(router, clock),
            clock,
            threads=chosen.threads,
            reconcile_s=chosen.reconcile_s,
        )
        await self._planner.start()

    async def health(self) -> dict[str, Any]:
        """See `PlannerActor.health`."""
        return {"failure": "starting"} if self._planner is None else await self._planner.health()

    async def first_profile(self, station: str, evse: int) -> bytes | None:
        """See `PlannerActor.first_profile`."""
        return None if self._planner is None else await self._planner.first_profile(station, evse)
