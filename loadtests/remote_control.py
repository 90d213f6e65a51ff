"""What the CSMS starts, stops, unlocks and asks for at a virtual station (1.6 sections 5.11 to 5.18, 2.1 block F)."""

from collections.abc import Callable

from loadtests.certificates import Certificates
from loadtests.connector import Connector, Driver
from loadtests.firmware import Firmware
from loadtests.host import ACCEPTED, REJECTED, Host, busy
from loadtests.log_upload import LogUpload
from loadtests.smart_charging import SmartCharging
from loadtests.wording import Payload

_CERTIFICATES_ASKED = {
    "SignChargePointCertificate": None,
    "SignChargingStationCertificate": "ChargingStationCertificate",
    "SignV2GCertificate": "V2GCertificate",
    "SignCombinedCertificate": "ChargingStationCertificate",
}


class RemoteControl:
    """RemoteStart, RequestStart, their stops, UnlockConnector, TriggerMessage, GetTransactionStatus."""

    def __init__(self, host: Host) -> None:
        self._host = host

    # Start and stop

    def start_16(self, payload: Payload) -> Payload:
        """1.6 section 5.11."""
        driver = Driver(payload["idTag"], remote=True)
        return self._start(payload.get("connectorId"), driver, payload.get("chargingProfile"))

    def start_2(self, payload: Payload) -> Payload:
        """2.1 F01."""
        driver = Driver(payload["idToken"]["idToken"], remote=True, remote_start_id=payload["remoteStartId"])
        return self._start(payload.get("evseId"), driver, payload.get("chargingProfile"))

    def _start(self, number: int | None, driver: Driver, profile: Payload | None) -> Payload:
        """Not before the boot was accepted (1.6 section 4.2), nor with a profile that is not right (2.1 F01.FR.12)."""
        if number == 0 or not self._host.registered:
            return dict(REJECTED)
        connector = next((each for each in self._connectors(number) if each.takes_remote()), None)
        if connector is None:
            return dict(REJECTED)
        if profile is not None and not self._host.block(SmartCharging).begin_with(connector, profile):
            return dict(REJECTED)
        connector.remote.put_nowait(driver)
        return dict(ACCEPTED)

    def stop(self, payload: Payload) -> Payload:
        """1.6 section 5.12, 2.1 F03."""
        transaction_id = str(payload["transactionId"])
        for connector, charge in busy(self._host.connectors):
            if charge.id == transaction_id:
                connector.end(charge, "Remote")
                return dict(ACCEPTED)
        return dict(REJECTED)

    def transaction_status(self, payload: Payload) -> Payload:
        """2.1 E14: without a transaction only the queue is told."""
        asked = payload.get("transactionId")
        answer: Payload = {"messagesInQueue": self._host.messages_waiting}
        if asked is not None:
            answer["ongoingIndicator"] = any(charge.id == asked for _, charge in busy(self._host.connectors))
        return answer

    # Unlock

    def unlock_16(self, payload: Payload) -> Payload:
        """1.6 section 5.18: ends the transaction first."""
        connector = next((each for each in self._host.connectors if each.number == payload["connectorId"]), None)
        if connector is None:
            return {"status": "NotSupported"}
        if connector.charge is not None:
            connector.end(connector.charge, "UnlockCommand")
        return {"status": "Unlocked"}

    def unlock_2(self, payload: Payload) -> Payload:
        """2.1 F05: not while somebody charges."""
        place = (payload["evseId"], payload["connectorId"])
        connector = next((each for each in self._host.connectors if (each.number, 1) == place), None)
        if connector is None:
            return {"status": "UnknownConnector"}
        return {"status": "Unlocked" if connector.charge is None else "OngoingAuthorizedTransaction"}

    # Trigger

    def trigger_16(self, payload: Payload) -> Payload:
        """1.6 section 5.17 and the security whitepaper's ExtendedTriggerMessage."""
        return self._trigger(payload["requestedMessage"], payload.get("connectorId"))

    def trigger_2(self, payload: Payload) -> Payload:
        """2.1 F06."""
        return self._trigger(payload["requestedMessage"], (payload.get("evse") or {}).get("id"))

    def _trigger(self, message: str, number: int | None) -> Payload:
        connectors = self._connectors(number)
        if not connectors:
            return dict(REJECTED)
        self._host.hurried = True
        try:
            return {"status": self._ask(message, connectors)}
        finally:
            self._host.hurried = False

    def _ask(self, message: str, connectors: list[Connector]) -> str:
        simple: dict[str, Callable[[], None]] = {
            "Heartbeat": self._host.tell_heartbeat,
            "FirmwareStatusNotification": self._host.block(Firmware).trigger,
            "DiagnosticsStatusNotification": self._host.block(LogUpload).trigger_diagnostics,
            "LogStatusNotification": self._host.block(LogUpload).trigger_log,
        }
        if message in simple:
            simple[message]()
        elif message in _CERTIFICATES_ASKED:
            self._host.block(Certificates).ask_to_sign(_CERTIFICATES_ASKED[message])
        elif message == "BootNotification":
            return "Accepted" if self._host.boots_when_asked() else "Rejected"
        elif message == "TransactionEvent":
            return self._transaction_events(connectors)
        elif message in ("StatusNotification", "MeterValues"):
            for connector in connectors:
                self._tell(message, connector)
        else:
            return "NotImplemented"
        return "Accepted"

    def _tell(self, message: str, connector: Connector) -> None:
        if message == "MeterValues":
            self._host.tell_meter_values(connector, "Trigger")
        else:
            connector.said = None
            self._host.report_status(connector, connector.status)

    def _transaction_events(self, connectors: list[Connector]) -> str:
        if self._host.version == "1.6":
            return "NotImplemented"
        charging = [each for each in connectors if each.charge is not None]
        for connector in charging:
            self._host.tell_update(connector, "Trigger")
        return "Accepted" if charging else "Rejected"

    def _connectors(self, number: int | None) -> list[Connector]:
        """Those meant: all for None and 0, none for a number that is not here."""
        return [each for each in self._host.connectors if number in (None, 0, each.number)]
