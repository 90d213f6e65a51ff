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

What a station is asked because it booted is asked a while after (`OnBoot`), each station at its own time: ten thousand
of them boot at once when the power comes back.
"""

import zlib
from datetime import timedelta

from engine.model.availability import ConnectorStatusReported
from engine.model.certificates import SigningAsked
from engine.model.commands import CommandRequest, Outcome, Result
from engine.model.device_model import InventoryPlanned, VariablesReported
from engine.model.diagnostics import (
    CustomerInformationReported,
    EventStreamGone,
    EventStreamOffered,
    LogStatusReported,
    StreamValuesReported,
)
from engine.model.display_message import DisplayMessagesReported
from engine.model.envelopes import Report
from engine.model.firmware import FirmwareStatusReported, PublicationReported
from engine.model.metering import ReadingsReported
from engine.model.monitoring import EventsReported, MonitorsReported
from engine.model.notices import StationNotice
from engine.model.provisioning import (
    BootAnswer,
    BootReported,
    ChangePassword,
    HeartbeatAnswer,
    HeartbeatReported,
    NetworkProfileAnswered,
    PasswordChangeAnswered,
    Registration,
    SetNetworkProfile,
    StationBooted,
)
from engine.model.quirks import OdditiesReported
from engine.model.security import SecurityEventReported
from engine.model.sessions import SilenceReported, SpeechReported
from engine.model.transactions import TransactionReported
from engine.redaction import redacted_url
from engine.station import follow_ups, quirks
from engine.station.context import Context
from engine.station.effects import Effect, Record, Reply
from engine.station.policy import OnBoot
from engine.station.state import StationState

MESSAGES_OF_REPORT: dict[type, tuple[str, ...]] = {
    HeartbeatReported: ("Heartbeat",),
    ConnectorStatusReported: ("StatusNotification",),
    ReadingsReported: ("MeterValues",),
    TransactionReported: ("TransactionEvent", "MeterValues"),
}
"""By which names TriggerMessage asks for a report."""
SAID_WHILE_PENDING: tuple[type, ...] = (
    StationNotice,
    FirmwareStatusReported,
    PublicationReported,
    LogStatusReported,
    CustomerInformationReported,
    EventStreamOffered,
    EventStreamGone,
    StreamValuesReported,
    MonitorsReported,
    EventsReported,
    DisplayMessagesReported,
    VariablesReported,
    SecurityEventReported,
    SigningAsked,
    OdditiesReported,
    SilenceReported,
    SpeechReported,
)
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


def booted(state: StationState, report: BootReported, context: Context) -> tuple[Effect, ...]:
    """Answers with the operator's verdict. Transactions go on: their stops may still be in the station's queue."""
    verdict = judged(context)
    accepted = verdict is Registration.ACCEPTED
    interval_s = _interval_s(state.station, context, accepted=accepted)
    names, switches = quirks.of_boot(report, context)
    fact = StationBooted(boot=report, registration=verdict, interval_s=interval_s, at=context.received_at, quirks=names)
    reply = Reply(BootAnswer(registration=verdict, interval_s=interval_s, now=context.now, quirks=switches))
    came = follow_ups.booted(state, context) if state.awaited.items else ()
    return Record(fact), *came, *(_inventory(state, report, context) if accepted else ()), reply


def _interval_s(station: str, context: Context, *, accepted: bool) -> int:
    """Until the next heartbeat, a little less than the policy says; until the next boot, a little more. 0 stays 0."""
    policy = context.policy
    interval_s = policy.heartbeat_interval_s if accepted else policy.boot_retry_s
    jitter = policy.provisioning.interval_jitter
    if not interval_s or not jitter:
        return interval_s
    share = jitter * part_of(station)
    return max(1, round(interval_s * (1 - share if accepted else 1 + share)))


def part_of(station: str) -> float:
    """A number from 0 to 1 that is the station's own, always the same, and evenly spread over stations."""
    return zlib.crc32(station.encode(errors="surrogatepass")) / 0xFFFFFFFF


def _inventory(state: StationState, report: BootReported, context: Context) -> tuple[Effect, ...]:
    """Plans to ask for the device model where it is not known for this firmware (2.1 B07.FR.14)."""
    policy, inventory = context.policy.provisioning, state.inventory
    if policy.on_boot is not OnBoot.REPORT:
        return ()
    identity = identity_of(report)
    if inventory.known == identity and not inventory.restart_awaited:
        return ()
    after_s = policy.on_boot_after_s + policy.on_boot_spread_s * part_of(state.station)
    due_at = context.now + timedelta(seconds=after_s)
    return (Record(InventoryPlanned(due_at=due_at, identity=identity, noted_at=context.now)),)


def identity_of(boot: BootReported) -> int:
    """A checksum of what decides which variables a station has; never 0."""
    text = f"{boot.vendor}|{boot.model}|{boot.firmware_version}"
    return zlib.crc32(text.encode(errors="surrogatepass")) or 1


def password_settled(
    _state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """Whether the station took its new password; unknown while it did not answer."""
    assert isinstance(request.command, ChangePassword), request.command
    if outcome.result not in (Result.ACCEPTED, Result.REFUSED, Result.FAILED):
        return ()
    accepted = outcome.result is Result.ACCEPTED
    return (Record(PasswordChangeAnswered(accepted=accepted, at=context.now, status=outcome.status)),)


def network_profile_settled(
    _state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """What a station said to a network profile (2.1 B09)."""
    command = request.command
    assert isinstance(command, SetNetworkProfile), command
    if outcome.result not in (Result.ACCEPTED, Result.REFUSED, Result.FAILED):
        return ()
    fact = NetworkProfileAnswered(
        configuration_slot=command.configuration_slot,
        url=redacted_url(command.profile.url),
        security_profile=command.profile.security_profile,
        interface=command.profile.interface,
        status=outcome.status or outcome.result.value,
        at=context.now,
    )
    return (Record(fact),)


def beaten(_state: StationState, _report: HeartbeatReported, context: Context) -> tuple[Effect, ...]:
    """Answers a heartbeat with our time, which the station takes as its own."""
    return (Reply(HeartbeatAnswer(now=context.now)),)
