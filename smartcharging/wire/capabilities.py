"""What a station can hold: from its device model, the quirk table of its make, and what it refused.

The way down, where it refuses (remembered for its make until that changes):

    TxProfile over a TxDefaultProfile -> TxDefaultProfile alone -> ChargePointMaxProfile (stations with one EVSE)
    -> the same in the other unit -> nothing works: it counts with its outlet's maximum, and is told to people

Keys of OCPP 1.6: section 9.4; variables of 2.x: part 2, SmartChargingCtrlr.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from engine.model.charging_profiles import ProfilePurpose, RateUnit
from engine.model.configuration_keys import REF_OF_KEY
from engine.model.device_model import VariableEntry
from engine.model.provisioning import GetVariables, VariableRef, VariableResult

CONTROLLER = "SmartChargingCtrlr"
V16 = "1.6"
V21 = "2.1"
_UNITS = {"current": RateUnit.A, "a": RateUnit.A, "power": RateUnit.W, "w": RateUnit.W}
_YES = {"true": True, "false": False}
_KEYS_16 = (
    "ChargeProfileMaxStackLevel",
    "ChargingScheduleMaxPeriods",
    "MaxChargingProfilesInstalled",
    "ChargingScheduleAllowedChargingRateUnit",
    "ConnectorSwitch3to1PhaseSupported",
)
_VARIABLES = ("ProfileStackLevel", "PeriodsPerSchedule", "RateUnit", "Phases3to1", "LimitChangeSignificance")
_VARIABLES_21 = ("UpdateRateLimit", "MaxExternalConstraintsId", "ACPhaseSwitchingSupported")
_FEATURES_21 = ("DynamicProfiles", "MaxOfflineDuration")


class Rung(StrEnum):
    """Which kinds of profiles carry the plan."""

    TX = "TxProfile"
    """A TxProfile for the transaction, over a TxDefaultProfile."""
    DEFAULT = "TxDefaultProfile"
    STATION = "ChargingStationMaxProfile"
    NONE = "none"


class Way(msgspec.Struct, frozen=True):
    """How a station is told its limits."""

    rung: Rung
    unit: RateUnit = RateUnit.A


class Refusal(msgspec.Struct, frozen=True):
    """A kind of profile that a station was told and refused."""

    purpose: ProfilePurpose
    unit: RateUnit


class Ability(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a station. None: it did not say. Limits and counts are the station's own.

    `significance_percent`, `update_s_min`: 2.x LimitChangeSignificance, UpdateRateLimit. `phases_3_to_1`: it may change
    from three phases to one in a transaction. `phase_choice`: phaseToUse may be said. `dynamic`, `offline`: 2.1
    SupportsFeature DynamicProfiles, MaxOfflineDuration. `refused`: by itself, or known of its make.
    """

    version: str | None = None
    stack_level_max: int | None = None
    periods_max: int | None = None
    profiles_max: int | None = None
    units: tuple[RateUnit, ...] | None = None
    phases_3_to_1: bool | None = None
    phase_choice: bool | None = None
    significance_percent: float | None = None
    update_s_min: float | None = None
    external_id_max: int | None = None
    dynamic: bool = False
    offline: bool = False
    at_station: bool = False
    """Profiles are set for the station (connector 0) alone: stations with one EVSE."""
    phases_said: bool = True
    """numberPhases is written."""
    keeps_profiles: bool = False
    """They survive a boot, for certain."""
    refused: frozenset[Refusal] = frozenset()

    def learned(self, entries: Iterable[VariableEntry | VariableResult]) -> "Ability":
        """With what variables or configuration keys tell. What is no number where one must be, says nothing."""
        found = self
        for entry in entries:
            if entry.value is not None and entry.ref.attribute in (None, "Actual"):
                found = _with(found, entry.ref, entry.value.strip())
        return found

    def way(self, *, dc: bool, alone: bool) -> Way:
        """How to tell it its limits now.

        Args:
            dc: Its EVSEs are DC, which are told watts where they take them.
            alone: It has one EVSE.
        """
        order = (RateUnit.W, RateUnit.A) if dc else (RateUnit.A, RateUnit.W)
        for unit in order:
            if self.units is not None and unit not in self.units:
                continue
            for rung in (Rung.TX, Rung.DEFAULT, Rung.STATION):
                if rung is Rung.STATION and not alone:
                    continue
                if not any(Refusal(purpose, unit) in self.refused for purpose in PURPOSES_OF_RUNG[rung]):
                    return Way(rung, unit)
        return Way(Rung.NONE, order[0])

    @property
    def wants_probe(self) -> bool:
        """Whether something that matters is not known."""
        return None in (self.stack_level_max, self.periods_max, self.units)


PURPOSES_OF_RUNG = {
    Rung.TX: (ProfilePurpose.TX_DEFAULT, ProfilePurpose.TX),
    Rung.DEFAULT: (ProfilePurpose.TX_DEFAULT,),
    Rung.STATION: (ProfilePurpose.STATION_MAX,),
    Rung.NONE: (),
}


def probe_of(version: str | None) -> GetVariables:
    """The question for all that matters here."""
    return GetVariables(tuple(_refs(version)))


def _refs(version: str | None) -> Iterator[VariableRef]:
    if version == V16:
        for key in _KEYS_16:
            yield REF_OF_KEY.get(key, VariableRef(variable=key))
        return
    newer = _VARIABLES_21 if version == V21 else ()
    for variable in (*_VARIABLES, *newer):
        yield VariableRef(variable=variable, component=CONTROLLER)
    if version == V21:
        for feature in _FEATURES_21:
            yield VariableRef(variable="SupportsFeature", component=CONTROLLER, variable_instance=feature)


def _with(known: Ability, ref: VariableRef, value: str) -> Ability:
    if ref.variable == "ChargingScheduleAllowedChargingRateUnit" or (
        ref.component == CONTROLLER and ref.variable == "RateUnit"
    ):
        words = [word.strip().lower() for word in value.split(",")]
        units = tuple(unit for unit in RateUnit if unit in {_UNITS.get(word) for word in words})
        return replace(known, units=units or None)
    if ref.variable == "MaxChargingProfilesInstalled":
        return _number(known, "profiles_max", value, at_least=1)
    if ref.component != CONTROLLER:
        return known
    return _of_controller(known, ref, value)


def _of_controller(known: Ability, ref: VariableRef, value: str) -> Ability:
    numbers = {
        "ProfileStackLevel": ("stack_level_max", 0),
        "PeriodsPerSchedule": ("periods_max", 1),
        "MaxExternalConstraintsId": ("external_id_max", 0),
        "UpdateRateLimit": ("update_s_min", 0),
        "LimitChangeSignificance": ("significance_percent", 0),
    }
    if ref.variable in numbers:
        name, at_least = numbers[ref.variable]
        return _number(known, name, value, at_least=at_least)
    answer = _YES.get(value.lower())
    if answer is None:
        return known
    match ref.variable, ref.variable_instance:
        case "Phases3to1", _:
            return replace(known, phases_3_to_1=answer)
        case "ACPhaseSwitchingSupported", _:
            return replace(known, phase_choice=answer)
        case "SupportsFeature", "DynamicProfiles":
            return replace(known, dynamic=answer)
        case "SupportsFeature", "MaxOfflineDuration":
            return replace(known, offline=answer)
        case _:
            return known


def _number(known: Ability, name: str, value: str, *, at_least: float) -> Ability:
    try:
        number = float(value)
    except ValueError:
        return known
    if not at_least <= number < 1e12:
        return known
    whole = name not in ("significance_percent", "update_s_min")
    return replace(known, **{name: int(number) if whole else number})
