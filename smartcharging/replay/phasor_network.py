"""A site that is known by phasors: what each row carries per A of each EVSE, as complex numbers, and how much it may.

An allocator sees polygon rows, which are linear and a little too narrow. What really flows is judged by the phasors.
"""

from collections.abc import Sequence
from functools import cached_property

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from smartcharging.phasors import polygon_rows
from smartcharging.problem import Floats, Rows

Complexes = NDArray[np.complex128]

POLYGON_STEP_DEGREES = 5.0
"""Of the circle that a row's phasor may lie in: 10 degrees cost up to 0.4 % of a limit, 5 degrees 0.1 %."""
TOLERANCE_A = 1e-5
TOLERANCE_SHARE = 1e-7
"""As `acnportal.acnsim.ChargingNetwork` has them: what is not yet a violation."""


class PhasorNetwork(msgspec.Struct, frozen=True, eq=False, kw_only=True, dict=True):
    """m rows over e EVSEs.

    `matrix`: (m, e) complex, A of the row per A of an EVSE. `limits`: (m,) A. `kw_per_a`, `max_a`, `min_a`: (e,).
    `rows`: names of the m rows. `name`: of the network. `cap_kw`: what it was made for.
    """

    name: str
    evses: tuple[str, ...]
    matrix: Complexes
    limits: Floats
    rows: tuple[str, ...]
    kw_per_a: Floats
    max_a: Floats
    min_a: Floats
    cap_kw: float
    step_degrees: float = POLYGON_STEP_DEGREES

    @cached_property
    def polygon(self) -> tuple[Floats, Floats, tuple[str, ...]]:
        """Linear rows that imply the phasors' limits: (p, e) A per A, (p,) A, names."""
        matrix, limits, source = polygon_rows(self.matrix, self.limits, self.step_degrees)
        dense = np.asarray(matrix.todense() if hasattr(matrix, "todense") else matrix, dtype=np.float64)
        return dense, np.asarray(limits, dtype=np.float64), tuple(self.rows[row] for row in source)

    @cached_property
    def index(self) -> dict[str, int]:
        """Column of each EVSE."""
        return {evse: column for column, evse in enumerate(self.evses)}

    def allocator_rows(self, columns: Sequence[int] | NDArray[np.int64]) -> Rows:
        """The polygon rows over some EVSEs."""
        dense, _, names = self.polygon
        chosen = csr_array(dense[:, columns])
        return Rows(matrix=chosen, names=names, units=("A",) * len(names), nodes=names)

    def over_a(self, currents: Floats) -> Floats:
        """By how much each row is over its limit, A; negative: there is room.

        Args:
            currents: (e,) or (e, k) A.
        """
        magnitudes = np.abs(self.matrix @ currents)
        limits = self.limits if currents.ndim == 1 else self.limits[:, None]
        over: Floats = magnitudes - limits
        return over

    def violations(self, currents: Floats) -> NDArray[np.bool_]:
        """Which rows carry more than they may, beyond rounding: same shape as `over_a`."""
        limits = self.limits if currents.ndim == 1 else self.limits[:, None]
        over: NDArray[np.bool_] = self.over_a(currents) > np.maximum(TOLERANCE_A, TOLERANCE_SHARE * limits)
        return over


def single(evses: Sequence[str], cap_kw: float, *, kw_per_a: float = 0.208, max_a: float = 32.0) -> PhasorNetwork:
    """One limit for the power of all EVSEs together: where nothing else is known of a site."""
    count = len(evses)
    return PhasorNetwork(
        name="single",
        evses=tuple(evses),
        matrix=np.ones((1, count), dtype=np.complex128),
        limits=np.array([cap_kw / kw_per_a]),
        rows=("site",),
        kw_per_a=np.full(count, kw_per_a),
        max_a=np.full(count, max_a),
        min_a=np.full(count, 6.0),
        cap_kw=cap_kw,
    )
