"""Remote control: RequestStartTransaction, RequestStopTransaction, UnlockConnector, TriggerMessage. OCPP 2.1 block F.

Translates; never decides, never remembers.
"""

from engine.model.ids import EvseRef
from engine.model.remote_control import RequestStart, RequestStop, TriggerMessage, UnlockConnector
from engine.ocpp import outcomes
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload
from engine.ocpp.v2 import authorization, availability, charging_profiles, limits
from engine.ocpp.versions import Version

_NEEDS_CONNECTOR = "StatusNotification"
_CUSTOM_TRIGGER = "CustomTrigger"


def request_start_transaction_from_request_start(command: RequestStart, version: Version) -> tuple[str, Payload]:
    """Starts at an EVSE or, without one, where the station chooses.

    Connector 1 is taken for the whole EVSE: (n, 1) is how version-neutral callers name place n, and an EVSE charges at
    one connector at a time.

    Raises:
        NotExpressible: There is no remote start id, the place is no EVSE or one of several connectors, or the token
            does not fit.
    """
    if command.remote_start_id is None:
        raise NotExpressible(f"OCPP {version} starts with a remoteStartId: give remote_start_id")
    payload: Payload = {
        "idToken": authorization.id_token_from_token(command.token, version),
        "remoteStartId": command.remote_start_id,
    }
    if command.evse is not None:
        payload["evseId"] = _evse_to_start_at(command.evse, version)
    if command.group is not None:
        payload["groupIdToken"] = authorization.id_token_from_token(command.group, version)
    if command.profile is not None:
        payload["chargingProfile"] = charging_profiles.payload_from_profile(command.profile, version)
    return "RequestStartTransaction", payload


def _evse_to_start_at(ref: EvseRef, version: Version) -> int:
    """An evseId. Raises NotExpressible."""
    evse = availability.evse_from_evse_ref(ref, version)
    if evse is None:
        raise NotExpressible(f"OCPP {version} starts at an EVSE, 1 or higher: leave it out to let the station choose")
    if ref.connector not in (None, 1):
        raise NotExpressible(
            f"OCPP {version} starts at an EVSE and cannot choose its connector {ref.connector}: leave the connector out"
        )
    return ref.evse


def request_stop_transaction_from_request_stop(command: RequestStop, version: Version) -> tuple[str, Payload]:
    """Stops by the station's own name of the transaction.

    Raises:
        NotExpressible: The name is longer than any that a station can have given.
    """
    length_max = limits.TRANSACTION_ID_LENGTH_MAX
    transaction_id = limits.require_length(command.transaction_id, length_max, "a transactionId", version)
    return "RequestStopTransaction", {"transactionId": transaction_id}


def unlock_connector_from_unlock_connector(command: UnlockConnector, version: Version) -> tuple[str, Payload]:
    """Unlocks one connector.

    Raises:
        NotExpressible: EVSE or connector is not named.
    """
    evse = availability.evse_from_evse_ref(command.evse, version)
    if evse is None or "connectorId" not in evse:
        raise NotExpressible(f"OCPP {version} unlocks one connector of one EVSE: name both")
    return "UnlockConnector", {"evseId": evse["id"], "connectorId": evse["connectorId"]}


def trigger_message_from_trigger_message(command: TriggerMessage, version: Version) -> tuple[str, Payload]:
    """Asks for a message, of one place where `evse` says so.

    Raises:
        NotExpressible: This version cannot trigger that message, or it wants a connector (F06.FR.12 and 13) or a name.
    """
    _require_trigger(command, version)
    evse = availability.evse_from_evse_ref(command.evse, version) if command.evse is not None else None
    if command.message == _NEEDS_CONNECTOR and (evse is None or "connectorId" not in evse):
        raise NotExpressible(f"OCPP {version} triggers {_NEEDS_CONNECTOR} for one connector of one EVSE: name both")
    payload: Payload = {"requestedMessage": command.message}
    if evse is not None:
        payload["evse"] = evse
    if command.custom is not None:
        payload["customTrigger"] = limits.require_name(command.custom, "a custom trigger", version)
    return "TriggerMessage", payload


def _require_trigger(command: TriggerMessage, version: Version) -> None:
    """Raises NotExpressible."""
    message, triggers = command.message, limits.LIMITS_OF[version].triggers
    if message not in triggers:
        raise NotExpressible(f"OCPP {version} cannot trigger {message!r}: use one of {', '.join(sorted(triggers))}")
    if (message == _CUSTOM_TRIGGER) is (command.custom is None):
        raise NotExpressible(f"a custom trigger is message {_CUSTOM_TRIGGER} and the vendor's name of it: give both")


FROM_CSMS = (
    CsmsCall(action="RequestStartTransaction", block="remote_control", outcome=outcomes.from_status_field),
    CsmsCall(action="RequestStopTransaction", block="remote_control", outcome=outcomes.from_status_field),
    CsmsCall(action="UnlockConnector", block="remote_control", outcome=outcomes.from_status_field),
    CsmsCall(action="TriggerMessage", block="remote_control", outcome=outcomes.from_status_field),
)
COMMANDS = (
    CommandTranslator(command=RequestStart, call=request_start_transaction_from_request_start),
    CommandTranslator(command=RequestStop, call=request_stop_transaction_from_request_stop),
    CommandTranslator(command=UnlockConnector, call=unlock_connector_from_unlock_connector),
    CommandTranslator(command=TriggerMessage, call=trigger_message_from_trigger_message),
)
