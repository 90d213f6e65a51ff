"""Data transfer: vendors' own messages. OCPP 1.6 section 4.3, 2.1 P02.

A vendor's handler, if the operator has one, is asked before anything is decided (`ingress.ocpp.consultation`); its word
is the answer. Without one, vendors of the policy are answered Accepted. A vendor that nobody here understands is told
so in the answer, never by a CALLERROR (TC_064, TC_P_02).
"""

from msgspec.structs import replace

from engine.model.data_transfer import DataAnswer, DataReceived, DataReported
from engine.station.context import Context
from engine.station.effects import Effect, Record, Reply
from engine.station.state import StationState


def reported(_state: StationState, report: DataReported, context: Context) -> tuple[Effect, ...]:
    """Records the data, whoever understands it."""
    answer = report.finding
    if answer is None:
        known = report.vendor_id in context.policy.data_vendors_accepted
        answer = DataAnswer(status="Accepted" if known else "UnknownVendorId")
    kept = report if report.finding is None else replace(report, finding=None)
    fact = DataReceived(report=kept, status=answer.status, at=context.received_at, answer=answer.data)
    return Record(fact), Reply(answer)
