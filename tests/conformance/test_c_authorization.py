"""Block C, authorization: tokens, groups, the answer in every message that carries a token."""

import pytest

from engine.model.authorization import ClearCache, TokenChecked, TokenStatus
from engine.model.commands import Result
from engine.ocpp.versions import Version
from engine.station.policy import Policy
from tests.conformance.charging import Charging
from tests.conformance.conversation import DRIVER, PARENT, V16, Conversation
from tests.conformance.deciding import BEGIN, token

TWO = [Version.V201, Version.V21]
TOKENS = (
    token(DRIVER, group=PARENT),
    token("FRIEND", group=PARENT),
    token("BLOCKED", blocked=True),
    token("EXPIRED", expires_at=BEGIN),
    token("FREE"),
)


def group_of(version, info):
    return info.get("parentIdTag") if version is V16 else info.get("groupIdToken", {}).get("idToken")


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize(
    ("value", "status"), [(DRIVER, "Accepted"), ("BLOCKED", "Blocked"), ("EXPIRED", "Expired"), ("STRANGER", "Invalid")]
)
def test_C01_FR_07_an_authorization_is_answered_with_a_status_that_says_why_not(version, value, status):
    """C06.FR.04 says it of local tokens, C04.FR.01 and 02 of key codes."""
    charging = Charging(Conversation(version, tokens=TOKENS))
    assert charging.authorize(value)["status"] == status


@pytest.mark.parametrize("version", Version)
def test_C01_FR_06_the_group_of_a_token_is_told(version):
    charging = Charging(Conversation(version, tokens=TOKENS))
    assert group_of(version, charging.authorize()) == PARENT
    assert group_of(version, charging.authorize("FREE")) is None


@pytest.mark.parametrize("version", TWO)
def test_C01_FR_19_a_token_that_is_allowed_everywhere_comes_without_a_list_of_evses(version):
    assert "evseId" not in Charging(Conversation(version)).authorize()


@pytest.mark.parametrize("version", TWO)
def test_C02_FR_02_whoever_needs_no_authorization_is_accepted(version):
    """Started with a button: type NoAuthorization and an empty idToken (C02.FR.01)."""
    conversation = Conversation(version, policy=Policy(unknown_tokens=TokenStatus.INVALID))
    nobody = {"idToken": "", "type": "NoAuthorization"}
    charging = Charging(conversation)
    answer = charging.event("Started", "ChargingStateChanged", 10, idToken=nobody)
    assert answer["idTokenInfo"]["status"] == "Accepted"


@pytest.mark.parametrize("version", TWO)
@pytest.mark.parametrize(("value", "status"), [("1234", "Accepted"), ("4321", "Invalid")])
def test_C04_FR_01_a_key_code_is_judged_as_any_token(version, value, status):
    """Valid: C04.FR.02."""
    conversation = Conversation(version, tokens=(token("1234"),))
    answer = conversation.says("Authorize", {"idToken": {"idToken": value, "type": "KeyCode"}})
    assert answer["idTokenInfo"]["status"] == status


@pytest.mark.parametrize("version", Version)
def test_C09_FR_09_both_tokens_of_a_group_are_told_the_same_group(version):
    charging = Charging(Conversation(version, tokens=TOKENS))
    assert group_of(version, charging.authorize()) == group_of(version, charging.authorize("FRIEND")) == PARENT


@pytest.mark.parametrize("version", Version)
def test_C09_FR_12_the_group_is_told_in_the_answers_to_transactions_too(version):
    charging = Charging(Conversation(version, tokens=TOKENS))
    assert group_of(version, charging.start()) == PARENT
    assert group_of(version, charging.stop(value="FRIEND")) == PARENT


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("status", ["Accepted", "Rejected"])
def test_C11_FR_01_the_cache_is_cleared_on_request_and_the_answer_is_known(version, status):
    conversation = Conversation(version)
    assert conversation.told(ClearCache()) == ("ClearCache", {})
    outcome = conversation.replies({"status": status})
    assert (outcome.result, outcome.status) == (
        Result.ACCEPTED if status == "Accepted" else Result.REFUSED,
        status,
    )


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize(("value", "status"), [("BLOCKED", "Blocked"), ("STRANGER", "Invalid"), (DRIVER, "Accepted")])
def test_C12_FR_03_a_token_that_the_station_accepted_from_its_cache_is_judged_anew(version, value, status):
    """And C10: the answer refreshes the cache entry. A start without any Authorize before it."""
    charging = Charging(Conversation(version, tokens=TOKENS))
    assert charging.start(value)["status"] == status
    assert len(charging.opened) == 1, "whatever the verdict, the transaction is on record"


@pytest.mark.parametrize("version", TWO)
def test_C15_FR_02_a_transaction_that_was_authorized_offline_is_judged_when_it_is_told(version):
    charging = Charging(Conversation(version, tokens=TOKENS))
    assert charging.start("BLOCKED", offline=True)["status"] == "Blocked"
    assert charging.opened[0].offline is True


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("value", ["driver", "Driver", "DRIVER"])
def test_C_tokens_are_compared_without_case(version, value):
    """1.6 section 3.9: CiString20Type; 2.x: identifierString."""
    conversation = Conversation(version, tokens=TOKENS)
    assert Charging(conversation).authorize(value)["status"] == "Accepted"
    assert conversation.of(TokenChecked)[-1].token.value == value


@pytest.mark.parametrize("version", Version)
def test_C_strangers_are_let_in_where_the_operator_says_so(version):
    conversation = Conversation(version, policy=Policy(unknown_tokens=TokenStatus.ACCEPTED))
    assert Charging(conversation).authorize("STRANGER")["status"] == "Accepted"
