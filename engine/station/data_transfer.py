"""Data transfer: vendors' own messages. OCPP 1.6 section 4.3, 2.1 P02.

A vendor that nobody here understands is told so in the answer, never by a CALLERROR (TC_064, TC_P_02).
"""

from engine.model.data_transfer import DataAnswer, DataReceived, DataReported
from engine.station.context import Context
from engine.station.effects import Effect, Record, Reply
from engine.station.state import StationState


def reported(_state: StationState, report: DataReported, context: Context) -> tuple[Effect, ...]:
    """Records the data, whoever understands it."""
    known = report.vendor_id in context.policy.data_vendors_accepted
    status = "Accepted" if known else "UnknownVendorId"
    fact = DataReceived(report=report, status=status, at=context.received_at)
    return Record(fact), Reply(DataAnswer(status=status))
