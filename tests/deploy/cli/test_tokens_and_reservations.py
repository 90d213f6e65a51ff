"""Tokens with limits, local lists and reservations on the command line."""

import json

from msgspec.structs import replace

from engine.model.commands import Outcome, Result
from engine.model.local_list import ListVersion, SendLocalList
from engine.model.reservation import CancelReservation, ReserveNow
from ingress.http.app import create_app
from tests.ingress.http.house import NOW


def ok(result):
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_token_is_added_with_all_its_limits(narke):
    ok(
        narke.run(
            *("tokens", "add", "T", "--at", "SITE-*:2", "--at", "CP-1", "--hours", "Mo-Fr 08:00-18:00"),
            *("--time-zone", "Europe/Berlin", "--credit", "12.5", "--concurrent", "1", "--in-local-list"),
            *("--priority", "-3", "--language", "de", "--message", "Hallo"),
        )
    )
    token = json.loads(ok(narke.run("tokens", "show", "t", "--json")))
    assert (token["places"], token["hours"], token["time_zone"]) == (
        ["SITE-*:2", "CP-1"],
        ["Mo-Fr 08:00-18:00"],
        "Europe/Berlin",
    )
    assert (token["credit"], token["concurrent_max"], token["in_local_list"], token["priority"]) == (12.5, 1, True, -3)
    assert (token["language"], token["message"]) == ("de", "Hallo")
    shown = ok(narke.run("tokens", "show", "t"))
    assert "Mo-Fr 08:00-18:00 (Europe/Berlin)" in shown
    assert "SITE-*:2, CP-1" in shown


def test_a_limit_that_is_none_is_refused_with_what_to_write(narke):
    for option, value, hint in (
        ("--hours", "8-18", "Mo-Fr 08:00-18:00"),
        ("--at", "CP-1:x", "STATION:EVSE"),
        ("--time-zone", "Nowhere", "IANA"),
    ):
        refused = narke.run("tokens", "add", "T", option, value)
        assert refused.exit_code == 5
        assert hint in refused.output.replace("\n", " ")


def test_a_file_of_tokens_may_have_columns_for_their_limits(narke, tmp_path):
    file = tmp_path / "tokens.csv"
    file.write_text("token,places,hours,credit,in_local_list,priority\nA,CP-1; CP-2:1,08:00-09:00,3.5,yes,2\nB,,,,,\n")
    ok(narke.run("tokens", "import", str(file)))
    token = json.loads(ok(narke.run("tokens", "show", "A", "--json")))
    assert (token["places"], token["hours"], token["credit"]) == (["CP-1", "CP-2:1"], ["08:00-09:00"], 3.5)
    assert (token["in_local_list"], token["priority"]) == (True, 2)
    assert json.loads(ok(narke.run("tokens", "show", "B", "--json")))["in_local_list"] is None


def test_a_file_with_a_number_that_is_none_says_where(narke, tmp_path):
    file = tmp_path / "tokens.csv"
    file.write_text("token,credit\nA,much\n")
    refused = narke.run("tokens", "import", str(file))
    assert refused.exit_code != 0
    assert "line 2" in refused.output


# Reservations


def test_a_place_is_reserved_for_a_time_and_its_reservation_shown(narke, door):
    narke.house.add_station("CP-1")
    rows = narke.house.projection.tables.blocks["reservations"] = {}
    values = {"changed_at": NOW, "status": "Active", "expires_at": NOW}

    class Gateway:
        requests = narke.house.gateway.requests

        async def command(self, request):
            self.requests.append(request)
            rows[("CP-1", 7)] = {**values, "command_id": request.command_id}
            return Outcome(Result.ACCEPTED, "Accepted")

    house = narke.house
    house.services = replace(house.services, gateway=Gateway())
    door.app = create_app(house.services)
    arguments = ("--token", "T", "--evse", "2", "--for", "45", "--group", "G")
    assert "CP-1: reservation 7 until" in ok(narke.run("reserve", "CP-1", *arguments))
    word = house.gateway.requests[-1].command
    assert isinstance(word, ReserveNow)
    assert (word.token.value, word.evse.evse, word.group, word.request_id) == ("T", 2, "G", None)
    assert "Active" in ok(narke.run("reservations", "--station", "CP-1"))


def test_a_refused_reservation_is_exit_status_5_with_the_reason(narke):
    narke.house.add_station("CP-1")
    narke.house.gateway.outcome = Outcome(Result.REFUSED, "Occupied")
    refused = narke.run("reserve", "CP-1", "--token", "T", "--evse", "1")
    assert refused.exit_code == 5
    assert "Occupied" in refused.output


def test_a_reservation_is_given_up_by_its_id(narke):
    narke.house.add_station("CP-1")
    ok(narke.run("unreserve", "CP-1", "7"))
    assert narke.house.gateway.requests[-1].command == CancelReservation(7)


def test_a_connector_alone_is_no_place(narke):
    refused = narke.run("reserve", "CP-1", "--token", "T", "--connector", "1")
    assert refused.exit_code == 2
    assert "--evse" in refused.output


# Local lists


def test_a_list_is_synced_and_checked_and_shown(narke):
    narke.house.add_station("CP-1")
    ok(narke.run("local-list", "sync", "CP-1"))
    word = narke.house.gateway.requests[-1].command
    assert isinstance(word, SendLocalList)
    assert (word.full, word.version) == (True, 1)
    narke.house.gateway.outcome = Outcome(Result.ACCEPTED, found=ListVersion(-1))
    assert "has no local lists" in ok(narke.run("local-list", "check", "CP-1"))
    assert "no station has a local list" in narke.run("local-list", "list").output
    assert "nothing is in the local list" in narke.run("local-list", "show", "CP-1").output


def test_all_stations_are_synced_and_the_failure_of_one_is_told_and_does_not_stop_the_others(narke):
    for name in ("CP-1", "CP-2"):
        narke.house.add_station(name)
    narke.house.add_station("CP-3", version=None)
    result = narke.run("local-list", "sync", "--all")
    assert result.exit_code == 5
    assert "CP-1: sent whole" in result.output
    assert "CP-2: sent whole" in result.output
    assert "CP-3: " in result.output


def test_a_station_or_all_must_be_named(narke):
    assert narke.run("local-list", "sync").exit_code == 2
    assert narke.run("local-list", "sync", "CP-1", "--all").exit_code == 2
