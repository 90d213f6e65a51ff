"""Sequences: which of a transaction's messages were not heard. OCPP 2.1 part 2, E 1.3.2.

A transaction is complete when its Started, its Ended and all numbers between them were heard. Counters may begin
anywhere, some stations count 0, 0, 0, and a station that is low on memory leaves out updates (E04.FR.07): a gap is
told, never a reason to refuse.
"""

from engine.model.transactions import Gaps, Stage
from engine.station.ledger import KnownTransaction

GAPS_MAX = 8
"""Ranges remembered; of more the latest are merged into one."""


def gaps_after(known: KnownTransaction, stage: Stage, sequence: int) -> Gaps | None:
    """The gaps once this message is heard; None: as before."""
    highest = known.sequence_max
    if highest is None or sequence == highest + 1 or sequence == highest:
        return None
    if sequence > highest:
        return _bounded((*known.gaps, (highest + 1, sequence - 1)))
    lowest = known.sequence_min
    if lowest is not None and sequence < lowest:
        if sequence == lowest - 1 or stage is Stage.ENDED:
            return None
        return _bounded(((sequence + 1, lowest - 1), *known.gaps))
    return _filled(known.gaps, sequence)


def _filled(gaps: Gaps, sequence: int) -> Gaps | None:
    """Without a number that came late; None: it was in none of them."""
    for index, (first, last) in enumerate(gaps):
        if first <= sequence <= last:
            left = ((first, sequence - 1),) if first < sequence else ()
            right = ((sequence + 1, last),) if sequence < last else ()
            return _bounded((*gaps[:index], *left, *right, *gaps[index + 1 :]))
    return None


def _bounded(gaps: Gaps) -> Gaps:
    if len(gaps) <= GAPS_MAX:
        return gaps
    return (*gaps[: GAPS_MAX - 1], (gaps[GAPS_MAX - 1][0], gaps[-1][1]))
