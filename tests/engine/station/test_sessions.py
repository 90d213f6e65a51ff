"""Which connection is the station's."""

from datetime import timedelta

from engine.model.commands import CommandRequest, CommandSettled, Result
from engine.model.envelopes import CloseSession, Dispatch
from engine.model.provisioning import HeartbeatAnswer, HeartbeatReported, ResetKind, ResetStation
from engine.model.sessions import SessionAnswer, SessionClosed, SessionEnded, SessionOpened, SessionStarted
from engine.station.effects import Record, Reply, Send, Settle, Supersede
from engine.station.state import decode_state, encode_state


def opened(at, session="i:1:1", ingress="i", order=0):
    return SessionOpened(session=session, ingress=ingress, version="1.6", address="10.0.0.9", at=at, order=order)


def closed(at, session="i:1:1"):
    return SessionClosed(session=session, code=1006, reason="", at=at)


def reset(actor, command_id="c1"):
    return CommandRequest(
        command_id=command_id,
        station="CP-1",
        command=ResetStation(ResetKind.ON_IDLE),
        requested_at=actor.now,
        deadline_at=actor.now + timedelta(seconds=30),
    )


def test_a_first_session_is_started(make_actor):
    actor = make_actor()
    event = opened(actor.now)
    assert actor.take(event) == (Record(SessionStarted(event)), Reply(SessionAnswer(heartbeat_s=300, booted=False)))
    assert actor.state.session.session == "i:1:1"


def test_a_newer_session_wins_at_once_and_the_older_is_closed(actor):
    newer = opened(actor.wait(1), "j:1:1", "j")
    close = CloseSession(station="CP-1", session="i:1:1", reason="A newer connection of this station took over.")
    assert actor.take(newer) == (Record(SessionStarted(newer)), Send("i", close), Reply(SessionAnswer(heartbeat_s=300)))
    assert actor.state.session.ingress == "j"


def test_an_older_opening_that_arrives_late_is_told_that_it_is_stale(actor):
    older = opened(actor.now - timedelta(seconds=1), "h:1:1")
    assert actor.take(older) == (Supersede(),)
    assert actor.state.session.session == "i:1:1"


def test_an_older_opening_does_not_take_over_after_the_newer_session_ended(actor):
    older = opened(actor.now - timedelta(seconds=1), "h:1:1")
    actor.take(closed(actor.wait(1)))
    assert actor.take(older) == (Supersede(),)
    assert actor.state.session is None


def test_the_same_opening_twice_is_done_once(actor):
    event = opened(actor.now)
    assert actor.take(event) == (Reply(SessionAnswer(heartbeat_s=300)),)
    assert actor.recorded == []
    actor.take(closed(actor.now))
    actor.take(event)
    assert actor.recorded == []
    assert actor.state.session is None


def test_sessions_of_the_same_instant_are_told_apart_by_name(actor):
    assert actor.take(opened(actor.now, "i:1:0")) == (Supersede(),)
    actor.take(opened(actor.now, "i:1:2"))
    assert actor.state.session.session == "i:1:2"


def test_a_station_reconnects_after_its_session_ended(actor):
    actor.take(closed(actor.wait(1)))
    actor.take(opened(actor.wait(1), "i:1:2"))
    assert actor.state.session.session == "i:1:2"
    assert actor.state.session_ended is None


def test_the_end_of_a_superseded_session_does_not_end_the_current_one(actor):
    actor.take(opened(actor.wait(1), "j:1:1", "j"))
    assert actor.take(closed(actor.wait(1), "i:1:1")) == ()
    assert actor.state.session.session == "j:1:1"


def test_the_end_of_the_current_session_is_recorded_once(actor):
    event = closed(actor.wait(1))
    assert actor.take(event) == (Record(SessionEnded(event)),)
    assert actor.take(event) == ()


def test_a_report_from_a_superseded_session_is_not_decided(actor):
    actor.take(opened(actor.wait(1), "j:1:1", "j"))
    assert actor.says(HeartbeatReported(), session="i:1:1") == Supersede()
    assert actor.recorded == []


def test_a_report_counts_while_no_session_is_current(actor):
    actor.take(closed(actor.wait(1)))
    assert actor.says(HeartbeatReported()) == HeartbeatAnswer(now=actor.now)


def test_commands_of_an_ended_session_are_lost(actor):
    actor.take(reset(actor))
    effects = actor.take(closed(actor.wait(1)))
    assert [effect.outcome.result for effect in effects if isinstance(effect, Settle)] == [Result.LOST]
    assert [fact.outcome.result for fact in actor.of(CommandSettled)] == [Result.LOST]
    assert actor.state.queue.open == ()


def test_commands_of_a_superseded_session_are_lost_and_new_ones_go_to_the_newer(actor):
    actor.take(reset(actor))
    actor.take(opened(actor.wait(1), "j:1:1", "j"))
    assert [fact.outcome.result for fact in actor.of(CommandSettled)] == [Result.LOST]
    sent = [effect for effect in actor.take(reset(actor, "c2")) if isinstance(effect, Send)]
    assert [(send.ingress, send.downlink.session) for send in sent] == [("j", "j:1:1")]
    assert isinstance(sent[0].downlink, Dispatch)


class TestOrder:
    """With a number from the one counter, no clock of a host has a say."""

    MINUTES = timedelta(minutes=10)

    def test_a_later_connection_wins_although_its_ingress_is_minutes_behind(self, make_actor):
        actor = make_actor()
        actor.take(opened(actor.now + self.MINUTES, "i:1:1", "i", order=7))
        newer = opened(actor.now - self.MINUTES, "j:1:1", "j", order=8)
        assert Record(SessionStarted(newer, actor.now)) in actor.take(newer)
        assert actor.state.session.session == "j:1:1"

    def test_an_earlier_connection_loses_although_its_ingress_is_minutes_ahead(self, make_actor):
        actor = make_actor()
        actor.take(opened(actor.now, "i:1:1", "i", order=8))
        assert actor.take(opened(actor.now + self.MINUTES, "j:1:1", "j", order=7)) == (Supersede(),)
        assert actor.state.session.session == "i:1:1"

    def test_it_loses_after_the_newer_one_ended_too_and_on_another_actor(self, make_actor):
        actor = make_actor()
        actor.take(opened(actor.now, "i:1:1", "i", order=8))
        actor.take(closed(actor.now))
        actor.state = decode_state(encode_state(actor.state))
        late = opened(actor.now + self.MINUTES, "j:1:1", "j", order=7)
        assert [actor.take(late), actor.take(late)] == [(Supersede(),), (Supersede(),)]
        assert actor.state.session is None

    def test_the_next_one_is_welcome_then(self, make_actor):
        actor = make_actor()
        actor.take(opened(actor.now, "i:1:1", "i", order=8))
        actor.take(closed(actor.now))
        actor.take(opened(actor.now - self.MINUTES, "j:2:1", "j", order=9))
        assert actor.state.session.session == "j:2:1"

    def test_the_same_opening_again_is_done_once(self, make_actor):
        actor = make_actor()
        event = opened(actor.now, "i:1:1", "i", order=8)
        actor.take(event)
        actor.take(event)
        assert actor.recorded == []
        actor.take(closed(actor.wait(1)))
        actor.take(event)
        assert actor.recorded == []
        assert actor.state.session is None

    def test_a_session_is_current_since_the_actor_says_so(self, make_actor):
        actor = make_actor()
        actor.take(opened(actor.now + self.MINUTES, "i:1:1", "i", order=7))
        assert actor.state.session.at == actor.now

    def test_an_ingress_of_an_older_narke_is_judged_by_its_clock_as_before(self, make_actor):
        actor = make_actor()
        actor.take(opened(actor.now, "i:1:1", "i", order=7))
        actor.take(opened(actor.wait(1), "j:1:1", "j"))
        assert actor.state.session.session == "j:1:1"
        actor.take(opened(actor.wait(1), "i:1:2", "i", order=1))
        assert actor.state.session.session == "i:1:2"
