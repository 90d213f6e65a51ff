"""What a message's readings say of currents, power, energy and charge at one moment. Pure; remembers nothing.

Real meters say the same in many ways: currents by phase, or one current for all; power by phase or in all; a register
alone. Places count in the order outlet, inlet; what is no number or cannot be is left out and named.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from math import isfinite, nan

import msgspec

from engine.model.metering import ENERGY_REGISTER, Reading

PHASES = 3
CONDUCTOR_OF_PHASE = {
    "L1": 0, "L2": 1, "L3": 2,
    "L1-N": 0, "L2-N": 1, "L3-N": 2,
    "L1-L2": 0, "L2-L3": 1, "L3-L1": 2,
}  # fmt: skip
BETWEEN_PHASES = frozenset({"L1-L2", "L2-L3", "L3-L1"})
PLACES = ("Outlet", "Inlet")
"""Where what is measured counts, the better first."""

CURRENT = "Current.Import"
CURRENT_OUT = "Current.Export"
POWER = "Power.Active.Import"
POWER_OUT = "Power.Active.Export"
VOLTAGE = "Voltage"
SOC = "SoC"
CURRENT_A_MAX = 4000.0
POWER_W_MAX = 20e6
LIMITS = {
    CURRENT: CURRENT_A_MAX,
    CURRENT_OUT: CURRENT_A_MAX,
    POWER: POWER_W_MAX,
    POWER_OUT: POWER_W_MAX,
    VOLTAGE: 2000.0,
    SOC: 100.0,
    ENERGY_REGISTER: 1e12,
}
"""The measurands that are looked at, and the greatest value that each can have."""

Values = tuple[float, float, float]
"""By conductor L1, L2, L3; nan: not said."""
NOTHING: Values = (nan, nan, nan)


class Line(msgspec.Struct):
    """What one measurand says: by conductor, and for all of them together. nan: not said."""

    by_conductor: list[float]
    whole: float = nan

    @property
    def total(self) -> float:
        """The whole, else the sum of the conductors that are said; nan where none is."""
        if isfinite(self.whole):
            return self.whole
        said = [value for value in self.by_conductor if isfinite(value)]
        return sum(said) if said else nan


class Sample(msgspec.Struct, frozen=True):
    """What a meter says at one moment. nan: not said. `at`: the station's clock; None: not said.

    `current_a`, `volt`, `phase_w`: by conductor. `whole_a`: a current without a phase. `power_w`: in all, what is fed
    back taken off. `register_wh`: of all phases. `odd`: what was left out, for people.
    """

    at: datetime | None
    current_a: Values = NOTHING
    whole_a: float = nan
    phase_w: Values = NOTHING
    power_w: float = nan
    volt: Values = NOTHING
    register_wh: float = nan
    soc_percent: float = nan
    odd: tuple[str, ...] = ()


def samples_of(readings: Sequence[Reading]) -> Iterator[Sample]:
    """The moments of a message, in its order."""
    for at, group in groupby(readings, key=lambda reading: reading.at):
        yield _sample(at, tuple(group))


def _sample(at: datetime | None, readings: Sequence[Reading]) -> Sample:
    lines: dict[tuple[str, str], Line] = {}
    odd: list[str] = []
    for reading in readings:
        most = LIMITS.get(reading.measurand)
        if most is None:
            continue
        value = reading.value
        if value is None or not isfinite(value) or abs(value) > most:
            if reading.signed is None:
                odd.append(f"{reading.measurand} of {reading.raw if value is None else value} left out")
            continue
        _add(lines, reading, value)
    return _told(at, lines, tuple(odd))


def _add(lines: dict[tuple[str, str], Line], reading: Reading, value: float) -> None:
    place = reading.location if reading.measurand != SOC else PLACES[0]
    line = lines.get((reading.measurand, place))
    if line is None:
        line = lines[reading.measurand, place] = Line([nan, nan, nan])
    if reading.phase is None:
        line.whole = value
        return
    conductor = CONDUCTOR_OF_PHASE.get(reading.phase)
    if conductor is None:  # the neutral
        return
    if reading.measurand == VOLTAGE and reading.phase in BETWEEN_PHASES:
        value /= 3**0.5
    line.by_conductor[conductor] = value


def _told(at: datetime | None, lines: dict[tuple[str, str], Line], odd: tuple[str, ...]) -> Sample:
    current, fed_back = _line(lines, CURRENT), _line(lines, CURRENT_OUT)
    power, given = _line(lines, POWER), _line(lines, POWER_OUT)
    register = _line(lines, ENERGY_REGISTER)
    volt = _line(lines, VOLTAGE)
    return Sample(
        at=at,
        current_a=_less(current.by_conductor, fed_back.by_conductor),
        whole_a=_net(current.whole, fed_back.whole),
        phase_w=_less(power.by_conductor, given.by_conductor),
        power_w=_net(power.total, given.total),
        volt=_values([volt.whole if value != value else value for value in volt.by_conductor]),  # noqa: PLR0124 (nan)
        register_wh=register.total,
        soc_percent=_line(lines, SOC).total,
        odd=odd,
    )


def _line(lines: dict[tuple[str, str], Line], measurand: str) -> Line:
    found = [lines[measurand, place] for place in PLACES if (measurand, place) in lines]
    return found[0] if found else Line([nan, nan, nan])


def _net(drawn: float, given: float) -> float:
    if not isfinite(given):
        return drawn
    return (drawn if isfinite(drawn) else 0.0) - given


def _less(drawn: Sequence[float], given: Sequence[float]) -> Values:
    return _values([_net(of, back) for of, back in zip(drawn, given, strict=True)])


def _values(said: Sequence[float]) -> Values:
    return (said[0], said[1], said[2])
