"""`narke plan` and `narke explain` against a running HTTP door."""

import asyncio
import json
from datetime import timedelta

import pytest

from engine.model.caps import CapSource, CapStep
from engine.model.plans import AlertKind, PlanStep, SiteAlertCleared, SiteAlertRaised, Why
from ingress.http.app import create_app
from ingress.http.keys import ApiKeys
from tests.ingress.http.house import NOW
from tests.ingress.http.planned_house import PlannedHouse, decided, planned


@pytest.fixture
def narke(narke, door, tmp_path):
    house = PlannedHouse(keys=ApiKeys(tmp_path))
    asyncio.run(house.fill())
    narke.house = house
    door.app = create_app(house.services)
    return narke


def flat(text):
    return " ".join(text.split())


def test_a_plan_is_shown_with_its_limits_cars_and_reasons(narke):
    done = narke.run("plan", "show", "garage")
    assert done.exit_code == 0, done.output
    said = flat(done.stdout)
    assert "Garage North (garage), 14:00 Europe/Berlin" in said
    assert "18.0 of 30.0 kW for 2 cars, 0 of them paused, 4.0 kW not controlled" in said
    assert "22.6 of 30.0 kW" in said
    assert "27.0 of 40.0 A (L1)" in said
    assert "11.0 A" in said
    assert "board L1, 39.9 of 40.0 A" in said
    assert "12.0 kWh (had 5.0)" in said
    assert "18:00" in said


def test_the_next_steps_are_shown_where_they_change_something(narke):
    steps = (PlanStep(NOW, 11.0), PlanStep(NOW + timedelta(hours=1), 11.0), PlanStep(NOW + timedelta(hours=2), 16.0))
    narke.house.tell(decided(1, 11.0, plan=steps, ago_s=-1))
    assert "16.0 A at 16:00" in flat(narke.run("plan", "show", "garage").stdout)


def test_caps_and_alerts_are_shown(narke):
    cap = CapSource(
        site="garage", source="grid:dso", steps=(CapStep(NOW, 15.0),), valid_until=NOW + timedelta(hours=30)
    )
    asyncio.run(narke.house.sites.save_cap(cap, "tests", NOW))
    raised = SiteAlertRaised(
        site="garage",
        kind=AlertKind.UNREACHABLE,
        node="board",
        at=NOW,
        detail="CP-1 does not answer",
        over=2.0,
        unit="A",
    )
    narke.house.tell(raised)
    said = flat(narke.run("plan", "show", "garage").stdout)
    assert "capped to 15.0 kW" in said
    assert "grid:dso for the site: 15.0 kW, live until Sat 02 May 20:00" in said
    assert "unreachable at board (2.0 A over), since 14:00: CP-1 does not answer" in said


def test_a_plan_for_programs(narke):
    told = json.loads(narke.run("plan", "show", "garage", "--json").stdout)
    assert [car["current_a"] for car in told["cars"]] == [11.0, 16.0]


def test_all_nodes_are_shown_on_demand(narke):
    assert "  e3 " not in narke.run("plan", "show", "garage").stdout
    assert "e3" in narke.run("plan", "show", "garage", "--all").stdout


def test_a_site_without_cars_and_plans_is_shown_too(narke):
    narke.house.projection.tables.blocks.clear()
    said = narke.run("plan", "show", "garage").stdout
    assert "never planned yet" in said
    assert "nobody charges" in said


def test_what_was_not_sent_is_marked(narke):
    narke.house.tell(decided(1, 11.0, sent=False, ago_s=-1), planned())
    said = narke.run("plan", "show", "garage").stdout
    assert "11.0 A *" in said
    assert "* not told to the station yet" in said


def test_an_unknown_site_is_told_with_a_way_out(narke):
    done = narke.run("plan", "show", "nowhere")
    assert done.exit_code == 3
    assert "'nowhere'" in done.stderr


@pytest.mark.parametrize(("name", "begins"), [("day.png", b"\x89PNG"), ("day.SVG", b"<?xml")])
def test_a_plot_is_written(narke, tmp_path, name, begins):
    file = tmp_path / name
    done = narke.run("plan", "plot", "garage", "--kind", "phases", "--out", str(file))
    assert done.exit_code == 0, done.output
    assert file.read_bytes().startswith(begins)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--kind", "pie"), "no plot 'pie'"),
        (("--out", "day.gif"), "neither .png nor .svg"),
        (("--day", "yesterday"), "'yesterday' is no day"),
        (("--out", "/nowhere/day.png"), "cannot be written"),
    ],
)
def test_what_cannot_be_drawn_is_refused(narke, arguments, words):
    done = narke.run("plan", "plot", "garage", *arguments)
    assert done.exit_code == 2
    assert words in flat(done.stderr)


def test_alerts_are_listed_while_they_last_or_all(narke):
    kinds = (AlertKind.UNREACHABLE, AlertKind.BAD_INPUT)
    narke.house.tell(*(SiteAlertRaised(site="garage", kind=kind, node="board", at=NOW, detail="x") for kind in kinds))
    narke.house.tell(SiteAlertCleared(site="garage", kind=AlertKind.BAD_INPUT, node="board", at=NOW))
    said = narke.run("plan", "alerts").stdout
    assert "unreachable" in said
    assert "bad_input" not in said
    assert "bad_input" in narke.run("plan", "alerts", "--all", "--site", "garage").stdout
    assert "nothing needs a person" in narke.run("plan", "alerts", "--site", "other").stderr


def test_a_station_is_explained_in_sentences(narke):
    done = narke.run("explain", "CP-1")
    assert done.exit_code == 0, done.output
    said = flat(done.stdout)
    assert "CP-1 EVSE 1 may draw 11.0 A on 3 phases (7.6 kW)." in said
    assert "The limit that binds is board L1: cars use 39.9 of the 40.0 A that it has for them." in said
    assert "It shares that with e2 with 16.0 A." in said
    assert "It is planned for 12.0 kWh more by 18:00, 5.0 kWh were delivered." in said
    assert (
        "On its way to the grid: the outlet gives 32 A at most; board 27.0 of 40.0 A (L1); grid 22.6 of 30.0 kW."
        in said
    )


@pytest.mark.parametrize("why", Why)
def test_every_reason_has_words(narke, why):
    narke.house.tell(decided(1, 11.0, why=why, binding=None, competitors=(), ago_s=-1))
    explained = flat(narke.run("explain", "CP-1").stdout)
    assert "CP-1 EVSE 1 may draw 11.0 A" in explained
    assert why is Why.ROW or "narke (horizon); before, it was" in explained or "(horizon). " in explained
    assert narke.run("plan", "show", "garage").exit_code == 0


def test_an_evse_where_nobody_charges_is_explained(narke):
    said = flat(narke.run("explain", "CP-2").stdout)
    assert "CP-2 EVSE 2: nobody charges there" in said


def test_a_need_that_nobody_knows_is_said_to_be_unknown(narke):
    narke.house.tell(decided(1, 11.0, energy_kwh=None, departs_at=None, need=None, ago_s=-1))
    assert "Nothing is known of what it needs." in flat(narke.run("explain", "CP-1").stdout)


def test_an_explanation_for_programs_and_of_a_stranger(narke):
    assert json.loads(narke.run("explain", "CP-1", "--json").stdout)["site"] == "garage"
    done = narke.run("explain", "CP-9")
    assert done.exit_code == 3
    assert "CP-9" in done.stderr
