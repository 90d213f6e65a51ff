"""Samples: what is read of a transaction, in the form that rating wants it."""

from datetime import datetime

import msgspec

UWH = 10**6
"""In a Wh."""
US = 10**6
"""In a second."""


class Sample(msgspec.Struct, frozen=True, gc=False):
    """What is read at a time. `energy_wh`: since the start; None: not said, as before.

    `charging`: whether the car charges from now on; None: as before. `power_w`, `current_a` (sum of all phases): since
    the sample before; None: the power is taken from the energy, the current is not known.
    """

    at: datetime
    energy_wh: float | None = None
    charging: bool | None = None
    power_w: float | None = None
    current_a: float | None = None
