"""What a reply of the CSMS acknowledges: the transaction message and the sampled values that were said. Pure.

A second reading of the specification: it shares no code with the translators that it audits.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from loadtests.wording import Payload

ENERGY = "Energy.Active.Import.Register"
DIGEST_BYTES = 6
"""48 bits: so many thousand of them can be added up in 64."""
STAGES = {"Started": "start", "Updated": "update", "Ended": "stop"}


class Value(NamedTuple):
    """One sampled value in the form in which both sides are compared. `at_ms`: since 1970, the station's clock."""

    at_ms: int
    context: str
    measurand: str
    location: str
    phase: str
    unit: str
    value: float

    @property
    def digest(self) -> int:
        """Its own number, the same wherever it was read."""
        return int.from_bytes(blake2b(repr(self[1:]).encode(), digest_size=DIGEST_BYTES).digest())


@dataclass(frozen=True)
class Event:
    """A message of a transaction that was answered. None: its version or its stage does not say that.

    Attributes:
        stage: start, update or stop.
        at_ms: Since 1970, the station's clock; None where it is not said (1.6 MeterValues).
    """

    transaction_id: str
    stage: str
    at_ms: int | None
    sequence: int | None = None
    meter_wh: float | None = None
    token: str | None = None
    evse: int | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Acknowledged:
    """`event` None: no message of a transaction."""

    event: Event | None
    values: tuple[Value, ...] = ()


_NOTHING = Acknowledged(None)


def acknowledged(action: str, payload: Payload, reply: Payload) -> Acknowledged:
    """What of a call is Narke's responsibility once it was answered.

    Raises:
        KeyError, TypeError, ValueError: The reply lacks what the call needs; `soundness` says it better.
    """
    match action:
        case "StartTransaction":
            event = Event(
                str(reply["transactionId"]),
                "start",
                milliseconds(payload["timestamp"]),
                meter_wh=float(payload["meterStart"]),
                token=payload["idTag"],
                evse=payload["connectorId"],
            )
            return Acknowledged(event)
        case "StopTransaction":
            event = Event(
                str(payload["transactionId"]),
                "stop",
                milliseconds(payload["timestamp"]),
                meter_wh=float(payload["meterStop"]),
                reason=payload.get("reason", "Local"),
            )
            return Acknowledged(event, tuple(_values(payload.get("transactionData", ()))))
        case "MeterValues":
            number = payload.get("transactionId")
            said = Event(str(number), "update", None) if number is not None else None
            return Acknowledged(said, tuple(_values(payload["meterValue"])))
        case "TransactionEvent":
            return _transaction_event(payload)
        case _:
            return _NOTHING


def milliseconds(stamp: str) -> int:
    """A time as OCPP writes it, since 1970."""
    return round(datetime.fromisoformat(stamp).timestamp() * 1000)


def _transaction_event(payload: Payload) -> Acknowledged:
    values = tuple(_values(payload.get("meterValue", ())))
    info = payload["transactionInfo"]
    stage = STAGES[payload["eventType"]]
    event = Event(
        info["transactionId"],
        stage,
        milliseconds(payload["timestamp"]),
        sequence=payload["seqNo"],
        meter_wh=next((value.value for value in values if value.measurand == ENERGY and not value.phase), None),
        token=payload.get("idToken", {}).get("idToken"),
        evse=payload.get("evse", {}).get("id"),
        reason=info.get("stoppedReason"),
    )
    return Acknowledged(event, values)


def _values(meter_values: Iterable[Payload]) -> Iterator[Value]:
    """Defaults as 1.6 section 7.43 and 2.1 section 2.43 have them."""
    for meter_value in meter_values:
        at_ms = milliseconds(meter_value["timestamp"])
        for sampled in meter_value["sampledValue"]:
            unit = sampled.get("unit") or sampled.get("unitOfMeasure", {}).get("unit")
            yield Value(
                at_ms,
                sampled.get("context", "Sample.Periodic"),
                sampled.get("measurand", ENERGY),
                sampled.get("location", "Outlet"),
                sampled.get("phase", ""),
                unit or "Wh",
                float(sampled["value"]),
            )
