"""The process that shows Prometheus a node's metrics where no HTTP door does, and who all the targets are.

The node of `narke up` needs none: its HTTP door has /metrics.
"""

import asyncio
import ipaddress
import shutil
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from actors import runtime
from actors.router import ActorBook
from actors.runtime import MetricsDirs, Node, Spawn
from deploy.settings import Settings
from deploy.wiring.parts import prepare
from engine.ports import SeamError
from ingress.http.metrics import exposition
from ingress.http.server import HttpServer
from ingress.http.services import ScrapeTarget

RAY_TARGETS_FILE = "prom_metrics_service_discovery.json"
"""Kept by Ray's dashboard in the folder of Ray's temporary files, on the machine of the cluster's head."""
ANSWER_S_MAX = 2.0


class ExporterProcess:
    """Serves /metrics of its node.

    Args:
        directory: What the node's processes write.
        host: Where to listen.
        place: The address that Prometheus reaches it by.
        port: 0: any free one.
    """

    def __init__(self, directory: Path, host: str, place: str, port: int) -> None:
        self._directory = directory
        self._place = place
        self._server = HttpServer(Starlette(routes=[Route("/metrics", self._metrics)]), host, port)

    async def start(self) -> None:
        """Listens."""
        await self._server.start()

    async def target(self) -> str:
        """Where to scrape, `host:port`."""
        return f"{self._place}:{self._server.port}"

    async def stop(self) -> None:
        """Closes, and takes the node's metrics away with it."""
        await self._server.stop()
        await asyncio.to_thread(shutil.rmtree, self._directory.parent, ignore_errors=True)

    async def _metrics(self, request: Request) -> Response:
        accept = request.headers.get("accept", "")
        content, content_type = await asyncio.to_thread(exposition, self._directory, accept)
        return Response(content, headers={"Content-Type": content_type})


def exporter(node: Node, settings: Settings, metrics: MetricsDirs) -> ExporterProcess:
    """The process of a node's exporter."""
    prepare(settings, exporter_name(node.id))
    host = settings.http.host
    listens = host if is_everywhere(host) else node.address
    return ExporterProcess(metrics.of(node.id), listens, place_of(host, node), settings.http.metrics_port)


def exporter_spec(node: Node, settings: Settings, metrics: MetricsDirs) -> Spawn:
    """How it runs: on its node or nowhere."""
    arguments = (node, settings, metrics)
    return Spawn(exporter_name(node.id), exporter, arguments, node_id=node.id, pinned=True, metrics=metrics)


def exporter_name(node_id: str) -> str:
    """Its name in Ray."""
    return f"exporter-{node_id}"


async def targets_of(settings: Settings, home: str, book: ActorBook, ray_folder: Path) -> tuple[ScrapeTarget, ...]:
    """What Prometheus scrapes: every node's metrics, and Ray's own where Ray tells of them.

    Args:
        settings: All.
        home: Id of the node of `narke up`.
        book: The way to the exporters; one that does not answer is left out.
        ray_folder: Where Ray keeps its temporary files.
    """
    nodes = await asyncio.to_thread(runtime.nodes)
    places = await asyncio.gather(*(_place(settings, node, home, book) for node in nodes))
    ours = tuple(
        ScrapeTarget((place,), {"job": "narke", "node": node.address, "ray_node": node.id})
        for node, place in zip(nodes, places, strict=True)
        if place is not None
    )
    return ours + await asyncio.to_thread(_targets_of_ray, ray_folder / RAY_TARGETS_FILE)


async def _place(settings: Settings, node: Node, home: str, book: ActorBook) -> str | None:
    if node.id == home:
        return f"{place_of(settings.http.host, node)}:{settings.http.port}"
    try:
        async with asyncio.timeout(ANSWER_S_MAX):
            return str(await book.call(exporter_name(node.id), "target"))
    except (SeamError, TimeoutError):
        return None


def _targets_of_ray(file: Path) -> tuple[ScrapeTarget, ...]:
    try:
        entries = msgspec.json.decode(file.read_bytes(), type=list[dict[str, Any]])
        return tuple(ScrapeTarget(tuple(entry["targets"]), {"job": "ray"}) for entry in entries if entry["targets"])
    except (OSError, msgspec.MsgspecError, KeyError):
        return ()


def is_everywhere(host: str) -> bool:
    """Whether every machine can listen on that address: its loopback, or all its interfaces."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host in ("localhost", "")
    return address.is_loopback or address.is_unspecified


def place_of(host: str, node: Node) -> str:
    """The address by which something is reached that listens on `host` of a node."""
    if host == "localhost":
        return host
    return host if is_everywhere(host) and host and ipaddress.ip_address(host).is_loopback else node.address
