"""When a virtual station may be used, and when it starts anew (1.6 sections 5.2 and 5.14, 2.1 G03, G04, B11 to B13)."""

from loadtests.connector import Connector
from loadtests.host import ACCEPTED, REJECTED, Host
from loadtests.wording import Payload

SCHEDULED: Payload = {"status": "Scheduled"}


class Availability:
    """ChangeAvailability, Reset."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def change_16(self, payload: Payload) -> Payload:
        """1.6 section 5.2."""
        return self._change(payload["connectorId"], operative=payload["type"] == "Operative")

    def change_2(self, payload: Payload) -> Payload:
        """2.1 G03 and G04."""
        number = (payload.get("evse") or {}).get("id", 0)
        return self._change(number, operative=payload["operationalStatus"] == "Operative")

    def _change(self, number: int, *, operative: bool) -> Payload:
        """A charge in progress goes on, then it takes effect; a boot changes nothing of it (2.1 G03.FR.08)."""
        connectors = self._connectors(number)
        if not connectors:
            return dict(REJECTED)
        scheduled = False
        for connector in connectors:
            connector.operative = operative
            if connector.idle:
                self._host.report_status(connector, connector.resting_status)
            else:
                scheduled = scheduled or not operative
        return dict(SCHEDULED if scheduled else ACCEPTED)

    def reset_16(self, payload: Payload) -> Payload:
        """1.6 section 5.14. A hard one does not wait for the answers to what the charges still tell."""
        self._host.reset(f"{payload['type']}Reset")
        return dict(ACCEPTED)

    def reset_2(self, payload: Payload) -> Payload:
        """2.1 B11, B12; of one EVSE too; B13 resumes the charges (2.1 only)."""
        kind, evse = payload["type"], payload.get("evseId")
        connectors = self._connectors(evse)
        known = ("Immediate", "OnIdle") + (("ImmediateAndResume",) if self._host.version == "2.1" else ())
        if kind not in known or not connectors:
            return dict(REJECTED)
        charging = [each for each in connectors if each.charge is not None]
        if evse is not None:
            return self._reset_evse(kind, charging)
        self._host.reset(None if kind == "OnIdle" else "ImmediateReset", resume=kind == "ImmediateAndResume")
        return dict(SCHEDULED if kind == "OnIdle" and charging else ACCEPTED)

    @staticmethod
    def _reset_evse(kind: str, charging: list[Connector]) -> Payload:
        """Nothing but its charge notices (2.1 B11.FR.08 on); there is nothing to resume or to wait for without one."""
        if kind == "ImmediateAndResume":
            return dict(REJECTED)
        if kind == "OnIdle":
            return dict(SCHEDULED if charging else ACCEPTED)
        for connector in charging:
            assert connector.charge is not None
            connector.end(connector.charge, "ImmediateReset")
        return dict(ACCEPTED)

    def _connectors(self, number: int | None) -> list[Connector]:
        """Those meant: all for None and 0, none for a number that is not here."""
        return [each for each in self._host.connectors if number in (None, 0, each.number)]
