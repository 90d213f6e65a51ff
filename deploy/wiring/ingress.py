"""The process that holds stations' connections."""

import secrets
from typing import Any

from actors.router import ActorBook
from deploy.settings import Settings
from deploy.wiring.parts import SystemClock, book_of, certificate_places, prepare, router_of
from ingress.ocpp import vendor_data
from ingress.ocpp.consultation import Consultation
from ingress.ocpp.server import IngressServer
from storage.arrivals import RedisArrivals
from storage.authority.desk import Desk
from storage.message_log import RedisMessageLog
from storage.redis_client import redis_client


class IngressProcess:
    """An ingress and what runs around it. `incarnation` tells this process' sessions from its forebears'."""

    def __init__(self, name: str, settings: Settings) -> None:
        self._router = router_of(settings, ActorBook())
        self._log = RedisMessageLog(redis_client(settings.redis), settings.redis)
        arrivals = RedisArrivals(redis_client(settings.redis), settings=settings.redis)
        certificates = settings.certificates
        self._desk = Desk(certificate_places(settings), certificates, SystemClock())
        self._consultation = Consultation(
            self._desk,
            wait_s_max=certificates.consultation_s_max,
            under_way_max=certificates.consultations_max,
            vendors=vendor_data.installed(),
        )
        self._incarnation = secrets.token_hex(4)
        self._server = IngressServer(
            settings.ocpp,
            name,
            self._incarnation,
            self._router,
            book_of(settings),
            self._log,
            SystemClock(),
            arrivals,
            self._consultation,
        )

    async def start(self) -> None:
        """Listens."""
        await self._router.start()
        self._log.start()
        await self._server.start()

    async def receive_downlinks(self, downlinks: bytes) -> None:
        """From station actors to stations."""
        await self._server.receive_downlinks(downlinks)

    async def drain(self, grace_s: float) -> None:
        """Answers what is open and says good-bye to the stations."""
        await self._server.drain(grace_s)
        await self._consultation.close()
        await self._desk.close()
        await self._log.stop()

    async def health(self) -> dict[str, Any]:
        """For people, readiness, and whoever closes orphaned sessions."""
        return {**self._server.health(), "incarnation": self._incarnation}


def ingress(name: str, settings: Settings) -> IngressProcess:
    """An ingress' process."""
    prepare(settings, name)
    return IngressProcess(name, settings)
