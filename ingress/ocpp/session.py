"""The session of one connected station: between its RPC conversation and its lane of events to the actor.

    frame -> rpc -> understand -> Delivery -> lane ... verdict -> answer -> rpc -> frame

What breaks the protocol is answered here and never reaches an actor. `SessionOpened` goes before everything else of a
connection, `SessionClosed` after it. Commands are in `ingress.ocpp.dispatching`.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import assert_never

import msgspec
import structlog

from engine.model.commands import CommandReplied, Outcome, Result
from engine.model.envelopes import (
    Answer,
    Answered,
    Delivery,
    Dispatch,
    Done,
    Event,
    Failed,
    Refused,
    Report,
    Reported,
    Retry,
    Superseded,
    Verdict,
)
from engine.model.provisioning import BootReported
from engine.model.quirks import Oddity
from engine.model.sessions import SessionClosed, SessionOpened
from engine.ocpp import catalogue, rpc
from engine.ocpp.errors import ErrorCode, OcppError, RemoteError
from engine.ocpp.quirks import oddities
from engine.ocpp.versions import Version
from engine.ports import Clock
from ingress import metrics
from ingress.ocpp.acquaintance import Acquaintance, Noticed
from ingress.ocpp.admission import TokenBucket
from ingress.ocpp.batching import Courier
from ingress.ocpp.connection import Connection
from ingress.ocpp.consultation import CONSULTED, Consultation
from ingress.ocpp.dispatching import Commands
from ingress.ocpp.lanes import EVENT_BYTES, Lane, Parcel
from ingress.ocpp.listening import Pause
from ingress.ocpp.recorder import Recorder
from ingress.settings import OcppSettings

log = structlog.get_logger()

SUPERSEDED = 4000
"""Close code: a newer connection of the same identity took over."""
_BOOT = "BootNotification"
_UNKNOWN = frozenset({ErrorCode.NOT_IMPLEMENTED, ErrorCode.NOT_SUPPORTED})
_RATE_STEP_S = 0.1
"""A station that sends too fast is read from again after about so long, for as many messages as its rate allows."""


class Surroundings(msgspec.Struct, frozen=True):
    """What all sessions of an ingress share."""

    ingress: str
    settings: OcppSettings
    clock: Clock
    courier: Courier
    counts: metrics.MessageCounts
    consultation: Consultation | None = None


class Asked(Parcel, eq=False):
    """A CALL or SEND on its way. `started`: the loop's clock when it was read."""

    action: str = ""
    started: float = 0.0


class StationSession:
    """One session.

    Args:
        around: What all sessions share.
        connection: The station's connection.
        opened: How the actor hears of it.
        station: Identity.
        recorder: Logs frames; None: the log is off.
    """

    __slots__ = (
        "_around",
        "_bucket",
        "_commands",
        "_connection",
        "_known",
        "_lane",
        "_loop",
        "_opened",
        "_recorder",
        "_rpc",
        "_version",
        "gone",
        "order",
        "session",
        "station",
    )

    def __init__(
        self,
        around: Surroundings,
        connection: Connection,
        opened: SessionOpened,
        station: str,
        recorder: Recorder | None,
    ) -> None:
        settings = around.settings
        self.station = station
        self.session = opened.session
        self.order = opened.order
        self.gone = False
        self._around = around
        self._connection = connection
        self._opened = opened
        self._recorder = recorder
        self._version = Version(opened.version)
        self._loop = asyncio.get_running_loop()
        self._lane = around.courier.open_lane(station)
        self._bucket = TokenBucket(settings.messages_per_s, settings.messages_burst, self._loop.time())
        self._rpc = rpc.Session(
            self._version,
            calls_open_max=settings.calls_open_max,
            calls_queued_max=settings.commands_waiting_max,
        )
        self._commands = Commands(station, self._rpc, self._version, self._send, self._command_replied)
        self._known = Acquaintance(station, connection, self._commands, settings, self._put_out, self._tell)

    def open(self) -> None:
        """Tells the actor first of all that the station is here. Nothing is read before it says what it is like."""
        self._connection.pause(Pause.OPENING)
        self._submit(self._opened, self._opened.at)

    @property
    def calls_open(self) -> int:
        """Calls of the station that wait for their answers."""
        return self._rpc.calls_open

    def close(self, code: int, reason: str) -> None:
        """Ends the connection in good order."""
        self._connection.close(code, reason)

    def abort(self) -> None:
        """Cuts the connection."""
        self._connection.abort()

    # From the connection

    def receive(self, text: str) -> None:
        """One message of the station."""
        now = self._loop.time()
        if not self._bucket.take(now):
            self._slow_down(text)
            return
        if self._known.silent_since:
            self._known.spoke(now)
        at = self._around.clock.now()
        events = self._rpc.receive(text, now)
        if self._recorder is not None:
            readable = not isinstance(events[-1], rpc.Malformed)
            self._recorder.received(text, at, readable=readable)
        for event in events:
            self._take(event, at, now)
        if self._rpc.full:
            self._connection.pause(Pause.CALLS)

    def closed(self, code: int, reason: str) -> None:
        """The connection is over: the actor hears it after everything else."""
        if self.gone:
            return
        self.gone = True
        self._known.ended(reason)
        for command_id, outcome in self._commands.abandon():
            self._command_replied(command_id, outcome)
        if not self._around.courier.withdraw(self._lane, self):
            at = self._around.clock.now()
            self._submit(SessionClosed(session=self.session, code=code, reason=reason, at=at), at)
        self._around.courier.leave_lane(self._lane)

    def silent(self, silent_s: float) -> None:
        """No message came for so long."""
        self._known.silent(silent_s)

    # From the courier

    def decided(self, parcel: Parcel, verdict: Verdict) -> None:
        """The actor's word on one of our events."""
        if isinstance(verdict, Superseded):
            self._connection.close(SUPERSEDED, "superseded by a newer connection of the same identity")
        else:
            try:
                self._take_verdict(parcel, verdict)
            except Exception:  # a bug with one verdict must not stop the batch's others
                action = parcel.action if isinstance(parcel, Asked) else type(parcel.delivery.event).__name__
                log.exception("a verdict could not be followed", station=self.station, action=action)
                self._connection.close(1011, "internal error")

    def _take_verdict(self, parcel: Parcel, verdict: Verdict) -> None:
        if isinstance(parcel, Asked):
            if not self.gone:
                self._reply(parcel, verdict)
        elif parcel.delivery.event is self._opened:
            if isinstance(verdict, Answered):
                self._known.made(verdict.answer)
            self._connection.resume(Pause.OPENING)

    def hold(self) -> None:
        """Its actor or journal is away."""
        self._connection.pause(Pause.HELD)

    def release(self) -> None:
        """It is back."""
        self._connection.resume(Pause.HELD)

    # From the actor

    def dispatch(self, dispatch: Dispatch) -> None:
        """Sends a command, once."""
        left_s = (dispatch.deadline_at - self._around.clock.now()).total_seconds()
        self._commands.dispatch(dispatch, self._loop.time(), left_s)

    # Their messages

    def _take(self, event: rpc.Event, at: datetime, now: float) -> None:
        match event:
            case rpc.CallReceived():
                self._asked(event, at, now)
            case rpc.SendReceived():
                self._asked(event, at, now)
            case rpc.ReplyReceived() | rpc.ErrorReceived():
                if event.late:
                    self._known.note(Oddity.ANSWER_LATE, event.action)
                self._commands.replied(event, now)
            case rpc.Malformed():
                log.debug("malformed frame", station=self.station, session=self.session, reason=event.reason)
                self._around.counts.add(self._version, "unknown", "malformed")
                if event.reply is not None:
                    self._send([event.reply])
            case rpc.AnswerRefused() | rpc.StrayAnswer():
                log.debug("stray answer", station=self.station, message_id=event.message_id, code=event.code)
                self._around.counts.add(self._version, "unknown", "stray")
                if isinstance(event, rpc.StrayAnswer):
                    self._known.note(Oddity.STRAY_ANSWER, event.message_id)
            case rpc.Repeated():
                self._around.counts.add(self._version, self._label(event.action), "repeated")
            case _:
                assert_never(event)

    def _asked(self, event: rpc.CallReceived | rpc.SendReceived, at: datetime, now: float) -> None:
        """Understands a CALL or SEND and sends it on its way, or says at once what is wrong with it."""
        is_call = isinstance(event, rpc.CallReceived)
        try:
            quirks = self._known.quirks
            if quirks is None:
                understood = catalogue.understand(self._version, event.action, event.payload)
            else:
                understood = quirks.understand(self._version, event.action, event.payload)
        except RemoteError as error:
            self._refuse(event, error)
            return
        except Exception:  # a bug in a translator: the station gets an answer, its connection goes on
            log.exception("a message could not be understood", station=self.station, action=event.action)
            self._refuse(event, RemoteError(ErrorCode.INTERNAL_ERROR, "the message could not be understood"))
            return
        if catalogue.actions(self._version)[event.action].is_send is is_call:
            kind = "SEND" if is_call else "CALL"
            self._refuse(event, RemoteError(ErrorCode.PROTOCOL_ERROR, f"{event.action} is sent as a {kind}"))
            return
        if understood.repairs:
            log.debug("message repaired", station=self.station, action=event.action, repairs=understood.repairs)
            for oddity, note in oddities(understood.repairs).items():
                self._known.note(oddity, f"{event.action}: {note}")
        reported = Reported(self.session, event.message_id if is_call else None, event.digest, understood.report)
        delivery = Delivery(self.station, at, reported)
        if event.action == _BOOT:
            self._known.booting()
        parcel = Asked(delivery, self, event.size + EVENT_BYTES, action=event.action, started=now)
        if type(understood.report) in CONSULTED and self._around.consultation is not None:
            go_on = partial(_go_on, parcel, self._around.courier, self._lane)
            if self._around.consultation.begin(self.station, understood.report, go_on):
                return
        self._around.courier.submit(self._lane, parcel)

    def _refuse(self, event: rpc.CallReceived | rpc.SendReceived, error: RemoteError) -> None:
        self._around.counts.add(self._version, self._label(event.action), error.code)
        unknown = error.code in _UNKNOWN
        self._known.note(
            Oddity.UNKNOWN_ACTION if unknown else Oddity.REFUSED, f"{event.action[:50]}: {error.description}"
        )
        if isinstance(event, rpc.CallReceived):
            told = error if self._known.quirks is None else self._known.quirks.refusal(error)
            if told is None:
                self._send(self._rpc.leave_unanswered(event.message_id))
            else:
                self._send(self._rpc.refuse(event.message_id, told))

    def _reply(self, parcel: Asked, verdict: Verdict) -> None:
        event = parcel.delivery.event
        assert isinstance(event, Reported), "only reports are asked"
        outcome = "ok"
        texts: list[str] = []
        match verdict:
            case Answered(answer) if event.message_id is not None:
                outcome, texts = self._answer(parcel.action, event.message_id, answer)
            case Refused(reason) if event.message_id is not None:
                error = RemoteError(ErrorCode.SECURITY_ERROR, reason)
                outcome, texts = error.code, self._rpc.refuse(event.message_id, error)
            case Failed(reason) if event.message_id is not None:
                error = RemoteError(ErrorCode.INTERNAL_ERROR, reason)
                outcome, texts = error.code, self._rpc.refuse(event.message_id, error)
            case Done() if event.message_id is not None:
                error = RemoteError(ErrorCode.INTERNAL_ERROR, "recorded, but there is no answer")
                outcome, texts = error.code, self._rpc.refuse(event.message_id, error)
            case Refused():
                outcome = ErrorCode.SECURITY_ERROR
            case Failed():
                outcome = ErrorCode.INTERNAL_ERROR
            case Answered() | Done() | Superseded() | Retry():
                pass
            case _:
                assert_never(verdict)
        self._around.counts.add(self._version, parcel.action, outcome)
        metrics.WHOLE.observe(self._loop.time() - parcel.started)
        quirks = self._known.quirks
        if quirks is None or not quirks.hold(parcel.action, self._loop.time() - parcel.started, texts):
            self._send(texts)
        if isinstance(event.report, BootReported):
            self._known.booted(verdict.answer if isinstance(verdict, Answered) else None)
        self._resume_calls()

    def _resume_calls(self) -> None:
        if not self._rpc.full:
            self._connection.resume(Pause.CALLS)

    def _answer(self, action: str, message_id: str, answer: Answer) -> tuple[str, list[str]]:
        try:
            return "ok", self._rpc.answer(message_id, catalogue.answer_payload(self._version, action, answer))
        except OcppError as error:
            log.exception("an answer cannot be said", station=self.station, action=action, error=str(error))
            told = RemoteError(ErrorCode.INTERNAL_ERROR, "the answer cannot be said in this version")
            return told.code, self._rpc.refuse(message_id, told)

    def _slow_down(self, text: str) -> None:
        """Too fast: this message and the next ones wait for their turn."""
        metrics.throttled.inc()
        self._connection.put_back(text)
        self._connection.pause(Pause.RATE)
        wait_s = max(self._bucket.wait_s(), _RATE_STEP_S)
        self._loop.call_later(wait_s, self._connection.resume, Pause.RATE)

    def _label(self, action: str) -> str:
        """An action as a metric's label: stations must not invent any."""
        return action if action in catalogue.actions(self._version) else "unknown"

    # Ours

    def _send(self, texts: Sequence[str]) -> None:
        if self._known.quirks is None or not self._known.quirks.holds(texts):
            self._put_out(texts)

    def _put_out(self, texts: Sequence[str]) -> None:
        if self._recorder is not None:
            at = self._around.clock.now()
            for text in texts:
                self._recorder.sent(text, at)
        self._connection.send(texts)

    def _command_replied(self, command_id: str, outcome: Outcome) -> None:
        metrics.commands.labels(outcome.result.value).inc()
        self._submit(CommandReplied(command_id, outcome), self._around.clock.now())

    def _tell(self, noticed: Noticed) -> None:
        """Tells the actor what was noticed of the station."""
        self._submit(Reported(self.session, None, b"", noticed), self._around.clock.now())

    def _submit(self, event: Event, at: datetime) -> None:
        size = EVENT_BYTES
        if isinstance(event, CommandReplied):
            size += len(event.outcome.payload or b"")
        self._around.courier.submit(self._lane, Parcel(Delivery(self.station, at, event), self, size))


def _go_on(parcel: Asked, courier: Courier, lane: Lane, report: Report) -> None:
    """A report goes on its way, with what the outside world says of it."""
    if parcel.sender.gone:  # the station will say it again
        return
    event = msgspec.structs.replace(parcel.delivery.event, report=report)
    parcel.delivery = msgspec.structs.replace(parcel.delivery, event=event)
    courier.submit(lane, parcel)


def lost_command(courier: Courier, dispatch: Dispatch, at: datetime) -> None:
    """Answers a command for a session that is not (any more) here."""
    outcome = Outcome(Result.LOST, detail="the connection had ended when the command arrived")
    metrics.commands.labels(outcome.result.value).inc()
    delivery = Delivery(dispatch.station, at, CommandReplied(dispatch.command_id, outcome))
    lane = courier.open_lane(dispatch.station)
    courier.submit(lane, Parcel(delivery, NOBODY, EVENT_BYTES))
    courier.leave_lane(lane)


class _Nobody:
    """Sends events for which nobody waits."""

    gone = True

    def decided(self, parcel: Parcel, verdict: Verdict) -> None:
        """Nobody asks."""

    def hold(self) -> None:
        """There is nothing to hold."""

    def release(self) -> None:
        """There is nothing to release."""


NOBODY = _Nobody()
