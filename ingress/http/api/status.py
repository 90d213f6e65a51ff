"""The system itself: figures and parts, what Prometheus scrapes, and the description of this API."""

from datetime import datetime

import msgspec
import psycopg
import structlog
from fastapi import APIRouter, Request
from starlette.responses import Response

from ingress.http.api import examples
from ingress.http.api.answers import answers
from ingress.http.authentication import READ
from ingress.http.problems import json_response
from ingress.http.readiness import Component, ask_all
from ingress.http.services import House, ScrapeTarget
from storage.queries.rows import Counts

log = structlog.get_logger()

router = APIRouter(tags=["system"])


class StatusAnswer(msgspec.Struct, frozen=True):
    """How Narke is. `ready`: all parts are. `counts`: null while PostgreSQL does not answer. `now`: Narke's clock."""

    version: str
    now: datetime
    ready: bool
    components: tuple[Component, ...]
    counts: Counts | None


@router.get("/status", dependencies=[READ], responses=answers(StatusAnswer, examples.STATUS))
async def show_status(house: House) -> Response:
    """Figures of today and the state of every part. Answers also while parts are down: it is then that one looks."""
    now = house.clock.now()
    components = await ask_all(house.health, house.settings.ready_timeout_s)
    try:
        counts = await house.queries.counts(now)
    except psycopg.OperationalError as error:
        log.warning("status without figures: postgres does not answer", error=str(error))
        counts = None
    ready = all(component.ready for component in components) and counts is not None
    return json_response(
        StatusAnswer(version=house.version, now=now, ready=ready, components=components, counts=counts)
    )


@router.get("/system/targets", dependencies=[READ], responses=answers(list[ScrapeTarget], examples.TARGETS))
async def list_targets(house: House) -> Response:
    """What Prometheus has to scrape, in its http_sd format."""
    return json_response(await house.targets() if house.targets is not None else ())


@router.get("/openapi.json", dependencies=[READ], include_in_schema=False)
async def show_openapi(request: Request) -> Response:
    """The description of this API (OpenAPI 3.1)."""
    return json_response(request.app.openapi())
