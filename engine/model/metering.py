"""Metering: readings in one normal form. OCPP 2.1 block J."""

from datetime import datetime

from engine.model.ids import EvseRef
from engine.model.word import Word

ENERGY_REGISTER = "Energy.Active.Import.Register"


class Reading(Word, frozen=True):
    """One sampled value in normal form.

    Defaults of the specification are filled in (1.6 section 4.7). `value` is in `unit`: Wh, varh, VAh, W, var, VA,
    A, V, Hz, Percent, Celsius (multipliers and k-units resolved); None where the value is no number (a signed
    value). `raw` is the value as it was written when that differs from `value`.
    """

    at: datetime | None
    value: float | None
    measurand: str = ENERGY_REGISTER
    unit: str = "Wh"
    context: str = "Sample.Periodic"
    location: str = "Outlet"
    phase: str | None = None
    raw: str | None = None
    signed: str | None = None
    """The signed meter value verbatim: 1.6 the value of format SignedData, 2.x the signedMeterValue object as JSON."""


class ReadingsReported(Word, frozen=True):
    """Report: MeterValues outside any transaction. Evse 0: the station's main meter."""

    evse: EvseRef | None
    readings: tuple[Reading, ...]


class ReadingsAnswer(Word, frozen=True):
    """Taken note of."""


class ReadingsRecorded(Word, frozen=True):
    """Fact. `transaction_id` None: outside any transaction."""

    readings: tuple[Reading, ...]
    received_at: datetime
    transaction_id: str | None = None
    evse: EvseRef | None = None
