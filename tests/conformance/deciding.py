"""An actor of one station for the conformance tests: real turns, a journal that checks and forgets, time at hand."""

from datetime import UTC, datetime, timedelta

from actors.transaction_numbers import TransactionNumbers
from actors.turn import Item, Turns
from deploy.fuzzing import ForgetfulJournal
from engine.model.authorization import Token, TokenRecord
from engine.model.codec import decode_batch, decode_batch_reply, encode
from engine.model.envelopes import Batch, BatchReply, Delivery, Dispatch, Reported
from engine.model.ids import Unit
from engine.model.sessions import SessionOpened
from engine.model.stations import StationRecord
from engine.station.policy import Policy

BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
UNIT = Unit(0)
NAME = "CP-1"
SESSION = "i:1:1"


def finished(coroutine):
    """What a coroutine returns that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits for something")


class Hosted:
    """One station in one actor. `facts`: all that was recorded; `sent`: the commands that left, as dispatched."""

    def __init__(self, *, policy=None, record=None, tokens=(), stations_max=100):
        self.now = BEGIN
        records = {} if record is None else {NAME: record}
        journal = ForgetfulJournal(records, {token.token.key: token for token in tokens})
        self.turns = Turns(journal, policy or Policy(), TransactionNumbers(journal), stations_max=stations_max)
        self.facts = []
        self.sent = []
        commit = journal.commit

        async def noted(commits, now):
            self.facts += [fact for each in commits for record in each.records for fact in record.facts]
            return await commit(commits, now)

        journal.commit = noted
        self._messages = 0

    def take(self, *events):
        """Decides deliveries or commands, over the wire as the ingress sends them; the verdicts."""
        items = [Item(NAME, UNIT, 1, event, self.now) for event in events]
        result = finished(self.turns.take(items, self.now))
        self.sent += [downlink for _, downlink in result.downlinks if isinstance(downlink, Dispatch)]
        return [item.verdict for item in items]

    def deliver(self, event):
        """One event of the ingress, encoded and decoded as on its way."""
        delivery = Delivery(NAME, self.now, event)
        [decoded] = decode_batch(encode(Batch("i", ((UNIT, 1),), (delivery,)))).deliveries
        assert decoded == delivery
        [verdict] = self.take(decoded.event)
        assert decode_batch_reply(encode(BatchReply((verdict,)))).verdicts == (verdict,)
        return verdict

    def connect(self, version="1.6"):
        address = "127.0.0.1:1"
        return self.deliver(SessionOpened(session=SESSION, ingress="i", version=version, address=address, at=self.now))

    def says(self, report, *, is_send=False):
        """A report; the verdict."""
        self._messages += 1
        message_id = None if is_send else f"m-{self._messages}"
        return self.deliver(Reported(SESSION, message_id, f"{self._messages:012d}".encode(), report))

    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)

    def of(self, kind):
        """All facts of a kind so far."""
        return [fact for fact in self.facts if isinstance(fact, kind)]


def token(value, **fields):
    """A token on record."""
    return TokenRecord(token=Token(value=value), **fields)


def judged(registration):
    """The operator's record of the station."""
    return StationRecord(station=NAME, registration=registration)
