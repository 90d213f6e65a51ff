"""Event streams: values that a 2.1 station sends in bulk and without an answer. OCPP 2.1 N11 to N15.

A station opens a stream for a monitor, if it may; from then on its values come as SENDs. Nothing can be said to those,
so values of a stream that nobody knows are recorded all the same, flagged. A station that falls behind is flagged once:
send `AdjustEventStream` (N15.FR.05).
"""

from engine.model.commands import CommandRequest, Outcome, Result
from engine.model.diagnostics import (
    AdjustEventStream,
    EventStreamAdjusted,
    EventStreamAnswer,
    EventStreamClosed,
    EventStreamGone,
    EventStreamOffered,
    EventStreamOpened,
    EventStreamsListed,
    StreamsFound,
    StreamValuesRecorded,
    StreamValuesReported,
)
from engine.model.notices import NoticeAnswer
from engine.station.clocks import instant
from engine.station.context import Context
from engine.station.diagnostics_memory import STREAMS_MAX
from engine.station.effects import Effect, Record, Reply
from engine.station.state import StationState

UNKNOWN_STREAM = "unknown_stream"
"""Flag: no stream of this number is open."""
REOPENED = "reopened"
"""Flag: a stream of this number was open; the new one takes its place."""
BEHIND = 3
"""Messages in a row with more values waiting than in the one before that make a station fall behind."""

_TAKEN = Reply(NoticeAnswer())


def offered(state: StationState, report: EventStreamOffered, context: Context) -> tuple[Effect, ...]:
    """Accepts a stream, or not: the station sends events instead then (N11.FR.07)."""
    stream = report.stream
    streams = state.diagnostics.streams
    known = state.diagnostics.stream(stream.stream_id) is not None
    count_max = min(context.policy.diagnostics.event_streams_max, STREAMS_MAX)
    accepted = len(streams) - known < count_max
    flags = (REOPENED,) if known else ()
    fact = EventStreamOpened(stream=stream, accepted=accepted, at=context.received_at, flags=flags)
    if accepted:
        return Record(fact), Reply(EventStreamAnswer(accepted=True))
    detail = f"{len(streams)} streams are open, this CSMS takes {count_max} of a station"
    reason = "TooManyElements" if count_max else "NotEnabled"
    return Record(fact), Reply(EventStreamAnswer(accepted=False, reason=reason, detail=detail))


def gone(state: StationState, report: EventStreamGone, context: Context) -> tuple[Effect, ...]:
    """A stream is closed."""
    flags = () if state.diagnostics.stream(report.stream_id) is not None else (UNKNOWN_STREAM,)
    return Record(EventStreamClosed(report.stream_id, context.received_at, flags)), _TAKEN


def values_reported(state: StationState, report: StreamValuesReported, context: Context) -> tuple[Effect, ...]:
    """Records values as they came."""
    known = state.diagnostics.stream(report.stream_id)
    behind = known is not None and report.pending > known.pending and known.grown + 1 == BEHIND
    fact = StreamValuesRecorded(
        stream_id=report.stream_id,
        number=state.diagnostics.messages + 1,
        pending=report.pending,
        values=report.values,
        base_at=instant(report.base_at, context.received_at),
        at=context.received_at,
        monitor_id=None if known is None else known.monitor_id,
        behind=behind,
        flags=() if known is not None else (UNKNOWN_STREAM,),
    )
    return Record(fact), _TAKEN


def adjusted(state: StationState, request: CommandRequest, outcome: Outcome, context: Context) -> tuple[Effect, ...]:
    """A station took another rate, or not."""
    del state
    command = request.command
    assert isinstance(command, AdjustEventStream)
    if outcome.result is not Result.ACCEPTED:
        return ()
    return (Record(EventStreamAdjusted(command.stream_id, context.now, command.interval_s, command.values)),)


def listed(state: StationState, request: CommandRequest, outcome: Outcome, context: Context) -> tuple[Effect, ...]:
    """A station told which streams are open: those and no others."""
    del state, request
    if not isinstance(outcome.found, StreamsFound):
        return ()
    return (Record(EventStreamsListed(outcome.found.streams, context.now)),)
