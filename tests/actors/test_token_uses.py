"""A turn looks up who charges where, of tokens that have a limit, and of no others."""

from datetime import UTC, datetime

from actors.transaction_numbers import TransactionNumbers
from actors.turn import Item, Turns
from engine.model.authorization import Token, TokenPresented, TokenRecord, TokenStatus, TransactionUse
from engine.model.codec import encode
from engine.model.envelopes import Answered, Reported
from engine.model.ids import Unit
from engine.model.sessions import SessionOpened
from engine.station.policy import AuthorizationPolicy, Policy
from storage import keys
from storage.journal_memory import MemoryJournal, MemoryStore
from storage.operator_book_memory import MemoryOperatorBook

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
UNIT = Unit(0)


class Journal(MemoryJournal):
    """Remembers what was looked up."""

    asked: list[list[str]]

    async def uses(self, names):
        self.asked.append(sorted(names))
        return await super().uses(names)


async def told(record, uses, *, restart=False, **policy):
    """The verdict on the token at CP-1, and what was looked up for it."""
    store = MemoryStore()
    for name, found in uses.items():
        store.values[keys.use_key(name)] = encode([TransactionUse(*use) for use in found])
    await MemoryOperatorBook(store, tenant="t").save_tokens([record], NOW)
    rules = Policy(authorization=AuthorizationPolicy(**policy))
    for _ in range(2 if restart else 1):  # a crash loses the actor, not what it looks up
        journal = Journal(store, tenant="t")
        journal.asked = []
        turns = Turns(journal, rules, TransactionNumbers(journal), stations_max=10)
        opened = SessionOpened(session="i:1:1", ingress="i", version="2.1", address="", at=NOW)
        asked = Reported("i:1:1", "m", b"d" * 12, TokenPresented(record.token))
        items = [Item("CP-1", UNIT, 1, opened, NOW), Item("CP-1", UNIT, 1, asked, NOW)]
        await turns.take(items, NOW)
    verdict = items[-1].verdict
    assert isinstance(verdict, Answered)
    return verdict.answer.verdict.status, journal.asked


ELSEWHERE = {"token:t": [("CP-2", "1")]}


async def test_a_token_without_a_limit_is_not_looked_up():
    assert await told(TokenRecord(Token("T")), ELSEWHERE) == (TokenStatus.ACCEPTED, [])


async def test_a_token_with_a_limit_of_its_own_is():
    record = TokenRecord(Token("T"), concurrent_max=1)
    assert await told(record, ELSEWHERE) == (TokenStatus.CONCURRENT_TX, [["token:t"]])


async def test_so_is_a_group_where_that_counts():
    record = TokenRecord(Token("T"), group="g")
    uses = {"group:g": [("CP-2", "1")]}
    found = await told(record, uses, transactions_max=1, per_group=True)
    assert found == (TokenStatus.CONCURRENT_TX, [["group:g"]])


async def test_after_a_crash_of_the_actor_it_is_as_before():
    record = TokenRecord(Token("T"), concurrent_max=1)
    status, _ = await told(record, ELSEWHERE, restart=True)
    assert status is TokenStatus.CONCURRENT_TX
