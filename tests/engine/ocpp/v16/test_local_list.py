"""Local lists in 1.6."""

from datetime import UTC, datetime

import pytest

from engine.model.authorization import Token, TokenStatus, TokenVerdict
from engine.model.commands import Result
from engine.model.local_list import GetLocalListVersion, ListEntry, ListVersion, SendLocalList
from engine.ocpp import catalogue
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

V16 = Version.V16


def entry(value="ABC", **verdict):
    return ListEntry(Token(value), TokenVerdict(TokenStatus.ACCEPTED, **verdict))


def test_TC_043_5_a_difference_adds_changes_and_takes_out():
    until = datetime(2027, 1, 1, tzinfo=UTC)
    command = SendLocalList(4, (ListEntry(Token("OLD")), entry(group="G", expires_at=until)))
    assert catalogue.command_call(V16, command) == (
        "SendLocalList",
        {
            "listVersion": 4,
            "updateType": "Differential",
            "localAuthorizationList": [
                {"idTag": "OLD"},
                {
                    "idTag": "ABC",
                    "idTagInfo": {
                        "status": "Accepted",
                        "expiryDate": "2027-01-01T00:00:00.000Z",
                        "parentIdTag": "G",
                    },
                },
            ],
        },
    )


def test_TC_043_4_an_empty_whole_list_takes_all_out():
    action, payload = catalogue.command_call(V16, SendLocalList(1, full=True))
    assert (action, payload["updateType"], payload["localAuthorizationList"]) == ("SendLocalList", "Full", [])


@pytest.mark.parametrize("entry", [entry("A" * 21), entry(""), entry(evses=(2,))])
def test_what_1_6_cannot_hold_is_not_sent(entry):
    with pytest.raises(NotExpressible):
        catalogue.command_call(V16, SendLocalList(1, (entry,)))


@pytest.mark.parametrize("number", [-1, 0, 17])
def test_TC_042_the_version_is_found_in_the_answer(number):
    assert catalogue.command_call(V16, GetLocalListVersion()) == ("GetLocalListVersion", {})
    outcome = catalogue.outcome_of(V16, "GetLocalListVersion", {"listVersion": number})
    assert (outcome.result, outcome.found) == (Result.ACCEPTED, ListVersion(number))


@pytest.mark.parametrize("word", ["Failed", "NotSupported", "VersionMismatch"])
def test_TC_043_1_and_3_a_no_is_a_no(word):
    outcome = catalogue.outcome_of(V16, "SendLocalList", {"status": word})
    assert (outcome.result, outcome.status) == (Result.REFUSED, word)
