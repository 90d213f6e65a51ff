"""A day of a site as curves: what its cars drew and will draw, what others draw, what may flow, what energy costs.

Values stand for slots of equal length from `start_at` on; NaN (null in JSON): not known. Powers are kW, currents A.
"""

from datetime import UTC, datetime, timedelta

import msgspec

Curve = tuple[float, ...]

STEP_S = 300
"""Length of a slot."""


class CarCurve(msgspec.Struct, frozen=True, kw_only=True):
    """What was drawn at an EVSE, and from `SiteDay.now_slot` on what is planned. `label`: for people."""

    node: str
    label: str
    kw: Curve


class PhaseCurve(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a node: what its cars and others draw, in A, and what may flow. `limit_a` NaN: no limit."""

    line: str
    cars_a: Curve
    others_a: Curve
    limit_a: Curve


class SiteDay(msgspec.Struct, frozen=True, kw_only=True):
    """One day of one site, from midnight to midnight of its own time zone.

    `now_slot`: what lies before is measured, what is in it or after is planned; None: the day is over, or not begun.
    `others_kw`: what draws unasked (PV that feeds: negative). `limit_kw`: of the grid connection, caps included; empty:
    it has none. `phase_node`: which node's lines `phases` are; empty: no node has a limit per phase.
    `price`: per kWh in `currency`; `co2`: g per kWh; empty: not told.
    """

    site: str
    name: str
    time_zone: str
    start_at: datetime
    step_s: int = STEP_S
    slots: int = 288
    now_slot: int | None = None
    cars: tuple[CarCurve, ...] = ()
    others_kw: Curve = ()
    limit_kw: Curve = ()
    phase_node: str = ""
    phases: tuple[PhaseCurve, ...] = ()
    currency: str = "EUR"
    price: Curve = ()
    co2: Curve = ()

    def at(self, slot: int) -> datetime:
        """When a slot begins."""
        return self.start_at.astimezone(UTC) + timedelta(seconds=slot * self.step_s)
