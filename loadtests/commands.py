"""How a virtual station answers the CSMS' calls. None: the action is not known here (CALLERROR NotImplemented)."""

from collections.abc import Sequence
from typing import Any, Protocol

from loadtests.connector import Connector, Driver
from loadtests.link import Malformed
from loadtests.wording import Payload, Wording

ACCEPTED: Payload = {"status": "Accepted"}
REJECTED: Payload = {"status": "Rejected"}
SCHEDULED: Payload = {"status": "Scheduled"}


class Commanded(Protocol):
    """What a station must have to be commanded."""

    wording: Wording
    connectors: list[Connector]
    intervals_s: dict[str, float]

    @property
    def registered(self) -> bool:
        """Whether its boot was accepted."""

    def reset(self, stop_reason: str | None) -> None:
        """Boots anew; None: once all charges have ended."""

    def trigger(self, message: str, connectors: Sequence[Connector]) -> str:
        """Sends a message; returns the status of the answer."""

    def report_status(self, connector: Connector, status: str) -> None:
        """Tells a status."""


class CommandsOfCsms:
    """The CSMS' calls to one station, all versions."""

    def __init__(self, station: Commanded) -> None:
        self._station = station
        self._intervals = {key: name for name, key in station.wording.key_of_interval.items()}
        self._fixed = {"NumberOfConnectors": str(len(station.connectors))}

    def answer(self, action: str, payload: Payload) -> Payload | None:
        """The payload of the CALLRESULT.

        Raises:
            Malformed: A field is missing or of a wrong type.
        """
        try:
            if self._station.wording.names_transactions:
                return self._answer_2(action, payload)
            return self._answer_16(action, payload)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise Malformed(f"{action} cannot be read: {type(error).__name__} {error}") from error

    def _answer_16(self, action: str, payload: Payload) -> Payload | None:
        match action:
            case "RemoteStartTransaction":
                return self._start(payload.get("connectorId"), Driver(payload["idTag"], remote=True))
            case "RemoteStopTransaction":
                return self._stop(str(payload["transactionId"]))
            case "Reset":
                self._station.reset(f"{payload['type']}Reset")
                return ACCEPTED
            case "UnlockConnector":
                return self._unlock_16(payload["connectorId"])
            case "ChangeAvailability":
                return self._change_availability(payload["connectorId"], operative=payload["type"] == "Operative")
            case "TriggerMessage":
                return self._trigger(payload["requestedMessage"], payload.get("connectorId"))
            case "GetConfiguration":
                return self._configuration(payload.get("key"))
            case "ChangeConfiguration":
                status = self._set(payload["key"], payload["value"])
                return {"status": "NotSupported" if status == "UnknownVariable" else status}
            case _:
                return self._answer_any(action)

    def _answer_2(self, action: str, payload: Payload) -> Payload | None:
        evse: Payload = payload.get("evse") or {}
        match action:
            case "RequestStartTransaction":
                token, start_id = payload["idToken"]["idToken"], payload["remoteStartId"]
                return self._start(payload.get("evseId"), Driver(token, remote=True, remote_start_id=start_id))
            case "RequestStopTransaction":
                return self._stop(payload["transactionId"])
            case "Reset":
                return self._reset_2(payload["type"], payload.get("evseId"))
            case "UnlockConnector":
                return self._unlock_2(payload["evseId"], payload["connectorId"])
            case "ChangeAvailability":
                operative = payload["operationalStatus"] == "Operative"
                return self._change_availability(evse.get("id", 0), operative=operative)
            case "TriggerMessage":
                return self._trigger(payload["requestedMessage"], evse.get("id"))
            case "GetVariables":
                return {"getVariableResult": [self._get_variable(each) for each in payload["getVariableData"]]}
            case "SetVariables":
                return {"setVariableResult": [self._set_variable(each) for each in payload["setVariableData"]]}
            case _:
                return self._answer_any(action)

    @staticmethod
    def _answer_any(action: str) -> Payload | None:
        return {"ClearCache": ACCEPTED, "DataTransfer": {"status": "UnknownVendorId"}}.get(action)

    def _connectors(self, number: int | None) -> list[Connector]:
        """Those meant: all for None and 0, none for a number that is not here."""
        return [each for each in self._station.connectors if number in (None, 0, each.number)]

    def _start(self, number: int | None, driver: Driver) -> Payload:
        """1.6 section 5.11, 2.1 F01; not before the boot was accepted (1.6 section 4.2)."""
        if number == 0 or not self._station.registered:
            return REJECTED
        connector = next((each for each in self._connectors(number) if each.takes_remote()), None)
        if connector is None:
            return REJECTED
        connector.remote.put_nowait(driver)
        return ACCEPTED

    def _stop(self, transaction_id: str) -> Payload:
        for connector in self._station.connectors:
            charge = connector.charge
            if charge is not None and charge.id == transaction_id:
                connector.end(charge, "Remote")
                return ACCEPTED
        return REJECTED

    def _reset_2(self, kind: str, evse: int | None) -> Payload:
        """2.1 B11, B12. Nothing is resumed here, so that is refused."""
        connectors = self._connectors(evse)
        if kind not in ("Immediate", "OnIdle") or not connectors or (evse is not None and kind == "OnIdle"):
            return REJECTED
        if evse is not None:
            for connector in connectors:
                if connector.charge is not None:
                    connector.end(connector.charge, "ImmediateReset")
            return ACCEPTED
        waits = kind == "OnIdle" and any(each.charge is not None for each in connectors)
        self._station.reset(None if kind == "OnIdle" else "ImmediateReset")
        return SCHEDULED if waits else ACCEPTED

    def _unlock_16(self, number: int) -> Payload:
        """1.6 section 5.18: ends the transaction first."""
        connector = next((each for each in self._station.connectors if each.number == number), None)
        if connector is None:
            return {"status": "NotSupported"}
        if connector.charge is not None:
            connector.end(connector.charge, "UnlockCommand")
        return {"status": "Unlocked"}

    def _unlock_2(self, evse: int, number: int) -> Payload:
        """2.1 F05: not while somebody charges."""
        connector = next((each for each in self._station.connectors if (each.number, 1) == (evse, number)), None)
        if connector is None:
            return {"status": "UnknownConnector"}
        return {"status": "Unlocked" if connector.charge is None else "OngoingAuthorizedTransaction"}

    def _change_availability(self, number: int, *, operative: bool) -> Payload:
        """1.6 section 5.2, 2.1 G03 and G04: a charge in progress goes on, then it takes effect."""
        connectors = self._connectors(number)
        if not connectors:
            return REJECTED
        scheduled = False
        for connector in connectors:
            connector.operative = operative
            if connector.idle.is_set():
                self._station.report_status(connector, connector.resting_status)
            else:
                scheduled = scheduled or not operative
        return SCHEDULED if scheduled else ACCEPTED

    def _trigger(self, message: str, number: int | None) -> Payload:
        """1.6 section 5.17, 2.1 F06."""
        connectors = self._connectors(number)
        return {"status": self._station.trigger(message, connectors)} if connectors else REJECTED

    def _value(self, key: str) -> str | None:
        if key in self._intervals:
            return str(round(self._station.intervals_s[self._intervals[key]]))
        return self._fixed.get(key)

    def _set(self, key: str, value: str) -> str:
        if key in self._fixed:
            return "Rejected"
        if key not in self._intervals:
            return "UnknownVariable"
        if not value.isdecimal() or int(value) == 0:
            return "Rejected"
        self._station.intervals_s[self._intervals[key]] = float(value)
        return "Accepted"

    def _configuration(self, keys: list[str] | None) -> Payload:
        asked = keys or [*self._intervals, *self._fixed]
        known = [
            {"key": key, "readonly": key in self._fixed, "value": value}
            for key in asked
            if (value := self._value(key)) is not None
        ]
        return {"configurationKey": known, "unknownKey": [key for key in asked if self._value(key) is None]}

    def _get_variable(self, asked: dict[str, Any]) -> Payload:
        result = {"component": asked["component"], "variable": asked["variable"]}
        if asked.get("attributeType", "Actual") != "Actual":
            return result | {"attributeStatus": "NotSupportedAttributeType", "attributeType": asked["attributeType"]}
        value = self._value(asked["variable"]["name"])
        if value is None:
            return result | {"attributeStatus": "UnknownVariable"}
        return result | {"attributeStatus": "Accepted", "attributeValue": value}

    def _set_variable(self, asked: dict[str, Any]) -> Payload:
        result = {"component": asked["component"], "variable": asked["variable"]}
        if asked.get("attributeType", "Actual") != "Actual":
            return result | {"attributeStatus": "NotSupportedAttributeType", "attributeType": asked["attributeType"]}
        return result | {"attributeStatus": self._set(asked["variable"]["name"], asked["attributeValue"])}
