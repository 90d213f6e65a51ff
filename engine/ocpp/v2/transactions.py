"""Transactions: TransactionEvent. OCPP 2.1 block E.

Translates; never decides, never remembers. EVSE, token, reservation and charging state are said once and then only when
they change (part 2 E section 1.5): what a message does not say stays None; the decider keeps what was said before.
"""

import orjson

from engine.model.commands import Outcome
from engine.model.envelopes import Answer
from engine.model.transactions import (
    ChargingState,
    GetTransactionStatus,
    Stage,
    TransactionAnswer,
    TransactionExtras,
    TransactionLimit,
    TransactionReported,
)
from engine.ocpp import outcomes, times
from engine.ocpp.answers import expected
from engine.ocpp.translation import CommandTranslator, CsmsCall, Payload, StationCall
from engine.ocpp.v2 import authorization, availability, limits, metering
from engine.ocpp.versions import Version

_STAGE_OF = {stage.value: stage for stage in Stage}
_PLAIN_INFO = frozenset({"transactionId", "chargingState", "stoppedReason", "remoteStartId", "timeSpentCharging"})
_EXTRAS = frozenset({"preconditioningStatus", "evseSleep", "costDetails"})
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
        extras=_extras(payload, info),
    )


def _extras(payload: Payload, info: Payload) -> TransactionExtras | None:
    """What is said now and then: 2.1's limits, modes, cost and sleep; at the end also how long was charged."""
    ends_timed = "timeSpentCharging" in info and payload["eventType"] == "Ended"
    if not ends_timed and info.keys() <= _PLAIN_INFO and _EXTRAS.isdisjoint(payload):
        return None
    limit, cost = info.get("transactionLimit"), payload.get("costDetails")
    return TransactionExtras(
        charging_s=info.get("timeSpentCharging"),
        operation_mode=info.get("operationMode"),
        tariff_id=info.get("tariffId") or None,
        limit=None if limit is None else _limit_from_transaction_limit(limit),
        preconditioning=payload.get("preconditioningStatus"),
        evse_sleep=payload.get("evseSleep"),
        cost=None if cost is None else orjson.dumps(cost),
    )


def _limit_from_transaction_limit(limit: Payload) -> TransactionLimit:
    cost, energy = limit.get("maxCost"), limit.get("maxEnergy")
    return TransactionLimit(
        cost_max=None if cost is None else float(cost),
        energy_wh_max=None if energy is None else float(energy),
        time_s_max=limit.get("maxTime"),
        soc_percent_max=limit.get("maxSoC"),
    )


def _transaction_limit_from_limit(limit: TransactionLimit) -> Payload:
    said = {
        "maxCost": limit.cost_max,
        "maxEnergy": limit.energy_wh_max,
        "maxTime": limit.time_s_max,
        "maxSoC": limit.soc_percent_max,
    }
    return {name: value for name, value in said.items() if value is not None}


def transaction_event_response(answer: Answer, version: Version) -> Payload:
    """A verdict where a token was presented (2.1 E01.FR.11), a total where it is known; 0.0 is free (I03.FR.04)."""
    told = expected(TransactionAnswer, answer, "TransactionEvent")
    payload: Payload = {}
    if told.verdict is not None:
        payload["idTokenInfo"] = authorization.id_token_info_from_verdict(told.verdict, version)
        if told.verdict.cost_max is not None and version is Version.V21:
            payload["transactionLimit"] = {"maxCost": told.verdict.cost_max}  # of a prepaid card (C17.FR.03)
    if told.total_cost is not None:
        payload["totalCost"] = told.total_cost
    if told.limit is not None and version is Version.V21:
        prepaid = payload.get("transactionLimit", {})
        payload["transactionLimit"] = {**_transaction_limit_from_limit(told.limit), **prepaid}
    return payload


def get_transaction_status_from_get_transaction_status(
    command: GetTransactionStatus, version: Version
) -> tuple[str, Payload]:
    """Asks about one transaction, or whether anything is queued.

    Raises:
        NotExpressible: The id is longer than any that a station can have given.
    """
    if command.transaction_id is None:
        return "GetTransactionStatus", {}
    length_max = limits.TRANSACTION_ID_LENGTH_MAX
    transaction_id = limits.require_length(command.transaction_id, length_max, "a transactionId", version)
    return "GetTransactionStatus", {"transactionId": transaction_id}


def outcome_from_get_transaction_status_response(payload: Payload, _version: Version) -> Outcome:
    """The answer in words: `Ongoing`, `Over`, or None where no transaction was asked about; and what is queued."""
    ongoing = payload.get("ongoingIndicator")
    queued = "messages are queued" if payload["messagesInQueue"] else "no messages are queued"
    status = None if ongoing is None else ("Ongoing" if ongoing else "Over")
    accepted = frozenset({"Ongoing", "Over"})
    detail = queued if ongoing is None else f"the transaction {'goes on' if ongoing else 'is over'}, {queued}"
    return outcomes.from_status(status, payload, detail, accepted=accepted)


FROM_STATION = (
    StationCall(
        action="TransactionEvent",
        block="transactions",
        report=report_from_transaction_event,
        response=transaction_event_response,
    ),
)
FROM_CSMS = (
    CsmsCall(action="GetTransactionStatus", block="transactions", outcome=outcome_from_get_transaction_status_response),
)
COMMANDS = (CommandTranslator(command=GetTransactionStatus, call=get_transaction_status_from_get_transaction_status),)
