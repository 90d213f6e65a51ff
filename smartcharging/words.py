"""What the parts of the planner hand each other: loads, charging cars, targets, orders.

Times are aware UTC, currents A per phase, powers kW. A car is named by the node of the EVSE that it stands at.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.model.authorization import Token
from engine.model.charging_profiles import OperationMode
from engine.model.commands import Command
from engine.model.transactions import ChargingState

Floats = NDArray[np.float64]

INF = float("inf")


class Plug(NamedTuple):
    """A column of the network: the car at an EVSE. `phases`: conductors of the connector that it uses, of 1, 2, 3."""

    node: str
    phases: tuple[int, ...] = (1, 2, 3)


class NodeLoad(msgspec.Struct, frozen=True, eq=False):
    """What an unmanaged load draws below a node. `kw`: (3, t) by grid phase; negative: it feeds."""

    node: str
    kw: Floats


class Step(NamedTuple):
    """From `at` on."""

    at: datetime
    current_a: float


class NeedSource(StrEnum):
    """Who says what a car needs, the best first."""

    DRIVER = "driver"
    CAR = "car"
    """ISO 15118, by NotifyEVChargingNeeds."""
    TOKEN = "token"  # noqa: S105 (where a need comes from)
    """History of the token, with that of the site where it is short."""
    STATION = "station"
    SITE = "site"
    DEFAULT = "default"


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """What a car needs. inf: unknown. `detail`: one sentence for people: where this comes from, what was repaired.

    `energy_kwh`: still to be delivered, from now on. `departs_at`: planned for; None: unknown. `departs_at_median`: the
    likeliest, where forecast. `departure_source`, `energy_source`: who says so.
    """

    energy_kwh: float = INF
    departs_at: datetime | None = None
    departs_at_median: datetime | None = None
    energy_source: NeedSource = NeedSource.DEFAULT
    departure_source: NeedSource = NeedSource.DEFAULT
    detail: str = ""


class CarView(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a car now.

    `phases`: conductors of the connector in use, recognised by the meter (`phases_known`) or assumed.
    `current_a_max`: what car and cable take, A per phase; inf: not known. `measured_a`: the highest phase, at
    `measured_at`; None: the meter does not say. `per_phase_a`: by conductor. `energy_kwh`: delivered so far.
    `priority`: asked for, beyond the outlet's; None: not.
    `discharge_kw_max`: what car and driver allow to take out. `room_kwh`, `stored_kwh`: inf, None: not known.
    `tapering`: it draws less than it may, for a while: plan with what it draws and some headroom.
    """

    node: str
    station: str
    evse: int
    transaction_id: str
    arrived_at: datetime
    token: Token | None = None
    phases: tuple[int, ...] = (1, 2, 3)
    phases_known: bool = False
    current_a_max: float = INF
    measured_a: float | None = None
    per_phase_a: tuple[float, ...] = ()
    power_kw: float | None = None
    measured_at: datetime | None = None
    energy_kwh: float = 0.0
    soc_percent: float | None = None
    state: ChargingState | None = None
    need: Need = Need()
    priority: int | None = None
    discharge_kw_max: float = 0.0
    room_kwh: float = INF
    stored_kwh: float | None = None
    tapering: bool = False
    flags: tuple[str, ...] = ()
    """What was odd about its numbers and repaired, for people."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What the planner wants an EVSE to hold.

    `steps`: the first counts now, strictly ascending, the last until renewed. `transaction_id` None: no transaction:
    what the next one may draw. `phases`: how many the car uses. `kw_per_a`: power of 1 A, for stations that take W.
    `mode`: 2.1, with `setpoint` (negative: discharge).
    """

    node: str
    station: str
    evse: int
    steps: tuple[Step, ...]
    transaction_id: str | None = None
    phases: int = 3
    kw_per_a: float = 0.69
    dc: bool = False
    mode: OperationMode | None = None
    urgent: bool = False
    """An emergency: it goes out before all others and whatever the message budget says."""
    conductors: tuple[int, ...] = ()
    """Of the connector: those that the car uses, where the meter showed it; empty: any of the outlet's, the worst."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A command that the wire wants sent. `order_id`: of the wire; the command's id is made of it and the site's."""

    order_id: str
    station: str
    command: Command
    urgent: bool = False
    deadline_s: float = 30.0


class Told(StrEnum):
    """What the wire says of a target that it was given."""

    HELD = "held"
    """The station holds it."""
    SENT = "sent"
    WAITS = "waits"
    """For others' decreases."""
    SMALL = "small"
    """Below the significance threshold: not sent."""
    OFFLINE = "offline"
    QUARANTINED = "quarantined"
    UNSUPPORTED = "unsupported"


Worst = Mapping[str, Floats]
"""By node of an EVSE: (t,) the most that it may draw in each slot, whatever was lost on the way."""
