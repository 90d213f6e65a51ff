"""Cars to test with: facts and readings as stations tell them."""

from datetime import UTC, datetime, timedelta

from engine.model.authorization import Token
from engine.model.ids import EvseRef
from engine.model.metering import ENERGY_REGISTER, Reading, ReadingsRecorded
from engine.model.transactions import ChargingState, TransactionEnded, TransactionOpened, TransactionUpdated

NOW = datetime(2026, 5, 4, 8, tzinfo=UTC)
STATION = "CP-1"
UNITS = {
    ENERGY_REGISTER: "Wh",
    "Power.Active.Import": "W",
    "Power.Active.Export": "W",
    "Voltage": "V",
    "SoC": "Percent",
}


def at(seconds):
    return NOW + timedelta(seconds=seconds)


def reading(value, measurand=ENERGY_REGISTER, phase=None, seconds=None, **more):
    when = None if seconds is None else at(seconds)
    return Reading(when, value, measurand, UNITS.get(measurand, "A"), phase=phase, **more)


def currents(*amps, seconds=None):
    return tuple(reading(value, "Current.Import", f"L{number}", seconds) for number, value in enumerate(amps, 1))


def told(*readings, seconds=0, transaction_id="t1", evse=1):
    return ReadingsRecorded(tuple(readings), at(seconds), transaction_id, EvseRef(evse, 1))


def opened(transaction_id="t1", seconds=0, evse=1, token="tag", **more):
    return TransactionOpened(
        **(
            {
                "transaction_id": transaction_id,
                "started_at": at(seconds),
                "received_at": at(seconds),
                "evse": None if evse is None else EvseRef(evse, 1),
                "token": None if token is None else Token(token),
                "meter_start_wh": 1000.0,
                "charging_state": ChargingState.CHARGING,
            }
            | more
        )
    )


def updated(seconds, transaction_id="t1", **more):
    return TransactionUpdated(transaction_id=transaction_id, at=at(seconds), received_at=at(seconds), **more)


def ended(seconds, transaction_id="t1", **more):
    return TransactionEnded(transaction_id=transaction_id, ended_at=at(seconds), received_at=at(seconds), **more)
