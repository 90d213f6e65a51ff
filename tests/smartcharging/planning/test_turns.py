"""When a site's turn comes: soon after news, not too often, before limits change, at once in an emergency."""

from datetime import UTC, datetime, timedelta

from smartcharging.planning.settings import PlannerSettings
from smartcharging.planning.turns import Turns

NOW = datetime(2026, 5, 1, 10, 0, tzinfo=UTC)
SETTINGS = PlannerSettings(coalesce_s=0.5, pace_s=2.0, replan_s=300.0)


def s(seconds):
    return timedelta(seconds=seconds)


def planned(at=NOW):
    turns = Turns("depot", SETTINGS)
    assert turns.due_at(at) == at
    assert turns.began(at) == "start"
    return turns


def test_after_a_plan_it_rests():
    due = planned().due_at(NOW)
    assert NOW + s(240) <= due <= NOW + s(300)


def test_a_burst_is_answered_once_and_soon_after_its_first():
    turns = planned()
    for number in range(10):
        turns.news("transaction", NOW + s(10 + number / 10))
    assert turns.due_at(NOW + s(11)) == NOW + s(10.5)
    assert turns.began(NOW + s(10.5)) == "transaction"
    assert turns.due_at(NOW + s(11)) > NOW + s(200)


def test_news_right_after_a_plan_waits_for_the_pace():
    turns = planned()
    turns.news("transaction", NOW + s(0.1))
    assert turns.due_at(NOW + s(0.1)) == NOW + s(2)


def test_news_that_can_wait_waits_but_no_longer_than_others():
    turns = planned()
    turns.news("meter", NOW + s(10), within=s(30))
    assert turns.due_at(NOW + s(10)) == NOW + s(40)
    turns.news("driver", NOW + s(12))
    assert turns.due_at(NOW + s(12)) == NOW + s(12.5)
    assert turns.began(NOW + s(13)) == "meter, driver"


def test_an_emergency_is_now_and_its_plan_soon():
    turns = planned()
    turns.emergency("cap grid:x", NOW + s(1))
    assert turns.urgent
    assert turns.due_at(NOW + s(1)) == NOW + s(1)
    turns.urgent = False
    assert turns.due_at(NOW + s(1)) == NOW + s(7)


def test_a_change_of_limits_is_planned_for_before_and_after_it_comes():
    turns = planned()
    at = NOW + s(200)
    turns.change_at(at, NOW)
    assert turns.due_at(NOW) == NOW + s(145)
    turns.began(NOW + s(145))
    turns.change_at(at, NOW + s(145))
    assert turns.due_at(NOW + s(145)) == at + s(1)
    turns.change_at(None, NOW)
    assert turns.due_at(NOW + s(145)) > at + s(10)


def test_a_clock_that_is_put_back_does_not_make_it_wait_for_ever():
    turns = planned()
    before = NOW - s(3_600)
    turns.news("transaction", before)
    assert turns.due_at(before) <= before + s(2)


def test_sites_do_not_all_have_their_turn_at_once():
    dues = set()
    for number in range(20):
        turns = Turns(f"site-{number}", SETTINGS)
        turns.began(NOW)
        dues.add(turns.due_at(NOW))
    assert len(dues) > 10
