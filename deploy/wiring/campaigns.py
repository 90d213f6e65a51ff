"""The process that runs campaigns."""

from typing import Any

from actors.campaigns import CampaignRunner
from actors.gateway import Gateway
from actors.postgres_campaigns import PostgresCampaigns
from actors.router import ActorBook
from deploy.settings import Settings
from deploy.wiring.parts import SystemClock, book_of, postgres_url, prepare, router_of
from storage.postgres import open_pool
from storage.queries.reader import Queries


class CampaignProcess:
    """Opens what the runner needs, and runs it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._runner: CampaignRunner | None = None

    async def start(self) -> None:
        """Begins. PostgreSQL may be away: then campaigns wait."""
        settings = self._settings
        router = router_of(settings, ActorBook())
        await router.start()
        pool = await open_pool(postgres_url(settings), settings.postgres, name="campaigns", wait=False)
        reads = PostgresCampaigns(Queries(pool, settings.tenant))
        clock = SystemClock()
        self._runner = CampaignRunner(reads, book_of(settings), Gateway(router, clock), clock)
        await self._runner.start()

    async def health(self) -> dict[str, Any]:
        """See `CampaignRunner.health`."""
        return {} if self._runner is None else await self._runner.health()


def campaigns(settings: Settings) -> CampaignProcess:
    """The process of campaigns."""
    prepare(settings, "campaigns")
    return CampaignProcess(settings)
