"""Campaigns over HTTP."""

import asyncio

from engine.model.campaigns import CampaignChanged, CampaignState
from engine.model.commands import CommandCancel, Outcome, Result
from engine.model.remote_control import TriggerMessage
from storage.projection.changes import RequestedCommand, SettledCommand
from tests.ingress.http.house import NOW

HEARTBEAT = {"command": "trigger_message", "message": "Heartbeat"}
ID = "00000000-0000-0000-0000-000000000001"


REQUESTED = RequestedCommand("CP-1", "TriggerMessage", NOW, None, "{}", "campaign c1", NOW)
SETTLED = SettledCommand("CP-1", NOW, "accepted", "Accepted", None, None, None)


def test_starts_are_numbered_by_their_stations(client, house):
    start = {"command": "request_start", "token": "T"}
    client.post("/api/v1/campaigns", json={"command": start, "stations": ["A"]})
    assert kept(house).command.remote_start_id is None


def kept(house, campaign_id=ID):
    return asyncio.run(house.book.campaign(campaign_id))


def test_a_campaign_to_named_stations_is_kept(client, house):
    command = {**HEARTBEAT, "deadline_s": 90, "when_offline": "wait"}
    body = {"command": command, "stations": ["B", "A", "B"], "note": "n"}
    response = client.post("/api/v1/campaigns", json=body)
    assert (response.status_code, response.json()) == (201, {"campaign_id": ID, "stations": 2})
    campaign = kept(house)
    assert campaign.stations == ("B", "A")
    assert campaign.command == TriggerMessage("Heartbeat")
    assert (campaign.rate_per_s, campaign.deadline_s, campaign.priority, campaign.waits) == (20.0, 90, -10, True)
    assert (campaign.by, campaign.note, campaign.created_at) == ("admin key", "n", NOW)


def test_a_campaign_to_stations_that_are_found(client, house):
    for number in range(1500):
        house.add_station(f"CP-{number:04d}", connected=number % 2 == 0)
    response = client.post("/api/v1/campaigns", json={"command": HEARTBEAT, "where": {"connected": True}})
    assert response.json()["stations"] == 750
    assert kept(house).stations[-1] == "CP-1498"


def test_nobody_or_everybody_must_be_meant(client, house):
    for body in (
        {"command": HEARTBEAT},
        {"command": HEARTBEAT, "stations": ["A"], "where": {}},
        {"command": HEARTBEAT, "where": {"vendor": "Nobody"}},
        {"command": HEARTBEAT, "stations": []},
        {"command": {"command": "dance"}, "stations": ["A"]},
        {"command": HEARTBEAT, "stations": ["A"], "rate_per_s": 0},
    ):
        response = client.post("/api/v1/campaigns", json=body)
        assert response.status_code == 422, body
        assert response.json()["errors"][0]["what_to_do"]
    assert kept(house) is None


def test_how_far_it_is(client, house):
    house.add_campaign()
    for name in ("c1.000000", "c1.000001"):
        house.projection.tables.requested[name] = REQUESTED
    house.projection.tables.settled["c1.000001"] = SETTLED
    answer = client.get("/api/v1/campaigns/c1").json()
    assert (answer["campaign"]["state"], answer["campaign"]["stations"]) == ("running", 2)
    assert answer["progress"] == {"recorded": 2, "sent": 0, "settled": {"accepted": 1}}
    assert client.get("/api/v1/campaigns/c2").status_code == 404


def test_a_stop_takes_back_what_waits(client, house):
    house.add_campaign()
    house.projection.tables.requested["c1.000000"] = REQUESTED
    house.gateway.outcome = Outcome(Result.CANCELLED)
    answer = client.put("/api/v1/campaigns/c1/state", json={"state": "stopped"})
    assert (answer.status_code, answer.json()["state"]) == (200, "stopped")
    assert house.gateway.cancelled == [CommandCancel("c1.000000", "CP-1", "admin key")]
    told = [fact for entry in house.store.entries("operator") for fact in entry.entry.facts]
    assert told == [CampaignChanged("c1", CampaignState.STOPPED, NOW, "admin key")]


def test_what_is_over_cannot_be_changed(client, house):
    house.add_campaign(state="done")
    response = client.put("/api/v1/campaigns/c1/state", json={"state": "paused"})
    assert response.status_code == 409
    assert "is done" in response.json()["detail"]
