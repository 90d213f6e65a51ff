"""What the projector remembers between batches, so that it need not ask for what it has just written.

Open transactions as they stand in PostgreSQL, and the shapes of readings that are there. True only while nobody else
writes these rows: whenever the positions in PostgreSQL may not be the ones that we left, all of it is forgotten.
"""

from collections.abc import Iterable
from uuid import UUID

from storage.projection.binary import SHAPES_MAX, Shape, Shapes
from storage.projection.changes import Changes, TransactionKey
from storage.queries.rows import TransactionRow

TRANSACTIONS_MAX = 50_000
"""Open transactions that are remembered, about 1 KiB each; those longest without news go first."""


class Remembered:
    """See the module."""

    def __init__(self) -> None:
        self.shapes = Shapes()
        self._stored: set[UUID] = set()
        self._transactions: dict[TransactionKey, TransactionRow] = {}

    def forget(self) -> None:
        """All of it may be wrong."""
        self._stored.clear()
        self._transactions.clear()

    def transactions_among(self, keys: Iterable[TransactionKey]) -> dict[TransactionKey, TransactionRow]:
        """Those that are remembered."""
        remembered = self._transactions
        return {key: remembered[key] for key in keys if key in remembered}

    def learn(self, changes: Changes) -> None:
        """Changes that were committed."""
        remembered = self._transactions
        for rows in (changes.transactions, changes.progress):
            for key, row in rows.items():
                remembered.pop(key, None)
                if row.ended_at is None:
                    remembered[key] = row
        while len(remembered) > TRANSACTIONS_MAX:
            del remembered[next(iter(remembered))]

    def unwritten(self, shapes: Iterable[Shape]) -> list[Shape]:
        """Those that may not be in PostgreSQL, by id: two projectors that write the same do not lock each other out."""
        return sorted((shape for shape in shapes if shape.id not in self._stored), key=lambda shape: shape.id)

    def shapes_written(self, shapes: Iterable[Shape]) -> None:
        """They are in PostgreSQL once the transaction commits; where it does not, `forget` is called."""
        if len(self._stored) > SHAPES_MAX:
            self._stored.clear()
        self._stored.update(shape.id for shape in shapes)
