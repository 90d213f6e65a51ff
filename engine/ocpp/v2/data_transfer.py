"""Data transfer: vendors' own messages, both ways. OCPP 2.1 block P.

Translates; never decides, never remembers. `data` is any JSON and is carried verbatim.
"""

import orjson

from engine.model.data_transfer import DataAnswer, DataReported, SendData
from engine.model.envelopes import Answer
from engine.ocpp import outcomes
from engine.ocpp.answers import expected
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload, StationCall
from engine.ocpp.v2 import limits
from engine.ocpp.versions import Version


def report_from_data_transfer(payload: Payload, _version: Version) -> DataReported:
    """What a vendor said. `null` is data too; absent is not."""
    return DataReported(
        vendor_id=payload["vendorId"],
        message_id=payload.get("messageId") or None,
        data=orjson.dumps(payload["data"]) if "data" in payload else None,
    )


def data_transfer_response(answer: Answer, _version: Version) -> Payload:
    """A status, and data where there are any."""
    told = expected(DataAnswer, answer, "DataTransfer")
    payload: Payload = {"status": told.status}
    if told.data is not None:
        payload["data"] = orjson.loads(told.data)
    return payload


def data_transfer_from_send_data(command: SendData, version: Version) -> tuple[str, Payload]:
    """Says it to the station.

    Raises:
        NotExpressible: A name is too long, or the data are not JSON.
    """
    vendor_id = limits.require_length(command.vendor_id, limits.VENDOR_ID_LENGTH_MAX, "a vendorId", version)
    payload: Payload = {"vendorId": vendor_id}
    if command.message_id:
        length_max = limits.MESSAGE_ID_LENGTH_MAX
        payload["messageId"] = limits.require_length(command.message_id, length_max, "a messageId", version)
    if command.data is not None:
        try:
            payload["data"] = orjson.loads(command.data)
        except orjson.JSONDecodeError as fault:
            raise NotExpressible(f"OCPP {version} carries data as JSON, and these are not ({fault})") from fault
    return "DataTransfer", payload


FROM_STATION = (
    StationCall(
        action="DataTransfer",
        block="data_transfer",
        report=report_from_data_transfer,
        response=data_transfer_response,
    ),
)
FROM_CSMS = (CsmsCall(action="DataTransfer", block="data_transfer", outcome=outcomes.from_status_field),)
COMMANDS = (CommandTranslator(command=SendData, call=data_transfer_from_send_data),)
