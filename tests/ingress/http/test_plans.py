"""Plans over REST: what was decided is told with its tree, its reasons, its day."""

from datetime import timedelta

import pytest

from deploy.plots.drawing import PlotKind
from engine.model.caps import CapSource, CapStep
from engine.model.plans import (
    AlertKind,
    SiteAlertCleared,
    SiteAlertRaised,
)
from engine.model.sites import SeriesKind, SiteSeries
from ingress.http.keys import Scope
from tests.ingress.http.house import NOW
from tests.ingress.http.planned_house import PlannedHouse, charge, decided


@pytest.fixture
async def house():
    return await PlannedHouse().fill()


async def test_a_plan_shows_the_tree_with_what_its_cars_may_draw(client):
    told = client.get("/api/v1/sites/garage/plan").json()
    assert (told["site"], told["name"], told["time_zone"]) == ("garage", "Garage North", "Europe/Berlin")
    assert [(node["node"], node["depth"]) for node in told["nodes"]] == [
        ("grid", 0), ("board", 1), ("e1", 2), ("e2", 2), ("e3", 1)
    ]  # fmt: skip
    grid, board, first = told["nodes"][:3]
    assert (grid["kw"], grid["limit_kw"], grid["limit_a"], grid["others_kw"]) == (18.63, 30.0, [63.0] * 3, 4.0)
    assert (board["a"], board["limit_a"], board["limit_kw"], board["others_kw"]) == ([27.0] * 3, [40.0] * 3, None, None)
    assert (first["a"], first["limit_a"]) == ([11.0] * 3, None)
    assert (told["planned"]["layer"], told["planned"]["solve_ms"]) == ("horizon", 3.2)


async def test_each_car_has_its_latest_decision_and_its_transaction(client):
    first, second = client.get("/api/v1/sites/garage/plan").json()["cars"]
    assert (first["current_a"], second["current_a"]) == (11.0, 16.0)
    assert (first["why"], first["binding"], first["binding_limit"], first["unit"]) == ("row", "board L1", 40.0, "A")
    assert (first["token"], first["energy_wh"], first["charging_state"]) == ("TAG-1", 5_000.0, "Charging")
    assert first["competitors"] == [{"node": "e2", "current_a": 16.0}]
    assert first["plan"][0]["current_a"] == 11.0


async def test_cars_that_left_and_decisions_that_are_long_over_are_not_shown(client, house):
    house.reads.charges = [charge(1, transaction="tx-of-another")]
    assert client.get("/api/v1/sites/garage/plan").json()["cars"] == []
    house.reads.charges = [charge(1)]
    house.projection.tables.blocks["limit_decisions"].clear()
    house.tell(decided(1, 10.0, ago_s=3_600))
    assert client.get("/api/v1/sites/garage/plan").json()["cars"] == []


async def test_caps_and_alerts_are_shown_as_they_stand(client, house):
    cap = CapSource(
        site="garage", source="grid:dso", steps=(CapStep(NOW - timedelta(hours=1), 15.0),), heartbeat_s=60.0
    )
    await house.sites.save_cap(cap, "tests", NOW)
    board = CapSource(site="garage", source="operator", node="board", steps=(CapStep(NOW + timedelta(hours=1), 5.0),))
    await house.sites.save_cap(board, "tests", NOW)
    raised = [
        SiteAlertRaised(site="garage", kind=kind, node="board", at=NOW, detail="too much", over=2.0, unit="A")
        for kind in (AlertKind.UNREACHABLE, AlertKind.BAD_INPUT)
    ]
    house.tell(*raised, SiteAlertCleared(site="garage", kind=AlertKind.BAD_INPUT, node="board", at=NOW))
    told = client.get("/api/v1/sites/garage/plan").json()
    assert [(each["source"], each["status"], each["kw"]) for each in told["caps"]] == [
        ("grid:dso", "live", 15.0), ("operator", "waiting", None)
    ]  # fmt: skip
    grid, at_board = told["nodes"][:2]
    assert (grid["cap_kw"], grid["limit_kw"], at_board["cap_kw"]) == (15.0, 15.0, None)
    assert [(each["kind"], each["over"]) for each in told["alerts"]] == [("unreachable", 2.0)]


async def test_a_site_that_was_never_planned_is_shown_too(client, house):
    house.projection.tables.blocks.clear()
    told = client.get("/api/v1/sites/garage/plan").json()
    assert (told["planned"], told["cars"], told["nodes"][0]["kw"]) == (None, [], 0.0)


async def test_an_explanation_has_every_evse_of_the_station_with_its_path(client):
    told = client.get("/api/v1/stations/CP-2/explain").json()
    assert (told["site"], [each["evse"] for each in told["evses"]]) == ("garage", [1, 2])
    first, second = told["evses"]
    assert [node["node"] for node in first["path"]] == ["e2", "board", "grid"]
    assert (first["car"]["current_a"], first["current_a_max"], second["car"]) == (16.0, 32.0, None)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("sites/nowhere/plan", "unknown-site"),
        ("sites/nowhere/day", "unknown-site"),
        ("sites/nowhere/plot.png", "unknown-site"),
        ("stations/CP-9/explain", "unknown-plan"),
    ],
)
async def test_what_nobody_knows_is_not_found(client, path, kind):
    answer = client.get(f"/api/v1/{path}")
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (404, kind)


async def test_a_day_is_measured_until_now_and_planned_after(client, house):
    told = client.get("/api/v1/sites/garage/day").json()
    stations, since, until, step_s = house.reads.asked[0]
    assert (stations, until, step_s) == (("CP-1", "CP-2"), NOW, 300)
    assert since == NOW - timedelta(hours=14)  # midnight in Berlin
    assert (told["slots"], told["now_slot"]) == (288, 168)
    curves = {car["node"]: car["kw"] for car in told["cars"]}
    assert (curves["e1"][12], curves["e1"][168], curves["e2"][168]) == (7.0, 7.59, 11.04)
    assert told["limit_kw"][0] == 30.0
    assert told["phase_node"] == "grid"


async def test_a_past_day_has_no_plan(client):
    told = client.get("/api/v1/sites/garage/day", params={"day": "2026-04-30"}).json()
    assert (told["now_slot"], [car["node"] for car in told["cars"]]) == (None, ["e1"])


async def test_prices_of_the_series_are_in_the_day(client, house):
    start = NOW - timedelta(hours=14)
    series = SiteSeries(site="garage", kind=SeriesKind.PRICE, start_at=start, step_s=3_600, values=(0.1, 0.3))
    await house.sites.save_series(series, "tests", NOW)
    told = client.get("/api/v1/sites/garage/day").json()
    assert (told["price"][0], told["price"][12], told["co2"]) == (0.1, 0.3, [])


async def test_unknown_values_are_null(client):
    told = client.get("/api/v1/sites/garage/day", params={"node": "e1"}).json()
    assert told["phases"][0]["limit_a"][0] is None


async def test_lines_of_an_unknown_node_are_refused(client):
    answer = client.get("/api/v1/sites/garage/day", params={"node": "nowhere"})
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "query.node")


@pytest.mark.parametrize(("form", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
@pytest.mark.parametrize("kind", PlotKind)
async def test_a_day_is_drawn(client, form, begins, kind):
    answer = client.get(f"/api/v1/sites/garage/plot.{form}", params={"kind": kind})
    assert (answer.status_code, answer.content[:4]) == (200, begins[:4])
    assert answer.headers["content-type"] == {"png": "image/png", "svg": "image/svg+xml"}[form]


@pytest.mark.parametrize(
    ("path", "query"),
    [("plot.gif", {}), ("plot.png", {"kind": "pie"}), ("plot.png", {"day": "yesterday"}), ("day", {"colour": "red"})],
)
async def test_what_cannot_be_drawn_is_refused(client, path, query):
    assert client.get(f"/api/v1/sites/garage/{path}", params=query).status_code == 422


async def test_plots_need_a_key(house, client_of):
    assert client_of(house, None).get("/api/v1/sites/garage/plot.png").status_code == 401
    assert client_of(house, Scope.READ).get("/api/v1/sites/garage/plan").status_code == 200
