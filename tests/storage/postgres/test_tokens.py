"""All that an operator keeps of a token is there again, from PostgreSQL as from its twin."""

from engine.model.authorization import Token, TokenRecord, TokenSaved
from engine.model.facts import OperatorEntry
from storage.journal_reader import StreamEntry
from storage.queries import Page
from storage.queries.filters import TokenFilter
from tests.storage.postgres.conftest import TENANT
from tests.storage.postgres.stories import NOW, at

FULL = TokenRecord(
    token=Token("04A1", "ISO14443"),
    blocked=True,
    expires_at=NOW,
    group="g",
    note="n",
    places=("CP-*", 'odd " \\ \0 place:2'),
    hours=("Mo-Fr 08:00-18:00",),
    time_zone="Europe/Berlin",
    credit=12.5,
    concurrent_max=2,
    in_local_list=False,
    priority=-9,
    language="de",
    language2="en",
    message="Grüße",
)


async def test_a_token_keeps_its_limits_and_what_the_driver_is_told(projection):
    facts = (TokenSaved(FULL, at(1)), TokenSaved(TokenRecord(Token("B")), at(2)))
    entry = OperatorEntry(tenant=TENANT, recorded_at=NOW, facts=facts)
    await projection.apply([StreamEntry("operator", "1-0", entry)])
    full, plain = (await projection.tokens(TokenFilter(), Page(limit=10))).rows
    assert full.places == ("CP-*", 'odd " \\ \N{REPLACEMENT CHARACTER} place:2')
    assert (full.hours, full.time_zone) == (FULL.hours, "Europe/Berlin")
    assert (full.credit, full.concurrent_max, full.in_local_list, full.priority) == (12.5, 2, False, -9)
    assert (full.language, full.language2, full.message) == ("de", "en", "Grüße")
    assert (plain.places, plain.hours, plain.time_zone, plain.credit) == ((), (), "UTC", None)
    assert (plain.concurrent_max, plain.in_local_list, plain.message) == (None, None, None)


async def test_a_token_that_is_saved_again_has_only_what_was_said_last(projection):
    for number, record in enumerate((FULL, TokenRecord(FULL.token)), 1):
        entry = OperatorEntry(tenant=TENANT, recorded_at=NOW, facts=(TokenSaved(record, at(number)),))
        await projection.apply([StreamEntry("operator", f"{number}-0", entry)])
    (row,) = (await projection.tokens(TokenFilter(), Page(limit=10))).rows
    assert (row.blocked, row.places, row.credit, row.message) == (False, (), None, None)
