"""An alarm is raised once, told again when it changes much, cleared when it is over."""

from datetime import UTC, datetime, timedelta

from engine.model.plans import AlertKind, SiteAlertCleared, SiteAlertRaised
from smartcharging.planning import alarms as module
from smartcharging.planning.alarms import Alarms

NOW = datetime(2026, 5, 1, 10, 0, tzinfo=UTC)


def alert(over=10.0, detail="x", node="grid", at=NOW, kind=AlertKind.OVERLOAD):
    return SiteAlertRaised(site="depot", kind=kind, node=node, at=at, detail=detail, over=over, unit="A")


def test_the_same_alarm_is_told_once():
    alarms = Alarms("depot")
    assert alarms.news([alert()], NOW) == [alert()]
    assert alarms.news([alert(over=10.5)], NOW) == []
    assert alarms.active == (alert(),)


def test_one_that_grows_is_told_again():
    alarms = Alarms("depot")
    alarms.news([alert()], NOW)
    assert alarms.news([alert(over=20.0)], NOW) == [alert(over=20.0)]


def test_other_words_are_news_after_a_while():
    alarms = Alarms("depot")
    alarms.news([alert()], NOW)
    assert alarms.news([alert(detail="y")], NOW) == []
    later = NOW + timedelta(hours=1)
    assert alarms.news([alert(detail="y", at=later)], later) == [alert(detail="y", at=later)]


def test_what_is_not_wrong_any_more_is_cleared():
    alarms = Alarms("depot")
    alarms.news([alert(), alert(node="board")], NOW)
    assert alarms.news([alert()], NOW) == [SiteAlertCleared("depot", AlertKind.OVERLOAD, "board", NOW)]
    assert [each.node for each in alarms.active] == ["grid"]


def test_their_number_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "ALARMS_MAX", 3)
    alarms = Alarms("depot")
    assert len(alarms.news([alert(node=f"n{number}") for number in range(9)], NOW)) == 3
