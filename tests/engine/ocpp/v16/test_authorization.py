"""Authorization in 1.6."""

from datetime import UTC, datetime

import pytest

from engine.model.authorization import ClearCache, Token, TokenAnswer, TokenPresented, TokenStatus, TokenVerdict
from engine.ocpp import catalogue
from engine.ocpp.versions import Version

V16 = Version.V16


def test_a_token_has_no_type():
    assert catalogue.understand(V16, "Authorize", {"idTag": "ABC"}).report == TokenPresented(token=Token(value="ABC"))


@pytest.mark.parametrize(
    ("verdict", "info"),
    [
        (TokenVerdict(status=TokenStatus.ACCEPTED), {"status": "Accepted"}),
        (TokenVerdict(status=TokenStatus.CONCURRENT_TX), {"status": "ConcurrentTx"}),
        (TokenVerdict(status=TokenStatus.NO_CREDIT), {"status": "Invalid"}),
        (TokenVerdict(status=TokenStatus.UNKNOWN), {"status": "Invalid"}),
        (TokenVerdict(status=TokenStatus.ACCEPTED, group="G"), {"status": "Accepted", "parentIdTag": "G"}),
        (TokenVerdict(status=TokenStatus.ACCEPTED, group="G" * 21), {"status": "Accepted"}),
        (
            TokenVerdict(status=TokenStatus.EXPIRED, expires_at=datetime(2026, 5, 1, tzinfo=UTC)),
            {"status": "Expired", "expiryDate": "2026-05-01T00:00:00.000Z"},
        ),
    ],
)
def test_the_verdict_is_told_in_words_that_16_has(verdict, info):
    assert catalogue.answer_payload(V16, "Authorize", TokenAnswer(verdict=verdict)) == {"idTagInfo": info}


def test_the_cache_can_be_cleared():
    assert catalogue.command_call(V16, ClearCache()) == ("ClearCache", {})
