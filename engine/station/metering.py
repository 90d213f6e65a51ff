"""Metering: readings outside transactions, and what the meter says of a transaction's energy. OCPP 2.1 block J.

A transaction's energy is read from the register Energy.Active.Import.Register of all phases together, at the outlet or,
where a station has none there, at the inlet; start and stop at the same place. Sums over phases are not made up.

    start    1.6 meterStart; else the reading Transaction.Begin; else the first reading, if nothing was missed before it
    last     the last reading of the latest message
    stop     1.6 meterStop; else the reading Transaction.End; else the last reading
"""

from math import isfinite
from typing import Any

import msgspec

from engine.model.metering import ENERGY_REGISTER, Reading, ReadingsAnswer, ReadingsRecorded, ReadingsReported
from engine.model.transactions import Stage, TransactionReported
from engine.station.context import Context
from engine.station.effects import Effect, Record, Reply
from engine.station.ledger import KnownTransaction
from engine.station.state import StationState

OUTLET = "Outlet"
INLET = "Inlet"
LOCATIONS = (OUTLET, INLET)
BEGIN = "Transaction.Begin"
END = "Transaction.End"


class Registers(msgspec.Struct, frozen=True, gc=False):
    """What a message's readings say of the energy register. `begin_wh`, `end_wh`: by the reading's context."""

    location: str
    first_wh: float
    last_wh: float
    begin_wh: float | None = None
    end_wh: float | None = None


def registers(readings: tuple[Reading, ...], location: str | None) -> Registers | None:
    """The register at this location; None: at the outlet, else at the inlet. None where no reading is of it."""
    found = [each for each in readings if each.measurand == ENERGY_REGISTER and _counts(each)]
    if location is None:
        location = OUTLET if any([each.location == OUTLET for each in found]) else INLET  # noqa: C419 (faster for few)
    found = [each for each in found if each.location == location]
    if not found:
        return None
    begin_wh = end_wh = None
    for reading in found:
        if reading.context == BEGIN and begin_wh is None:
            begin_wh = reading.value
        elif reading.context == END:
            end_wh = reading.value
    return Registers(location, found[0].value or 0.0, found[-1].value or 0.0, begin_wh, end_wh)


def _counts(reading: Reading) -> bool:
    """Whether a reading of the register is of all phases, at a place that counts, and a number."""
    return reading.phase is None and reading.location in LOCATIONS and finite(reading.value) is not None


def finite(value: float | None) -> float | None:
    """The value if one can count with it; stations have written NaN."""
    return value if value is not None and isfinite(value) else None


def reported(_state: StationState, report: ReadingsReported, context: Context) -> tuple[Effect, ...]:
    """Records readings that belong to no transaction."""
    fact = ReadingsRecorded(readings=report.readings, received_at=context.received_at, evse=report.evse)
    return Record(fact), Reply(ReadingsAnswer())


def start_reading(read: Registers | None, meter_wh: float | None) -> tuple[float | None, str | None]:
    """The meter at the start, Wh, and where it was read (None: the station said it without a reading)."""
    if meter_wh is not None or read is None:
        return meter_wh, None
    return (read.first_wh if read.begin_wh is None else read.begin_wh), read.location


def stop_reading(read: Registers | None, meter_wh: float | None) -> float | None:
    """The meter at the stop, Wh."""
    if meter_wh is not None or read is None:
        return meter_wh
    return read.last_wh if read.end_wh is None else read.end_wh


def add_meter(news: dict[str, Any], known: KnownTransaction, report: TransactionReported, *, late: bool) -> None:
    """Adds what a message of a known transaction tells of its meter, as fields of TransactionUpdated.

    `late`: a later message was heard before. The stop of a transaction that ends now is not added: it is the end's.
    """
    read = registers(report.readings, known.meter_location)
    start_wh, location = _start_news(known, report, read)
    if start_wh is not None and start_wh != known.meter_start_wh:
        news["meter_start_wh"] = start_wh
        news["meter_location"] = location
    last_wh = None
    if report.stage is Stage.ENDED:
        last_wh = None if known.ended_at is None else stop_reading(read, finite(report.meter_wh))
    elif read is not None and not late and known.ended_at is None:
        last_wh = read.last_wh
    if last_wh is not None and last_wh != known.meter_last_wh:
        news["meter_last_wh"] = last_wh


def _start_news(
    known: KnownTransaction, report: TransactionReported, read: Registers | None
) -> tuple[float | None, str | None]:
    """The meter's start as this message tells it, and where it was read."""
    if known.number is not None and known.meter_start_wh is not None:
        return None, None
    if report.stage is Stage.STARTED and known.meter_start_wh is None:
        return start_reading(read, finite(report.meter_wh))
    if read is None:
        return None, None
    if read.begin_wh is not None:
        return read.begin_wh, read.location
    missed = not known.started or known.meter_start_wh is not None or known.meter_last_wh is not None
    if missed or known.ended_at is not None or report.stage is not Stage.UPDATED:
        return None, None
    return read.first_wh, read.location
