"""The section [planner]: usable as it is, bounded, and light to read."""

import subprocess
import sys

import pytest
from pydantic import ValidationError

from smartcharging.planning.settings import PlannerSettings


def test_it_is_usable_as_it_is():
    settings = PlannerSettings()
    assert settings.enabled
    assert settings.actors == 1
    assert settings.replan_s <= 900, "limits of the next slot are planned for before it begins"


@pytest.mark.parametrize("wrong", [{"actors": 0}, {"replan_s": 0}, {"solve_s": -1}, {"horizont_h": 5}])
def test_what_cannot_work_is_refused(wrong):
    with pytest.raises(ValidationError):
        PlannerSettings(**wrong)


def test_reading_it_needs_no_numpy():
    code = "import sys, smartcharging.planning.settings; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
