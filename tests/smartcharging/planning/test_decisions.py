"""Why each car got what it got: reasons, the limit that binds, who else is below it; and when that is news."""

from datetime import timedelta

import numpy as np
import pytest

from engine.model.plans import Layer, Why
from smartcharging.planning.decisions import Decisions, layer_of, need_in_words
from smartcharging.problem import Allocation, Cause
from smartcharging.words import Told
from tests.smartcharging.planning.twin import Twin


@pytest.fixture(scope="module")
def draft():
    twin = Twin(3).runs(3)
    for name in twin.stations:
        twin.starts(name)
    made = twin.planner.draft(twin.now)
    made.solve()
    made.at = twin.now
    return made


def decide(draft, current_a, binding, *, decisions=None, told=None, at=None):
    decisions = decisions or Decisions("site", "max-min", timedelta(minutes=15))
    allocation = Allocation(
        current_a=np.array(current_a, dtype=float), binding=np.array([int(b) for b in binding]), layer="real_time"
    )
    told = {view.node: Told.HELD for view in draft.views} if told is None else told
    return decisions.of_plan(draft.problem, allocation, draft.views, told, at or draft.at, "transaction")


def test_each_reason_has_its_word(draft):
    row = draft.problem.rows.names.index("grid L1")
    made = decide(draft, [32.0, 20.0, 0.0], [Cause.OWN_MAX, row, Cause.PAUSED])
    assert [each.why for each in made] == [Why.OWN_MAX, Why.ROW, Why.PAUSED]
    assert (made[1].binding, made[1].binding_limit, made[1].binding_used) == ("grid L1", 60.0, 52.0)
    assert made[0].binding is None
    assert [(rival.node, rival.current_a) for rival in made[1].competitors] == [("e0", 32.0), ("e2", 0.0)]


def test_who_gets_nothing_because_of_a_row_is_paused_and_who_gives_back_discharges(draft):
    made = decide(draft, [0.0, -6.0, 6.0], [0, Cause.ENOUGH, 99])
    assert [each.why for each in made] == [Why.PAUSED, Why.DISCHARGES, Why.ENOUGH]


def test_the_same_again_is_no_news_until_a_while_has_passed(draft):
    decisions = Decisions("site", "max-min", timedelta(minutes=15))
    same = ([6.0, 6.0, 6.0], [Cause.ENOUGH] * 3)
    assert len(decide(draft, *same, decisions=decisions)) == 3
    assert decide(draft, *same, decisions=decisions, at=draft.at + timedelta(minutes=5)) == []
    (changed,) = decide(draft, [6.0, 7.0, 6.0], same[1], decisions=decisions)
    assert (changed.before_a, changed.current_a) == (6.0, 7.0)
    assert len(decide(draft, *same, decisions=decisions, at=draft.at + timedelta(minutes=16))) == 3


def test_what_waits_for_others_is_said_and_told_when_it_went_out(draft):
    decisions = Decisions("site", "max-min", timedelta(minutes=15))
    waits = {"e0": Told.WAITS, "e1": Told.HELD, "e2": Told.HELD}
    made = decide(draft, [6.0] * 3, [Cause.ENOUGH] * 3, decisions=decisions, told=waits)
    assert [each.sent for each in made] == [False, True, True]
    assert decisions.waits
    assert decisions.now_sent(waits, draft.at) == []
    (sent,) = decisions.now_sent({"e0": Told.SENT}, draft.at)
    assert (sent.node, sent.sent) == ("e0", True)
    assert not decisions.waits


def test_a_plan_is_told_where_it_changes(draft):
    plan = np.full((3, draft.problem.slots), 6.0)
    plan[0, 2:] = 10.0
    allocation = Allocation(current_a=plan[:, 0].copy(), binding=np.full(3, -2), plan_a=plan, layer="horizon")
    decisions = Decisions("site", "narke", timedelta(minutes=15))
    made = decisions.of_plan(draft.problem, allocation, draft.views, {}, draft.at, "time")
    assert [step.current_a for step in made[0].plan] == [6.0, 10.0]
    assert [step.current_a for step in made[1].plan] == [6.0]
    assert made[0].layer is Layer.HORIZON


def test_cars_that_nobody_can_tell_are_in_the_record_with_the_reason(draft):
    decisions = Decisions("site", "max-min", timedelta(minutes=15))
    made = decisions.left_alone(draft.views[:1], {"e0": 12.0}, {"e0": Why.QUARANTINED}, draft.at)
    assert [(each.current_a, each.why, each.sent) for each in made] == [(12.0, Why.QUARANTINED, False)]
    assert decisions.left_alone(draft.views[:1], {"e0": 12.0}, {"e0": Why.QUARANTINED}, draft.at) == []


def test_a_need_is_told_in_words(draft):
    assert "kWh" in need_in_words(draft.views[0])


@pytest.mark.parametrize(("word", "layer"), [("horizon", Layer.HORIZON), ("astrology", Layer.OTHER)])
def test_a_layer_that_nobody_knows_is_another(word, layer):
    allocation = Allocation(current_a=np.zeros(0), binding=np.zeros(0, dtype=np.int64), layer=word)
    assert layer_of(allocation) is layer
