"""The row of the emergency cap: what stations were told counts by what it allows now; sites hold all of them."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import pytest

from loadtests.bench import caps
from loadtests.bench.crew import Crew
from loadtests.bench.driving import Failed


class Door:
    def close(self):
        pass


class Narke:
    """Answers every request with 200, or as told."""

    def __init__(self, status=HTTPStatus.OK):
        self.status = status
        self.asked = []

    def door(self):
        return Door()

    def ask(self, _door, method, path, body):
        self.asked.append((method, path, body))
        return self.status, b"no"


class Station:
    def __init__(self, identity):
        self.identity = identity


def profile(*limits, purpose="TxProfile", begun_s=300):
    begin = (datetime.now(UTC) - timedelta(seconds=begun_s)).isoformat()
    periods = [{"startPeriod": 400 * number, "limit": limit} for number, limit in enumerate(limits)]
    schedule = {"startSchedule": begin, "chargingSchedulePeriod": periods}
    return {"csChargingProfiles": {"chargingProfilePurpose": purpose, "chargingSchedule": schedule}}


@pytest.fixture
def crew():
    return Crew("ws://127.0.0.1:1/ocpp", "X-", "run", "T", 1)


def test_every_station_is_in_one_site_and_can_have_all_that_it_takes():
    narke = Narke()
    caps._save_sites(narke, 120)
    sites = [body for _, _, body in narke.asked]
    outlets = [node["outlet"]["station"] for site in sites for node in site["nodes"] if "outlet" in node]
    assert outlets == [f"CAP-{number:06d}" for number in range(120)]
    assert [site["nodes"][0]["limit_a"][0] for site in sites] == [1600.0, 1600.0, 640.0]


def test_every_site_is_told_an_emergency():
    narke = Narke()
    caps._save_caps(narke, 3)
    assert [path for _, path, _ in narke.asked] == [f"/api/v1/sites/bench-{n}/caps/operator" for n in range(3)]
    assert all(body["emergency"] for _, _, body in narke.asked)


@pytest.mark.parametrize("save", [caps._save_sites, caps._save_caps])
def test_a_refusal_fails_the_row(save):
    with pytest.raises(Failed, match="HTTP 400"):
        save(Narke(HTTPStatus.BAD_REQUEST), 50)


def test_the_last_profile_of_a_transaction_counts_by_what_it_allows_now(crew):
    crew.limited(Station("A"), profile(32.0, 6.0))
    crew.limited(Station("B"), profile(32.0, 6.0, begun_s=500))
    crew.limited(Station("C"), profile(6.0, purpose="TxDefaultProfile"))
    assert crew.limits(0.0, 12.0, above=True)["stations"] == 1
    low = crew.limits(0.0, 12.0, above=False)
    assert (low["stations"], low["profiles"]) == (1, 3)
    crew.limited(Station("A"), profile(8.0))
    told = crew.limits(0.0, 12.0, above=False)
    assert told["stations"] == 2
    assert told["half_at"] <= told["last_at"]


def test_what_was_told_before_does_not_count(crew):
    crew.limited(Station("A"), profile(8.0))
    assert crew.limits(1e12, 12.0, above=False) == {"stations": 0, "profiles": 1, "half_at": None, "last_at": None}


def test_waiting_gives_up_and_says_how_far_it_came(monkeypatch):
    monkeypatch.setattr(caps, "LOOK_S", 0.001)

    class Generator:
        def limits(self, _since, _limit_a, *, above):
            return {"stations": 3, "profiles": 4, "above": above}

    with pytest.raises(Failed, match="only 3 of 5 stations"):
        caps._wait(Generator(), 5, 0.0, 12.0, 0.01, above=False)
    assert caps._wait(Generator(), 3, 0.0, 12.0, 0.01, above=True)["stations"] == 3
