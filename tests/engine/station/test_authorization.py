"""What a token may do."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.model.authorization import Token, TokenAnswer, TokenChecked, TokenPresented, TokenRecord, TokenStatus
from engine.model.authorization import TokenVerdict as Verdict
from engine.model.envelopes import Reported
from engine.station.context import Questions
from engine.station.decider import questions
from engine.station.policy import Policy

START = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
LATER = START + timedelta(hours=1)
TOKEN = Token("04AB")


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        (TokenRecord(TOKEN), Verdict(TokenStatus.ACCEPTED)),
        (TokenRecord(TOKEN, expires_at=LATER, group="g"), Verdict(TokenStatus.ACCEPTED, LATER, "g")),
        (TokenRecord(TOKEN, blocked=True, group="g"), Verdict(TokenStatus.BLOCKED, None, "g")),
        (TokenRecord(TOKEN, expires_at=START), Verdict(TokenStatus.EXPIRED, START)),
        (TokenRecord(TOKEN, blocked=True, expires_at=START), Verdict(TokenStatus.BLOCKED)),
        (TokenRecord(Token("other")), Verdict(TokenStatus.INVALID)),
    ],
)
def test_a_token_is_judged_by_its_record(make_actor, record, verdict):
    actor = make_actor(tokens=[record])
    assert actor.says(TokenPresented(TOKEN)) == TokenAnswer(verdict)
    assert actor.recorded == [TokenChecked(token=TOKEN, verdict=verdict, at=actor.now)]


def test_the_policy_judges_unknown_tokens(make_actor):
    actor = make_actor(policy=Policy(unknown_tokens=TokenStatus.ACCEPTED))
    assert actor.says(TokenPresented(TOKEN)) == TokenAnswer(Verdict(TokenStatus.ACCEPTED))


def test_case_and_type_of_a_token_do_not_matter(make_actor):
    actor = make_actor(tokens=[TokenRecord(Token("04ab", "Local"))])
    assert actor.says(TokenPresented(Token("04AB", "ISO14443"))).verdict.status is TokenStatus.ACCEPTED


def test_no_authorization_with_an_empty_value_is_accepted_without_lookup(actor):
    free = TokenPresented(Token("", "NoAuthorization"))
    asked = questions(actor.state, Reported(session="i:1:1", message_id="m", digest=b"d", report=free))
    assert asked == Questions()
    assert actor.says(free) == TokenAnswer(Verdict(TokenStatus.ACCEPTED))


@pytest.mark.parametrize("token", [Token(""), Token("", "ISO14443"), Token("X", "NoAuthorization")])
def test_no_other_empty_or_odd_token_is(actor, token):
    assert actor.says(TokenPresented(token)).verdict.status is TokenStatus.INVALID
