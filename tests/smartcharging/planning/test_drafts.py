"""A plan in figures for people, and what the wire notices as alerts."""

import pytest

from engine.model.plans import AlertKind, Layer, SitePlanned, Why
from smartcharging.planning.drafts import alerts_of, reasons
from smartcharging.wire.reports import Notice, NoticeKind
from tests.smartcharging.planning.twin import START, Twin


def test_a_plan_is_told_in_figures():
    twin = Twin(3).runs(3)
    for name in ("CP0", "CP1"):
        twin.starts(name)
    twin.cap(20.7)
    twin.runs(5)
    told = twin.facts(SitePlanned)[-1]
    assert (told.cars, told.paused, told.limit_kw, told.layer) == (2, 0, 20.7, Layer.REAL_TIME)
    assert told.planned_kw == pytest.approx(20.7, abs=0.2)
    assert "transaction" in told.trigger


def test_a_horizon_says_how_much_it_delivers():
    twin = Twin(1, allocator="narke").runs(3)
    twin.starts("CP0")
    twin.runs(5)
    told = twin.facts(SitePlanned)[-1]
    assert told.layer is Layer.HORIZON
    assert told.delivered_share == pytest.approx(1.0, abs=0.01)


def test_several_notices_of_an_evse_are_one_alert():
    notices = [
        Notice("e0", NoticeKind.UNREACHABLE, "is not connected"),
        Notice("e0", NoticeKind.UNSUPPORTED, "takes none"),
        Notice("e1", NoticeKind.QUARANTINE, "draws 20 A, may draw 6 A"),
        Notice("e1", NoticeKind.ASLEEP, "draws nothing"),
    ]
    alerts = alerts_of("site", notices, START)
    assert [(alert.kind, alert.node, alert.detail) for alert in alerts] == [
        (AlertKind.UNREACHABLE, "e0", "is not connected; takes none"),
        (AlertKind.QUARANTINE, "e1", "draws 20 A, may draw 6 A"),
    ]


def test_why_a_car_is_left_alone():
    twin = Twin(2).runs(3)
    for name in twin.stations:
        twin.starts(name)
    draft = twin.planner.draft(twin.now)
    assert reasons(draft.views, {"e1": "x"}) == {"e0": Why.STATIC, "e1": Why.QUARANTINED}
