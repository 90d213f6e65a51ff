"""Names of OCPP 1.6 transactions, reserved from the journal in blocks before a turn needs them."""

from engine.ports import Journal, JournalUnavailable

BLOCK = 100


class TransactionNumbers:
    """Implements `engine.ports.Ids`. What is left of a block when its process ends is never used."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._free: list[int] = []

    async def reserve(self, count: int) -> None:
        """Makes sure that `count` names can be given without asking.

        Raises:
            JournalUnavailable: Nothing was reserved.
        """
        if len(self._free) < count:
            self._free[:0] = reversed(await self._journal.reserve_transaction_numbers(max(BLOCK, count)))

    def transaction_number(self) -> int:
        """The next name; positive, fits 32 bits."""
        if not self._free:
            raise JournalUnavailable("no transaction number was reserved")
        return self._free.pop()
