"""Which numbers of a transaction were not heard; the whole of it is in test_lifecycle."""

import pytest

from engine.model.transactions import Stage
from engine.station.ledger import KnownTransaction
from engine.station.sequences import gaps_after
from tests.engine.station.conftest import START


def known(lowest, highest, gaps=()):
    return KnownTransaction("tx", started_at=START, started=True, sequence_min=lowest, sequence_max=highest, gaps=gaps)


@pytest.mark.parametrize(
    ("before", "sequence", "after"),
    [
        (known(0, 3), 4, None),
        (known(0, 3), 3, None),
        (known(None, None), 7, None),
        (known(0, 3), 6, ((4, 5),)),
        (known(0, 9, ((2, 5),)), 3, ((2, 2), (4, 5))),
        (known(0, 9, ((2, 2),)), 2, ()),
        (known(0, 9, ((2, 3),)), 7, None),
        (known(5, 5), 4, None),
        (known(5, 5), 1, ((2, 4),)),
    ],
)
def test_a_number_opens_narrows_or_closes_a_gap(before, sequence, after):
    assert gaps_after(before, Stage.UPDATED, sequence) == after


def test_an_end_with_a_lower_number_tells_of_no_gap():
    assert gaps_after(known(5, 9), Stage.ENDED, 0) is None
