"""Sessions: which connection is the station's. The newest wins (ocpp.md 19; docs/sessions.md).

Newer is the one with the higher `SessionOpened.order`, which is drawn for all ingresses from one counter while the
handshake is decided; so an opening that is delivered twice, late, or after the station moved to another actor never
takes over, and no clock of a host has a say. (Openings of an older Narke have no order: of those the later counts.)

A report from a session that is not the current one is not decided: its sender is told that it is stale, and the
station, which got no answer, says it again on its new connection. While no session is current every report counts, so
that nothing is lost.
"""

from datetime import datetime, timedelta

from engine.model.envelopes import CloseSession, Reported
from engine.model.facts import Fact
from engine.model.notices import NoticeAnswer
from engine.model.sessions import (
    IdentityContested,
    SessionClosed,
    SessionEnded,
    SessionOpened,
    SessionStarted,
    SilenceReported,
    SpeechReported,
    StationResponsive,
    StationUnresponsive,
    VersionChanged,
)
from engine.station import commands, quirks
from engine.station.context import Context
from engine.station.effects import Effect, Record, Reply, Send, Supersede
from engine.station.presence import CONTEST_S
from engine.station.state import Session, StationState, evolve


def stale(state: StationState, reported: Reported) -> bool:
    """Whether the report comes from a session that a newer one has superseded."""
    return state.session is not None and state.session.session != reported.session


def opened(state: StationState, event: SessionOpened, context: Context) -> tuple[Effect, ...]:
    """Makes it the station's session, unless a newer one was heard of; tells its ingress what the station is like."""
    newest = state.session or state.session_ended
    if newest is None or _is_newer(event, newest):
        started = SessionStarted(event, context.now if event.order else None)
        now = evolve(state, started)
        seen: tuple[Fact, ...] = (*_contested(now, context), *_version_changed(state, newest, event, context))
        records = (Record(started), *[Record(fact) for fact in seen])
        silence_ends = _responsive(state, context.now, ended=True)
        return *silence_ends, *records, *_superseded(state, context), Reply(quirks.welcome(now, context))
    return (Reply(quirks.welcome(state, context)),) if event.session == newest.session else (Supersede(),)


def closed(state: StationState, event: SessionClosed, context: Context) -> tuple[Effect, ...]:
    """Ends the station's session; the end of any other was expected. Its transactions go on."""
    if state.session is None or state.session.session != event.session:
        return ()
    silence_ends = _responsive(state, context.received_at, ended=True)
    return *silence_ends, Record(SessionEnded(event)), *commands.lost(state, context)


def fell_silent(state: StationState, report: SilenceReported, context: Context) -> tuple[Effect, ...]:
    """The connection lives, and the station says nothing on it."""
    if state.session is None or state.presence.silent_since is not None:
        return (Reply(NoticeAnswer()),)
    since = context.received_at - timedelta(seconds=report.silent_s)
    fact = StationUnresponsive(session=state.session.session, silent_s=report.silent_s, at=since)
    return Record(fact), Reply(NoticeAnswer())


def spoke_again(state: StationState, _report: SpeechReported, context: Context) -> tuple[Effect, ...]:
    """A station that was unresponsive says something."""
    return *_responsive(state, context.received_at, ended=False), Reply(NoticeAnswer())


def _responsive(state: StationState, at: datetime, *, ended: bool) -> tuple[Record, ...]:
    """The end of a station's silence; nothing where there is none."""
    since = state.presence.silent_since
    if since is None or state.session is None:
        return ()
    silent_s = max(0.0, (at - since).total_seconds())
    return (Record(StationResponsive(session=state.session.session, silent_s=silent_s, at=at, ended=ended)),)


def _contested(state: StationState, context: Context) -> tuple[IdentityContested, ...]:
    """Two devices have the identity, as far as one can see."""
    takeovers = state.presence.contest(context.now)
    if not takeovers:
        return ()
    hosts = tuple(dict.fromkeys(each.host for each in takeovers))
    return (IdentityContested(addresses=hosts, takeovers=len(takeovers), within_s=CONTEST_S, at=context.now),)


def _version_changed(
    state: StationState, newest: Session | None, event: SessionOpened, context: Context
) -> tuple[VersionChanged, ...]:
    """The station speaks another version than before."""
    if newest is None or newest.version in ("", event.version):
        return ()
    still_open = tuple(known.transaction_id for known in state.ledger.open)
    return (VersionChanged(before=newest.version, after=event.version, transactions_open=still_open, at=context.now),)


def _is_newer(event: SessionOpened, newest: Session) -> bool:
    """Whether the station made this connection after that one."""
    if event.session == newest.session:
        return False
    if event.order and newest.order and event.order != newest.order:
        return event.order > newest.order
    return (event.at, event.session) > (newest.at, newest.session)


def _superseded(state: StationState, context: Context) -> tuple[Effect, ...]:
    """What a newer session does to the current one."""
    older: Session | None = state.session
    if older is None:
        return ()
    reason = "A newer connection of this station took over."
    close = CloseSession(station=state.station, session=older.session, reason=reason)
    return *commands.lost(state, context), Send(older.ingress, close)
