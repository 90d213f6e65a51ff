"""Provisioning: boot, heartbeat, and what a station that is not accepted may say. OCPP 1.6 section 4.2, 2.1 B01 to B03.

    registration     the station may say                                     we may send (see `remote_control`)
    Accepted         anything                                                anything
    Pending          boot, notices (reports, security events), what we       all but start and stop of transactions
                     asked for by TriggerMessage
    Rejected         boot                                                    nothing

Everything else is told SecurityError (1.6 errata 3.10, 2.1 B02.FR.09, B03.FR.07); the station keeps transaction
messages queued. A station that reconnects does not boot again, and some never boot: without a boot on record it is
judged as its boot would be. One that was not accepted at its boot but would be now is accepted: some never boot a
second time (ocpp.md section 2, 2).
"""

from engine.model.availability import ConnectorStatusReported
from engine.model.envelopes import Report
from engine.model.metering import ReadingsReported
from engine.model.notices import StationNotice
from engine.model.provisioning import (
    BootAnswer,
    BootReported,
    HeartbeatAnswer,
    HeartbeatReported,
    Registration,
    StationBooted,
)
from engine.model.transactions import TransactionReported
from engine.station.context import Context
from engine.station.effects import Effect, Record, Reply
from engine.station.state import StationState

MESSAGES_OF_REPORT: dict[type, tuple[str, ...]] = {
    HeartbeatReported: ("Heartbeat",),
    ConnectorStatusReported: ("StatusNotification",),
    ReadingsReported: ("MeterValues",),
    TransactionReported: ("TransactionEvent", "MeterValues"),
}
"""By which names TriggerMessage asks for a report."""
SAID_WHILE_PENDING: tuple[type, ...] = (StationNotice,)
"""Reports that a Pending station may send unasked: answers to what we may ask it, and what is about itself."""


def judged(context: Context) -> Registration:
    """What a boot would be told now."""
    return context.policy.unknown_stations if context.record is None else context.record.registration


def registration(state: StationState, context: Context) -> Registration:
    """What the station is now; `context.record` must have been looked up unless it is accepted."""
    return Registration.ACCEPTED if state.registration is Registration.ACCEPTED else judged(context)


def refusal(state: StationState, report: Report, context: Context) -> str | None:
    """Why the station may not say this now; None: it may."""
    if state.registration is Registration.ACCEPTED or isinstance(report, BootReported):
        return None
    now = registration(state, context)
    if now is Registration.ACCEPTED:
        return None
    if now is Registration.PENDING:
        names = MESSAGES_OF_REPORT.get(type(report), ())
        if isinstance(report, SAID_WHILE_PENDING) or any(name in state.triggered for name in names):
            return None
    return f"The station's registration is {now.value}: only BootNotification is allowed until it is Accepted."


def booted(_state: StationState, report: BootReported, context: Context) -> tuple[Effect, ...]:
    """Answers with the operator's verdict. Transactions go on: their stops may still be in the station's queue."""
    verdict = judged(context)
    accepted = verdict is Registration.ACCEPTED
    interval_s = context.policy.heartbeat_interval_s if accepted else context.policy.boot_retry_s
    fact = StationBooted(boot=report, registration=verdict, interval_s=interval_s, at=context.received_at)
    return Record(fact), Reply(BootAnswer(registration=verdict, interval_s=interval_s, now=context.now))


def beaten(_state: StationState, _report: HeartbeatReported, context: Context) -> tuple[Effect, ...]:
    """Answers a heartbeat with our time, which the station takes as its own."""
    return (Reply(HeartbeatAnswer(now=context.now)),)
