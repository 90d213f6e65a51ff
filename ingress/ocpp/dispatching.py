"""Dispatching: commands of the actor become calls over one session, and what comes back becomes their outcome.

The same command id is sent once. Every command gets an outcome: an answer, a time-out (and the late answer after it),
or the end of the connection.
"""

import asyncio
import math
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

import structlog

from engine.model.commands import Command, Outcome, Result
from engine.model.envelopes import Dispatch
from engine.ocpp import catalogue, rpc
from engine.ocpp.errors import LocalError, QueueFull, RemoteError
from engine.ocpp.frames import MESSAGE_ID_LENGTH_MAX
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

log = structlog.get_logger()

_KNOWN_MAX = 256
"""Command ids remembered per session. More cannot be under way, and an actor repeats only those that are."""

_OWN = ""
"""The command id of the session's own calls."""
_OWN_S = 30.0
_DIGITS_END = 1_000_000_000


class Commands:
    """The commands of one session.

    Args:
        station: Identity, for the log.
        conversation: The RPC session.
        version: Of OCPP.
        send: Puts frames on the wire.
        reply: Reports an outcome by command id.
    """

    __slots__ = (
        "_gate",
        "_gate_timer",
        "_held",
        "_known",
        "_loop",
        "_reply",
        "_rpc",
        "_send",
        "_station",
        "_timer",
        "_version",
        "digits",
    )

    def __init__(
        self,
        station: str,
        conversation: rpc.Session,
        version: Version,
        send: Callable[[Sequence[str]], None],
        reply: Callable[[str, Outcome], None],
    ) -> None:
        self._station = station
        self._rpc = conversation
        self._version = version
        self._send = send
        self._reply = reply
        self._loop = asyncio.get_running_loop()
        self._known: OrderedDict[str, None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.digits = False
        """Message ids are digits only (a quirk)."""
        self._gate = 0.0
        self._gate_timer: asyncio.TimerHandle | None = None
        self._held: list[tuple[Dispatch, float]] = []

    @property
    def held(self) -> bool:
        """Nothing is sent until `open_at`."""
        return self._gate == math.inf

    def hold(self) -> None:
        """Nothing is sent until `open_at`: the station is not to be asked now (a quirk)."""
        self._gate = math.inf

    def open_at(self, when: float) -> None:
        """What was held, and all else, may be sent from then on (the loop's clock)."""
        self._gate = when
        if self._gate_timer is not None:
            self._gate_timer.cancel()
        self._gate_timer = self._loop.call_at(when, self._open)

    def ask(self, command: Command, now: float) -> None:
        """A call of the session's own: nobody waits for its outcome, it is logged."""
        try:
            action, payload = catalogue.command_call(self._version, command)
            self._send(self._rpc.call(_OWN, self._new_id(), action, payload, now, _OWN_S))
        except (NotExpressible, QueueFull) as error:
            log.info("a station cannot be asked", station=self._station, why=str(error))
        self._arm()

    def dispatch(self, dispatch: Dispatch, now: float, left_s: float) -> None:
        """Sends the command or queues it behind others; says at once what cannot be sent.

        Args:
            dispatch: The command.
            now: The loop's clock.
            left_s: Until its deadline.
        """
        if not self._is_new(dispatch.command_id):
            return
        if now < self._gate and len(self._held) < _KNOWN_MAX:
            self._held.append((dispatch, now + left_s))
            return
        hindrance = self._call(dispatch, now, left_s)
        if hindrance is not None:
            self._reply(dispatch.command_id, hindrance)
        self._arm()

    def replied(self, event: rpc.ReplyReceived | rpc.ErrorReceived, now: float) -> None:
        """The station answered; the next command may go."""
        if event.command_id == _OWN:
            log.info("a station was asked", station=self._station, action=event.action, answer=_told(event))
            self._go_on(now)
            return
        if isinstance(event, rpc.ErrorReceived):
            outcome = catalogue.outcome_of_error(event.code, event.description, event.details)
        else:
            outcome = self._outcome(event)
        self._reply(event.command_id, outcome)
        self._go_on(now)

    def abandon(self) -> Iterator[tuple[str, Outcome]]:
        """The connection is over: what becomes of the commands without an answer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._gate_timer is not None:
            self._gate_timer.cancel()
            self._gate_timer = None
        left = self._rpc.close()
        if left.in_flight is not None and left.in_flight != _OWN:
            detail = "the connection ended before the station answered; it may have done it"
            yield left.in_flight, Outcome(Result.LOST, detail=detail)
        held, self._held = self._held, []
        for command_id in (*left.queued, *(dispatch.command_id for dispatch, _ in held)):
            if command_id == _OWN:
                continue
            yield command_id, Outcome(Result.OFFLINE, detail="the connection ended before the command was sent")

    def _call(self, dispatch: Dispatch, now: float, left_s: float) -> Outcome | None:
        """None: it is on its way; else why not."""
        if left_s <= 0:
            return Outcome(Result.TIMED_OUT, detail="the deadline was over before the command could be sent")
        try:
            action, payload = catalogue.command_call(self._version, dispatch.command)
            texts = self._rpc.call(dispatch.command_id, self._message_id(dispatch), action, payload, now, left_s)
        except NotExpressible as error:
            return Outcome(Result.NOT_EXPRESSIBLE, detail=str(error))
        except QueueFull as error:
            return Outcome(Result.FAILED, detail=f"{error}; nothing was sent")
        except LocalError as error:
            log.exception("a command cannot be sent", station=self._station, command_id=dispatch.command_id)
            return Outcome(Result.FAILED, detail=f"internal error, nothing was sent: {error}")
        self._send(texts)
        return None

    def _outcome(self, event: rpc.ReplyReceived) -> Outcome:
        try:
            return catalogue.outcome_of(self._version, event.action, event.payload)
        except RemoteError as error:
            self._send(self._rpc.reject_result(event.message_id, error))
            detail = f"the station's answer breaks the schema: {error.description}"
            return Outcome(Result.FAILED, status=error.code, detail=detail)
        except Exception as error:  # a bug in a translator: whoever waits gets an outcome
            log.exception("an answer could not be understood", station=self._station, action=event.action)
            return Outcome(Result.FAILED, detail=f"internal error, the answer could not be understood: {error!r}")

    def _open(self) -> None:
        """The gate opens: what was held goes, as far as it is not too late."""
        self._gate_timer = None
        now = self._loop.time()
        held, self._held = self._held, []
        for dispatch, due_at in held:
            hindrance = self._call(dispatch, now, due_at - now)
            if hindrance is not None:
                self._reply(dispatch.command_id, hindrance)
        self._arm()

    def _message_id(self, dispatch: Dispatch) -> str:
        """The command id where it fits, so that one search finds both."""
        if not self.digits and 0 < len(dispatch.command_id) <= MESSAGE_ID_LENGTH_MAX:
            return dispatch.command_id
        return self._new_id()

    def _new_id(self) -> str:
        return str(secrets.randbelow(_DIGITS_END)) if self.digits else secrets.token_hex(16)

    def _is_new(self, command_id: str) -> bool:
        if self._known is None:
            self._known = OrderedDict()
        if command_id in self._known:
            return False
        self._known[command_id] = None
        if len(self._known) > _KNOWN_MAX:
            self._known.popitem(last=False)
        return True

    def _go_on(self, now: float) -> None:
        self._send(self._rpc.pump(now))
        self._arm()

    def _arm(self) -> None:
        """One timer, for the next call that is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._rpc.next_due
        if due is not None:
            self._timer = self._loop.call_at(due, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        now = self._loop.time()
        for late in self._rpc.due(now):
            if late.command_id == _OWN:
                continue
            detail = (
                "the station did not answer in time; it may still do it"
                if late.sent
                else "older commands kept the station busy until the deadline; this one was not sent"
            )
            self._reply(late.command_id, Outcome(Result.TIMED_OUT, detail=detail))
        self._go_on(now)


def _told(event: rpc.ReplyReceived | rpc.ErrorReceived) -> object:
    """What the station said, for the log."""
    return event.payload if isinstance(event, rpc.ReplyReceived) else event.code
