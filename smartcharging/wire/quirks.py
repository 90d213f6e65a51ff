"""Quirks of smart charging by vendor, model and firmware: what stations of one make cannot hold.

The table is `quirks.toml` beside this module; patterns are globs in any case, empty: any. What stations say of
themselves comes first where it is stricter; what they refuse is learned anyway, so a row here only saves the refusals.
"""

import tomllib
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from engine.model.charging_profiles import ProfilePurpose, RateUnit
from engine.model.quirks import Make
from smartcharging.wire.capabilities import Ability, Refusal

_WHOLE = {
    "TxProfile": ProfilePurpose.TX,
    "TxDefaultProfile": ProfilePurpose.TX_DEFAULT,
    "ChargePointMaxProfile": ProfilePurpose.STATION_MAX,
    "ChargingStationMaxProfile": ProfilePurpose.STATION_MAX,
}
_DYNAMIC = "Dynamic"


class ChargingQuirk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stations of some makes cannot. `reason`, `source`: for people.

    `refuses`: purposes (by OCPP's names), or Dynamic. `units`: those it takes. `periods_max`: of a schedule.
    `at_station`: profiles only at connector 0. `no_phases`: numberPhases must not be written. `keeps_profiles`: they
    survive its boots, for certain. `update_s_min`: between two profiles of one purpose.
    """

    name: str
    reason: str
    source: str
    vendor: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    firmware: tuple[str, ...] = ()
    stations: tuple[str, ...] = ()
    refuses: tuple[
        Literal["TxProfile", "TxDefaultProfile", "ChargePointMaxProfile", "ChargingStationMaxProfile", "Dynamic"], ...
    ] = ()
    units: tuple[RateUnit, ...] = ()
    periods_max: Annotated[int, Meta(ge=1, le=1024)] | None = None
    at_station: bool = False
    no_phases: bool = False
    keeps_profiles: bool = False
    update_s_min: Annotated[float, Meta(ge=0, le=86_400)] | None = None

    def fits(self, station: str, make: Make | None) -> bool:
        """Whether it is for this station; without any pattern for none."""
        if self.stations and _fits(self.stations, station):
            return True
        if make is None or not (self.vendor or self.model):
            return False
        pairs = (self.vendor, make.vendor), (self.model, make.model), (self.firmware, make.firmware)
        return all(_fits(patterns, text) for patterns, text in pairs)

    def applied(self, ability: Ability) -> Ability:
        """An ability as this leaves it."""
        units = ability.units
        if self.units:
            units = tuple(unit for unit in ability.units or tuple(RateUnit) if unit in self.units) or self.units
        refused = {
            Refusal(_WHOLE[word], unit) for word in self.refuses if word != _DYNAMIC for unit in RateUnit
        } | ability.refused
        return msgspec.structs.replace(
            ability,
            units=units,
            refused=frozenset(refused),
            periods_max=_least(ability.periods_max, self.periods_max),
            dynamic=ability.dynamic and _DYNAMIC not in self.refuses,
            at_station=ability.at_station or self.at_station,
            phases_said=ability.phases_said and not self.no_phases,
            keeps_profiles=ability.keeps_profiles or self.keeps_profiles,
            update_s_min=max(ability.update_s_min or 0.0, self.update_s_min or 0.0) or None,
        )


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    quirk: tuple[ChargingQuirk, ...] = ()


class BadChargingQuirks(ValueError):  # noqa: N818 (what it is)
    """A table of quirks cannot be used; the message says what is wrong and where."""


def parse(text: str, origin: str) -> tuple[ChargingQuirk, ...]:
    """The quirks of a table in TOML.

    Raises:
        BadChargingQuirks: It is no TOML, or a row says something that is not known.
    """
    try:
        return msgspec.convert(tomllib.loads(text), _Table).quirk
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadChargingQuirks(f"{origin}: {error}: write [[quirk]] tables with name, reason and source") from None


@cache
def built_in() -> tuple[ChargingQuirk, ...]:
    """Those that come with Narke."""
    return parse((files("smartcharging.wire") / "quirks.toml").read_text(encoding="utf-8"), "smartcharging quirks.toml")


def ability_of(told: Ability, station: str, make: Make | None, quirks: tuple[ChargingQuirk, ...]) -> Ability:
    """What a station says of itself, as the quirks that are for it leave it."""
    for quirk in quirks:
        if quirk.fits(station, make):
            told = quirk.applied(told)
    return told


def _least(one: int | None, other: int | None) -> int | None:
    return min((each for each in (one, other) if each is not None), default=None)


def _fits(patterns: tuple[str, ...], text: str) -> bool:
    return not patterns or any(fnmatchcase(text.lower(), pattern.lower()) for pattern in patterns)
