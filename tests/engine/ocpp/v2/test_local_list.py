"""Local lists in 2.x."""

import pytest

from engine.model.authorization import Token, TokenStatus, TokenVerdict
from engine.model.commands import Result
from engine.model.local_list import GetLocalListVersion, ListEntry, ListVersion, SendLocalList
from engine.ocpp import catalogue
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])


def entry(value="ABC", kind="ISO14443", **verdict):
    return ListEntry(Token(value, kind), TokenVerdict(TokenStatus.ACCEPTED, **verdict))


@BOTH
def test_D01_FR_16_and_17_a_difference_adds_changes_and_takes_out(version):
    command = SendLocalList(4, (ListEntry(Token("OLD", "Local")), entry(group="G", evses=(2,))))
    assert catalogue.command_call(version, command) == (
        "SendLocalList",
        {
            "versionNumber": 4,
            "updateType": "Differential",
            "localAuthorizationList": [
                {"idToken": {"idToken": "OLD", "type": "Local"}},
                {
                    "idToken": {"idToken": "ABC", "type": "ISO14443"},
                    "idTokenInfo": {
                        "status": "Accepted",
                        "evseId": [2],
                        "groupIdToken": {"idToken": "G", "type": "Central"},
                    },
                },
            ],
        },
    )


@BOTH
def test_D01_FR_04_an_empty_whole_list_has_no_entries(version):
    said = catalogue.command_call(version, SendLocalList(1, full=True))
    assert said == ("SendLocalList", {"versionNumber": 1, "updateType": "Full"})


def test_what_a_version_cannot_hold_is_not_sent():
    with pytest.raises(NotExpressible, match="VIN"):
        catalogue.command_call(Version.V201, SendLocalList(1, (entry(kind="VIN"),)))
    catalogue.command_call(Version.V21, SendLocalList(1, (entry(kind="VIN"),)))


@BOTH
@pytest.mark.parametrize("number", [0, 17])
def test_D02_FR_01_the_version_is_found_in_the_answer(version, number):
    assert catalogue.command_call(version, GetLocalListVersion()) == ("GetLocalListVersion", {})
    outcome = catalogue.outcome_of(version, "GetLocalListVersion", {"versionNumber": number})
    assert (outcome.result, outcome.found) == (Result.ACCEPTED, ListVersion(number))


@BOTH
@pytest.mark.parametrize("word", ["Failed", "VersionMismatch"])
def test_D01_FR_02_a_no_is_a_no(version, word):
    outcome = catalogue.outcome_of(version, "SendLocalList", {"status": word})
    assert (outcome.result, outcome.status) == (Result.REFUSED, word)
