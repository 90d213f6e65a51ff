"""Security events are taken down with what the specification thinks of them."""

from datetime import timedelta

import pytest

from engine.model.provisioning import Registration
from engine.model.security import (
    CRITICAL_OF_EVENT,
    SecurityEventAnswer,
    SecurityEventRecorded,
    SecurityEventReported,
)


def test_A04_FR_03_an_event_is_recorded_then_confirmed(actor):
    report = SecurityEventReported("TamperDetectionActivated", actor.now - timedelta(hours=2), "door")
    assert actor.says(report) == SecurityEventAnswer()
    assert actor.recorded == [SecurityEventRecorded(report=report, at=actor.now, critical=True)]


@pytest.mark.parametrize(
    ("name", "critical"), [("InvalidMessages", False), ("InvalidChargePointCertificate", True), ("Acme.LidOpen", None)]
)
def test_A04_what_is_critical_is_the_specifications_word(actor, name, critical):
    actor.says(SecurityEventReported(name))
    assert actor.recorded[-1].critical is critical


def test_the_table_has_all_events_of_2_1():
    assert sum("CentralSystem" not in name and "ChargePoint" not in name for name in CRITICAL_OF_EVENT) == 21


def test_B02_a_pending_station_may_tell_of_security(actor):
    actor.judge(Registration.PENDING)
    actor.boot()
    assert actor.says(SecurityEventReported("StartupOfTheDevice")) == SecurityEventAnswer()


def test_A04_FR_02_events_of_hours_ago_are_kept_with_their_own_time(actor):
    then = actor.now - timedelta(days=3)
    actor.says(SecurityEventReported("ResetOrReboot", then))
    assert (actor.recorded[-1].report.at, actor.recorded[-1].at) == (then, actor.now)
