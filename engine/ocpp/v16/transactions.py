"""Transactions in 1.6: StartTransaction and StopTransaction. Sections 4.8 and 4.10.

A start has no name yet: we give one, a number. A station that never got its number says -1 or 0; so does the text.
"""

from engine.model.authorization import Token
from engine.model.envelopes import Answer
from engine.model.transactions import GetTransactionStatus, Stage, TransactionAnswer, TransactionReported
from engine.ocpp import times
from engine.ocpp.answers import expected
from engine.ocpp.errors import LocalError
from engine.ocpp.translation import CommandTranslator, NotExpressible, Payload, StationCall
from engine.ocpp.v16.authorization import id_tag_info
from engine.ocpp.v16.connectors import evse_ref_or_none
from engine.ocpp.v16.metering import readings_from_meter_values
from engine.ocpp.versions import Version

BLOCK = "transactions"


def report_from_start_transaction(payload: Payload, _version: Version) -> TransactionReported:
    """A transaction began, nameless."""
    return TransactionReported(
        stage=Stage.STARTED,
        at=times.parse(payload["timestamp"]),
        evse=evse_ref_or_none(payload["connectorId"]),
        token=Token(value=payload["idTag"]),
        meter_wh=float(payload["meterStart"]),
        reservation_id=payload.get("reservationId"),
    )


def start_transaction_response(answer: Answer, _version: Version) -> Payload:
    """The number, always, whatever the verdict (section 4.8)."""
    started = expected(TransactionAnswer, answer, "StartTransaction")
    if started.number is None:
        raise LocalError("the answer to StartTransaction names no transaction (number is None)")
    return {"transactionId": started.number, "idTagInfo": id_tag_info(started.verdict)}


def report_from_stop_transaction(payload: Payload, _version: Version) -> TransactionReported:
    """A transaction ended. The connector is not said; a reason left out stays out."""
    id_tag = payload.get("idTag")
    return TransactionReported(
        stage=Stage.ENDED,
        transaction_id=str(payload["transactionId"]),
        at=times.parse(payload["timestamp"]),
        token=Token(value=id_tag) if id_tag else None,
        meter_wh=float(payload["meterStop"]),
        readings=readings_from_meter_values(payload.get("transactionData") or ()),
        stop_reason=payload.get("reason"),
    )


def stop_transaction_response(answer: Answer, _version: Version) -> Payload:
    """The verdict of the token that stopped it; nothing where none did."""
    stopped = expected(TransactionAnswer, answer, "StopTransaction")
    return {} if stopped.verdict is None else {"idTagInfo": id_tag_info(stopped.verdict)}


def get_transaction_status_is_not_said(_command: GetTransactionStatus, _version: Version) -> tuple[str, Payload]:
    """Raises NotExpressible: 1.6 cannot ask."""
    raise NotExpressible(
        "OCPP 1.6 cannot ask for a transaction's status: trigger_message MeterValues tells of a running one"
    )


FROM_STATION = (
    StationCall(
        action="StartTransaction",
        block=BLOCK,
        report=report_from_start_transaction,
        response=start_transaction_response,
    ),
    StationCall(
        action="StopTransaction",
        block=BLOCK,
        report=report_from_stop_transaction,
        response=stop_transaction_response,
    ),
)
COMMANDS = (CommandTranslator(command=GetTransactionStatus, call=get_transaction_status_is_not_said),)
