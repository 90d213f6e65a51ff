"""Rows of firmware: an update from its command to its end, the history of statuses, publications."""

from datetime import timedelta

import pytest

from engine.model.firmware import (
    FirmwareResult,
    FirmwareStatus,
    FirmwareStatusRecorded,
    FirmwareUnchanged,
    FirmwareUpdateAsked,
    FirmwareUpdateEnded,
    FirmwareUpdateStalled,
    FirmwareVersionSeen,
    PublicationAsked,
    PublicationEnded,
    PublicationStatus,
    PublicationStatusRecorded,
)
from storage.blocks.firmware import PUBLICATIONS, STATUSES, UPDATES
from tests.storage.blocks.projecting import NOW, Rows

LATER = NOW + timedelta(minutes=5)
ASKED = FirmwareUpdateAsked(7, "c1", "ftp://u:secret@h/f", NOW, accepted=True, answer="Accepted", from_version="1.0")


def status(word, number=1, **more):
    return FirmwareStatusRecorded(FirmwareStatus(word), number, LATER, **({"request_id": 7} | more))


@pytest.fixture(params=[True, False], ids=["apart", "together"])
def apart(request):
    return request.param


async def test_an_update_is_one_row_from_its_command_to_its_end(apart):
    rows = Rows()
    await rows.after(
        ASKED,
        status("Downloading", 1),
        status("Downloaded", 2),
        status("Installing", 3),
        status("Installed", 4, result=FirmwareResult.INSTALLED),
        FirmwareVersionSeen("2.0", LATER, "1.0", 7),
        FirmwareUpdateEnded(7, FirmwareResult.INSTALLED, LATER, "2.0"),
        apart=apart,
    )
    row = await rows.one(UPDATES)
    assert (row.station, row.request_id, row.asked_at, row.command_id) == ("CP-1", 7, NOW, "c1")
    assert (row.status, row.result, row.answer, row.stalled) == ("Installed", "installed", "Accepted", False)
    assert (row.from_version, row.to_version) == ("1.0", "2.0")
    assert (row.downloading_at, row.downloaded_at, row.installing_at, row.ended_at) == (LATER,) * 4
    history = await rows.of(STATUSES, request_id=7)
    assert sorted((each.number, each.status) for each in history) == [
        (1, "Downloading"),
        (2, "Downloaded"),
        (3, "Installing"),
        (4, "Installed"),
    ]


async def test_a_password_in_the_location_is_not_kept():
    rows = Rows()
    await rows.after(ASKED)
    assert (await rows.one(UPDATES)).location == "ftp://u:***@h/f"


async def test_a_refused_update_is_over():
    rows = Rows()
    await rows.after(FirmwareUpdateAsked(7, "c1", "ftp://h/f", NOW, accepted=False, answer="InvalidCertificate"))
    row = await rows.one(UPDATES)
    assert (row.status, row.result, row.answer, row.ended_at) == ("Refused", "refused", "InvalidCertificate", NOW)


async def test_an_answer_that_comes_after_the_first_status_does_not_hide_it():
    rows = Rows()
    unanswered = FirmwareUpdateAsked(7, "c1", "ftp://h/f", NOW, accepted=None)
    await rows.after(unanswered, status("Downloading"))
    assert (await rows.one(UPDATES)).answer == "Unanswered"
    await rows.after(ASKED)
    row = await rows.one(UPDATES)
    assert (row.answer, row.status) == ("Accepted", "Downloading")


async def test_an_update_that_stalled_and_went_on_is_stalled_no_more():
    rows = Rows()
    await rows.after(ASKED, FirmwareUpdateStalled(7, LATER))
    assert [row.stalled for row in await rows.of(UPDATES, stalled=True)] == [True]
    await rows.after(status("Downloading"))
    assert await rows.of(UPDATES, stalled=True) == ()


async def test_a_failed_update_that_begins_anew_goes_on():
    rows = Rows()
    await rows.after(ASKED, status("DownloadFailed", result=FirmwareResult.FAILED), status("Downloading", 2))
    row = await rows.one(UPDATES)
    assert (row.status, row.result, row.ended_at) == ("Downloading", None, None)


async def test_a_status_of_no_update_of_ours_stands_in_the_history_alone():
    rows = Rows()
    await rows.after(status("Installed", request_id=None, said_id=99, flags=("unknown_request",)))
    assert await rows.of(UPDATES) == ()
    row = await rows.one(STATUSES)
    assert (row.request_id, row.said_id, row.flags) == (None, 99, ["unknown_request"])


async def test_what_was_odd_stays_in_the_row_until_something_else_is():
    rows = Rows()
    await rows.after(ASKED, status("Downloaded", flags=("out_of_order",)), status("Installing", 2))
    assert (await rows.one(UPDATES)).flags == ["out_of_order"]
    await rows.after(FirmwareUnchanged(7, "1.0", LATER))
    row = await rows.one(UPDATES)
    assert (row.flags, row.to_version) == (["unchanged_after_boot"], "1.0")


async def test_statuses_and_changes_of_firmware_stand_in_the_stations_history():
    rows = Rows()
    await rows.after(ASKED, status("Downloading"), FirmwareVersionSeen("2.0", LATER, "1.0"))
    kinds = [event.kind for event in rows.projection.tables.events]
    assert kinds == ["firmware_status_recorded", "firmware_version_seen"]


async def test_a_publication_is_one_row_until_it_is_offered_no_more():
    rows = Rows()
    told = PublicationStatusRecorded(PublicationStatus.PUBLISHED, 1, LATER, 7, 7, ("http://u:secret@lc/f",))
    await rows.after(PublicationAsked(7, "c1", "ftp://u:secret@h/f", "ab", NOW, accepted=True, answer="Accepted"), told)
    row = await rows.one(PUBLICATIONS)
    assert (row.status, row.checksum, row.ended_at) == ("Published", "ab", None)
    assert "secret" not in f"{row.location}{row.locations}"
    await rows.after(PublicationEnded(7, LATER, stalled=True))
    assert (await rows.one(PUBLICATIONS)).stalled
    await rows.after(PublicationEnded(7, LATER))
    assert (await rows.one(PUBLICATIONS)).status == "Unpublished"
    assert [row.of for row in await rows.of(STATUSES)] == ["publication"]


async def test_a_refused_publication_is_over():
    rows = Rows()
    await rows.after(PublicationAsked(7, "c1", "ftp://h/f", "ab", NOW, accepted=False, answer="Rejected"))
    assert (await rows.one(PUBLICATIONS)).status == "Refused"
