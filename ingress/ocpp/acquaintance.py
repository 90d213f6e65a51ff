"""Acquaintance: what is known of the station at the other end of a connection, and what follows from it.

Its actor says what it knows when the session is opened, and again with the answer to a boot: the station's quirks, how
often it should be heard of, whether it ever booted. The other way round, what is noticed of the station here (silence,
oddities) is told to its actor.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from engine.model.envelopes import Answer
from engine.model.provisioning import BootAnswer, Registration
from engine.model.quirks import PLAIN, OdditiesReported, Oddity, Quirks
from engine.model.remote_control import TriggerMessage
from engine.model.sessions import SessionAnswer, SilenceReported, SpeechReported
from ingress.ocpp.connection import Connection
from ingress.ocpp.dispatching import Commands
from ingress.ocpp.liveness import NO_SIGN_OF_LIFE
from ingress.ocpp.observing import Observer
from ingress.ocpp.quirks import SessionQuirks
from ingress.settings import OcppSettings

log = structlog.get_logger()

BOOT_S = 60.0
"""A station that never booted and does not within so long of connecting never will by itself."""

Noticed = OdditiesReported | SilenceReported | SpeechReported


class Acquaintance:
    """One session's.

    Args:
        station: Identity, for the log.
        connection: The station's.
        commands: Ours to it.
        settings: Of the door.
        put_out: Puts frames on the wire.
        tell: Tells the actor what was noticed.
    """

    __slots__ = (
        "_commands",
        "_connection",
        "_loop",
        "_observer",
        "_over",
        "_put_out",
        "_settings",
        "_since",
        "_station",
        "_tell",
        "_unbooted",
        "quirks",
        "silent_since",
    )

    def __init__(
        self,
        station: str,
        connection: Connection,
        commands: Commands,
        settings: OcppSettings,
        put_out: Callable[[Sequence[str]], None],
        tell: Callable[[Noticed], None],
    ) -> None:
        self.quirks: SessionQuirks | None = None
        """None: the station is as the specification wants it."""
        self.silent_since = 0.0
        """Since when it says nothing, if that was told (the loop's clock); 0: it speaks."""
        self._station = station
        self._connection = connection
        self._commands = commands
        self._settings = settings
        self._put_out = put_out
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        self._observer: Observer | None = None
        self._unbooted = False
        self._over = False

    # From the actor

    def made(self, answer: Answer) -> None:
        """The session is the station's, and this is what its actor knows of it."""
        if self._over or not isinstance(answer, SessionAnswer):
            return
        self._unbooted = not answer.booted
        self._adopt(answer.quirks, answer.heartbeat_s)
        switches = answer.quirks or PLAIN
        if switches.call_after_connect_s:
            self._commands.open_at(self._since + switches.call_after_connect_s)
        if switches.boot_trigger_after_s and self._unbooted:
            self._loop.call_at(self._since + switches.boot_trigger_after_s, self._ask_to_boot)

    def booting(self) -> None:
        """It boots: some are not to be asked anything until that is answered."""
        if self.quirks is not None and self.quirks.switches.call_after_boot_s:
            self._commands.hold()

    def booted(self, answer: Answer | None) -> None:
        """Its boot is answered; None: refused. Commands may go on."""
        wait_s = 0.0
        if isinstance(answer, BootAnswer):
            self._unbooted = False
            accepted = answer.registration is Registration.ACCEPTED
            self._adopt(answer.quirks, answer.interval_s if accepted else 0)
            wait_s = (answer.quirks or PLAIN).call_after_boot_s
        if wait_s or self._commands.held:
            self._commands.open_at(self._loop.time() + wait_s)

    def _adopt(self, switches: Quirks | None, heartbeat_s: int) -> None:
        """The station is to be treated so from now on."""
        if self.quirks is not None:
            self.quirks.release()
        self.quirks = None if switches is None else SessionQuirks(switches, self._put_out)
        switches = switches or PLAIN
        self._commands.digits = switches.message_ids == "digits"
        own_s = heartbeat_s if switches.heartbeat_s is None else switches.heartbeat_s
        silence_s = own_s * self._settings.unresponsive_heartbeats
        self._connection.watch(silence_s, pings=switches.ping, pong_s=switches.pong_timeout_s or 0.0)

    def _ask_to_boot(self) -> None:
        if self._unbooted and not self._over:
            self._commands.ask(TriggerMessage("BootNotification"), self._loop.time())

    # From the station

    def silent(self, silent_s: float) -> None:
        """It lives perhaps, but says nothing: the actor hears it once. Called now and then until it speaks."""
        if not self.silent_since:
            self.silent_since = self._loop.time() - silent_s
            log.info("station unresponsive", station=self._station, silent_s=silent_s)
            self._tell(SilenceReported(silent_s=silent_s))
        unpinged = self.quirks is not None and not self.quirks.switches.ping
        if unpinged or self._settings.unresponsive_close:
            self._connection.give_up(1011, f"unresponsive: no message for {silent_s:g} s")

    def spoke(self, now: float) -> None:
        """It says something after a silence that was told."""
        silent_s, self.silent_since = now - self.silent_since, 0.0
        self._tell(SpeechReported(silent_s=round(silent_s, 1)))

    def note(self, oddity: Oddity, example: str = "") -> None:
        """Something odd about it. `example`: for people."""
        if self._observer is None:
            self._observer = Observer(self._tell)
        self._observer.note(oddity, example)

    def ended(self, reason: str) -> None:
        """The connection is over: what that tells of the station, and what is left to tell."""
        self._over = True
        if self.quirks is not None:
            self.quirks.release()
        if reason.startswith(NO_SIGN_OF_LIFE) and not self._connection.ponged:
            self.note(Oddity.PONG_MISSING)
        if self._unbooted and self._loop.time() - self._since > BOOT_S:
            self.note(Oddity.NEVER_BOOTED)
        if self._observer is not None:
            self._observer.flush()
