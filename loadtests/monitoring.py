"""Monitors on the variables of an OCPP 2.x virtual station: set, reported, cleared (2.1 N02 to N06)."""

from loadtests.device_model import DeviceModel
from loadtests.host import ACCEPTED, REJECTED, Host
from loadtests.variables import OF_COMPONENT
from loadtests.wording import Payload

MONITORS_MAX = 100
_TYPES = ("UpperThreshold", "LowerThreshold", "Delta", "Periodic", "PeriodicClockAligned", "TargetDelta")
_SEVERITY_MAX = 9


class Monitoring:
    """Keeps monitors; a virtual station's variables do not move by themselves, so none of them ever fires."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._monitors: dict[int, Payload] = {}
        self._next_id = 1

    def set_base(self, payload: Payload) -> Payload:
        """2.1 N05: FactoryDefault and HardWiredOnly leave none of ours."""
        if payload["monitoringBase"] != "All":
            self._monitors.clear()
        return dict(ACCEPTED)

    def set_level(self, payload: Payload) -> Payload:
        """2.1 N06."""
        return dict(ACCEPTED if 0 <= payload["severity"] <= _SEVERITY_MAX else REJECTED)

    def set(self, payload: Payload) -> Payload:
        """2.1 N04."""
        return {"setMonitoringResult": [self._set(each) for each in payload["setMonitoringData"]]}

    def clear(self, payload: Payload) -> Payload:
        """2.1 N06."""
        results = []
        for number in payload["id"]:
            found = self._monitors.pop(number, None)
            results.append({"id": number, "status": "NotFound" if found is None else "Accepted"})
        return {"clearMonitoringResult": results}

    def report(self, payload: Payload) -> Payload:
        """2.1 N02."""
        asked = payload.get("componentVariable")
        found = [(number, each) for number, each in self._monitors.items() if asked is None or _is_asked(each, asked)]
        if not found:
            return {"status": "EmptyResultSet"}
        items = [
            {
                "component": each["component"],
                "variable": each["variable"],
                "variableMonitoring": [self._monitor(number, each)],
            }
            for number, each in found
        ]
        self._host.block(DeviceModel).report("NotifyMonitoringReport", "monitor", payload["requestId"], items)
        return dict(ACCEPTED)

    def _set(self, asked: Payload) -> Payload:
        result = {key: asked[key] for key in ("type", "severity", "component", "variable")}
        status = self._status(asked)
        if status != "Accepted":
            return result | {"status": status}
        number = asked.get("id", self._next_id)
        self._next_id = max(self._next_id, number) + 1
        self._monitors[number] = asked
        return result | {"status": status, "id": number}

    def _status(self, asked: Payload) -> str:
        component, variable = asked["component"]["name"].lower(), asked["variable"]["name"].lower()
        if not any(component == known for known, _ in OF_COMPONENT):
            return "UnknownComponent"
        if (component, variable) not in OF_COMPONENT:
            return "UnknownVariable"
        if asked["type"] not in _TYPES:
            return "UnsupportedMonitorType"
        if not 0 <= asked["severity"] <= _SEVERITY_MAX or len(self._monitors) >= MONITORS_MAX:
            return "Rejected"
        return "Rejected" if "id" in asked and asked["id"] not in self._monitors else self._duplicate(asked)

    def _duplicate(self, asked: Payload) -> str:
        """The same variable, type and severity twice is once too often (2.1 N04.FR.08)."""
        names = ("component", "variable", "type", "severity")
        others = (each for number, each in self._monitors.items() if number != asked.get("id"))
        return "Duplicate" if any(all(each[key] == asked[key] for key in names) for each in others) else "Accepted"

    def _monitor(self, number: int, asked: Payload) -> Payload:
        told: Payload = {
            "id": number,
            "transaction": asked.get("transaction", False),
            "value": asked["value"],
            "type": asked["type"],
            "severity": asked["severity"],
        }
        if self._host.version == "2.1":
            told["eventNotificationType"] = "CustomMonitor"
        return told


def _is_asked(monitor: Payload, asked: list[Payload]) -> bool:
    return any(
        monitor["component"]["name"] == each["component"]["name"]
        and (each.get("variable") or monitor["variable"])["name"] == monitor["variable"]["name"]
        for each in asked
    )
