"""Sessions: which connection is the station's. The newest wins (ocpp.md 19; docs/sessions.md).

Newer is the one with the higher `SessionOpened.order`, which is drawn for all ingresses from one counter while the
handshake is decided; so an opening that is delivered twice, late, or after the station moved to another actor never
takes over, and no clock of a host has a say. (Openings of an older Narke have no order: of those the later counts.)

A report from a session that is not the current one is not decided: its sender is told that it is stale, and the
station, which got no answer, says it again on its new connection. While no session is current every report counts, so
that nothing is lost.
"""

from engine.model.envelopes import CloseSession, Reported
from engine.model.sessions import SessionClosed, SessionEnded, SessionOpened, SessionStarted
from engine.station import commands
from engine.station.context import Context
from engine.station.effects import Effect, Record, Send, Supersede
from engine.station.state import Session, StationState


def stale(state: StationState, reported: Reported) -> bool:
    """Whether the report comes from a session that a newer one has superseded."""
    return state.session is not None and state.session.session != reported.session


def opened(state: StationState, event: SessionOpened, context: Context) -> tuple[Effect, ...]:
    """Makes it the station's session, unless a newer one was heard of."""
    newest = state.session or state.session_ended
    if newest is None or _is_newer(event, newest):
        started = SessionStarted(event, context.now if event.order else None)
        return Record(started), *_superseded(state, context)
    return () if event.session == newest.session else (Supersede(),)


def closed(state: StationState, event: SessionClosed, context: Context) -> tuple[Effect, ...]:
    """Ends the station's session; the end of any other was expected. Its transactions go on."""
    if state.session is None or state.session.session != event.session:
        return ()
    return Record(SessionEnded(event)), *commands.lost(state, context)


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
