"""Notices: messages that the domain does not interpret, recorded verbatim."""

from engine.model.notices import NoticeAnswer, NoticeRecorded, StationNotice
from engine.station.context import Context
from engine.station.effects import Effect, Record, Reply


def reported(notice: StationNotice, context: Context) -> tuple[Effect, ...]:
    """Records the notice; the translator words the answer."""
    return Record(NoticeRecorded(notice=notice, at=context.received_at)), Reply(NoticeAnswer(echo=notice.echo))
