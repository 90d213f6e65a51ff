"""Messages that the domain does not interpret."""

from engine.model.notices import NoticeAnswer, NoticeRecorded, StationNotice


def test_a_notice_is_recorded_verbatim_and_its_echo_given_back(actor):
    notice = StationNotice(action="VatNumberValidation", payload=b'{"vatNumber":"X"}', echo=b'{"vatNumber":"X"}')
    assert actor.says(notice) == NoticeAnswer(echo=notice.echo)
    assert actor.recorded == [NoticeRecorded(notice=notice, at=actor.now)]


def test_a_send_is_recorded_and_not_answered(actor):
    notice = StationNotice(action="NotifyPeriodicEventStream", payload=b"{}")
    assert actor.says(notice, message_id=None) is None
    assert actor.recorded == [NoticeRecorded(notice=notice, at=actor.now)]
