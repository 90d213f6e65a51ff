"""Data transfer in 1.6, both ways. Sections 4.3 and 5.6. The data is a text here; the words hold its JSON."""

import orjson

from engine.model.data_transfer import DataAnswer, DataReported, SendData
from engine.model.envelopes import Answer
from engine.ocpp import outcomes
from engine.ocpp.answers import expected
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload, StationCall
from engine.ocpp.versions import Version

BLOCK = "data_transfer"


def report_from_data_transfer(payload: Payload, _version: Version) -> DataReported:
    """A vendor's message."""
    data = payload.get("data")
    return DataReported(
        vendor_id=payload["vendorId"],
        message_id=payload.get("messageId") or None,
        data=None if data is None else orjson.dumps(data),
    )


def data_transfer_response(answer: Answer, _version: Version) -> Payload:
    """The status and, if there is any, data: JSON that is no text is said as the text of that JSON."""
    given = expected(DataAnswer, answer, "DataTransfer")
    payload: Payload = {"status": given.status}
    if given.data is not None:
        data = orjson.loads(given.data)
        payload["data"] = data if isinstance(data, str) else given.data.decode()
    return payload


def data_transfer_from_send_data(command: SendData, _version: Version) -> tuple[str, Payload]:
    """A vendor's message to the station."""
    payload: Payload = {"vendorId": command.vendor_id}
    if command.message_id is not None:
        payload["messageId"] = command.message_id
    if command.data is not None:
        payload["data"] = _text_of(command.data)
    return "DataTransfer", payload


def _text_of(data: bytes) -> str:
    """The text that some JSON is.

    Raises:
        NotExpressible: It is no JSON, or JSON other than a text.
    """
    try:
        text = orjson.loads(data)
    except ValueError as error:
        raise NotExpressible(f"the data is no JSON: {error}") from None
    if not isinstance(text, str):
        raise NotExpressible("OCPP 1.6 transfers data as a text; write an object as a JSON string that holds its JSON")
    return text


FROM_STATION = (
    StationCall(action="DataTransfer", block=BLOCK, report=report_from_data_transfer, response=data_transfer_response),
)
FROM_CSMS = (CsmsCall(action="DataTransfer", block=BLOCK, outcome=outcomes.from_status_field),)
COMMANDS = (CommandTranslator(command=SendData, call=data_transfer_from_send_data),)
