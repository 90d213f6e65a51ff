"""What is remembered of smart charging rests in Redis, small, and comes back as it was."""

from datetime import UTC, datetime

import msgspec
import pytest

from engine.model.charging_profiles import ScheduleUpdate
from engine.model.smart_charging import (
    EvNeeds,
    NeedsRecorded,
    NeedsReported,
    NeedsVerdict,
    ProfileInstalled,
    ProfileRemoved,
    RemovalReason,
)
from engine.station.charging_memory import PERIODS_KEPT_MAX, ChargingMemory, merged
from engine.station.state import decode_state, encode_state, fresh
from tests.engine.station.charging import profile, tx_profile

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def told(memory, *, transaction="t-1"):
    needs = EvNeeds(energy_transfer="DC")
    return memory.after(NeedsRecorded(NeedsReported(1, needs), NeedsVerdict.NO_PROFILE, AT, transaction))


def test_an_empty_memory_costs_nothing():
    assert b"charging" not in encode_state(fresh("CP-1"))


def test_a_profile_of_many_periods_is_remembered_in_few_bytes():
    memory = ChargingMemory().after(ProfileInstalled(1, profile(1, limits=(16.0,) * 500), AT))
    assert len(msgspec.msgpack.encode(memory)) < 100


@pytest.mark.parametrize(("periods", "kept"), [(PERIODS_KEPT_MAX, 1), (PERIODS_KEPT_MAX + 1, 0)])
def test_schedules_are_kept_for_a_car_that_told_its_needs_and_only_if_short(periods, kept):
    installed = ProfileInstalled(1, tx_profile(limits=(16.0,) * periods), AT)
    memory = told(ChargingMemory()).after(installed)
    assert len(memory.find(1).schedules) == kept
    assert ChargingMemory().after(installed).find(1).schedules == ()
    assert told(ChargingMemory(), transaction="t-0").after(installed).find(1).schedules == ()


def test_it_comes_back_as_it_was():
    memory = told(ChargingMemory()).after(ProfileInstalled(1, tx_profile(), AT, remote_start_id=3))
    state = msgspec.structs.replace(fresh("CP-1"), charging=memory)
    assert decode_state(encode_state(state)) == state


def test_what_is_removed_is_forgotten():
    memory = ChargingMemory().after(ProfileInstalled(1, profile(1), AT))
    assert memory.after(ProfileRemoved(1, 1, RemovalReason.CLEARED, AT)) == ChargingMemory()


def test_an_update_changes_what_it_says():
    before = ScheduleUpdate(limit=16.0, setpoint=1.0)
    assert merged(before, ScheduleUpdate(limit=0.0)) == ScheduleUpdate(limit=0.0, setpoint=1.0)
