"""What a car itself says it needs and can (ISO 15118, by NotifyEVChargingNeeds), as limits and energies. Pure.

OCPP 2.1 K15, K17, K18, Q01. Energies count from the moment at which the car told them; what cannot be is left out and
named.
"""

from collections.abc import Sequence
from datetime import datetime
from math import inf, isfinite

import msgspec

from engine.model.smart_charging import AcNeeds, DcNeeds, EvNeeds, NeedsRecorded, V2xNeeds
from smartcharging.cars.currents import Supply
from smartcharging.forecast.stays import ENERGY_KWH_MAX

BOTH_WAYS = "BPT"
"""In the name of an energy transfer that may go back, as AC_BPT, DC_BPT."""


class CarSaid(msgspec.Struct, frozen=True, kw_only=True):
    """What a car said. `told_at`: our clock. None, inf: not said.

    `energy_kwh`: wanted, from `told_at` on. `room_kwh`: what fits into it. `stored_kwh`: what it may give back.
    `discharge_kw_max`: 0 where it gives nothing. `full_kwh`: what its battery holds.
    """

    told_at: datetime
    energy_kwh: float | None = None
    departs_at: datetime | None = None
    current_a_max: float = inf
    discharge_kw_max: float = 0.0
    room_kwh: float = inf
    stored_kwh: float | None = None
    full_kwh: float | None = None
    soc_percent: float | None = None
    odd: tuple[str, ...] = ()


class _Notes:
    """Numbers that a car told, as far as they can be; remembers what could not."""

    def __init__(self) -> None:
        self.odd: list[str] = []

    def kwh(self, name: str, wh: float | None) -> float | None:
        """An energy that is not negative."""
        if wh is None:
            return None
        if not isfinite(wh) or not 0 <= wh <= ENERGY_KWH_MAX * 1000:
            self.odd.append(f"the car's {name} of {wh:g} Wh left out")
            return None
        return wh / 1000.0

    def positive(self, name: str, value: float | None) -> float | None:
        """A current, voltage or power above 0."""
        if value is None:
            return None
        if not isfinite(value) or value <= 0:
            self.odd.append(f"the car's {name} of {value:g} left out")
            return None
        return value

    def share(self, name: str, percent: float | None) -> float | None:
        """A state of charge."""
        if percent is None:
            return None
        if not 0 <= percent <= 100:
            self.odd.append(f"the car's {name} of {percent:g} % left out")
            return None
        return float(percent)


def said_by_car(fact: NeedsRecorded, supply: Supply) -> CarSaid:
    """What the car's needs come to at this outlet."""
    needs, notes = fact.report.needs, _Notes()
    departs_at = needs.departure_at
    if departs_at is not None and (departs_at.tzinfo is None or departs_at <= fact.at):
        notes.odd.append("the car's departure is in the past: left out")
        departs_at = None
    said = CarSaid(told_at=fact.at, departs_at=departs_at)
    if needs.v2x is not None:
        said = _of_v2x(said, needs, needs.v2x, supply, notes)
    elif needs.dc is not None:
        said = _of_dc(said, needs.dc, supply, notes)
    elif needs.ac is not None:
        said = _of_ac(said, needs.ac, notes)
    return msgspec.structs.replace(said, odd=tuple(notes.odd))


def _of_ac(said: CarSaid, ac: AcNeeds, notes: _Notes) -> CarSaid:
    return msgspec.structs.replace(
        said,
        energy_kwh=notes.kwh("energy", ac.energy_wh),
        current_a_max=notes.positive("current", ac.current_a_max) or inf,
    )


def _of_dc(said: CarSaid, dc: DcNeeds, supply: Supply, notes: _Notes) -> CarSaid:
    power_kw = _least(
        _times(notes.positive("power", dc.power_w_max), 0.001),
        _times(
            _product(notes.positive("current", dc.current_a_max), notes.positive("voltage", dc.voltage_v_max)), 0.001
        ),
    )
    full_kwh = notes.kwh("capacity", dc.capacity_wh)
    soc = notes.share("state of charge", dc.soc_percent)
    top = notes.share("full state of charge", dc.soc_full_percent) or 100.0
    energy_kwh = notes.kwh("energy", dc.energy_wh)
    room_kwh = inf
    if full_kwh and soc is not None:
        room_kwh = max(top - soc, 0.0) / 100.0 * full_kwh
        if energy_kwh is None:
            energy_kwh = room_kwh
    return msgspec.structs.replace(
        said,
        energy_kwh=energy_kwh,
        current_a_max=inf if power_kw is None else power_kw / supply.kw_per_a(3),
        room_kwh=room_kwh,
        full_kwh=full_kwh or None,
        soc_percent=soc,
    )


def _of_v2x(said: CarSaid, needs: EvNeeds, v2x: V2xNeeds, supply: Supply, notes: _Notes) -> CarSaid:
    phases = 3 if supply.outlet.dc else supply.outlet.phases
    by_phase = (v2x.charge_w_max, v2x.charge_w_max_l2, v2x.charge_w_max_l3)
    current_a = _least(
        _times(_power_w(by_phase, notes), 0.001 / supply.kw_per_a(phases)),
        _amps(notes.positive("current", v2x.charge_a_max), v2x, supply, notes),
    )
    target_kwh, most_kwh = notes.kwh("energy", v2x.energy_target_wh), notes.kwh("room", v2x.energy_wh_max)
    return msgspec.structs.replace(
        said,
        energy_kwh=target_kwh if target_kwh is not None else most_kwh,
        current_a_max=inf if current_a is None else current_a,
        discharge_kw_max=_discharge_kw(needs, v2x, supply, notes),
        room_kwh=inf if most_kwh is None else most_kwh,
        stored_kwh=_to_give(v2x),
    )


def _discharge_kw(needs: EvNeeds, v2x: V2xNeeds, supply: Supply, notes: _Notes) -> float:
    """What it gives at most; cars tell it positive or negative."""
    transfers = (needs.energy_transfer, *needs.energy_transfers)
    if not any(BOTH_WAYS in transfer for transfer in transfers):
        return 0.0
    by_phase = (v2x.discharge_w_max, v2x.discharge_w_max_l2, v2x.discharge_w_max_l3)
    said_w = _power_w([None if value is None else abs(value) for value in by_phase], notes)
    if said_w is not None:
        return said_w / 1000.0
    current_a = None if v2x.discharge_a_max is None else abs(v2x.discharge_a_max)
    amps = _amps(notes.positive("discharge current", current_a), v2x, supply, notes)
    return 0.0 if amps is None else amps * supply.kw_per_a(3 if supply.outlet.dc else supply.outlet.phases)


def _to_give(v2x: V2xNeeds) -> float | None:
    """What may be taken out of it: told as a negative energy that it needs at least."""
    for told_wh in (v2x.energy_v2x_wh_min, v2x.energy_wh_min):
        if told_wh is not None and isfinite(told_wh):
            return max(-told_wh, 0.0) / 1000.0
    return None


def _amps(current_a: float | None, v2x: V2xNeeds, supply: Supply, notes: _Notes) -> float | None:
    """A of the outlet's phases: a DC car's own current is its battery's."""
    if not supply.outlet.dc:
        return current_a
    power_w = _product(current_a, notes.positive("voltage", v2x.voltage_v_max))
    return _times(power_w, 0.001 / supply.kw_per_a(3))


def _power_w(by_phase: Sequence[float | None], notes: _Notes) -> float | None:
    """Of all phases together."""
    said = [value for value in by_phase if value is not None]
    return notes.positive("power", sum(said)) if said else None


def _product(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one * other


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _least(*values: float | None) -> float | None:
    return min((value for value in values if value is not None), default=None)
