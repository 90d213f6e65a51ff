"""What campaigns read from PostgreSQL, in the words of `actors.campaigns`."""

import psycopg

from actors.campaigns import Progress, ReadsFailed
from engine.model.campaigns import CampaignState
from storage.blocks.campaigns import CAMPAIGNS
from storage.queries.paging import LIMIT_MAX, Page
from storage.queries.reader import Queries


class PostgresCampaigns:
    """Implements `actors.campaigns.Reads`."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    async def running(self) -> tuple[str, ...]:
        """See `Reads.running`."""
        page = Page(limit=LIMIT_MAX, oldest_first=True)
        try:
            found = await self._queries.block(CAMPAIGNS, {"state": CampaignState.RUNNING.value}, page)
        except psycopg.OperationalError as error:
            raise ReadsFailed(f"PostgreSQL does not answer: {error}") from error
        return tuple(row.campaign_id for row in found.rows)

    async def progress(self, campaign_id: str) -> Progress:
        """See `Reads.progress`."""
        try:
            return await self._queries.campaign_progress(campaign_id)
        except psycopg.OperationalError as error:
            raise ReadsFailed(f"PostgreSQL does not answer: {error}") from error

    async def on_record(self, campaign_id: str) -> frozenset[str]:
        """See `Reads.on_record`."""
        try:
            found = await self._queries.campaign_commands(campaign_id)
        except psycopg.OperationalError as error:
            raise ReadsFailed(f"PostgreSQL does not answer: {error}") from error
        return frozenset(command for command, _ in found)
