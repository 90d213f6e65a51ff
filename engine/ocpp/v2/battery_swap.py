"""Battery swap: RequestBatterySwap and BatterySwap. OCPP 2.1 block S.

Translates; never decides, never remembers.
"""

from engine.model.battery_swap import Battery, BatterySwapAnswer, BatterySwapReported, RequestBatterySwap, SwapEvent
from engine.model.envelopes import Answer
from engine.ocpp import outcomes, times
from engine.ocpp.answers import expected
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload, StationCall
from engine.ocpp.v2 import authorization
from engine.ocpp.versions import Version

BLOCK = "battery_swap"


def request_battery_swap_from_command(command: RequestBatterySwap, version: Version) -> tuple[str, Payload]:
    """Lets a driver swap.

    Raises:
        NotExpressible: 2.0.1 swaps no batteries, there is no request id, or the token does not fit.
    """
    if version is Version.V201:
        raise NotExpressible("OCPP 2.0.1 swaps no batteries, 2.1 does: start a transaction instead")
    if command.request_id is None:
        raise NotExpressible(f"OCPP {version} swaps under a requestId: give request_id")
    return "RequestBatterySwap", {
        "idToken": authorization.id_token_from_token(command.token, version),
        "requestId": command.request_id,
    }


def report_from_battery_swap(payload: Payload, _version: Version) -> BatterySwapReported:
    """Batteries that went in or out."""
    return BatterySwapReported(
        request_id=payload["requestId"],
        event=SwapEvent(payload["eventType"]),
        token=authorization.token_from_id_token(payload["idToken"]),
        batteries=tuple(_battery(each) for each in payload["batteryData"]),
    )


def battery_swap_response(answer: Answer, _version: Version) -> Payload:
    """Nothing to say."""
    expected(BatterySwapAnswer, answer, "BatterySwap")
    return {}


def _battery(payload: Payload) -> Battery:
    return Battery(
        evse=payload["evseId"],
        serial_number=payload["serialNumber"],
        soc_percent=float(payload["soC"]),
        soh_percent=float(payload["soH"]),
        produced_at=times.parse(payload.get("productionDate")),
        vendor_info=payload.get("vendorInfo") or None,
    )


FROM_STATION_21 = (
    StationCall(action="BatterySwap", block=BLOCK, report=report_from_battery_swap, response=battery_swap_response),
)
FROM_CSMS_21 = (CsmsCall(action="RequestBatterySwap", block=BLOCK, outcome=outcomes.from_status_field),)
COMMANDS = (CommandTranslator(command=RequestBatterySwap, call=request_battery_swap_from_command),)
