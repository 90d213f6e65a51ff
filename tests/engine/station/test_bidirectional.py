"""What transactions may use, and signals of the grid operator."""

import pytest

from engine.model.bidirectional import (
    AfrrSignalSent,
    AllowEnergyTransfers,
    EnergyTransfer,
    EnergyTransfersAllowed,
    SendAfrrSignal,
)
from engine.model.commands import Outcome, Result
from tests.engine.station.charging import ask, start, tell

BOTH_WAYS = (EnergyTransfer.DC_BPT,)


def test_Q02_FR_05_a_running_transaction_is_told_what_it_may_use(actor):
    assert "No transaction 't-1'" in ask(actor, AllowEnergyTransfers("t-1", BOTH_WAYS))
    start(actor)
    assert "name one at least" in ask(actor, AllowEnergyTransfers("t-1", ()), "d")
    facts = tell(actor, AllowEnergyTransfers("t-1", BOTH_WAYS), command_id="e")
    assert EnergyTransfersAllowed("t-1", BOTH_WAYS, actor.now) in facts


@pytest.mark.parametrize(
    ("result", "accepted"), [(Result.ACCEPTED, True), (Result.REFUSED, False), (Result.TIMED_OUT, None)]
)
def test_Q08_FR_11_what_a_station_says_to_a_signal_is_recorded(actor, result, accepted):
    facts = tell(actor, SendAfrrSignal(3, actor.now), Outcome(result))
    told = [fact.accepted for fact in facts if isinstance(fact, AfrrSignalSent)]
    assert told == ([] if accepted is None else [accepted])
