"""Battery swaps: what belongs together, and what is out of order."""

import pytest

from engine.model.authorization import Token
from engine.model.battery_swap import (
    Battery,
    BatterySwapAnswer,
    BatterySwapReported,
    RequestBatterySwap,
    SwapEvent,
    SwapFlag,
    SwapLapsed,
    SwapMoved,
    SwapRequested,
)
from engine.station import known_swaps
from engine.station.decider import Tick
from tests.engine.station.charging import ask, reply, tell

CARD = Token("04AB", "ISO14443")
IN, OUT, TIMEOUT = SwapEvent.IN, SwapEvent.OUT, SwapEvent.OUT_TIMEOUT


def moves(actor, request_id, event, token=CARD):
    report = BatterySwapReported(request_id, event, token, (Battery(1, "B-1", 20.0, 90.0),))
    assert actor.says(report, message_id=f"{request_id}-{event}-{actor.now}") == BatterySwapAnswer()
    (moved,) = [fact for fact in actor.recorded if isinstance(fact, SwapMoved)]
    actor.wait(1)
    return moved


def test_S02_FR_02_a_swap_that_we_asked_for_is_known_by_its_request_id(actor):
    (asked,) = [fact for fact in tell(actor, RequestBatterySwap(CARD)) if isinstance(fact, SwapRequested)]
    actor.wait(1)
    moved = moves(actor, asked.request_id, IN)
    assert (moved.began_at, moved.flags) == (asked.began_at, ())
    assert moves(actor, asked.request_id, OUT).began_at == asked.began_at


def test_S01_a_swap_begun_at_the_station_is_nothing_odd(actor):
    moved = moves(actor, 77, IN)
    assert moved.flags == ()
    assert moves(actor, 77, OUT).began_at == moved.began_at


@pytest.mark.parametrize(
    ("events", "flags"),
    [
        ([OUT], (SwapFlag.OUT_WITHOUT_IN,)),
        ([IN, IN], (SwapFlag.REPEATED,)),
        ([IN, TIMEOUT], ()),
        ([IN, OUT, OUT], (SwapFlag.REPEATED,)),
        ([IN, OUT, TIMEOUT], (SwapFlag.AFTER_END,)),
    ],
)
def test_what_is_out_of_order_is_flagged_and_kept(actor, events, flags):
    assert [moves(actor, 5, event) for event in events][-1].flags == flags


def test_a_battery_that_comes_in_after_a_swap_is_over_begins_a_new_one(actor):
    first = moves(actor, 5, IN)
    moves(actor, 5, OUT)
    assert moves(actor, 5, IN).began_at > first.began_at


def test_another_token_is_flagged(actor):
    moves(actor, 5, IN)
    assert moves(actor, 5, OUT, Token("FFFF")).flags == (SwapFlag.OTHER_TOKEN,)


def test_a_battery_that_comes_in_before_our_answer_belongs_to_the_request(actor):
    ask(actor, RequestBatterySwap(CARD))
    request_id = actor.state.queue.sent.request.command.request_id
    actor.wait(1)
    moves(actor, request_id, IN)
    assert not [fact for fact in reply(actor) if isinstance(fact, SwapRequested)]


def test_S02_FR_05_a_swap_into_which_nothing_comes_is_given_up(actor):
    tell(actor, RequestBatterySwap(CARD))
    actor.wait(known_swaps.IN_S)
    actor.take(Tick())
    assert [type(fact) for fact in actor.recorded] == [SwapLapsed]
    assert actor.state.swaps.due_at is None


def test_what_is_remembered_is_bounded(actor):
    for number in range(known_swaps.SWAPS_MAX + 3):
        moves(actor, number, IN)
    assert len(actor.state.swaps.swaps) == known_swaps.SWAPS_MAX
