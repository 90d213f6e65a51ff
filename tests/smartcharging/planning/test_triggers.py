"""Which facts make a site be planned: transactions, needs, limits, connections; no meter values, no commands."""

from datetime import UTC, datetime

import pytest

from engine.model.commands import CommandSettled, Outcome, Result
from engine.model.metering import ReadingsRecorded
from engine.model.sessions import SessionClosed, SessionEnded
from engine.model.smart_charging import LimitReleased
from engine.model.transactions import (
    ChargingState,
    TransactionEnded,
    TransactionFlag,
    TransactionOpened,
    TransactionUpdated,
)
from smartcharging.planning.triggers import trigger_of

NOW = datetime(2026, 5, 1, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fact", "trigger"),
    [
        (TransactionOpened("1", NOW, NOW), "transaction"),
        (TransactionEnded("1", NOW, NOW), "transaction"),
        (TransactionUpdated("1", NOW, NOW, charging_state=ChargingState.CHARGING), "transaction"),
        (TransactionUpdated("1", NOW, NOW, meter_last_wh=5.0), None),
        (
            TransactionUpdated("1", NOW, NOW, charging_state=ChargingState.IDLE, flags=(TransactionFlag.AFTER_END,)),
            None,
        ),
        (LimitReleased("EMS", 1, NOW), "limit of the station"),
        (SessionEnded(SessionClosed("s", 1006, "", NOW)), "connection"),
        (ReadingsRecorded((), NOW), None),
        (CommandSettled("c", Outcome(Result.ACCEPTED), NOW), None),
    ],
)
def test_what_makes_a_site_be_planned(fact, trigger):
    assert trigger_of(fact) == trigger
