"""TLS of the stations' port: the context and the rules in force, and fresh files without a restart.

One context is in force at a time; connections that exist keep the one they were made with.
"""

import asyncio
import ssl
from typing import Final

import structlog

from ingress import metrics
from ingress.ocpp.certificates import CertificateRules
from ingress.ocpp.tls_files import TlsUnusable, load, stamps_of
from ingress.settings import OcppSettings

log = structlog.get_logger()


class Tls:
    """The context and the rules in force, replaced when the files change.

    A change that cannot be used is logged and counted, and what was in force stays.

    Args:
        settings: The section `[ocpp]`; it names at least one certificate.

    Raises:
        TlsUnusable: The files as they are now cannot be used.
    """

    def __init__(self, settings: OcppSettings) -> None:
        self._settings: Final = settings
        self._seen = stamps_of(settings)
        self._loaded = load(settings)
        self._task: asyncio.Task[None] | None = None
        self._tell()

    @property
    def context(self) -> ssl.SSLContext:
        """For new connections."""
        return self._loaded.context

    @property
    def rules(self) -> CertificateRules:
        """For stations' certificates."""
        return self._loaded.rules

    def start(self) -> None:
        """Begins to look after the files."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._watch())

    async def stop(self) -> None:
        """Looks no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def look(self) -> bool:
        """Takes the files if they changed since the last look; True: new ones are in force."""
        stamps = await asyncio.to_thread(stamps_of, self._settings)
        if stamps == self._seen:
            return False
        try:
            self._loaded = await asyncio.to_thread(load, self._settings)
        except TlsUnusable as error:
            metrics.tls_reloads.labels("failed").inc()
            log.error("changed TLS files cannot be used, the old ones stay in force", why=str(error))  # noqa: TRY400 (the text says all)
            return False
        finally:
            self._seen = stamps
        metrics.tls_reloads.labels("ok").inc()
        self._tell()
        log.info("changed TLS files are in force", certificates=[str(file) for file in self._settings.tls_certificates])
        return True

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._settings.tls_reload_s)
            try:
                await self.look()
            except Exception:  # the files must be looked after as long as the port is open
                log.exception("a look at the TLS files failed")

    def _tell(self) -> None:
        for key, at in self._loaded.expires_at.items():
            metrics.tls_certificate_expires.labels(key).set(at.timestamp())
        crl_expires_at = self._loaded.rules.revocations.expires_at
        if crl_expires_at is not None:
            metrics.tls_crl_expires.set(crl_expires_at.timestamp())
