"""Units of readings: from what stations say to the one normal form of `engine.model.metering.Reading`.

Wh, varh, VAh, W, var, VA, A, V, Hz, Percent, Celsius: k-units and multipliers are resolved, temperatures are Celsius,
other spellings are known (`Celcius`, `Hertz`, `%`, any case). A unit that is not in the table keeps its own name (dB,
Ohm, lx, ...). Every word of the schemas and of the list of units of 2.1 has its test.
"""

_EXACT = 1.0
_MILLI = 1e-3
_KILO = 1e3
_MEGA = 1e6

_NORMAL_OF_UNIT: dict[str, tuple[float, str]] = {
    "": (_EXACT, ""),
    "wh": (_EXACT, "Wh"),
    "kwh": (_KILO, "Wh"),
    "mwh": (_MEGA, "Wh"),
    "varh": (_EXACT, "varh"),
    "kvarh": (_KILO, "varh"),
    "vah": (_EXACT, "VAh"),
    "kvah": (_KILO, "VAh"),
    "w": (_EXACT, "W"),
    "kw": (_KILO, "W"),
    "var": (_EXACT, "var"),
    "kvar": (_KILO, "var"),
    "va": (_EXACT, "VA"),
    "kva": (_KILO, "VA"),
    "a": (_EXACT, "A"),
    "v": (_EXACT, "V"),
    "hz": (_EXACT, "Hz"),
    "hertz": (_EXACT, "Hz"),
    "mhz": (_MILLI, "Hz"),
    "percent": (_EXACT, "Percent"),
    "%": (_EXACT, "Percent"),
    "celsius": (_EXACT, "Celsius"),
    "celcius": (_EXACT, "Celsius"),
    "°c": (_EXACT, "Celsius"),
    "rpm": (_EXACT, "RPM"),
    "s": (_EXACT, "s"),
}
"""Lower-case name -> factor and normal unit. No meter says mWh, so `MWh` in any case means mega; and none megahertz, so
`mHz` means milli (2.1 appendix, StandardizedUnitsOfMeasure)."""

_KELVIN = frozenset({"k", "kelvin"})
_FAHRENHEIT = frozenset({"fahrenheit", "°f"})

_UNIT_OF_MEASURAND: tuple[tuple[str, str], ...] = (
    ("Energy.Reactive", "varh"),
    ("Energy.Apparent", "VAh"),
    ("Energy", "Wh"),
    ("Power.Reactive", "var"),
    ("Power.Apparent", "VA"),
    ("Power.Factor", ""),
    ("Power", "W"),
    ("Current", "A"),
    ("Voltage", "V"),
    ("Frequency", "Hz"),
    ("SoC", "Percent"),
    ("Temperature", "Celsius"),
    ("RPM", "RPM"),
    ("Display.RemainingTime", "s"),
    ("Display.BatteryEnergyCapacity", "Wh"),
    ("Display.PresentSOC", "Percent"),
    ("Display.MinimumSOC", "Percent"),
    ("Display.TargetSOC", "Percent"),
    ("Display.MaximumSOC", "Percent"),
)
"""Start of a measurand -> the unit meant where none is said. Both versions say Wh for any energy; for reactive and
apparent energy that can only mean their own."""

_DECIMALS = 9
"""Scaled values are rounded here: 0.15005000000000002 kWh is 150.05 Wh."""
_MULTIPLIER_MAX = 30
"""Beyond this a multiplier is no power of ten of anything physical and would overflow."""


def normal(value: float, unit: str | None, multiplier: int, measurand: str) -> tuple[float, str]:
    """A value in its normal unit.

    Args:
        value: The number as the station wrote it.
        unit: The unit as the station wrote it; None: not said, the measurand's own.
        multiplier: 2.x unitOfMeasure.multiplier, power of ten; 0 on 1.6. Beyond +-30 it is taken for 0.
        measurand: Name of the measurand, defaults already filled in.

    Returns:
        Value and normal unit; the value is infinite where its unit carries it beyond all numbers. A unit that no table
        knows is handed back as it is, '' where none is meant.
    """
    known = _NORMAL_OF_UNIT.get(unit.lower() if unit else _default_unit(measurand).lower())
    if known is not None and known[0] == _EXACT and not multiplier:
        return value, known[1]
    return _scaled(value, unit or "", multiplier, known)


def _scaled(value: float, unit: str, multiplier: int, known: tuple[float, str] | None) -> tuple[float, str]:
    """The value with factors applied; what is not scaled keeps its last digit."""
    if multiplier and abs(multiplier) <= _MULTIPLIER_MAX:
        value = value * 10.0**multiplier if multiplier > 0 else value / 10.0**-multiplier
        value = _rounded(value)
    if known is not None:
        factor, name = known
        return (value if factor == _EXACT else _rounded(value * factor)), name
    name = unit.lower()
    if name in _KELVIN:
        return _rounded(value - 273.15), "Celsius"
    if name in _FAHRENHEIT:
        return _rounded((value - 32.0) * 5.0 / 9.0), "Celsius"
    return value, unit


def _rounded(value: float) -> float:
    """Without the noise that binary scaling adds."""
    return round(value, _DECIMALS)


def _default_unit(measurand: str) -> str:
    """The unit meant where none is said; '' for measurands without one."""
    for start, unit in _UNIT_OF_MEASURAND:
        if measurand.startswith(start):
            return unit
    return ""
