"""Authorization between wire and words: tokens, verdicts and what each version can hold of them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from engine.model.authorization import (
    AdditionalInfo,
    ClearCache,
    Token,
    TokenAnswer,
    TokenPresented,
    TokenStatus,
    TokenVerdict,
)
from engine.model.certificates import ContractEvidence, ContractStatus
from engine.ocpp import catalogue
from engine.ocpp.translation import NotExpressible
from engine.ocpp.v2 import authorization
from engine.ocpp.versions import Version

BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])


def info(verdict, version=Version.V201):
    return authorization.authorize_response(TokenAnswer(verdict=verdict), version)["idTokenInfo"]


def test_a_token_keeps_its_value_its_type_and_what_is_said_beside_it():
    payload = {
        "idToken": {
            "idToken": "04aB",
            "type": "ISO14443",
            "additionalInfo": [{"additionalIdToken": "x", "type": "y"}],
        },
    }
    expected = TokenPresented(token=Token(value="04aB", type="ISO14443", additional=(AdditionalInfo("y", "x"),)))
    assert authorization.report_from_authorize(payload, Version.V201) == expected


def test_C07_what_a_car_showed_comes_along():
    payload = {"idToken": {"idToken": "DE-NRK-1", "type": "eMAID"}, "certificate": "-----BEGIN"}
    report = authorization.report_from_authorize(payload, Version.V21)
    assert report.contract == ContractEvidence(chain="-----BEGIN")


@BOTH
def test_C07_the_status_of_its_certificate_is_told(version):
    answer = TokenAnswer(TokenVerdict(TokenStatus.BLOCKED), ContractStatus.CONTRACT_CANCELLED)
    told = authorization.authorize_response(answer, version)
    assert told == {"idTokenInfo": {"status": "Blocked"}, "certificateStatus": "ContractCancelled"}


@BOTH
def test_all_that_is_told_of_a_token_is_what_the_schema_accepts(version):
    soon = datetime(2026, 5, 1, tzinfo=UTC)
    verdict = TokenVerdict(
        TokenStatus.ACCEPTED,
        expires_at=soon + timedelta(days=1),
        cache_until=soon,
        group="g",
        evses=(1, 2),
        priority=-9,
        language="de",
        language2="en",
        message="m" * 2000,
    )
    told = info(verdict, version)
    message = told.pop("personalMessage")
    assert told == {
        "status": "Accepted",
        "cacheExpiryDateTime": "2026-05-01T00:00:00.000Z",
        "groupIdToken": {"idToken": "g", "type": "Central"},
        "evseId": [1, 2],
        "chargingPriority": -9,
        "language1": "de",
        "language2": "en",
    }
    assert message == {"format": "UTF8", "language": "de", "content": "m" * (512 if version is Version.V201 else 1024)}
    assert catalogue.answer_payload(version, "Authorize", TokenAnswer(verdict))["idTokenInfo"]["evseId"] == [1, 2]


@BOTH
def test_C24_FR_01_what_is_said_beside_a_token_goes_out_with_it(version):
    token = Token("psp-1", "Central", (AdditionalInfo("CardLast4Digits", "1234"),))
    said = authorization.id_token_from_token(token, version)
    assert said["additionalInfo"] == [{"additionalIdToken": "1234", "type": "CardLast4Digits"}]
    with pytest.raises(NotExpressible, match="additionalInfo"):
        authorization.id_token_from_token(Token("a", "Central", (AdditionalInfo("t" * 51, "1"),)), version)


def test_no_authorization_is_a_token_with_an_empty_value():
    payload = {"idToken": {"idToken": "", "type": "NoAuthorization"}}
    expected = TokenPresented(token=Token(value="", type="NoAuthorization"))
    assert authorization.report_from_authorize(payload, Version.V201) == expected


def test_a_type_that_only_2_1_allows_to_be_empty_is_not_said():
    payload = {"idToken": {"idToken": "a", "type": ""}}
    assert authorization.report_from_authorize(payload, Version.V21) == TokenPresented(token=Token(value="a"))


@BOTH
@pytest.mark.parametrize("status", TokenStatus)
def test_every_status_has_its_word(status, version, judge):
    verdict = TokenVerdict(status=status)
    assert info(verdict, version) == {"status": status.value}
    judge(version, "Authorize", "Response", {"idTokenInfo": info(verdict, version)})


def test_expiry_is_told_in_utc_and_the_group_as_a_central_token():
    at = datetime(2026, 5, 1, 12, 0, 0, 999999, tzinfo=timezone(timedelta(hours=2)))
    verdict = TokenVerdict(status=TokenStatus.ACCEPTED, expires_at=at, group="fleet-7")
    assert info(verdict) == {
        "status": "Accepted",
        "cacheExpiryDateTime": "2026-05-01T10:00:00.999Z",
        "groupIdToken": {"idToken": "fleet-7", "type": "Central"},
    }


def test_a_group_that_2_0_1_cannot_hold_is_left_out_not_cut():
    verdict = TokenVerdict(status=TokenStatus.ACCEPTED, expires_at=None, group="g" * 37)
    assert info(verdict) == {"status": "Accepted"}
    assert info(verdict, Version.V21)["groupIdToken"]["idToken"] == "g" * 37


def test_an_empty_group_is_no_group():
    assert info(TokenVerdict(status=TokenStatus.BLOCKED, group="")) == {"status": "Blocked"}


@BOTH
def test_a_token_without_a_type_is_said_as_a_card(version):
    expected = {"idToken": "04AB", "type": "ISO14443"}
    assert authorization.id_token_from_token(Token(value="04AB"), version) == expected


def test_2_0_1_knows_a_closed_list_of_types_and_2_1_any():
    token = Token(value="4242", type="DirectPayment")
    assert authorization.id_token_from_token(token, Version.V21) == {"idToken": "4242", "type": "DirectPayment"}
    with pytest.raises(NotExpressible, match=r"2\.0\.1 has no token type 'DirectPayment': use one of Central"):
        authorization.id_token_from_token(token, Version.V201)


def test_a_type_of_more_than_20_characters_is_not_expressible_in_2_1():
    with pytest.raises(NotExpressible, match="20 characters in a token's type"):
        authorization.id_token_from_token(Token(value="a", type="t" * 21), Version.V21)


@pytest.mark.parametrize(("version", "length_max"), [(Version.V201, 36), (Version.V21, 255)])
def test_a_token_may_be_as_long_as_its_version_holds(version, length_max):
    fitting = Token(value="a" * length_max)
    assert authorization.id_token_from_token(fitting, version)["idToken"] == fitting.value
    with pytest.raises(NotExpressible, match=f"holds {length_max} characters in a token, this one has"):
        authorization.id_token_from_token(Token(value="a" * (length_max + 1)), version)


def test_an_error_never_shows_the_token():
    with pytest.raises(NotExpressible) as caught:
        authorization.id_token_from_token(Token(value="secret" * 9), Version.V201)
    assert "secret" not in str(caught.value)


def test_clearing_the_cache_says_nothing_but_its_name():
    assert authorization.clear_cache_from_clear_cache(ClearCache(), Version.V21) == ("ClearCache", {})


def test_a_time_in_utc_is_told_as_it_is():
    verdict = TokenVerdict(status=TokenStatus.EXPIRED, expires_at=datetime(1970, 1, 1, tzinfo=UTC))
    assert info(verdict)["cacheExpiryDateTime"] == "1970-01-01T00:00:00.000Z"
