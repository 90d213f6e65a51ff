"""What stations are to hold: the current now, and the steps to come, rounded down, as far as leases reach."""

from datetime import timedelta

import numpy as np
import pytest
from msgspec.structs import replace

from engine.model.charging_profiles import OperationMode
from smartcharging.planning.targets import STEPS_MAX, targets_of
from smartcharging.problem import Allocation
from smartcharging.words import Step
from tests.smartcharging.planning.twin import Twin


@pytest.fixture(scope="module")
def draft():
    twin = Twin(1).runs(3)
    twin.starts("CP0")
    made = twin.planner.draft(twin.now)
    made.solve()
    made.network = twin.planner._network
    return made


def target(draft, *plan_a, now=None, ahead_s=5_400.0, urgent=False, current_a=None):
    slots = draft.problem.slots
    plan = None if not plan_a else np.array([[*plan_a, *[plan_a[-1]] * (slots - len(plan_a))]])
    current = np.array([plan_a[0] if current_a is None else current_a])
    draft.allocation = Allocation(current_a=current, binding=np.array([-2]), plan_a=plan)
    at = draft.situation.start if now is None else now
    (found,) = targets_of(draft.network, draft, at, ahead_s=ahead_s, urgent=urgent)
    return found


def currents(found):
    return [step.current_a for step in found.steps]


def test_without_a_plan_it_is_what_counts_now(draft):
    found = target(draft, current_a=16.0)
    assert found.steps == (Step(draft.situation.start, 16.0),)
    assert (found.transaction_id, found.phases, found.mode, found.urgent) == ("100", 3, None, False)


def test_steps_follow_at_quarters_and_only_where_something_changes(draft):
    found = target(draft, 16.0, 16.0, 10.0, 10.0, 20.0)
    assert currents(found) == [16.0, 10.0, 20.0]
    assert all(step.at.minute % 15 == 0 for step in found.steps[1:])


def test_steps_are_rounded_down_and_what_is_too_little_is_a_pause(draft):
    assert currents(target(draft, 16.0, 10.19, 5.9, 0.0)) == [16.0, 10.1, 0.0]


def test_steps_reach_as_far_as_leases_and_no_further(draft):
    assert currents(target(draft, 16.0, 10.0, 20.0, ahead_s=600.0)) == [16.0, 10.0]
    many = [float(6 + number) for number in range(STEPS_MAX + 8)]
    assert len(target(draft, *many, ahead_s=1e6).steps) == STEPS_MAX + 1


def test_a_plan_that_is_a_moment_old_counts_from_now(draft):
    later = draft.situation.start + timedelta(seconds=draft.problem.slot_s[0] + 60)
    found = target(draft, 16.0, 10.0, 20.0, now=later)
    assert [step.at for step in found.steps] == sorted({step.at for step in found.steps})
    assert found.steps[0].at == later


def test_giving_back_has_its_mode(draft):
    found = target(draft, -5.0)
    assert found.mode is OperationMode.CENTRAL_SETPOINT


def test_conductors_are_told_only_where_the_meter_showed_them(draft, monkeypatch):
    assert target(draft, current_a=16.0).conductors == ()
    known = tuple(replace(view, phases_known=True, phases=(2,)) for view in draft.views)
    monkeypatch.setattr(draft, "views", known)
    assert target(draft, current_a=16.0, urgent=True).conductors == (2,)
