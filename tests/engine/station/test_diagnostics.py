"""Diagnostics: uploads of logs, and reports about customers."""

from datetime import timedelta

import pytest

from engine.model.commands import CommandReplied, CommandRequest, Outcome, Result
from engine.model.diagnostics import (
    CustomerInformation,
    CustomerInformationAsked,
    CustomerInformationMissing,
    CustomerInformationRecorded,
    CustomerInformationReported,
    GetLog,
    LogAsked,
    LogEnded,
    LogFile,
    LogKind,
    LogStatus,
    LogStatusReported,
)
from engine.model.notices import NoticeAnswer
from engine.station import procedures
from engine.station.decider import Tick, next_deadline
from engine.station.diagnostics import GAP, PAGE_MAX, REPEATED, RESTARTED
from engine.station.diagnostics_memory import CUSTOMERS_MAX, UPLOADS_MAX

ACCEPTED = Outcome(Result.ACCEPTED, "Accepted", found=LogFile("d.zip"))
LOG = GetLog("ftp://h/d")
WHO = CustomerInformation(report=True, clear=False, customer_identifier="Jane")


def ask(actor, command, outcome=None):
    """Gives a command, and the answer where there is one; returns its id."""
    ask.last += 1
    name = f"c{ask.last}"
    deadline_at = actor.now + timedelta(hours=1)
    actor.take(CommandRequest(name, "CP-1", command, requested_at=actor.now, deadline_at=deadline_at))
    if outcome is not None:
        actor.take(CommandReplied(name, outcome))
    return name


ask.last = 0


def tells(actor, status, request_id=None):
    assert actor.says(LogStatusReported(LogStatus(status), request_id)) == NoticeAnswer()
    return actor.recorded[-1]


def part(actor, sequence, text, *, more=False, request_id=1):
    report = CustomerInformationReported(request_id, sequence, text, more)
    assert actor.says(report) == NoticeAnswer()
    return actor.recorded[-1]


@pytest.fixture
def station(actor):
    actor.wait(10)
    return actor


def test_N01_FR_01_an_upload_is_followed_with_its_file(station):
    name = ask(station, LOG, ACCEPTED)
    asked = station.of(LogAsked)[0]
    assert (asked.request_id, asked.command_id, asked.file_name, asked.accepted) == (1, name, "d.zip", True)
    assert tells(station, "Uploading", 1).flags == ()
    done = tells(station, "Uploaded", 1)
    assert (done.request_id, done.flags, done.number) == (1, (), 2)
    assert next_deadline(station.state, station.policy) is None


def test_TC_045_1_a_status_without_a_number_is_about_the_upload_under_way(station):
    ask(station, LOG, Outcome(Result.ACCEPTED, found=LogFile("d.zip")))
    assert [tells(station, status).request_id for status in ("Uploading", "Uploaded")] == [1, 1]
    assert tells(station, "Uploaded").request_id == 1, "said twice"
    assert tells(station, "Uploading").flags == (procedures.UNSOLICITED,)


@pytest.mark.parametrize("status", ["UploadFailure", "BadMessage", "PermissionDenied", "NotSupportedOperation"])
def test_N01_FR_10_a_failure_ends_the_upload_until_it_is_tried_again(station, status):
    ask(station, LOG, ACCEPTED)
    tells(station, status)
    assert next_deadline(station.state, station.policy) is None
    assert tells(station, "Uploading").flags == ()
    assert next_deadline(station.state, station.policy) is not None


def test_N01_FR_05_a_refused_upload_has_ended(station):
    ask(station, LOG, Outcome(Result.REFUSED, payload=b"{}"))
    assert station.of(LogAsked)[0].accepted is False
    assert station.state.diagnostics.uploads[0].ended


def test_N01_FR_20_the_station_may_say_itself_that_the_older_was_cancelled(station):
    ask(station, LOG, ACCEPTED)
    tells(station, "Uploading", 1)
    ask(station, LOG, Outcome(Result.ACCEPTED, "AcceptedCanceled"))
    assert station.of(LogEnded) == [LogEnded(1, station.now)]
    assert tells(station, "AcceptedCanceled", 1).flags == ()
    assert tells(station, "Uploaded", 1).flags == (procedures.AFTER_CANCEL,)
    assert tells(station, "Uploading").request_id == 2


def test_the_station_may_say_so_before_its_answer(station):
    ask(station, LOG, ACCEPTED)
    second = ask(station, LOG)
    assert tells(station, "AcceptedCanceled", 1).request_id == 1
    assert tells(station, "Uploading", 2).request_id == 2
    station.take(CommandReplied(second, Outcome(Result.ACCEPTED, "AcceptedCanceled")))
    assert station.of(LogEnded) == [], "it had ended"


def test_1_6_uploads_of_different_kinds_go_side_by_side(station):
    ask(station, GetLog("ftp://h/s", LogKind.SECURITY), ACCEPTED)
    ask(station, LOG, Outcome(Result.ACCEPTED))
    assert station.of(LogEnded) == []
    ask(station, LOG, Outcome(Result.ACCEPTED))
    assert [fact.request_id for fact in station.of(LogEnded)] == [2]


def test_numbers_that_nobody_gave_are_flagged(station):
    assert tells(station, "Uploading", 9).flags == (procedures.UNKNOWN_REQUEST,)
    assert tells(station, "Uploading").flags == (procedures.UNSOLICITED,)
    assert tells(station, "Idle").flags == ()


def test_idle_in_the_middle_of_an_upload_is_flagged(station):
    ask(station, LOG, ACCEPTED)
    tells(station, "Uploading", 1)
    assert tells(station, "Idle").flags == (procedures.IDLE_BEFORE_END,)
    assert station.state.diagnostics.uploads[0].status == "Uploading"


def test_an_upload_stalls_once(station):
    ask(station, LOG, ACCEPTED)
    station.wait(station.policy.diagnostics.log_silence_s)
    station.take(Tick())
    assert station.recorded == [LogEnded(1, station.now, stalled=True)]
    assert next_deadline(station.state, station.policy) is None
    assert not station.state.diagnostics.uploads[0].ended


def test_uploads_are_bounded(station):
    for _ in range(UPLOADS_MAX + 2):
        ask(station, GetLog("ftp://h/s", LogKind.SECURITY), ACCEPTED)
    assert len(station.state.diagnostics.uploads) == UPLOADS_MAX


def test_N09_FR_05_parts_are_put_together(station):
    ask(station, WHO, ACCEPTED)
    asked = station.of(CustomerInformationAsked)[0]
    assert (asked.request_id, asked.report, asked.clear, asked.accepted) == (1, True, False, True)
    assert part(station, 0, "Name: ", more=True).complete is False
    done = part(station, 1, "Jane")
    assert (done.page, done.text, done.complete, done.flags) == (0, "Name: Jane", True, ())
    assert next_deadline(station.state, station.policy) is None


def test_nothing_about_a_customer_stays_in_memory(station):
    ask(station, WHO, ACCEPTED)
    part(station, 0, "Jane", more=True)
    assert station.state.diagnostics.customers[0].text == "Jane"
    part(station, 1, " Doe")
    assert station.state.diagnostics.customers[0].text == ""


def test_whom_it_is_about_is_in_no_fact_but_the_command(station):
    ask(station, WHO, ACCEPTED)
    assert "Jane" not in str(station.of(CustomerInformationAsked))


def test_a_long_report_goes_on_on_another_page(station):
    ask(station, WHO, ACCEPTED)
    text = "x" * 512
    count = 2 * PAGE_MAX // 512 + 1
    facts = [part(station, number, text, more=number < count - 1) for number in range(count)]
    assert [facts[-1].page, facts[-1].complete] == [2, True]
    pages = {fact.page: fact.text for fact in facts}
    assert "".join(pages.values()) == text * count
    assert max(map(len, pages.values())) <= PAGE_MAX


def test_a_missing_part_makes_the_report_incomplete(station):
    ask(station, WHO, ACCEPTED)
    part(station, 0, "a", more=True)
    late = part(station, 2, "c", more=True)
    assert (late.flags, late.text) == ((GAP,), "ac")
    done = part(station, 3, "d")
    assert (done.flags, done.complete) == ((), False)


def test_repeats_restarts_and_latecomers_are_flagged(station):
    ask(station, WHO, ACCEPTED)
    part(station, 0, "a", more=True)
    part(station, 1, "b", more=True)
    again = part(station, 1, "b", more=True)
    assert (again.flags, again.text) == ((REPEATED,), "ab")
    anew = part(station, 0, "a", more=True)
    assert (anew.flags, anew.text) == ((RESTARTED,), "a")
    done = part(station, 1, "b")
    assert (done.complete, done.text) == (True, "ab")
    after = part(station, 2, "c")
    assert (after.flags, after.page, after.text) == ((procedures.AFTER_END,), 1, "c")


def test_a_part_of_a_report_that_nobody_asked_for_is_kept_and_flagged(station):
    fact = part(station, 3, "Jane", request_id=9)
    assert (fact.flags, fact.page, fact.text, fact.complete) == ((procedures.UNKNOWN_REQUEST,), 3, "Jane", False)
    assert station.state.diagnostics.customers == ()


def test_a_part_may_come_before_the_answer(station):
    name = ask(station, WHO)
    assert part(station, 0, "no data").flags == ()
    station.take(CommandReplied(name, ACCEPTED))
    assert [fact.accepted for fact in station.of(CustomerInformationAsked)] == [None, True]
    assert next_deadline(station.state, station.policy) is None


def test_the_rest_that_does_not_come_is_missed(station):
    ask(station, WHO, ACCEPTED)
    part(station, 0, "Jane", more=True)
    station.wait(station.policy.diagnostics.report_silence_s)
    station.take(Tick())
    assert station.recorded == [CustomerInformationMissing(1, station.now)]
    assert station.state.diagnostics.customers[0].text == ""
    late = part(station, 1, "Doe")
    assert (late.page, late.text, late.complete) == (1, "Doe", True)


def test_N09_FR_03_a_refused_question_has_ended(station):
    ask(station, WHO, Outcome(Result.REFUSED, "Invalid"))
    assert station.state.diagnostics.customers[0].ended
    assert station.of(CustomerInformationRecorded) == []


def test_questions_are_bounded(station):
    for _ in range(CUSTOMERS_MAX + 2):
        ask(station, WHO, ACCEPTED)
    assert len(station.state.diagnostics.customers) == CUSTOMERS_MAX
