"""Security events: taken down with what the specification thinks of them. OCPP 2.1 A04, 1.6 security whitepaper."""

from engine.model.security import (
    CRITICAL_OF_EVENT,
    SecurityEventAnswer,
    SecurityEventRecorded,
    SecurityEventReported,
)
from engine.station.context import Context
from engine.station.effects import Effect, Record, Reply
from engine.station.state import StationState


def reported(state: StationState, report: SecurityEventReported, context: Context) -> tuple[Effect, ...]:
    """Records the event (A04.FR.03)."""
    del state
    critical = CRITICAL_OF_EVENT.get(report.type)
    fact = SecurityEventRecorded(report=report, at=context.received_at, critical=critical)
    return Record(fact), Reply(SecurityEventAnswer())
