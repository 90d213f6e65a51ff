"""The checkers catch bugs: each of these, planted into the real classes, is found within a few seeds.

A planted fault changes a class for one test only. What the simulation must find is part of the plan, so that it is
found for the right reason.
"""

import asyncio

import msgspec

from actors.hosted_station import HostedStation
from actors.projector import ProjectorActor
from actors.router import Router
from actors.turn import Turns
from deploy.simulation.house import Setting
from deploy.simulation.redis import RedisServer
from deploy.simulation.run import simulate
from engine.model.transactions import TransactionEnded, TransactionReported
from engine.ocpp import rpc
from engine.station import blocks, commands, sessions, transactions
from engine.station.effects import Record
from engine.station.ledger import Ledger
from engine.station.queue import Queue
from ingress.ocpp.batching import Courier
from ingress.ocpp.dispatching import Commands
from storage import projection_memory
from storage.journal import RedisJournal

SEEDS = range(60)
WILD = Setting(days=0.25, often=0.006)
SHORT = Setting(days=0.05, often=0.006)
"""For what cannot come to rest: each second of virtual time costs something then."""


def is_found(*words, setting=WILD, seeds=SEEDS):
    """Whether some seed's violations say so; without words: whether there are any."""
    for seed in seeds:
        violations = simulate(seed, setting).violations
        if any(all(word in violation for word in words) for violation in violations):
            return True
    return False


def test_a_reply_before_its_record_is_found(monkeypatch):
    commit = Turns._commit

    async def later(self, *arguments):
        asyncio.get_running_loop().create_task(commit(self, *arguments))
        return set()

    monkeypatch.setattr(Turns, "_commit", later)
    assert is_found("is answered before")


def test_a_fence_that_is_not_looked_at_is_found(monkeypatch):
    def by_generation(_self, stored, carried):
        return stored is not None and stored.partition(b".")[2] == carried.partition(b".")[2]

    monkeypatch.setattr(RedisServer, "fits", by_generation)
    assert is_found("a zombie wrote")


def test_a_generation_that_is_not_looked_at_is_found(monkeypatch):
    def by_epoch(_self, stored, carried):
        return stored is not None and stored.partition(b".")[0] == carried.partition(b".")[0]

    monkeypatch.setattr(RedisServer, "fits", by_epoch)
    assert is_found()


def test_an_epoch_that_does_not_grow_is_found(monkeypatch):
    async def same(_self):
        return 1

    monkeypatch.setattr(RedisJournal, "next_epoch", same)
    assert is_found(setting=SHORT)


def test_a_redelivery_that_is_not_recognised_is_found(monkeypatch):
    monkeypatch.setattr(HostedStation, "recorded", lambda *_: None)
    assert is_found("was recorded 2 times")


def test_state_that_is_lost_with_its_actor_is_found(monkeypatch):
    from_rest = HostedStation.from_rest
    monkeypatch.setattr(HostedStation, "from_rest", lambda unit, station, _resting: from_rest(unit, station, None))
    assert is_found()


def test_an_entry_that_is_projected_twice_is_found(monkeypatch):
    def all_of_them(entries, _positions):
        return [*entries], {stream: entry_id for stream, entry_id, _ in entries}

    async def forgotten(_self):
        return {}

    monkeypatch.setattr(projection_memory, "after", all_of_them)
    monkeypatch.setattr(projection_memory.MemoryProjection, "positions", forgotten)
    assert is_found("too often")


def test_entries_that_are_forgotten_before_they_are_rows_are_found(monkeypatch):
    async def ahead(self):
        await self._source.trim(await self._source.last_ids(self._streams))

    monkeypatch.setattr(ProjectorActor, "_trim", ahead)
    assert is_found("PostgreSQL has")


def test_an_outcome_that_is_told_and_not_recorded_is_found(monkeypatch):
    settled = commands._settled
    monkeypatch.setattr(commands, "_settled", lambda *arguments: settled(*arguments)[1:])
    assert is_found("of command", "settled was []", setting=SHORT)


def test_a_command_that_is_settled_again_and_again_is_found(monkeypatch):
    monkeypatch.setattr(Queue, "outcome", lambda *_: None)
    assert is_found("was settled as")


def test_a_command_that_is_sent_twice_is_found(monkeypatch):
    monkeypatch.setattr(Commands, "_is_new", lambda *_: True)
    assert is_found("carried command", "out 2 times")


def test_a_reply_with_the_id_of_another_call_is_found(monkeypatch):
    answer, before = rpc.Session.answer, {}

    def mixed_up(self, message_id, payload):
        texts = answer(self, message_id, payload)
        last, before[id(self)] = before.get(id(self)), message_id
        return [text.replace(message_id, last) for text in texts] if last else texts

    monkeypatch.setattr(rpc.Session, "answer", mixed_up)
    assert is_found("an answer to nothing it asked")


def test_verdicts_in_the_wrong_order_are_found(monkeypatch):
    hand_out = Courier._hand_out

    def backwards(self, load, placements, verdicts):
        hand_out(self, load, placements, verdicts[::-1])

    monkeypatch.setattr(Courier, "_hand_out", backwards)
    assert is_found()


def test_a_refused_commit_that_counts_as_made_is_found(monkeypatch):
    commit = RedisJournal.commit

    async def optimistic(self, commits, now):
        await commit(self, commits, now)
        return [None] * len(commits)

    monkeypatch.setattr(RedisJournal, "commit", optimistic)
    assert is_found("is answered before")


def test_a_lost_commit_that_runs_later_is_found(monkeypatch):
    """Without the fence's generation, a commit that nobody waits for any more may still write."""
    monkeypatch.setattr(RedisJournal, "_suspect", lambda *_: None)
    assert is_found()


def test_a_transaction_that_does_not_end_is_found(monkeypatch):
    monkeypatch.setattr(Ledger, "closed", lambda self, _fact: self)
    assert is_found("its state believes")


def test_energy_that_does_not_add_up_is_found(monkeypatch):
    reported = transactions.reported

    def generous(*arguments):
        for effect in reported(*arguments):
            if isinstance(effect, Record) and isinstance(effect.fact, TransactionEnded):
                fact = effect.fact
                yield Record(msgspec.structs.replace(fact, energy_wh=(fact.energy_wh or 0.0) + 1.0))
            else:
                yield effect

    monkeypatch.setitem(blocks.REPORTED, TransactionReported, lambda *arguments: (*generous(*arguments),))
    assert is_found("stations gave")


def test_an_older_session_that_takes_over_is_found(monkeypatch):
    monkeypatch.setattr(sessions, "opened", lambda state, event, context: (
        Record(sessions.SessionStarted(event)), *sessions._superseded(state, context),
    ))  # fmt: skip
    assert is_found("took over from a newer one")


def test_sessions_that_are_ordered_by_the_clocks_of_their_ingresses_are_found(monkeypatch):
    monkeypatch.setattr(sessions, "_is_newer", lambda event, newest: event.at > newest.at)
    assert is_found("took over from a newer one", seeds=range(300))  # about one seed in fifty shows it


def test_transaction_numbers_that_begin_anew_are_found(monkeypatch):
    async def from_one(_self, count):
        return range(1, count + 1)

    monkeypatch.setattr(RedisJournal, "reserve_transaction_numbers", from_one)
    assert is_found("given twice")


def test_a_router_that_never_looks_again_is_found(monkeypatch):
    locate = Router.locate

    async def once(self, unit, *, suspect=None):
        return self.placement(unit) or await locate(self, unit, suspect=suspect)

    async def nothing(_self):
        await asyncio.Event().wait()

    monkeypatch.setattr(Router, "locate", once)
    monkeypatch.setattr(Router, "_follow", nothing)
    assert is_found("not through", setting=SHORT, seeds=range(300))  # about one seed in seventy shows it
