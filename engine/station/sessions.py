"""Sessions: which connection is the station's. The newest wins (ocpp.md 19).

Newer is the later (`opened.at`, `session`), so that an opening that is delivered twice or late never takes over. A
report from a session that is not the current one is not decided: its sender is told that it is stale, and the station,
which got no answer, says it again on its new connection. While no session is current every report counts, so that
nothing is lost.
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
    if newest is None or (event.at, event.session) > (newest.at, newest.session):
        return Record(SessionStarted(event)), *_superseded(state, context)
    return () if event.session == newest.session else (Supersede(),)


def closed(state: StationState, event: SessionClosed, context: Context) -> tuple[Effect, ...]:
    """Ends the station's session; the end of any other was expected. Its transactions go on."""
    if state.session is None or state.session.session != event.session:
        return ()
    return Record(SessionEnded(event)), *commands.lost(state, context)


def _superseded(state: StationState, context: Context) -> tuple[Effect, ...]:
    """What a newer session does to the current one."""
    older: Session | None = state.session
    if older is None:
        return ()
    reason = "A newer connection of this station took over."
    close = CloseSession(station=state.station, session=older.session, reason=reason)
    return *commands.lost(state, context), Send(older.ingress, close)
