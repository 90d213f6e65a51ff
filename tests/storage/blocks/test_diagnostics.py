"""Rows of logs, of what stations keep of customers, and of event streams."""

from datetime import timedelta

from engine.model.diagnostics import (
    CustomerInformationAsked,
    CustomerInformationForgotten,
    CustomerInformationMissing,
    CustomerInformationRecorded,
    EventStream,
    EventStreamAdjusted,
    EventStreamClosed,
    EventStreamOpened,
    EventStreamsListed,
    LogAsked,
    LogEnded,
    LogKind,
    LogStatus,
    LogStatusRecorded,
    StreamValue,
    StreamValuesRecorded,
)
from storage.blocks.diagnostics import CUSTOMER_TEXTS, CUSTOMERS, LOG_STATUSES, STREAM_VALUES, STREAMS, UPLOADS
from storage.blocks.registry import TABLES
from tests.storage.blocks.projecting import NOW, Rows

LATER = NOW + timedelta(minutes=5)
ASKED = LogAsked(
    7, "c1", LogKind.SECURITY, "ftp://u:secret@h/", NOW, accepted=True, answer="Accepted", file_name="d.zip"
)
WHO = CustomerInformationAsked(7, "c1", report=True, clear=False, noted_at=NOW, accepted=True, answer="Accepted")
STREAM = EventStream(3, 11, interval_s=60)


def told(word, number=1, **more):
    return LogStatusRecorded(LogStatus(word), number, LATER, **({"request_id": 7} | more))


def part(sequence, page, text, **more):
    return CustomerInformationRecorded(7, sequence, page, text, LATER, **more)


def values(number=1, **more):
    pair = (StreamValue(0.0, "1"), StreamValue(1.5, "2"))
    wanted = {"stream_id": 3, "pending": 0, "base_at": NOW, "monitor_id": 11} | more
    return StreamValuesRecorded(number=number, values=pair, at=LATER, **wanted)


async def test_an_upload_is_one_row_from_its_command_to_its_end():
    rows = Rows()
    await rows.after(ASKED, told("Uploading"), told("Uploaded", 2))
    row = await rows.one(UPLOADS)
    assert (row.kind, row.file_name, row.location, row.command_id) == ("SecurityLog", "d.zip", "ftp://u:***@h/", "c1")
    assert (row.status, row.result, row.uploading_at, row.ended_at) == ("Uploaded", "uploaded", LATER, LATER)
    assert len(await rows.of(LOG_STATUSES)) == 2


async def test_how_an_upload_ends():
    rows = Rows()
    await rows.after(ASKED, told("PermissionDenied"))
    assert (await rows.one(UPLOADS)).result == "failed"
    await rows.after(told("Uploading", 2), LogEnded(7, LATER, stalled=True))
    row = await rows.one(UPLOADS)
    assert (row.result, row.stalled) == (None, True)
    await rows.after(LogEnded(7, LATER))
    row = await rows.one(UPLOADS)
    assert (row.result, row.stalled) == ("cancelled", False)
    await rows.after(LogAsked(8, "c2", LogKind.SECURITY, "ftp://h/", NOW, accepted=False))
    assert (await rows.one(UPLOADS, request_id=8)).result == "refused"


async def test_a_status_of_no_upload_of_ours_stands_in_the_history_alone():
    rows = Rows()
    await rows.after(told("Uploaded", request_id=None, said_id=9, flags=("unknown_request",)))
    assert await rows.of(UPLOADS) == ()
    assert (await rows.one(LOG_STATUSES)).flags == ["unknown_request"]


async def test_what_a_station_keeps_of_a_customer_is_not_listed():
    assert "customer-information-texts" not in TABLES
    rows = Rows()
    await rows.after(WHO, part(0, 0, "Jane", complete=True))
    row = await rows.one(CUSTOMERS)
    assert "Jane" not in str(row)
    assert (row.parts, row.pages, row.complete, row.answer) == (1, 1, True, "Accepted")
    assert [each.text for each in await rows.of(CUSTOMER_TEXTS)] == ["Jane"]
    assert rows.projection.tables.events == []


async def test_pages_follow_each_other_and_a_report_that_begins_anew_replaces_them():
    rows = Rows()
    await rows.after(WHO, part(0, 0, "a", more=True), part(1, 1, "b", more=True))
    assert [each.text for each in await rows.of(CUSTOMER_TEXTS)] == ["a", "b"]
    await rows.after(part(0, 0, "c", complete=True, flags=("restarted",)))
    assert [each.text for each in await rows.of(CUSTOMER_TEXTS)] == ["c"]


async def test_the_text_is_deleted_on_request_and_the_question_stays():
    rows = Rows()
    await rows.after(WHO, part(0, 0, "Jane", complete=True))
    await rows.after_operator(CustomerInformationForgotten("CP-1", 7, LATER, "admin"))
    assert await rows.of(CUSTOMER_TEXTS) == ()
    row = await rows.one(CUSTOMERS)
    assert (row.forgotten_at, row.complete, row.command_id) == (LATER, True, "c1")


async def test_a_report_that_nobody_asked_for_is_a_row_of_its_own():
    rows = Rows()
    await rows.after(part(2, 2, "Jane", flags=("unknown_request",)))
    row = await rows.one(CUSTOMERS)
    assert (row.unasked, row.asked_at, row.complete) == (True, LATER, False)


async def test_the_rest_that_did_not_come_is_missing_until_it_comes():
    rows = Rows()
    await rows.after(WHO, part(0, 0, "a", more=True), CustomerInformationMissing(7, LATER))
    assert (await rows.one(CUSTOMERS)).missing
    await rows.after(part(1, 1, "b", complete=True))
    assert not (await rows.one(CUSTOMERS)).missing


async def test_a_stream_is_a_row_from_its_opening_to_its_end():
    rows = Rows()
    await rows.after(EventStreamOpened(STREAM, accepted=True, at=NOW))
    row = await rows.one(STREAMS, open=True)
    assert (row.stream_id, row.monitor_id, row.interval_s, row.opened_at) == (3, 11, 60, NOW)
    await rows.after(values(behind=True))
    assert (await rows.one(STREAMS)).behind
    await rows.after(EventStreamAdjusted(3, LATER, 5, 10))
    row = await rows.one(STREAMS)
    assert (row.interval_s, row.values, row.behind) == (5, 10, False)
    await rows.after(EventStreamClosed(3, LATER))
    row = await rows.one(STREAMS)
    assert (row.open, row.closed_at) == (False, LATER)


async def test_a_refused_stream_is_not_open():
    rows = Rows()
    await rows.after(EventStreamOpened(STREAM, accepted=False, at=NOW))
    row = await rows.one(STREAMS)
    assert (row.open, row.accepted) == (False, False)


async def test_the_stations_list_of_streams_is_the_truth():
    rows = Rows()
    await rows.after(EventStreamOpened(STREAM, accepted=True, at=NOW))
    await rows.after(EventStreamsListed((EventStream(4, 12),), LATER))
    assert [(row.stream_id, row.open) for row in await rows.of(STREAMS)] == [(4, True)]


async def test_the_values_of_a_message_are_one_row():
    rows = Rows()
    await rows.after(values(1), values(2, stream_id=9, monitor_id=None, flags=("unknown_stream",)))
    first, second = sorted(await rows.of(STREAM_VALUES), key=lambda row: row.number)
    assert (first.values, first.base_at, first.monitor_id) == ([[0.0, "1"], [1.5, "2"]], NOW, 11)
    assert (second.stream_id, second.monitor_id, second.flags) == (9, None, ["unknown_stream"])
