"""The OCPP 2.x device model of a virtual station: variables one by one, and reports in parts (2.1 B05 to B09)."""

from collections.abc import Iterator

from loadtests.host import ACCEPTED, Host
from loadtests.variables import OF_COMPONENT, TABLE, Variable
from loadtests.wording import Payload
from loadtests.wording.words import stamp

REPORT_ITEMS = 8
"""Variables in one NotifyReport."""
_EMPTY = {"status": "EmptyResultSet"}


class DeviceModel:
    """GetVariables, SetVariables, GetBaseReport, GetReport, SetNetworkProfile."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def get_variables(self, payload: Payload) -> Payload:
        """2.1 B06."""
        return {"getVariableResult": [self._get(each) for each in payload["getVariableData"]]}

    def set_variables(self, payload: Payload) -> Payload:
        """2.1 B05."""
        return {"setVariableResult": [self._set(each) for each in payload["setVariableData"]]}

    def set_network_profile(self, payload: Payload) -> Payload:
        """2.1 B09: kept in slots 1 to 3, and used when the priority says so; a virtual station stays where it is."""
        data = payload["connectionData"]
        known = 1 <= payload["configurationSlot"] <= 3 and data["ocppCsmsUrl"].startswith(("ws://", "wss://"))
        return {"status": "Accepted" if known else "Rejected"}

    def get_base_report(self, payload: Payload) -> Payload:
        """2.1 B07."""
        items = list(self._inventory(payload["reportBase"]))
        self.report("NotifyReport", "reportData", payload["requestId"], items)
        return dict(ACCEPTED)

    def get_report(self, payload: Payload) -> Payload:
        """2.1 B08. Nothing is ever wrong with a virtual station, so its problems are an empty set."""
        criteria = payload.get("componentCriteria")
        if criteria is not None and set(criteria) == {"Problem"}:
            return dict(_EMPTY)
        asked = payload.get("componentVariable")
        items = [each for each in self._inventory("FullInventory") if asked is None or _is_asked(each, asked)]
        if not items:
            return dict(_EMPTY)
        self.report("NotifyReport", "reportData", payload["requestId"], items)
        return dict(ACCEPTED)

    def report(self, action: str, field: str, request_id: int, items: list[Payload]) -> None:
        """Tells items in parts: seqNo from 0, tbc while more come."""
        generated_at = stamp(self._host.now())
        for number, first in enumerate(range(0, len(items), REPORT_ITEMS)):
            part: Payload = {
                "requestId": request_id,
                "generatedAt": generated_at,
                "seqNo": number,
                field: items[first : first + REPORT_ITEMS],
            }
            if first + REPORT_ITEMS < len(items):
                part["tbc"] = True
            self._host.tell(action, part)

    def _get(self, asked: Payload) -> Payload:
        result = _named(asked)
        variable, status = self._find(asked)
        if variable is None:
            return result | {"attributeStatus": status}
        if variable.access == "WriteOnly":
            return result | {"attributeStatus": "Rejected"}
        return result | {"attributeStatus": "Accepted", "attributeValue": self._host.variables.told(variable)}

    def _set(self, asked: Payload) -> Payload:
        result = _named(asked)
        variable, status = self._find(asked)
        if variable is not None:
            status = self._host.variables.change(variable, asked["attributeValue"])
            if status != "Rejected":
                self._host.variable_changed(variable.name)
        return result | {"attributeStatus": status}

    def _find(self, asked: Payload) -> tuple[Variable | None, str]:
        component, name = asked["component"]["name"].lower(), asked["variable"]["name"].lower()
        if not any(component == known for known, _ in OF_COMPONENT):
            return None, "UnknownComponent"
        variable = OF_COMPONENT.get((component, name))
        if variable is None:
            return None, "UnknownVariable"
        if asked.get("attributeType", "Actual") != "Actual":
            return None, "NotSupportedAttributeType"
        return variable, ""

    def _inventory(self, base: str) -> Iterator[Payload]:
        """What a base report has: all, what can be changed, or only how it is (2.1 B07)."""
        if base != "SummaryInventory":
            for variable in TABLE:
                if variable.component is not None and (base == "FullInventory" or variable.access != "ReadOnly"):
                    yield self._item(variable)
        if base != "ConfigurationInventory":
            yield from self._states()

    def _item(self, variable: Variable) -> Payload:
        attribute: Payload = {"mutability": variable.access}
        if variable.access != "WriteOnly":
            attribute["value"] = self._host.variables.told(variable)
        characteristics: Payload = {"dataType": variable.kind, "supportsMonitoring": variable.kind == "integer"}
        if variable.unit is not None:
            characteristics["unit"] = variable.unit
        if variable.members:
            characteristics["valuesList"] = ",".join(variable.members)
        return {
            "component": {"name": variable.component},
            "variable": {"name": variable.variable},
            "variableAttribute": [attribute],
            "variableCharacteristics": characteristics,
        }

    def _states(self) -> Iterator[Payload]:
        operative = any(each.operative for each in self._host.connectors)
        yield _state("ChargingStation", None, "Available" if operative else "Unavailable")
        for connector in self._host.connectors:
            state = self._host.wording.status_word(connector.status)
            yield _state("EVSE", {"id": connector.number}, state)
            yield _state("Connector", {"id": connector.number, "connectorId": 1}, state)


def _named(asked: Payload) -> Payload:
    result: Payload = {"component": asked["component"], "variable": asked["variable"]}
    if "attributeType" in asked:
        result["attributeType"] = asked["attributeType"]
    return result


def _state(component: str, evse: Payload | None, value: str) -> Payload:
    name: Payload = {"name": component} | ({} if evse is None else {"evse": evse})
    return {
        "component": name,
        "variable": {"name": "AvailabilityState"},
        "variableAttribute": [{"value": value, "mutability": "ReadOnly"}],
        "variableCharacteristics": {"dataType": "OptionList", "supportsMonitoring": True},
    }


def _is_asked(item: Payload, asked: list[Payload]) -> bool:
    """Whether one of the asked components, and its variable where one is named, is this one (2.1 B08.FR.11 on)."""
    return any(_fits(item, each) for each in asked)


def _fits(item: Payload, asked: Payload) -> bool:
    component, wanted = item["component"], asked["component"]
    if component["name"].lower() != wanted["name"].lower():
        return False
    evse, place = wanted.get("evse"), component.get("evse") or {}
    if evse is not None and any(place.get(key) != evse[key] for key in ("id", "connectorId") if key in evse):
        return False
    variable = asked.get("variable")
    return variable is None or variable["name"].lower() == item["variable"]["name"].lower()
