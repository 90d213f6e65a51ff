"""Reservations of a virtual station: one connector or any, for a token or its group, until they expire.

Sources: 1.6 sections 5.2 and 5.13; 2.1 H01 to H04.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from loadtests.connector import Connector
from loadtests.host import ACCEPTED, REJECTED, Host
from loadtests.wording import Payload


@dataclass(frozen=True)
class Reservation:
    """One of them.

    Attributes:
        connector: That is held; None: any one.
        token: In lower case. `group`: whose members may come too; None: nobody else may.
        call_off: Its expiry.
    """

    number: int
    connector: Connector | None
    token: str
    group: str | None
    call_off: Callable[[], None]


class Reservations:
    """ReserveNow, CancelReservation."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._reservations: dict[int, Reservation] = {}

    # For drivers

    def admits(self, connector: Connector, token: str, group: str | None) -> tuple[bool, int | None]:
        """Whether somebody may charge here, and the reservation that is fulfilled with it; None: none is."""
        for each in self._reservations.values():
            fits = token.lower() == each.token or (group is not None and group.lower() == each.group)
            if fits and each.connector in (None, connector):
                return True, each.number
        if connector.reserved is not None:
            return False, None
        held = sum(each.connector is None for each in self._reservations.values())
        free = sum(each.operative and each.reserved is None and each.charge is None for each in self._host.connectors)
        return free > held, None

    def fulfil(self, number: int) -> None:
        """The charge began: the reservation is over (1.6 section 5.13, 2.1 H03)."""
        self._release(number)

    # What the CSMS asks

    def reserve(self, payload: Payload) -> Payload:
        """The same number replaces (1.6 section 5.13, 2.1 H01.FR.02)."""
        old = self._host.version == "1.6"
        number = payload["reservationId" if old else "id"]
        place = payload["connectorId"] if old else payload.get("evseId")
        expires_at = datetime.fromisoformat(payload["expiryDate" if old else "expiryDateTime"])
        connector = next((each for each in self._host.connectors if each.number == place), None)
        if place not in (None, 0) and connector is None:
            return dict(REJECTED)
        status = self._status(number, connector)
        wait_s = (expires_at if expires_at.tzinfo else expires_at.replace(tzinfo=UTC)).timestamp() - self._host.clock()
        if wait_s <= 0.0:
            status = "Rejected"
        if status == "Accepted":
            self._release(number)
            call_off = self._host.later(wait_s, lambda: self._expire(number))
            token, group = _who(payload, old=old)
            self._reservations[number] = Reservation(number, connector, token, group, call_off)
            self._hold(connector, number)
        return {"status": status}

    def _status(self, number: int, connector: Connector | None) -> str:
        """How the connector is; of several the one that is nearest to being free."""
        if connector is not None:
            return _state_of(connector, number)
        states = [_state_of(each, number) for each in self._host.connectors]
        held = sum(each.connector is None for each in self._reservations.values() if each.number != number)
        if states.count("Accepted") > held:
            return "Accepted"
        return "Occupied" if "Occupied" in states or "Accepted" in states else "Unavailable"

    def cancel(self, payload: Payload) -> Payload:
        """1.6 section 5.2, 2.1 H02."""
        return dict(ACCEPTED if self._release(payload["reservationId"]) else REJECTED)

    def _expire(self, number: int) -> None:
        """2.1 H04; in 1.6 the status tells it."""
        if self._release(number) and self._host.version != "1.6":
            told: Payload = {"reservationId": number, "reservationUpdateStatus": "Expired"}
            self._host.tell("ReservationStatusUpdate", told)

    def _release(self, number: int) -> bool:
        reservation = self._reservations.pop(number, None)
        if reservation is None:
            return False
        reservation.call_off()
        self._hold(reservation.connector, None)
        return True

    def _hold(self, connector: Connector | None, number: int | None) -> None:
        if connector is not None:
            connector.reserved = number
            if connector.idle:
                self._host.report_status(connector, connector.resting_status)


def _state_of(connector: Connector, number: int) -> str:
    if not connector.operative:
        return "Unavailable"
    taken = not connector.idle or connector.reserved not in (None, number)
    return "Occupied" if taken else "Accepted"


def _who(payload: Payload, *, old: bool) -> tuple[str, str | None]:
    if old:
        token, group = payload["idTag"], payload.get("parentIdTag")
    else:
        token, group = payload["idToken"]["idToken"], (payload.get("groupIdToken") or {}).get("idToken")
    return token.lower(), None if group is None else group.lower()
