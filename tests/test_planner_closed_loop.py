"""The planner of a whole Narke against virtual stations in trouble: it is killed, and no limit is broken."""

import pytest

from deploy.cli.audit import programs
from loadtests.sites.closed_loop import run_closed_loop
from loadtests.sites.loop_options import LoopOptions

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


def test_no_limit_is_broken_while_stations_misbehave_and_the_planner_dies():
    """1.6, 2.0.1 and 2.1; late, lost and rejected messages, lost connections, an emergency cap, kill -9 of the planner.

    The meters at every node and phase look each second.
    """
    phases = []
    report = run_closed_loop(
        LoopOptions(stations=9, minutes=1.25, seed=5), programs(), lambda progress: phases.append(progress.phase)
    )
    assert [str(each) for each in report.violations] == []
    assert report.problems == ()
    assert report.is_good
    assert report.looks >= 60
    assert report.transactions >= 5
    assert report.energy_kwh > 0.3
    assert report.seen.uncontrolled_s == 0
    killed = [event for event in report.events if event.what.startswith("kill -9 of planner")]
    assert len(killed) == 1
    assert killed[0].back_s is not None
    assert any("is capped" in event.what for event in report.events)
    assert report.commands["SetChargingProfile"] >= 9
    assert "cars charge" in phases
