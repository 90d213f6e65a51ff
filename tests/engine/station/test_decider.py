"""Whatever happens to a station in whatever order, the decider keeps its promises."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.model.authorization import Token, TokenPresented, TokenRecord
from engine.model.availability import ConnectorStatus, ConnectorStatusReported
from engine.model.commands import CommandReplied, CommandRequest, CommandSent, CommandSettled, Outcome, Result
from engine.model.data_transfer import DataReported
from engine.model.envelopes import Report, Reported
from engine.model.ids import EvseRef
from engine.model.metering import Reading, ReadingsRecorded, ReadingsReported
from engine.model.notices import StationNotice
from engine.model.provisioning import BootReported, GetVariables, HeartbeatReported, Registration
from engine.model.remote_control import RequestStart, RequestStop, TriggerMessage
from engine.model.sessions import SessionClosed, SessionOpened
from engine.model.stations import StationRecord
from engine.model.transactions import (
    ChargingState,
    Stage,
    TransactionEnded,
    TransactionOpened,
    TransactionReported,
)
from engine.station import commands, decider
from engine.station.blocks import ALARMS, REPORTED, TIMED_PARTS, Alarm
from engine.station.decider import Tick
from engine.station.effects import Deny, Record, Reply, Send, Settle, Supersede
from engine.station.ledger import (
    KEYS_OPEN_MAX,
    TRANSACTIONS_ENDED_MAX,
    TRANSACTIONS_FORGOTTEN_MAX,
    TRANSACTIONS_PER_PLACE_MAX,
)
from engine.station.state import evolve, fresh

START = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
TOKENS = (Token("A"), Token("B"), Token("b", "ISO14443"), Token("", "NoAuthorization"), Token(""))
PLACES = (EvseRef(0), EvseRef(1), EvseRef(1, 1), EvseRef(2, 1))
ODD_TIMES = (None, datetime(1970, 1, 1, tzinfo=UTC), datetime(2026, 11, 21, 10, 0))  # noqa: DTZ001 (a station's)

times = st.one_of(st.integers(0, 3).map(lambda minutes: START + timedelta(minutes=minutes)), st.sampled_from(ODD_TIMES))
places = st.one_of(st.none(), st.sampled_from(PLACES))
tokens = st.one_of(st.none(), st.sampled_from(TOKENS))
sessions = st.sampled_from(["i:1:1", "i:1:2", "j:1:1"])
meters = st.one_of(st.none(), st.sampled_from([0.0, 100.0, 50.0, -1.0, float("nan"), float("inf")]))


def readings_of(stage, at, sequence, value):
    """The same message says the same: readings follow from what tells messages apart."""
    if value is None:
        return ()
    context = {Stage.STARTED: "Transaction.Begin", Stage.UPDATED: "Sample.Periodic", Stage.ENDED: "Transaction.End"}
    stamp = f"{stage}|{at}|{sequence}|{value}"
    return (Reading(at=at, value=value, context=context[stage], raw=stamp),)


@st.composite
def transactions(draw):
    stage, at = draw(st.sampled_from(Stage)), draw(times)
    ours = draw(st.booleans())
    ids = [None, "1", "2", "-1", "0", "77"] if ours else ["tx-1", "tx-2", "tx-3", "", "0"]
    sequence = None if ours else draw(st.integers(0, 3))
    value = None if ours and stage is Stage.STARTED else draw(meters) if ours else (sequence or 0) * 10.0
    return TransactionReported(
        stage=stage,
        transaction_id=draw(st.sampled_from(ids)),
        at=at,
        evse=draw(places),
        token=draw(tokens),
        meter_wh=value if ours else None,
        readings=readings_of(stage, at, sequence, value),
        sequence=sequence,
        trigger=None if ours else draw(st.sampled_from(["Authorized", "MeterValuePeriodic"])),
        charging_state=None if ours else draw(st.one_of(st.none(), st.sampled_from(ChargingState))),
        offline=draw(st.sampled_from([None, True])),
    )


statuses = st.builds(
    ConnectorStatusReported, evse=st.sampled_from(PLACES), status=st.sampled_from(ConnectorStatus), at=times
)
others = st.sampled_from(
    [
        BootReported(vendor="Acme", model="One"),
        HeartbeatReported(),
        TokenPresented(Token("A")),
        ReadingsReported(evse=None, readings=()),
        DataReported("Acme"),
        StationNotice("NotifyReport", b"{}"),
    ]
)
reports = st.builds(
    Reported,
    session=sessions,
    message_id=st.one_of(st.just("m"), st.none()),
    digest=st.just(b"d"),
    report=st.one_of(transactions(), transactions(), statuses, others),
)
openings = st.builds(
    SessionOpened,
    session=sessions,
    ingress=st.just("i"),
    version=st.just("1.6"),
    address=st.just(""),
    at=st.integers(0, 2).map(lambda seconds: START + timedelta(seconds=seconds)),
)
closings = st.builds(SessionClosed, session=sessions, code=st.just(1006), reason=st.just(""), at=st.just(START))
requests = st.builds(
    CommandRequest,
    command_id=st.sampled_from("abcd"),
    station=st.just("CP-1"),
    command=st.sampled_from([RequestStart(Token("A")), RequestStop("1"), TriggerMessage("MeterValues")]),
    requested_at=st.just(START),
    deadline_at=st.integers(0, 300).map(lambda seconds: START + timedelta(seconds=seconds)),
)
replies = st.builds(CommandReplied, command_id=st.sampled_from("abcd"), outcome=st.sampled_from(Result).map(Outcome))
verdicts = st.one_of(st.none(), st.sampled_from(Registration).map(lambda r: StationRecord("CP-1", registration=r)))
items = st.one_of(reports, reports, reports, openings, closings, requests, replies, st.just(Tick()), verdicts)


def story(make_actor, items):
    """Tells it all, a minute apart; a StationRecord is the operator's decision. Yields after each item."""
    actor = make_actor(tokens=[TokenRecord(Token("A")), TokenRecord(Token("B"), blocked=True)])
    for item in items:
        if item is None or isinstance(item, StationRecord):
            actor.record = item
            continue
        actor.wait(20)
        actor.take(item)
        yield actor, item


def told(make_actor, items):
    """The actor at the end of the story."""
    return ([make_actor()] + [actor for actor, _ in story(make_actor, items)])[-1]


@settings(max_examples=150, deadline=None)
@given(items=st.lists(items, max_size=40))
def test_every_item_is_decided_in_good_order(make_actor, items):
    for actor, item in story(make_actor, items):
        told = [effect for effect in actor.effects if isinstance(effect, Reply | Deny | Supersede)]
        if isinstance(item, Reported):
            assert len(told) == 1 or item.message_id is None
        kinds = [isinstance(effect, Reply | Send) for effect in actor.effects]
        records = [isinstance(effect, Record) for effect in actor.effects]
        first_told = kinds.index(True) if True in kinds else len(kinds)
        assert True not in records[first_told:], "a record comes after what promises it"
        settled = [effect.fact.command_id for effect in actor.effects if is_settled(effect)]
        assert set(settled) <= {effect.command_id for effect in actor.effects if isinstance(effect, Settle)}


def is_settled(effect):
    return isinstance(effect, Record) and isinstance(effect.fact, CommandSettled)


@settings(max_examples=150, deadline=None)
@given(items=st.lists(items, max_size=40))
def test_transactions_are_opened_and_ended_once_and_their_energy_is_never_negative(make_actor, items):
    actor, forgotten = None, set()
    for actor, _ in story(make_actor, items):
        opened = {fact.transaction_id for fact in actor.of(TransactionOpened)}
        ended = {fact.transaction_id for fact in actor.of(TransactionEnded)}
        still_open = {known.transaction_id for known in actor.state.ledger.open}
        forgotten |= opened - ended - still_open
        assert ended <= opened
    if actor is None:
        return
    for kind in (TransactionOpened, TransactionEnded):
        times = Counter(fact.transaction_id for fact in actor.of(kind))
        assert {name for name, count in times.items() if count > 1} <= forgotten
    for fact in actor.of(TransactionEnded):
        assert fact.energy_wh is None or fact.energy_wh >= 0


@settings(max_examples=150, deadline=None)
@given(items=st.lists(items, max_size=40))
def test_no_reading_that_was_answered_is_lost(make_actor, items):
    for actor, item in story(make_actor, items):
        report = item.report if isinstance(item, Reported) else None
        refused = any(isinstance(effect, Deny | Supersede) for effect in actor.effects)
        if isinstance(report, TransactionReported) and report.readings and not refused:
            recorded = {reading.raw for fact in actor.of(ReadingsRecorded) for reading in fact.readings}
            assert report.readings[0].raw in recorded


@settings(max_examples=100, deadline=None)
@given(items=st.lists(items, max_size=40))
def test_the_facts_alone_give_the_state(make_actor, items):
    actor = told(make_actor, items)
    state = fresh("CP-1")
    for fact in actor.facts:
        state = evolve(state, fact)
    assert state == actor.state


@settings(max_examples=100, deadline=None)
@given(items=st.lists(items, max_size=40), report=transactions())
def test_a_start_or_end_said_twice_opens_and_ends_nothing_more(make_actor, items, report):
    actor = told(make_actor, items)
    if report.at is None:
        return
    actor.record = None
    actor.says(report, session=actor.state.session.session if actor.state.session else "x")
    actor.says(report, session=actor.state.session.session if actor.state.session else "x")
    again = [fact for fact in actor.recorded if isinstance(fact, TransactionOpened | TransactionEnded)]
    assert again == []


def renamed(item, suffix):
    """The same report of another transaction, where the station names it."""
    report = item.report if isinstance(item, Reported) else None
    if not isinstance(report, TransactionReported) or not report.transaction_id:
        return item
    return replace(item, report=replace(report, transaction_id=f"{report.transaction_id}/{suffix}"))


@settings(max_examples=15, deadline=None)
@given(items=st.lists(st.one_of(reports, requests, replies), max_size=40))
def test_the_state_is_bounded(make_actor, items):
    again = [renamed(item, suffix) for suffix in range(12) for item in items]
    for actor, _ in story(make_actor, again):
        state = actor.state
        assert len(state.connectors) <= len(PLACES)
        assert len(state.ledger.ended) <= TRANSACTIONS_ENDED_MAX
        assert len(state.ledger.forgotten) <= TRANSACTIONS_FORGOTTEN_MAX
        assert len(state.queue.open) <= 32
        assert len(state.queue.settled) <= 8
        assert all(len(known.keys) <= KEYS_OPEN_MAX for known in state.ledger)
        at_places = Counter((known.evse, known.connector) for known in state.ledger.open)
        assert max(at_places.values(), default=0) <= TRANSACTIONS_PER_PLACE_MAX


def test_every_report_has_somebody_who_decides_it():
    assert {*REPORTED} == {*get_args(Report)}


class Looked:
    """A state that knows which of its parts were looked at."""

    def __init__(self, state):
        self._state = state
        self.parts = set()

    def __getattr__(self, name):
        self.parts.add(name)
        return getattr(self._state, name)


def test_no_alarm_looks_beyond_the_timed_parts(actor):
    looked = Looked(actor.state)
    for alarm in ALARMS:
        alarm.due_at(looked)
    assert looked.parts == set(TIMED_PARTS)


def test_what_is_due_at_the_same_time_sends_one_command(actor, monkeypatch):
    """Of two alarms the second finds the station busy with the command of the first."""

    def ring(name):
        return lambda state, context: commands.issue(state, context, GetVariables(), name)

    alarms = [Alarm(lambda _state: actor.now, ring(name)) for name in ("a", "b")]
    monkeypatch.setattr(decider, "ALARMS", alarms)
    actor.take(Tick())
    sent = [fact.command_id for fact in actor.recorded if isinstance(fact, CommandSent)]
    assert sent == ["a@CP-1"]
    assert [command.request.command_id for command in actor.state.queue.waiting] == ["b@CP-1"]
