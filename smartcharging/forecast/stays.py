"""Stays that are over: what a forecast learns from, and which of them are worth it."""

from collections.abc import Iterable
from datetime import datetime
from math import isfinite
from typing import Protocol

import msgspec

from engine.model.sites import DAY_S

STAY_S_MIN = 60.0
"""Shorter: somebody tried the plug."""
STAY_S_MAX = 7.0 * DAY_S
"""Longer: a car that was left, or a transaction whose end was lost."""
ENERGY_KWH_MAX = 1000.0
"""More than any car (or truck) holds: a meter's mistake."""


class Stay(msgspec.Struct, frozen=True, kw_only=True):
    """A car that came, charged and left.

    `site`: of a forecaster that knows several; "" where there is one. `departed_at`: when the transaction ended.
    `energy_kwh`: delivered; None: unknown. `claimed_departs_at`, `claimed_kwh`: what the driver had said; None:
    nothing. `token_key`: `Token.key`; None: unknown. `still_taking`: it left while it was charging, so it may have
    wanted more; without this, what a cap kept from cars would be learned as what they want.
    """

    station: str
    arrived_at: datetime
    departed_at: datetime
    energy_kwh: float | None = None
    token_key: str | None = None
    site: str = ""
    claimed_departs_at: datetime | None = None
    claimed_kwh: float | None = None
    still_taking: bool = False

    @property
    def stay_s(self) -> float:
        """How long it stayed."""
        return (self.departed_at - self.arrived_at).total_seconds()


class PastStay(Protocol):
    """A stay as the store tells it (`storage.queries.charging_history.PastStay`)."""

    @property
    def station(self) -> str:
        """Where."""

    @property
    def arrived_at(self) -> datetime:
        """When it began."""

    @property
    def departed_at(self) -> datetime:
        """When it ended."""

    @property
    def energy_wh(self) -> float | None:
        """Delivered."""

    @property
    def token_key(self) -> str | None:
        """Whose."""

    @property
    def claimed_departs_at(self) -> datetime | None:
        """What was said of the departure."""

    @property
    def claimed_kwh(self) -> float | None:
        """What was asked for."""

    @property
    def still_taking(self) -> bool:
        """Whether it was charging when it left."""


def stays_of(past: Iterable[PastStay], site: str = "") -> list[Stay]:
    """Stays from the store."""
    return [
        Stay(
            station=each.station,
            site=site,
            arrived_at=each.arrived_at,
            departed_at=each.departed_at,
            energy_kwh=None if each.energy_wh is None else each.energy_wh / 1000.0,
            token_key=each.token_key,
            claimed_departs_at=each.claimed_departs_at,
            claimed_kwh=each.claimed_kwh,
            still_taking=each.still_taking,
        )
        for each in past
    ]


def is_sound(stay: Stay) -> bool:
    """Whether anything can be learned from its length: not a plug that was tried, nor a car that was left."""
    return STAY_S_MIN <= stay.stay_s <= STAY_S_MAX


def sound_kwh(energy_kwh: float | None) -> float | None:
    """The energy, if it can be true; None: nothing is learned of it."""
    if energy_kwh is None or not isfinite(energy_kwh) or not 0.0 <= energy_kwh <= ENERGY_KWH_MAX:
        return None
    return energy_kwh


def sound_claim_s(claimed_departs_at: datetime | None, arrived_at: datetime) -> float | None:
    """How long the driver meant to stay; None: nothing was said, or nothing that can be meant."""
    if claimed_departs_at is None:
        return None
    claimed_s = (claimed_departs_at - arrived_at).total_seconds()
    return claimed_s if STAY_S_MIN <= claimed_s <= STAY_S_MAX else None
