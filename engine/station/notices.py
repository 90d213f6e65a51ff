"""Notices: messages that the domain does not interpret, recorded verbatim."""

from engine.model.notices import NoticeAnswer, NoticeRecorded, StationNotice
from engine.station.context import Context
from engine.station.effects import Effect, Record, Reply
from engine.station.state import StationState


def reported(_state: StationState, notice: StationNotice, context: Context) -> tuple[Effect, ...]:
    """Records the notice; the translator words the answer."""
    return Record(NoticeRecorded(notice=notice, at=context.received_at)), Reply(NoticeAnswer(echo=notice.echo))
