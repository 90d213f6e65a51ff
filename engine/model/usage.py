"""Usage: how much of a transaction each price of its tariff applies to. Whole micro-Wh and microseconds, no floats."""

from datetime import datetime

import msgspec

from engine.model.tariffs import EvseKind


class Usage(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """How far a transaction is. Rests in Redis: fields are added at the end with a default.

    `at`, `energy_uwh`, `charging`: as of the last reading, energy since the start. `energy`, `charged`, `idled`: what
    each price of the list applies to, micro-Wh or microseconds; less than was used once the maximum is reached
    (`capped`). `fixed`, `reservation_*`: the place of the price that counted at the start; -1: none.
    """

    begun_at: datetime
    at: datetime
    charging: bool = False
    energy_uwh: int = 0
    charging_us: int = 0
    idle_us: int = 0
    energy: tuple[int, ...] = ()
    charged: tuple[int, ...] = ()
    idled: tuple[int, ...] = ()
    fixed: int = -1
    reservation_fixed: int = -1
    reservation_time: int = -1
    reserved_s: int | None = None
    capped: bool = False
    evse_kind: EvseKind | None = None
