"""Drivers' requests: which count, for how long, and what is refused."""

from math import inf, nan

import pytest

from engine.model.authorization import Token
from engine.model.sites import DriverRequest
from smartcharging.cars import check_request, requests
from smartcharging.cars.requests import Requests
from tests.smartcharging.cars.meter import at

PLACE = {"station": "CP-1", "evse": 1}


@pytest.mark.parametrize(
    ("request_", "about"),
    [
        (DriverRequest(**PLACE, energy_kwh=-1.0), "energy_kwh"),
        (DriverRequest(**PLACE, energy_kwh=0.0), "energy_kwh"),
        (DriverRequest(**PLACE, energy_kwh=nan), "energy_kwh"),
        (DriverRequest(**PLACE, energy_kwh=inf), "energy_kwh"),
        (DriverRequest(**PLACE, energy_kwh=20_000.0), "energy_kwh"),
        (DriverRequest(**PLACE, soc_percent=120.0), "soc_percent"),
        (DriverRequest(**PLACE, soc_percent=nan), "soc_percent"),
        (DriverRequest(**PLACE, departs_at=at(-1)), "departs_at"),
        (DriverRequest(**PLACE, departs_at=at(0)), "departs_at"),
        (DriverRequest(**PLACE, departs_at=at(90 * 86400)), "departs_at"),
        (DriverRequest(**PLACE, departs_at=at(60).replace(tzinfo=None)), "departs_at"),
        (DriverRequest(**PLACE, priority=10**6), "priority"),
        (DriverRequest(station="CP-1"), "say whom it is for"),
        (DriverRequest(station="CP-1", evse=0), "evse"),
        (DriverRequest(energy_kwh=1.0), "say whom it is for"),
    ],
)
def test_nonsense_is_named(request_, about):
    assert [complaint.split(":")[0] for complaint in check_request(request_, at(0))] == [about]


def test_a_sound_request_is_taken():
    sound = DriverRequest(**PLACE, energy_kwh=10.0, departs_at=at(60), priority=-3, soc_percent=80.0)
    assert check_request(sound, at(0)) == ()
    assert check_request(DriverRequest(token="tag"), at(0)) == ()


def kept(*asked):
    found = Requests()
    for request, seconds in asked:
        found.ask(request, at(seconds))
    return found


def priority(found, arrived_s=0, token="tag"):
    asked = found.of("CP-1", 1, None if token is None else Token(token), at(arrived_s))
    return None if asked is None else asked.request.priority


def test_the_newest_of_place_and_token_counts():
    found = kept((DriverRequest(**PLACE, priority=1), 0), (DriverRequest(token="TAG", priority=2), 5))
    assert priority(found) == 2
    assert priority(found, token=None) == 1


def test_a_newer_request_replaces_an_older_one_in_whatever_order_they_come():
    assert priority(kept((DriverRequest(**PLACE, priority=1), 9), (DriverRequest(**PLACE, priority=2), 5))) == 1


def test_a_request_for_a_place_does_not_wait_for_ever():
    found = kept((DriverRequest(**PLACE, priority=1), 0))
    assert priority(found, arrived_s=1700) == 1
    assert priority(found, arrived_s=1900) is None


def test_a_request_for_a_token_waits_for_half_a_day():
    found = kept((DriverRequest(token="tag", priority=1), 0))
    assert priority(found, arrived_s=11 * 3600) == 1
    assert priority(found, arrived_s=13 * 3600) is None


def test_it_ends_with_its_transaction_but_not_one_for_the_next():
    found = kept((DriverRequest(**PLACE, priority=1), 0), (DriverRequest(token="tag", priority=2), 100))
    found.end("CP-1", 1, Token("tag"), at(50))
    assert priority(found) == 2
    found.end("CP-1", 1, Token("tag"), at(150))
    assert priority(found) is None


def test_there_is_an_end_to_how_many_are_kept(monkeypatch):
    monkeypatch.setattr(requests, "REQUESTS_MAX", 3)
    found = kept(*((DriverRequest(token=f"tag{number}", priority=number), 0) for number in range(5)))
    assert [priority(found, token=f"tag{number}") for number in range(5)] == [None, None, 2, 3, 4]
