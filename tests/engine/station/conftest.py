"""A station's side of the decider: says things to it as the actor does, and remembers what came of them."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from engine.model.envelopes import Reported
from engine.model.provisioning import BootReported
from engine.model.sessions import SessionOpened
from engine.model.stations import StationRecord
from engine.station.context import Context
from engine.station.decider import decide, questions
from engine.station.effects import Deny, Record, Reply, Supersede
from engine.station.policy import Policy
from engine.station.state import decode_state, encode_state, evolve, fresh

START = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


class Numbers:
    """Names of 1.6 transactions, from 1."""

    def __init__(self):
        self.last = 0

    def transaction_number(self):
        self.last += 1
        return self.last


class Actor:
    """Hosts one station: answers its questions, decides, applies the facts."""

    def __init__(self, *, tokens=(), record=None, policy=None):
        self.state = fresh("CP-1")
        self.now = START
        self.ids = Numbers()
        self.tokens = {token.token.key: token for token in tokens}
        self.record = record
        self.policy = policy or Policy()
        self.facts = []
        self.effects = ()
        self.uses = {}
        self.tariffs = None

    def take(self, item, *, received_at=None):
        """Decides one item; returns its effects."""
        asked = questions(self.state, item)
        context = Context(
            now=self.now,
            received_at=received_at or self.now,
            ids=self.ids,
            tokens={key: self.tokens[key] for key in asked.tokens if key in self.tokens},
            record=self.record if asked.record else None,
            policy=self.policy,
            uses=self.uses,
            tariffs=self.tariffs,
        )
        before = encode_state(self.state)
        self.effects = decide(self.state, item, context)
        assert encode_state(self.state) == before, "decide changed the state"
        for effect in self.effects:
            if isinstance(effect, Record):
                self.state = evolve(self.state, effect.fact)
                self.facts.append(effect.fact)
        resting = encode_state(self.state)
        assert decode_state(resting) == self.state
        return self.effects

    def says(self, report, *, session="i:1:1", message_id="m", received_at=None):
        """A report of the station's; returns the answer, or Deny or Supersede."""
        reported = Reported(session=session, message_id=message_id, digest=b"d", report=report)
        effects = self.take(reported, received_at=received_at)
        told = [effect for effect in effects if isinstance(effect, Reply | Deny | Supersede)]
        assert len(told) <= 1
        if not told:
            return None
        return told[0].answer if isinstance(told[0], Reply) else told[0]

    @property
    def recorded(self):
        """The facts of the last item."""
        return [effect.fact for effect in self.effects if isinstance(effect, Record)]

    def of(self, kind):
        """All facts of a kind so far."""
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)
        return self.now

    def connect(self, session="i:1:1", ingress="i", at=None):
        return self.take(
            SessionOpened(session=session, ingress=ingress, version="1.6", address="10.0.0.9", at=at or self.now)
        )

    def boot(self):
        return self.says(BootReported(vendor="Acme", model="One"))

    def judge(self, registration):
        """The operator decides about the station."""
        self.record = StationRecord(station="CP-1", registration=registration)


@pytest.fixture(scope="session")
def make_actor():
    return Actor


@pytest.fixture
def actor():
    """A connected, booted and accepted station without tokens on record."""
    actor = Actor()
    actor.connect()
    actor.boot()
    return actor


@pytest.fixture(scope="session")
def fields():
    """The fields of a word that are not at their defaults, without times of receipt."""

    def of(word):
        return {
            name: value
            for name, value in msgspec.structs.asdict(word).items()
            if name != "received_at" and value is not None and value is not False and value != ()
        }

    return of
