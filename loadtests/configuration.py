"""OCPP 1.6 configuration keys of a virtual station (1.6 sections 5.3, 5.8 and 9)."""

from loadtests.host import Host
from loadtests.variables import OF_KEY, TABLE, Variable
from loadtests.wording import Payload


class Configuration:
    """GetConfiguration and ChangeConfiguration."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def get(self, payload: Payload) -> Payload:
        """1.6 section 5.8; no keys means all."""
        asked: list[str] = payload.get("key") or [each.key for each in TABLE if each.key is not None]
        known: list[Payload] = []
        unknown: list[str] = []
        for key in asked:
            variable = OF_KEY.get(key.lower())
            if variable is None:
                unknown.append(key)
            else:
                known.append(self._told(variable))
        answer: Payload = {}
        if known:
            answer["configurationKey"] = known
        if unknown:
            answer["unknownKey"] = unknown
        return answer

    def change(self, payload: Payload) -> Payload:
        """1.6 section 5.3."""
        variable, value = OF_KEY.get(payload["key"].lower()), payload["value"]
        if variable is None:
            return {"status": "NotSupported"}
        status = self._host.variables.change(variable, value)
        if status != "Rejected":
            self._host.variable_changed(variable.name)
        return {"status": status}

    def _told(self, variable: Variable) -> Payload:
        told: Payload = {"key": variable.key, "readonly": variable.access == "ReadOnly"}
        if variable.access != "WriteOnly":  # the key stays secret (security whitepaper A01)
            told["value"] = self._host.variables.told(variable)
        return told
