"""How a virtual station answers the CSMS' calls. None: the action is not known here (CALLERROR NotImplemented)."""

from typing import TYPE_CHECKING, Any

from loadtests.wording import Payload

if TYPE_CHECKING:
    from loadtests.station import Connector, Station

ACCEPTED: Payload = {"status": "Accepted"}
REJECTED: Payload = {"status": "Rejected"}
UNNAMED_REMOTE_START = -1
"""1.6 gives remote starts no id."""


class CommandsOfCsms:
    """The CSMS' calls to one station, all versions."""

    def __init__(self, station: "Station") -> None:
        self._station = station
        self._keys = {"HeartbeatInterval": "300", "MeterValueSampleInterval": "10", "NumberOfConnectors": "1"}

    async def answer(self, action: str, payload: Payload) -> Payload | None:
        """The payload of the CALLRESULT."""
        match action:
            case "RemoteStartTransaction":
                return self._start(payload.get("connectorId"), payload["idTag"], UNNAMED_REMOTE_START)
            case "RequestStartTransaction":
                return self._start(payload.get("evseId"), payload["idToken"]["idToken"], payload["remoteStartId"])
            case "RemoteStopTransaction" | "RequestStopTransaction":
                return self._stop(str(payload["transactionId"]))
            case "Reset":
                self._station.reboot("RemoteReset")
                return ACCEPTED
            case "UnlockConnector":
                return {"status": "Unlocked"}
            case "ChangeAvailability":
                return self._change_availability(payload)
            case "TriggerMessage":
                return self._trigger(payload)
            case "ClearCache" | "DataTransfer":
                return ACCEPTED
            case "GetConfiguration" | "ChangeConfiguration" | "GetVariables" | "SetVariables":
                return self._variables(action, payload)
            case _:
                return None

    def _connector(self, number: int | None) -> "Connector | None":
        free = (each for each in self._station.connectors if each.charge is None or number is not None)
        return next((each for each in free if number in (None, each.number)), None)

    def _start(self, number: int | None, token: str, remote_start_id: int) -> Payload:
        connector = self._connector(number)
        if connector is None or connector.charge is not None or not connector.operative or connector.remote.full():
            return REJECTED
        connector.remote.put_nowait((token, remote_start_id))
        return ACCEPTED

    def _stop(self, transaction_id: str) -> Payload:
        for connector in self._station.connectors:
            if connector.charge is not None and connector.charge.id == transaction_id:
                connector.charge.stop_reason = "Remote"
                connector.stop.set()
                return ACCEPTED
        return REJECTED

    def _change_availability(self, payload: Payload) -> Payload:
        number = payload.get("connectorId", payload.get("evse", {}).get("id", 0))
        operative = payload.get("type", payload.get("operationalStatus")) == "Operative"
        status = "Accepted"
        for connector in self._station.connectors:
            if number in (0, connector.number):
                connector.operative = operative
                if connector.charge is not None:
                    status = "Scheduled"
                else:
                    self._station.report_status(connector, "Available" if operative else "Unavailable")
        return {"status": status}

    def _trigger(self, payload: Payload) -> Payload:
        number = payload.get("connectorId", payload.get("evse", {}).get("id"))
        done = self._station.trigger(payload["requestedMessage"], number)
        return ACCEPTED if done else {"status": "NotImplemented"}

    def _variables(self, action: str, payload: Payload) -> Payload:
        match action:
            case "GetConfiguration":
                asked = payload.get("key") or list(self._keys)
                known = [
                    {"key": key, "readonly": key == "NumberOfConnectors", "value": self._keys[key]}
                    for key in asked
                    if key in self._keys
                ]
                return {"configurationKey": known, "unknownKey": [key for key in asked if key not in self._keys]}
            case "ChangeConfiguration":
                if payload["key"] not in self._keys:
                    return {"status": "NotSupported"}
                self._keys[payload["key"]] = payload["value"]
                return ACCEPTED
            case "GetVariables":
                return {"getVariableResult": [self._get(each) for each in payload["getVariableData"]]}
            case _:
                return {"setVariableResult": [self._set(each) for each in payload["setVariableData"]]}

    def _get(self, asked: dict[str, Any]) -> Payload:
        value = self._keys.get(asked["variable"]["name"])
        status = {"attributeStatus": "UnknownVariable"} if value is None else {"attributeStatus": "Accepted"}
        found = {} if value is None else {"attributeValue": value}
        return {"component": asked["component"], "variable": asked["variable"], **status, **found}

    def _set(self, asked: dict[str, Any]) -> Payload:
        name = asked["variable"]["name"]
        known = name in self._keys
        if known:
            self._keys[name] = asked["attributeValue"]
        status = "Accepted" if known else "UnknownVariable"
        return {"component": asked["component"], "variable": asked["variable"], "attributeStatus": status}
