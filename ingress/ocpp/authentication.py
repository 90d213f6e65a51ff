"""Authentication of stations: passwords checked in a few threads, and verdicts remembered for a while.

A verdict is remembered under a keyed hash of station, password hash and password; the key never leaves the process.
A changed password hash therefore finds no verdict. Refusals are remembered too: a station with a wrong password comes
back every few seconds, and each check costs 20 ms of CPU. Random passwords cost microseconds and need neither.
"""

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog
from argon2.exceptions import InvalidHashError

from ingress.ocpp.passwords import is_quick, verify_password
from ingress.settings import OcppSettings

log = structlog.get_logger()


class Authenticator:
    """Tells whether a station's password is right. How many may wait is bounded by the handshakes under way."""

    def __init__(self, settings: OcppSettings) -> None:
        self._settings = settings
        self._key = secrets.token_bytes(32)
        self._verdicts: OrderedDict[bytes, tuple[float, bool]] = OrderedDict()
        self._threads = ThreadPoolExecutor(settings.password_checks, thread_name_prefix="narke-password")
        self._turns = asyncio.Semaphore(settings.password_checks)

    async def verify(
        self, station: str, password_hash: str, presented: bytes, *, permit: Callable[[], None] | None = None
    ) -> bool:
        """Whether `presented` is the station's password.

        Args:
            station: Identity.
            password_hash: See `ingress.ocpp.passwords`.
            presented: Bytes of the credentials.
            permit: Asked right before a check that takes time; what it raises is passed on, instead of the check.
        """
        loop = asyncio.get_running_loop()
        if is_quick(password_hash):
            return self._check(station, password_hash, presented)
        name = self.name(station, password_hash, presented)
        known = self._verdicts.get(name)
        if known is not None and known[0] > loop.time():
            return known[1]
        async with self._turns:
            if permit is not None:
                permit()
            verdict = await loop.run_in_executor(self._threads, self._check, station, password_hash, presented)
        if self._settings.password_memory_s:
            self._remember(name, loop.time() + self._settings.password_memory_s, verdict=verdict)
        return verdict

    def close(self) -> None:
        """Ends the threads; checks that have not begun are forgotten."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def name(self, *parts: str | bytes) -> bytes:
        """A name for these parts that tells nobody else what they are."""
        digest = hashlib.blake2b(key=self._key, digest_size=32)
        for part in parts:
            data = part.encode() if isinstance(part, str) else part
            digest.update(len(data).to_bytes(4, "big"))
            digest.update(data)
        return digest.digest()

    def _check(self, station: str, password_hash: str, presented: bytes) -> bool:
        try:
            return verify_password(password_hash, presented, hex_passwords=self._settings.hex_passwords)
        except InvalidHashError:
            log.error("the password hash of a station cannot be read: set its password anew", station=station)  # noqa: TRY400 (the trace says nothing more)
            return False

    def _remember(self, name: bytes, until: float, *, verdict: bool) -> None:
        self._verdicts[name] = (until, verdict)
        self._verdicts.move_to_end(name)
        while len(self._verdicts) > self._settings.password_memory_entries_max:
            self._verdicts.popitem(last=False)
