"""The process that people and programs talk to."""

import asyncio
from importlib.metadata import version
from pathlib import Path
from typing import Any

from actors import runtime
from actors.gateway import Gateway
from actors.planned_starts import PlannedStarts
from actors.router import ActorBook
from deploy.settings import Settings
from deploy.wiring.exporter import targets_of
from deploy.wiring.parts import (
    SystemClock,
    book_of,
    certificate_places,
    journal_of,
    metrics_dir,
    new_id,
    postgres_url,
    prepare,
    router_of,
    site_book_of,
    tariff_book_of,
)
from deploy.wiring.planner import planner_names
from engine import quirk_files
from engine.ports import ActorUnavailable
from ingress.http.app import create_app
from ingress.http.keys import ApiKeys
from ingress.http.server import HttpServer
from ingress.http.services import ScrapeTarget, Services
from ingress.http.site_day import SiteDay
from storage.authority.desk import Office
from storage.postgres import Pool, open_pool, ping
from storage.queries.reader import Queries
from storage.queries.site_readings import SiteReadings
from storage.redis_client import redis_client, redis_link
from storage.redis_link import RedisLink
from storage.token_uses import TokenUses


class HttpProcess:
    """The HTTP door and what it asks."""

    def __init__(self, settings: Settings, ingresses: tuple[str, ...], ray_folder: Path) -> None:
        self._settings = settings
        self._ray_folder = ray_folder
        self._ingresses = ingresses
        self._book = ActorBook()
        self._router = router_of(settings, self._book)
        self._journal = journal_of(settings)
        self._server: HttpServer | None = None
        self._keeping: tuple[asyncio.Task[None], ...] = ()

    async def start(self) -> None:
        """Listens. PostgreSQL may be away: then reads fail until it is back."""
        settings = self._settings
        await self._router.start()
        pool = await open_pool(postgres_url(settings), settings.postgres, name="http", wait=False)
        redis = redis_link(redis_client(settings.redis), settings.redis)
        office = Office(certificate_places(settings), settings.certificates)
        services = Services(
            queries=Queries(pool, settings.tenant),
            gateway=PlannedStarts(Gateway(self._router, SystemClock()), self._book, planner_names(settings)),
            book=book_of(settings),
            keys=ApiKeys(settings.data_dir),
            clock=SystemClock(),
            ids=new_id,
            settings=settings.http,
            local_lists=settings.local_lists,
            health={
                "journal": lambda: _ping_redis(redis),
                "postgres": lambda: _ping_postgres(pool),
                "directory": self._directory,
                "projector": self._projector,
                "ingress": self._ingress,
                **({"planner": self._planner} if settings.planner.enabled else {}),
            },
            targets=self._targets,
            metrics_dir=metrics_dir(settings),
            command_deadline_s=settings.actors.command_deadline_s,
            version=version("narke"),
            knows=self._knows,
            tariffs=tariff_book_of(settings),
            quirks=quirk_files.load(settings.actors.quirks_file),
            office=office,
            sites=site_book_of(settings),
            site_reads=SiteReadings(pool, settings.tenant),
            plot=_plot,
        )
        app = create_app(services)
        chosen = settings.authorization
        uses = TokenUses(
            pool,
            redis,
            settings.tenant,
            everybody=chosen.transactions_max > 0,
            per_group=chosen.transactions_per == "group",
            forgotten_h=chosen.uses_forgotten_h,
        )
        self._keeping = (
            asyncio.create_task(app.state.local_lists.keep()),
            asyncio.create_task(uses.run(SystemClock(), chosen.uses_interval_s)),
        )
        self._server = HttpServer(app, settings.http.host, settings.http.port, drain_s=settings.http.drain_s)
        await self._server.start()

    async def health(self) -> dict[str, Any]:
        """Listens, or this would not answer."""
        return {}

    async def has_ingresses(self, ingresses: tuple[str, ...]) -> None:
        """These are the ingresses that must answer from now on."""
        self._ingresses = ingresses

    async def stop(self) -> None:
        """Ends running requests and closes."""
        for task in self._keeping:
            task.cancel()
        if self._server is not None:
            await self._server.stop()

    async def _knows(self, station: str) -> bool:
        """Whether the journal has ever heard of a station."""
        known = await self._journal.fetch([(self._router.unit_of(station), station)], (), ())
        return station in known.states

    async def _directory(self) -> str:
        health = await self._book.call("directory", "health")
        if not health["version"] and not self._settings.actors.literal:  # there, stations make their units
            raise ActorUnavailable("no unit is placed yet")
        down = health["actors_down"]
        return f"{health['units']} units placed" + (f"; down: {', '.join(down)}" if down else "")

    async def _projector(self) -> str:
        health = await self._book.call("projector", "health")
        if health["failure"]:
            raise ActorUnavailable(str(health["failure"]))
        return "carries the journal to PostgreSQL"

    async def _planner(self) -> str:
        healths = [await self._book.call(name, "health") for name in planner_names(self._settings)]
        failures = [health["failure"] for health in healths if health["failure"]]
        if failures:
            raise ActorUnavailable("; ".join(failures))
        return f"{sum(health['sites'] for health in healths)} sites are planned"

    async def _ingress(self) -> str:
        healths = [await self._book.call(name, "health") for name in self._ingresses]
        return f"{sum(health['connections'] for health in healths)} connections"

    async def _targets(self) -> tuple[ScrapeTarget, ...]:
        return await targets_of(self._settings, runtime.here(), self._book, self._ray_folder)


def _plot(day: SiteDay, kind: str, form: str) -> bytes:
    from deploy.plots.drawing import PlotFormat, PlotKind, plot  # noqa: PLC0415 (matplotlib: with the first plot)

    return plot(day, PlotKind(kind), PlotFormat(form))


async def _ping_redis(link: RedisLink) -> str:
    await link.command(b"PING")
    return f"Redis at {link.place} answers"


async def _ping_postgres(pool: Pool) -> str:
    await ping(pool)
    return "PostgreSQL answers"


def http(settings: Settings, ingresses: tuple[str, ...], ray_folder: Path) -> HttpProcess:
    """The HTTP door's process. `ray_folder`: where Ray keeps its temporary files."""
    prepare(settings, "http")
    return HttpProcess(settings, ingresses, ray_folder)
