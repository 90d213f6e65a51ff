"""Remote control in 1.6: RemoteStart-, RemoteStopTransaction, UnlockConnector, TriggerMessage.

Sections 5.11, 5.12, 5.17 and 5.18.
"""

import re

from engine.model.ids import EvseRef
from engine.model.remote_control import RequestStart, RequestStop, TriggerMessage, UnlockConnector
from engine.ocpp import outcomes
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload
from engine.ocpp.v16.connectors import connector_id_above_zero
from engine.ocpp.v16.smart_charging import charging_profile_payload
from engine.ocpp.versions import Version

BLOCK = "remote_control"

_NUMBER = re.compile(r"-?\d{1,18}", re.ASCII)
_EXTENDED_MESSAGES = frozenset({"LogStatusNotification", "SignChargePointCertificate"})
"""What only the security whitepaper's ExtendedTriggerMessage can trigger."""
_MESSAGES = _EXTENDED_MESSAGES | {
    "BootNotification",
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "MeterValues",
    "StatusNotification",
}


def remote_start_transaction_from_request_start(command: RequestStart, _version: Version) -> tuple[str, Payload]:
    """A token and, if said, a connector. 1.6 has no remote start id: a start is known by its token and connector.

    Raises:
        NotExpressible: A group is named: the station learns it from the answer to Authorize or StartTransaction.
    """
    if command.group is not None:
        raise NotExpressible(
            "OCPP 1.6 cannot name a group in a remote start: leave it out, parentIdTag is told with the verdict"
        )
    payload: Payload = {"idTag": command.token.value}
    if command.evse is not None:
        payload["connectorId"] = connector_id_above_zero(command.evse)
    if command.profile is not None:
        payload["chargingProfile"] = charging_profile_payload(command.profile)
    return "RemoteStartTransaction", payload


def remote_stop_transaction_from_request_stop(command: RequestStop, _version: Version) -> tuple[str, Payload]:
    """The number that we gave."""
    if _NUMBER.fullmatch(command.transaction_id) is None:
        raise NotExpressible(f"OCPP 1.6 names transactions by number; {command.transaction_id[:50]!r} is none")
    return "RemoteStopTransaction", {"transactionId": int(command.transaction_id)}


def unlock_connector_from_command(command: UnlockConnector, _version: Version) -> tuple[str, Payload]:
    """A connector."""
    return "UnlockConnector", {"connectorId": connector_id_above_zero(command.evse)}


def trigger_message_from_command(command: TriggerMessage, _version: Version) -> tuple[str, Payload]:
    """A message and, if said, a connector. The station itself (0) is said by naming none.

    Which of the two actions has it depends on the message alone: ExtendedTriggerMessage has those of the security
    whitepaper, TriggerMessage all others, for every station of 1.6 knows that one.

    Raises:
        NotExpressible: A vendor's own message, or one that 1.6 cannot trigger.
    """
    if command.custom is not None:
        raise NotExpressible("OCPP 1.6 has no custom triggers: use send_data")
    if command.message not in _MESSAGES:
        raise NotExpressible(f"OCPP 1.6 cannot trigger {command.message!r}: use one of {', '.join(sorted(_MESSAGES))}")
    payload: Payload = {"requestedMessage": command.message}
    if command.evse is not None and command.evse != EvseRef(evse=0):
        payload["connectorId"] = connector_id_above_zero(command.evse)
    action = "ExtendedTriggerMessage" if command.message in _EXTENDED_MESSAGES else "TriggerMessage"
    return action, payload


FROM_CSMS = tuple(
    CsmsCall(action=action, block=BLOCK, outcome=outcomes.from_status_field)
    for action in (
        "RemoteStartTransaction",
        "RemoteStopTransaction",
        "UnlockConnector",
        "TriggerMessage",
        "ExtendedTriggerMessage",
    )
)
COMMANDS = (
    CommandTranslator(command=RequestStart, call=remote_start_transaction_from_request_start),
    CommandTranslator(command=RequestStop, call=remote_stop_transaction_from_request_stop),
    CommandTranslator(command=UnlockConnector, call=unlock_connector_from_command),
    CommandTranslator(command=TriggerMessage, call=trigger_message_from_command),
)
