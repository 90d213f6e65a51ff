"""From what a meter says to A per conductor and kW of the car at an outlet. Pure."""

from collections.abc import Sequence
from math import isfinite, nan

import msgspec

from engine.model.sites import Outlet, Wiring
from smartcharging.cars.meters import NOTHING, PHASES, Sample, Values

VOLT_OFF = 0.3
"""A voltage further from the site's (as a share of it) is not believed."""
NOISE_A = 0.5
"""Meters show so much below zero while nothing flows."""
OVER = 4.0
"""So many times the outlet's current is no current, but mA or a mistake."""


class Supply(msgspec.Struct, frozen=True):
    """How an outlet is fed. `volt`: phase to neutral (WYE) or between phases (DELTA)."""

    outlet: Outlet
    wiring: Wiring
    volt: float

    def kw_per_a(self, phases: int, volt: float | None = None) -> float:
        """Power of one A on so many conductors; DC: of its balanced three-phase draw."""
        volt = volt or self.volt
        if self.outlet.dc or phases >= PHASES:
            return volt / 1000.0 * (3**0.5 if self.wiring is Wiring.DELTA else 3.0)
        return volt / 1000.0 * phases


class Drawn(msgspec.Struct, frozen=True):
    """What a car draws. `per_phase_a`: by conductor of the outlet, what is not in use is 0. nan: not known.

    `by_phase`: the meter told the conductors apart, so that the phases in use can be seen. `odd`: what was repaired.
    """

    per_phase_a: tuple[float, ...]
    power_kw: float
    by_phase: bool
    odd: tuple[str, ...] = ()

    @property
    def highest_a(self) -> float:
        """Of the conductor that carries most."""
        return max(self.per_phase_a, key=abs)


def drawn(sample: Sample, supply: Supply, phases: Sequence[int], register_kw: float = nan) -> Drawn | None:
    """What the car draws.

    Args:
        sample: What the meter says.
        supply: Of the outlet.
        phases: Conductors that the car is believed to use, for a current or power that is told as a whole.
        register_kw: Mean power by the energy register, where nothing else is said.

    Returns:
        None where the meter says nothing of it, or nothing that can be.
    """
    odd: list[str] = []
    if supply.outlet.dc:
        return _of_power(_dc_kw(sample, register_kw), supply, phases, odd)
    volt = _volt(sample, supply, odd)
    told, by_phase = sample.current_a, True
    if not any(map(isfinite, told)):
        told = _divided(sample.phase_w, volt)
    if not any(map(isfinite, told)) and isfinite(sample.whole_a):
        told, by_phase = _spread(sample.whole_a, phases), False
    if any(map(isfinite, told)):
        return _of_currents(told, sample, supply, volt, by_phase=by_phase, odd=odd)
    return _of_power(sample.power_w / 1000.0 if isfinite(sample.power_w) else register_kw, supply, phases, odd)


def _of_currents(
    told: Values, sample: Sample, supply: Supply, volt: Values, *, by_phase: bool, odd: list[str]
) -> Drawn | None:
    outlet = supply.outlet
    amps = [_believed(value, outlet, odd) for value in told[: outlet.phases]]
    if not any(map(isfinite, amps)):
        return None
    by_phase = by_phase and all(map(isfinite, amps))
    amps = [value if isfinite(value) else 0.0 for value in amps]
    power_kw = sample.power_w / 1000.0
    if not isfinite(power_kw):
        if supply.wiring is Wiring.DELTA:
            power_kw = supply.kw_per_a(len(amps)) * sum(amps) / len(amps)
        else:
            power_kw = sum(value * of for value, of in zip(amps, volt, strict=False)) / 1000.0
    return Drawn(tuple(amps), power_kw, by_phase, tuple(odd))


def _of_power(power_kw: float, supply: Supply, phases: Sequence[int], odd: list[str]) -> Drawn | None:
    if not isfinite(power_kw):
        return None
    outlet = supply.outlet
    if outlet.dc:
        used: tuple[int, ...] = (1, 2, 3)
    else:
        used = tuple(phase for phase in phases if phase <= outlet.phases) or tuple(range(1, outlet.phases + 1))
    current_a = _believed(power_kw / supply.kw_per_a(len(used)), outlet, odd)
    if not isfinite(current_a):
        return None
    amps = _spread(current_a, used)
    return Drawn(amps if outlet.dc else amps[: outlet.phases], power_kw, by_phase=False, odd=tuple(odd))


def _believed(current_a: float, outlet: Outlet, odd: list[str]) -> float:
    """The current, as far as it can be one; nan: it cannot."""
    if not isfinite(current_a):
        return nan
    if not outlet.dc and abs(current_a) > OVER * outlet.current_a_max:
        odd.append(f"a current of {current_a:g} A left out")
        return nan
    if current_a >= 0 or (outlet.discharge_kw_max > 0 and current_a < -NOISE_A):
        return current_a
    if current_a >= -NOISE_A:
        return 0.0
    odd.append("a negative current taken as positive: its meter is wired the wrong way round")
    return -current_a


def _dc_kw(sample: Sample, register_kw: float) -> float:
    """On DC currents at the outlet are the battery's: only with their voltage do they say something of the grid."""
    if isfinite(sample.power_w):
        return sample.power_w / 1000.0
    volt = next((value for value in sample.volt if isfinite(value)), nan)
    current_a = sample.whole_a if isfinite(sample.whole_a) else sample.current_a[0]
    power_kw = volt * current_a / 1000.0
    return power_kw if isfinite(power_kw) else register_kw


def _volt(sample: Sample, supply: Supply, odd: list[str]) -> Values:
    """Voltages that can be believed; the site's where the meter says none, or nonsense."""
    believed = []
    for value in sample.volt:
        usable = isfinite(value) and abs(value - supply.volt) <= VOLT_OFF * supply.volt
        if isfinite(value) and value > 0 and not usable:
            odd.append(f"a voltage of {value:g} V left out")
        believed.append(value if usable else supply.volt)
    return (believed[0], believed[1], believed[2])


def _divided(power_w: Values, volt: Values) -> Values:
    return (power_w[0] / volt[0], power_w[1] / volt[1], power_w[2] / volt[2])


def _spread(current_a: float, phases: Sequence[int]) -> Values:
    amps = list(NOTHING)
    for conductor in range(PHASES):
        amps[conductor] = current_a if conductor + 1 in phases else 0.0
    return (amps[0], amps[1], amps[2])
