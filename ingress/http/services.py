"""What the HTTP door needs from the rest of the house. `deploy.wiring` fills it; tests fill it with twins."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Protocol
from uuid import UUID

import msgspec
from fastapi import Depends, Request

from engine.model.quirks import QuirkBook
from engine.ports import Clock, CommandGateway, OperatorBook, SiteBook, TariffKeeper
from ingress.http.keys import ApiKeys
from ingress.http.settings import HttpSettings, LocalListSettings
from ingress.http.site_day import SiteDay
from storage.authority.desk import Office
from storage.blocks.table import Table
from storage.queries.filters import (
    CommandFilter,
    EventFilter,
    MessageFilter,
    MeterValueFilter,
    StationFilter,
    TokenFilter,
    TransactionFilter,
)
from storage.queries.paging import Page, Paged
from storage.queries.rows import (
    CampaignProgress,
    CommandRow,
    ConnectorRow,
    Counts,
    EventRow,
    MessageRow,
    MeterValueRow,
    StationDetail,
    StationRow,
    TokenRow,
    TransactionDetail,
    TransactionRow,
)
from storage.queries.site_readings import SiteReads

Plotter = Callable[[SiteDay, str, str], bytes]
"""Draws a day: kind and format as `deploy.plots.drawing` names them (load, png, ...). Blocks, for a second."""

Check = Callable[[], Awaitable[str]]
"""A readiness check. Returns how it is, for people; raises an exception that says why it is not ready."""


class ScrapeTarget(msgspec.Struct, frozen=True):
    """One entry of Prometheus' http_sd format. `targets`: `host:port`."""

    targets: tuple[str, ...]
    labels: dict[str, str] = {}


class Reads(Protocol):
    """What `storage.queries.Queries` and its memory twin tell. May raise `psycopg.OperationalError` and `BadCursor`."""

    async def stations(self, filter: StationFilter, page: Page) -> Paged[StationRow]:  # noqa: A002 (storage's name)
        """Stations by identity."""

    async def station(self, station: str) -> StationDetail | None:
        """One station."""

    async def connectors(self, station: str) -> tuple[ConnectorRow, ...]:
        """Connectors of a station."""

    async def transactions(self, filter: TransactionFilter, page: Page) -> Paged[TransactionRow]:  # noqa: A002
        """Transactions, newest first."""

    async def transaction(self, station: str, transaction_id: str) -> TransactionDetail | None:
        """One transaction."""

    async def meter_values(self, filter: MeterValueFilter, page: Page) -> Paged[MeterValueRow]:  # noqa: A002
        """Meter values of a station, newest first."""

    async def messages(self, filter: MessageFilter, page: Page) -> Paged[MessageRow]:  # noqa: A002
        """Raw frames, newest first."""

    async def events(self, filter: EventFilter, page: Page) -> Paged[EventRow]:  # noqa: A002
        """What happened to stations, newest first."""

    async def commands(self, filter: CommandFilter, page: Page) -> Paged[CommandRow]:  # noqa: A002
        """Commands, newest first."""

    async def command(self, command_id: str) -> CommandRow | None:
        """One command."""

    async def tokens(self, filter: TokenFilter, page: Page) -> Paged[TokenRow]:  # noqa: A002
        """Tokens by name."""

    async def campaign_progress(self, campaign_id: str) -> CampaignProgress:
        """How far the commands of a campaign are."""

    async def campaign_commands(self, campaign_id: str, *, open_only: bool = False) -> Sequence[tuple[str, str]]:
        """Command id and station of the commands of a campaign that are on record."""

    async def block(self, table: Table, where: Mapping[str, Any], page: Page) -> Paged[Any]:
        """Rows of a block's table that have these values."""

    async def counts(self, now: datetime) -> Counts:
        """Figures of the status page."""


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """All that a request may touch.

    `ids`: makes UUIDs that nobody else has (version 7).
    `health`: readiness checks by name (journal, postgres, directory, ingress).
    `targets`: what Prometheus scrapes.
    `metrics_dir`: prometheus_client's multiprocess directory of this node; None: this process alone.
    `knows`: whether a station was ever heard of, asked only where neither the operator's book nor the projection knows
    it (the projection runs a moment behind); None: those two decide.
    `tariffs`: the operator's tariffs; None: the routes about them fail.
    `command_deadline_s`: of commands whose caller names none.
    `version`: Narke's own. `quirks`: what stations of some makes do otherwise.
    `office`: the local certificate authority; None: there can be none here.
    `sites`: the operator's sites; None: the routes about them fail. `site_reads`: what goes on at their stations.
    `plot`: draws a site's day; None: there are no plots here.
    """

    queries: Reads
    gateway: CommandGateway
    book: OperatorBook
    keys: ApiKeys
    clock: Clock
    ids: Callable[[], UUID]
    settings: HttpSettings = HttpSettings()
    local_lists: LocalListSettings = LocalListSettings()
    health: Mapping[str, Check] = {}
    targets: Callable[[], Awaitable[Sequence[ScrapeTarget]]] | None = None
    metrics_dir: Path | None = None
    knows: Callable[[str], Awaitable[bool]] | None = None
    tariffs: TariffKeeper | None = None
    command_deadline_s: float = 30.0
    office: Office | None = None
    sites: SiteBook | None = None
    site_reads: SiteReads | None = None
    plot: Plotter | None = None
    version: str = "0"
    quirks: QuirkBook = QuirkBook()


def _of_request(request: Request) -> Services:
    services: Any = request.app.state.services
    assert isinstance(services, Services)
    return services


House = Annotated[Services, Depends(_of_request)]
"""A route's way to the services."""
