"""Options and report of a closed loop; the loop itself is run by tests/test_planner_closed_loop.py."""

import json

import pytest

from loadtests.sites.loop_options import LoopError, LoopOptions
from loadtests.sites.loop_report import Event, LoopReport
from loadtests.sites.site_crowd import Counted
from loadtests.sites.site_meter import Excess

EXCESS = Excess("loop-1", "loop-1-grid L1", "A", 1000.0, 7.0, 66.0, 60.0, 40.0)


def report(**changes):
    given = {
        "command": LoopOptions().command,
        "stations": 24,
        "sites": 3,
        "seconds": 300.0,
        "rows": 40,
        "looks": 300,
        "violations": (),
        "counted": 0,
        "shorter": (),
        "counted_shorter": 0,
        "highest": {"loop-1 loop-1-grid L1": 0.97},
        "energy_kwh": 12.5,
        "transactions": 30,
        "seen": Counted(charging_s=7_200.0, changes=5),
        "commands": {"SetChargingProfile": 120},
        "events": (Event(75.0, "kill -9 of planner-0", 4.2),),
    }
    return LoopReport(**(given | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stations": 0}, "--stations"),
        ({"stations": 3_000}, "--stations"),
        ({"minutes": 0.5}, "--minutes"),
        ({"minutes": float("nan")}, "--minutes"),
        ({"versions": ("1.6", "3.0")}, "3.0"),
        ({"versions": ()}, "OCPP version"),
        ({"notice_s": -1.0}, "notice"),
    ],
)
def test_what_cannot_be_run_is_refused_by_name(changes, words):
    with pytest.raises(LoopError, match=words):
        LoopOptions(**changes)


def test_no_violation_and_no_problem_is_good():
    good = report()
    assert good.is_good
    assert good.changes_per_hour == 2.5
    text = good.as_text()
    assert "0 violations" in text
    assert "kill -9 of planner-0, over after 4.2 s" in text
    assert "--seed 1" in text


def test_a_violation_is_told_first_and_is_not_good():
    bad = report(violations=(EXCESS,), counted=1)
    assert not bad.is_good
    assert "1 VIOLATIONS\n  loop-1 loop-1-grid L1: 66.00 A at a limit of 60.00 A, for 7 s" in bad.as_text()


def test_a_problem_is_not_good_either():
    bad = report(problems=("the planner was not back within 60 s",))
    assert not bad.is_good
    assert "PROBLEM: the planner" in bad.as_text()


def test_what_was_shorter_is_told_and_is_good():
    fine = report(shorter=(EXCESS,), counted_shorter=3)
    assert fine.is_good
    assert "3 excesses" in fine.as_text()


def test_programs_get_json():
    told = json.loads(json.dumps(report(violations=(EXCESS,), counted=1).as_dict()))
    assert (told["good"], told["violations"], told["violations_kept"][0]["row"]) == (False, 1, "loop-1-grid L1")
    assert told["highest_share_of_limit"] == 0.97


def test_without_cars_there_are_no_changes():
    assert report(seen=Counted()).changes_per_hour == 0
