"""The HTTP application: doors in their order, routes, errors. Whoever runs it gives it `Services`.

There is no page of docs: FastAPI's needs scripts from a foreign server, and a browser sends no bearer key. The
description itself is at /api/v1/openapi.json for any tool that shows such files.
"""

from functools import partial

import psycopg
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response

from engine.ports import ActorUnavailable, JournalUnavailable
from ingress.http import health
from ingress.http.api import (
    blocks,
    campaigns,
    caps,
    certificates,
    commands,
    customer_information,
    local_lists,
    plans,
    quirks,
    signed_values,
    sites,
    station_records,
    stations,
    status,
    tariffs,
    tokens,
    transactions,
)
from ingress.http.api.description import openapi_of
from ingress.http.authentication import Closed
from ingress.http.bounds import Bounded
from ingress.http.local_lists import LocalLists
from ingress.http.metrics import Measured
from ingress.http.problems import Guarded, handle_problems, invalid, storage_unavailable
from ingress.http.services import Services
from storage.queries.paging import BadCursor

API_PREFIX = "/api/v1"
PARTS = (
    stations,
    station_records,
    commands,
    transactions,
    signed_values,
    tariffs,
    tokens,
    local_lists,
    status,
    blocks,
    campaigns,
    certificates,
    customer_information,
    quirks,
    sites,
    caps,
    plans,
)
"""Modules with a `router` below `API_PREFIX`."""


def create_app(services: Services) -> FastAPI:
    """The application that answers at the HTTP port."""
    app = FastAPI(
        version=services.version,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.services = services
    app.state.local_lists = LocalLists(services)
    _add_doors(app, services)
    handle_problems(app)
    app.add_exception_handler(BadCursor, _on_bad_cursor)
    app.add_exception_handler(psycopg.OperationalError, _on_postgres_down)
    app.add_exception_handler(JournalUnavailable, _on_redis_down)
    app.add_exception_handler(ActorUnavailable, _on_actor_down)
    app.include_router(health.router)
    api = APIRouter(prefix=API_PREFIX)
    for part in PARTS:
        api.include_router(part.router)
    app.include_router(api)
    app.openapi = partial(openapi_of, app)  # type: ignore[method-assign]  # FastAPI's documented way to shape it
    return app


def _add_doors(app: FastAPI, services: Services) -> None:
    """Innermost first: a request is measured, guarded, then asked for its key, and only then may carry a body."""
    settings = services.settings
    app.add_middleware(Bounded, body_bytes_max=settings.body_bytes_max, requests_max=settings.requests_max)
    app.add_middleware(Closed, keys=services.keys)
    app.add_middleware(Guarded, new_id=services.ids)
    app.add_middleware(Measured)


async def _on_bad_cursor(request: Request, error: Exception) -> Response:
    todo = "begin without a cursor, or pass back `next` of the page before, unchanged"
    return invalid("query.cursor", str(error), todo).response(request.url.path)


async def _on_postgres_down(request: Request, error: Exception) -> Response:
    return storage_unavailable("PostgreSQL", error).response(request.url.path)


async def _on_redis_down(request: Request, error: Exception) -> Response:
    return storage_unavailable("Redis", error).response(request.url.path)


async def _on_actor_down(request: Request, error: Exception) -> Response:
    return storage_unavailable("an actor", error).response(request.url.path)
