"""What is refused of a cap from outside, and with which words."""

from datetime import UTC, datetime, timedelta
from math import inf, nan

import pytest

from engine.model.caps import STEPS_MAX, CapSource, CapStep
from smartcharging.caps import check_cap
from tests.smartcharging.sites import depot

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
SITE = depot()


def cap(*steps, **more):
    fields = {"site": "depot", "source": "grid:stadtwerke", "steps": steps or (CapStep(NOW, 20.0),)}
    return CapSource(**(fields | more))


def step(minutes, kw):
    return CapStep(NOW + timedelta(minutes=minutes), kw)


SOUND = [
    cap(),
    cap(node="board"),
    cap(step(-60, 30.0), step(0, 10.0), step(30, None), step(60, 5.0)),
    cap(step(60, 5.0)),
    cap(step(0, 0.0), valid_until=NOW + timedelta(hours=1), fallback_kw=0.0, heartbeat_s=120.0),
    cap(*(step(minute, 10.0) for minute in range(STEPS_MAX))),
]

UNSOUND = [
    (cap(site="other"), "site"),
    (cap(source=""), "source"),
    (cap(source="  "), "source"),
    (cap(source="x" * 200), "source"),
    (cap(source="grid\x00"), "source"),
    (cap(source="station:CP-1:EMS"), "source"),
    (cap(node="nowhere"), "node"),
    (CapSource(site="depot", source="grid", steps=()), "steps"),
    (cap(*(step(minute, 10.0) for minute in range(STEPS_MAX + 1))), "steps"),
    (cap(step(0, nan)), "steps[0].kw"),
    (cap(step(0, inf)), "steps[0].kw"),
    (cap(step(0, -1.0)), "steps[0].kw"),
    (cap(step(0, 11_000_000.0)), "steps[0].kw"),
    (cap(step(10, 1.0), step(5, 2.0)), "steps[1].at"),
    (cap(step(10, 1.0), step(10, 2.0)), "steps[1].at"),
    (cap(CapStep(datetime(2026, 5, 4, 12), 1.0)), "steps[0].at"),  # noqa: DTZ001 (without a zone)
    (cap(CapStep(NOW + timedelta(days=4000), 1.0)), "steps[0].at"),
    (cap(valid_until=NOW - timedelta(seconds=1)), "valid_until"),
    (cap(valid_until=NOW), "valid_until"),
    (cap(valid_until=datetime(2026, 5, 5, 12)), "valid_until"),  # noqa: DTZ001 (without a zone)
    (cap(step(60, 1.0), valid_until=NOW + timedelta(minutes=30)), "valid_until"),
    (cap(heartbeat_s=0.5), "heartbeat_s"),
    (cap(heartbeat_s=nan), "heartbeat_s"),
    (cap(heartbeat_s=1e9), "heartbeat_s"),
    (cap(fallback_kw=-1.0), "fallback_kw"),
    (cap(fallback_kw=nan), "fallback_kw"),
    (cap(priority=10**9), "priority"),
]


@pytest.mark.parametrize("sound", SOUND)
def test_a_sound_cap_is_taken(sound):
    assert check_cap(sound, SITE, NOW) == ()


@pytest.mark.parametrize(("unsound", "about"), UNSOUND)
def test_an_unsound_cap_is_refused_and_says_where(unsound, about):
    complaints = check_cap(unsound, SITE, NOW)
    assert [complaint.split(":")[0] for complaint in complaints] == [about]


def test_all_that_is_wrong_is_said_at_once():
    wrong = cap(step(5, nan), step(0, -2.0), node="nowhere", heartbeat_s=0.0)
    assert len(check_cap(wrong, SITE, NOW)) == 5
