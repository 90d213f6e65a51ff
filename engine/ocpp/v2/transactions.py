"""Transactions: TransactionEvent. OCPP 2.1 block E.

Translates; never decides, never remembers. EVSE, token, reservation and charging state are said once and then only when
they change (part 2 E section 1.5): what a message does not say stays None; the decider keeps what was said before.
"""

from engine.model.envelopes import Answer
from engine.model.transactions import ChargingState, Stage, TransactionAnswer, TransactionReported
from engine.ocpp import times
from engine.ocpp.answers import expected
from engine.ocpp.translation import Payload, StationCall
from engine.ocpp.v2 import authorization, availability, metering
from engine.ocpp.versions import Version

_STAGE_OF = {stage.value: stage for stage in Stage}
_CHARGING_STATE_OF: dict[str | None, ChargingState | None] = {None: None, **{s.value: s for s in ChargingState}}


def report_from_transaction_event(payload: Payload, _version: Version) -> TransactionReported:
    """One event. There is no meterStart or meterStop in 2.x: registers come as readings with their context."""
    info = payload["transactionInfo"]
    id_token = payload.get("idToken")
    cable_a_max = payload.get("cableMaxCurrent")
    return TransactionReported(
        stage=_STAGE_OF[payload["eventType"]],
        transaction_id=info["transactionId"],
        at=times.parse(payload["timestamp"]),
        evse=availability.evse_ref_from_evse(payload.get("evse")),
        token=authorization.token_from_id_token(id_token) if id_token else None,
        readings=metering.readings_from_meter_values(payload.get("meterValue")),
        sequence=payload["seqNo"],
        trigger=payload["triggerReason"],
        charging_state=_CHARGING_STATE_OF[info.get("chargingState")],
        stop_reason=info.get("stoppedReason"),
        reservation_id=payload.get("reservationId"),
        remote_start_id=info.get("remoteStartId"),
        offline=payload.get("offline"),
        phases_used=payload.get("numberOfPhasesUsed"),
        cable_a_max=None if cable_a_max is None else float(cable_a_max),
    )


def transaction_event_response(answer: Answer, version: Version) -> Payload:
    """A verdict where a token was presented (2.1 E01.FR.11), a total where it is known; 0.0 is free (I03.FR.04)."""
    told = expected(TransactionAnswer, answer, "TransactionEvent")
    payload: Payload = {}
    if told.verdict is not None:
        payload["idTokenInfo"] = authorization.id_token_info_from_verdict(told.verdict, version)
    if told.total_cost is not None:
        payload["totalCost"] = told.total_cost
    return payload


FROM_STATION = (
    StationCall(
        action="TransactionEvent",
        block="transactions",
        report=report_from_transaction_event,
        response=transaction_event_response,
    ),
)
