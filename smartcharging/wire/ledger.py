"""The ledger: the most that each EVSE may draw at any time from now on, and whether more would fit beside it.

An EVSE may have a transaction with a profile of its own, which may end at any moment and be followed by another, for
which the default counts: the larger of both is counted. Above both is what the station as a whole may draw, and what
the outlet can give. Nothing is relied on that was not acknowledged; what is not known counts as unlimited.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from smartcharging.network import Network
from smartcharging.words import INF, Floats, Plug

TOLERANCE = 1e-6
"""A or kW by which a row may be above its limit: rounding."""


class Ledger:
    """Worst cases of a site, (n, t) by EVSE in the order of `network.evses` and slot of the grid.

    `default`: of the TxDefaultProfile. `own`: of the transaction's profile; 0: none. `top`: of the station's maximum.

    Args:
        network: Of the site.
        ceiling_a: (n,) what the outlets can give.
        columns: (m, n) what rows carry per A of each EVSE at the worst; None: the network's.
    """

    def __init__(self, network: Network, ceiling_a: Floats, columns: csr_array | None = None) -> None:
        self._network = network
        self.ceiling_a = ceiling_a
        matrix = (network.worst_rows.matrix if columns is None else columns).maximum(0)
        self._matrix = csr_array(matrix)
        by_column = matrix.tocsc()
        by_column.sort_indices()
        self._rows = [by_column.indices[a:b] for a, b in zip(by_column.indptr, by_column.indptr[1:], strict=False)]
        self._coefs = [by_column.data[a:b] for a, b in zip(by_column.indptr, by_column.indptr[1:], strict=False)]
        self._narrow: dict[int, Floats] = {}
        self._known: dict[tuple[int, tuple[int, ...]], Floats] = {}
        self._names = tuple(network.evses)
        count = len(self._names)
        self.default = np.full((count, 1), INF)
        self.own = np.zeros((count, 1))
        self.top = np.full((count, 1), INF)
        self.limits: Floats = np.full((matrix.shape[0], 1), INF)
        self.load: Floats = np.zeros((matrix.shape[0], 1))

    def regrid(self, slots: int) -> None:
        """Makes room for another grid; every row, and the limits, must be set anew."""
        count = len(self._names)
        self.default = np.full((count, slots), INF)
        self.own = np.zeros((count, slots))
        self.top = np.full((count, slots), INF)
        self.limits = np.full((self.limits.shape[0], slots), INF)
        self.recount()

    def narrow(self, index: int, conductors: tuple[int, ...]) -> None:
        """The car in the transaction at an EVSE uses these conductors alone; empty: nobody knows."""
        if not conductors:
            self._narrow.pop(index, None)
            return
        key = index, conductors
        if key not in self._known:
            rows = self._network.rows([Plug(self._names[index], conductors)]).matrix
            column = np.maximum(rows.toarray()[:, 0], 0.0)[self._rows[index]]
            self._known[key] = np.minimum(column, self._coefs[index])
        self._narrow[index] = self._known[key]

    def recount(self) -> None:
        """Sums up anew."""
        lid = np.minimum(self.top, self.ceiling_a[:, None])
        default, own = np.minimum(self.default, lid), np.minimum(self.own, lid)
        self.load = np.asarray(self._matrix @ np.maximum(default, own))
        for index in self._narrow:
            self.load[self._rows[index]] += self._share(index, default[index], own[index]) - (
                self._coefs[index][:, None] * np.maximum(default[index], own[index])
            )

    def count(
        self, index: int, *, default: Floats | None = None, own: Floats | None = None, top: Floats | None = None
    ) -> None:
        """An EVSE counts with these from now on; None: as before."""
        rows = self._rows[index]
        before = self._of(index)
        for matrix, row in ((self.default, default), (self.own, own), (self.top, top)):
            if row is not None:
                matrix[index] = row
        self.load[rows] += self._of(index) - before

    def fits(
        self, index: int, *, default: Floats | None = None, own: Floats | None = None, top: Floats | None = None
    ) -> bool:
        """Whether an EVSE may count with these: nowhere is a row above its limit where it would load it more."""
        before = self._of(index)
        after = self._of(index, default, own, top)
        return self._within(index, before, after, after > before + TOLERANCE / 10)

    def fits_alone(
        self, index: int, *, default: Floats | None = None, own: Floats | None = None, top: Floats | None = None
    ) -> bool:
        """Whether an EVSE may count with these, whatever it counts with now (which nobody may know)."""
        after = self._of(index, default, own, top)
        return self._within(index, self._of(index), after, after > TOLERANCE)

    def _within(self, index: int, before: Floats, after: Floats, where: NDArray[np.bool_]) -> bool:
        rows = self._rows[index]
        within = self.load[rows] - before + after <= self.limits[rows] + TOLERANCE
        return bool((within | ~where).all())

    def room(self, index: int, *, own: bool) -> Floats:
        """(t,) A that an EVSE may have at most beside all others. `own`: in its transaction, with its conductors."""
        rows = self._rows[index]
        coefs = self._narrow.get(index, self._coefs[index]) if own else self._coefs[index]
        left = self.limits[rows] - self.load[rows] + self._of(index)
        uses = coefs > 0
        if not uses.any():
            return np.full(left.shape[1], INF)
        return np.asarray(np.maximum((left[uses] / coefs[uses][:, None]).min(axis=0), 0.0))

    def load_of(self, current_a: Floats) -> Floats:
        """(m,) what the rows carry if each EVSE draws so much (n,), on any of its conductors."""
        return np.asarray(self._matrix @ np.minimum(current_a, self.ceiling_a))

    def over(self) -> Floats:
        """(m, t) by how much rows may be above their limits; 0 where they are not."""
        above = np.maximum(self.load - self.limits, 0.0)
        above[above <= TOLERANCE] = 0.0
        return above

    def touching(self, over: Floats) -> Floats:
        """(n, t) above 0 where an EVSE loads a row that is over."""
        return np.asarray(self._matrix.T @ over)

    def _of(
        self, index: int, default: Floats | None = None, own: Floats | None = None, top: Floats | None = None
    ) -> Floats:
        """(rows of it, t) what it loads them with."""
        lid = np.minimum(self.top[index] if top is None else top, self.ceiling_a[index])
        return self._share(
            index,
            np.minimum(self.default[index] if default is None else default, lid),
            np.minimum(self.own[index] if own is None else own, lid),
        )

    def _share(self, index: int, default: Floats, own: Floats) -> Floats:
        narrow = self._narrow.get(index)
        if narrow is None:
            return np.asarray(self._coefs[index][:, None] * np.maximum(default, own))
        return np.asarray(np.maximum(self._coefs[index][:, None] * default, narrow[:, None] * own))
