"""Health: /healthz, /readyz and /metrics, open to everybody who reaches the HTTP port."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from ingress.http.metrics import exposition
from ingress.http.problems import Problem, json_response
from ingress.http.readiness import ask_all
from ingress.http.services import House

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> Response:
    """200 while this process works on requests, whatever else is down."""
    return json_response({"status": "alive"})


@router.get("/readyz")
async def readyz(house: House) -> Response:
    """200 when every part is ready; 503 says which is not."""
    components = await ask_all(house.health, house.settings.ready_timeout_s)
    checks = {part.name: part.detail for part in components}
    failed = [part for part in components if not part.ready]
    if not failed:
        return json_response({"status": "ready", "checks": checks})
    detail = "; ".join(f"{part.name}: {part.detail}" for part in failed)
    return Problem(
        503, "not-ready", detail, "wait if Narke is starting; otherwise run `narke doctor`",
        checks=checks, headers={"Retry-After": "2"},
    ).response("/readyz")  # fmt: skip


@router.get("/metrics")
async def metrics(house: House, request: Request) -> Response:
    """The metrics of all processes of this node, for Prometheus."""
    content, content_type = await asyncio.to_thread(exposition, house.metrics_dir, request.headers.get("accept", ""))
    return Response(content, media_type=None, headers={"Content-Type": content_type})
