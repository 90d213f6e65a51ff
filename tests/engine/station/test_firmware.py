"""Firmware: updates from the command to the boot with the new version, and publications."""

from datetime import timedelta

import pytest

from engine.model.commands import CommandReplied, CommandRequest, Outcome, Result
from engine.model.firmware import (
    FirmwareResult,
    FirmwareStatus,
    FirmwareStatusRecorded,
    FirmwareStatusReported,
    FirmwareUnchanged,
    FirmwareUpdateAsked,
    FirmwareUpdateEnded,
    FirmwareUpdateStalled,
    FirmwareVersionSeen,
    PublicationAsked,
    PublicationEnded,
    PublicationReported,
    PublicationStatus,
    PublicationStatusRecorded,
    PublishFirmware,
    UnpublishFirmware,
    UpdateFirmware,
)
from engine.model.notices import NoticeAnswer
from engine.model.provisioning import BootReported
from engine.station import procedures
from engine.station.decider import Tick, next_deadline
from engine.station.firmware_memory import UPDATES_MAX

ACCEPTED = Outcome(Result.ACCEPTED, "Accepted")
URL = "ftp://h/f"
HAPPY = ("Downloading", "Downloaded", "Installing", "Installed")


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
    answer = actor.says(FirmwareStatusReported(FirmwareStatus(status), request_id))
    assert answer == NoticeAnswer()
    return actor.recorded[-1]


def boot(actor, version):
    actor.says(BootReported(vendor="Acme", model="One", firmware_version=version))
    return [type(fact) for fact in actor.recorded]


def updates(actor):
    return {update.request_id: update for update in actor.state.firmware.updates}


@pytest.fixture
def station(actor):
    """A station that runs 1.0."""
    boot(actor, "1.0")
    actor.wait(10)
    return actor


def test_an_update_is_followed_once_it_is_accepted(station):
    name = ask(station, UpdateFirmware(URL), ACCEPTED)
    assert station.of(FirmwareUpdateAsked) == [
        FirmwareUpdateAsked(
            request_id=1,
            command_id=name,
            location=URL,
            noted_at=station.now,
            accepted=True,
            answer="Accepted",
            from_version="1.0",
            expected_by=station.now + timedelta(seconds=station.policy.diagnostics.firmware_silence_s),
        )
    ]


def test_L01_FR_01_every_status_is_recorded_with_its_number(station):
    ask(station, UpdateFirmware(URL), ACCEPTED)
    facts = [tells(station, status, 1) for status in HAPPY]
    assert [fact.number for fact in facts] == [1, 2, 3, 4]
    assert [fact.request_id for fact in facts] == [1, 1, 1, 1]
    assert [fact.flags for fact in facts] == [()] * 4
    assert [fact.result for fact in facts] == [None, None, None, FirmwareResult.INSTALLED]
    assert updates(station)[1].ended


def test_TC_044_1_a_status_without_a_number_is_about_the_update_under_way(station):
    ask(station, UpdateFirmware(URL), Outcome(Result.ACCEPTED))
    facts = [tells(station, status) for status in HAPPY]
    assert {(fact.request_id, fact.flags) for fact in facts} == {(1, ())}


@pytest.mark.parametrize("failure", ["DownloadFailed", "InstallationFailed", "InvalidSignature"])
def test_TC_044_2_a_failure_ends_the_update(station, failure):
    ask(station, UpdateFirmware(URL), ACCEPTED)
    assert tells(station, failure).result is FirmwareResult.FAILED
    assert next_deadline(station.state, station.policy) is None


def test_L01_FR_30_a_failed_download_may_begin_anew(station):
    ask(station, UpdateFirmware(URL), ACCEPTED)
    tells(station, "DownloadFailed")
    again = tells(station, "Downloading")
    assert (again.request_id, again.flags, again.result) == (1, (), None)
    assert not updates(station)[1].ended


def test_statuses_may_be_skipped_but_one_that_goes_back_is_flagged(station):
    ask(station, UpdateFirmware(URL), ACCEPTED)
    assert tells(station, "Installing", 1).flags == ()
    assert tells(station, "Downloaded", 1).flags == (procedures.OUT_OF_ORDER,)
    assert updates(station)[1].status == "Downloaded", "what the station says counts"


def test_a_number_that_nobody_gave_is_recorded_and_flagged(station):
    ask(station, UpdateFirmware(URL), ACCEPTED)
    fact = tells(station, "Downloading", 77)
    assert (fact.request_id, fact.said_id, fact.flags) == (None, 77, (procedures.UNKNOWN_REQUEST,))
    assert updates(station)[1].status == ""


def test_an_update_that_nobody_asked_for_is_recorded_and_flagged(station):
    assert tells(station, "Downloading").flags == (procedures.UNSOLICITED,)
    ask(station, UpdateFirmware(URL), ACCEPTED)
    tells(station, "Installed", 1)
    assert tells(station, "Downloading").flags == (procedures.UNSOLICITED,), "the last one was over"


def test_L01_FR_25_idle_after_the_end_is_no_news(station):
    assert tells(station, "Idle").flags == ()
    ask(station, UpdateFirmware(URL), ACCEPTED)
    tells(station, "Installed", 1)
    assert tells(station, "Idle").flags == ()
    assert updates(station)[1].status == "Installed"


def test_idle_in_the_middle_is_flagged_and_changes_nothing(station):
    ask(station, UpdateFirmware(URL), ACCEPTED)
    tells(station, "Downloading", 1)
    before = updates(station)[1]
    fact = tells(station, "Idle")
    assert (fact.request_id, fact.flags) == (None, (procedures.IDLE_BEFORE_END,))
    assert updates(station)[1] == before


@pytest.mark.parametrize("word", ["Rejected", "InvalidCertificate", "RevokedCertificate"])
def test_L01_FR_22_a_refused_update_has_ended(station, word):
    ask(station, UpdateFirmware(URL), Outcome(Result.REFUSED, word))
    fact = station.of(FirmwareUpdateAsked)[0]
    assert (fact.accepted, fact.answer) == (False, word)
    assert updates(station)[1].ended
    assert next_deadline(station.state, station.policy) is None


@pytest.mark.parametrize("result", [Result.OFFLINE, Result.NOT_EXPRESSIBLE, Result.CANCELLED])
def test_what_was_never_sent_is_no_update(station, result):
    ask(station, UpdateFirmware(URL), Outcome(result))
    assert station.state.firmware.updates == ()


def test_L01_FR_24_an_update_that_was_replaced_is_cancelled(station):
    ask(station, UpdateFirmware(URL), ACCEPTED)
    tells(station, "Downloading", 1)
    ask(station, UpdateFirmware(URL), Outcome(Result.ACCEPTED, "AcceptedCanceled"))
    assert station.of(FirmwareUpdateEnded) == [FirmwareUpdateEnded(1, FirmwareResult.CANCELLED, station.now)]
    fact = tells(station, "Downloaded", 1)
    assert (fact.request_id, fact.flags) == (None, (procedures.AFTER_CANCEL,))
    assert tells(station, "Downloading").request_id == 2


def test_1_6_has_no_word_for_it_so_a_newer_update_takes_the_place(station):
    ask(station, UpdateFirmware(URL), Outcome(Result.ACCEPTED))
    ask(station, UpdateFirmware(URL), Outcome(Result.ACCEPTED))
    assert [fact.request_id for fact in station.of(FirmwareUpdateEnded)] == [1]
    assert tells(station, "Downloading").request_id == 2


def test_a_status_before_the_answer_finds_its_update(station):
    name = ask(station, UpdateFirmware(URL))
    assert tells(station, "Downloading", 1).request_id == 1
    station.take(CommandReplied(name, ACCEPTED))
    first, second = station.of(FirmwareUpdateAsked)
    assert (first.accepted, second.accepted) == (None, True)
    assert updates(station)[1].status == "Downloading"


def test_an_unanswered_update_may_have_begun(station):
    name = ask(station, UpdateFirmware(URL))
    station.take(CommandReplied(name, Outcome(Result.TIMED_OUT)))
    assert [fact.accepted for fact in station.of(FirmwareUpdateAsked)] == [None]
    assert next_deadline(station.state, station.policy) is not None
    assert tells(station, "Downloading").request_id == 1


def test_a_station_that_says_nothing_stalls_once(station):
    ask(station, UpdateFirmware(URL), ACCEPTED)
    tells(station, "Downloading", 1)
    silence_s = station.policy.diagnostics.firmware_silence_s
    assert next_deadline(station.state, station.policy) == station.now + timedelta(seconds=silence_s)
    station.wait(silence_s)
    station.take(Tick())
    assert station.recorded == [FirmwareUpdateStalled(1, station.now, "Downloading")]
    assert next_deadline(station.state, station.policy) is None
    assert tells(station, "Downloaded", 1).flags == (), "it may still go on"
    assert next_deadline(station.state, station.policy) is not None


def test_a_station_that_waits_on_purpose_has_more_time(station):
    begins = station.now + timedelta(days=7)
    ask(station, UpdateFirmware(URL, retrieve_at=begins), ACCEPTED)
    assert updates(station)[1].expected_by > begins
    assert tells(station, "DownloadScheduled", 1).expected_by > begins
    silence_s = station.policy.diagnostics.firmware_silence_s
    assert tells(station, "DownloadPaused", 1).expected_by > station.now + timedelta(seconds=2 * silence_s)


def test_L01_FR_16_an_installation_may_be_scheduled(station):
    begins = station.now + timedelta(days=3)
    ask(station, UpdateFirmware(URL, install_at=begins), ACCEPTED)
    assert tells(station, "Downloading", 1).expected_by < begins
    assert tells(station, "InstallScheduled", 1).expected_by > begins


def test_the_boot_with_the_new_firmware_ends_the_update(station):
    ask(station, UpdateFirmware(URL), ACCEPTED)
    tells(station, "Downloaded", 1)
    boot(station, "2.0")
    assert station.of(FirmwareVersionSeen) == [FirmwareVersionSeen("2.0", station.now, "1.0", 1)]
    assert station.of(FirmwareUpdateEnded) == [FirmwareUpdateEnded(1, FirmwareResult.INSTALLED, station.now, "2.0")]
    assert tells(station, "Installed", 1).flags == (), "L01.FR.32: told by the new firmware, after its boot"


def test_the_boot_after_installed_brings_the_version(station):
    ask(station, UpdateFirmware(URL), ACCEPTED)
    tells(station, "Installed", 1)
    boot(station, "2.0")
    assert station.of(FirmwareUpdateEnded)[-1].version == "2.0"
    boot(station, "3.0")
    assert station.of(FirmwareVersionSeen)[-1].request_id is None, "that was somebody else"


def test_a_boot_with_the_old_firmware_is_noted_once(station):
    ask(station, UpdateFirmware(URL), ACCEPTED)
    tells(station, "InstallRebooting", 1)
    boot(station, "1.0")
    boot(station, "1.0")
    assert station.of(FirmwareUnchanged) == [FirmwareUnchanged(1, "1.0", station.now)]
    assert not updates(station)[1].ended
    boot(station, "2.0")
    assert station.of(FirmwareUpdateEnded)[-1].version == "2.0"


def test_a_boot_before_anything_was_fetched_has_nothing_to_do_with_it(station):
    ask(station, UpdateFirmware(URL), ACCEPTED)
    tells(station, "Downloading", 1)
    boot(station, "2.0")
    assert station.of(FirmwareUpdateEnded) == []
    assert station.of(FirmwareVersionSeen)[0].request_id is None


def test_a_first_boot_and_one_without_a_version_say_nothing(actor):
    boot(actor, "1.0")
    boot(actor, None)
    boot(actor, "1.0")
    assert actor.of(FirmwareVersionSeen) == []


def test_the_records_of_a_boot_come_before_its_answer(station):
    kinds = boot(station, "2.0")
    assert kinds.index(FirmwareVersionSeen) < len(kinds)
    assert station.effects[-1].answer.registration == "Accepted"


def test_updates_are_bounded(station):
    for _ in range(UPDATES_MAX + 3):
        ask(station, UpdateFirmware(URL), ACCEPTED)
    assert len(station.state.firmware.updates) == UPDATES_MAX


def publishes(actor, status, request_id=None, locations=()):
    assert actor.says(PublicationReported(PublicationStatus(status), request_id, locations)) == NoticeAnswer()
    return actor.recorded[-1]


def test_L03_a_publication_is_followed_to_its_end(station):
    name = ask(station, PublishFirmware(URL, "AB"), ACCEPTED)
    asked = station.of(PublicationAsked)[0]
    assert (asked.request_id, asked.command_id, asked.checksum, asked.accepted) == (1, name, "ab", True)
    for status in ("Downloading", "Downloaded", "ChecksumVerified"):
        assert publishes(station, status, 1).flags == ()
    done = publishes(station, "Published", 1, ("http://lc/f",))
    assert (done.request_id, done.locations) == (1, ("http://lc/f",))
    assert next_deadline(station.state, station.policy) is None


@pytest.mark.parametrize("word", ["Unpublished", "NoFirmware"])
def test_L04_FR_02_an_unpublished_file_is_offered_no_more(station, word):
    ask(station, PublishFirmware(URL, "AB"), ACCEPTED)
    publishes(station, "Published", 1)
    ask(station, UnpublishFirmware("ab"), Outcome(Result.ACCEPTED, word))
    assert station.of(PublicationEnded) == [PublicationEnded(1, station.now)]
    assert station.state.firmware.publications == ()


def test_L04_FR_04_a_file_that_is_being_downloaded_stays(station):
    ask(station, PublishFirmware(URL, "AB"), ACCEPTED)
    ask(station, UnpublishFirmware("ab"), Outcome(Result.REFUSED, "DownloadOngoing"))
    assert station.of(PublicationEnded) == []


def test_oddities_of_publications_are_flagged(station):
    assert publishes(station, "Published", 9).flags == (procedures.UNKNOWN_REQUEST,)
    assert publishes(station, "Published").flags == (procedures.UNSOLICITED,)
    assert publishes(station, "Idle").flags == ()
    ask(station, PublishFirmware(URL, "AB"), ACCEPTED)
    publishes(station, "ChecksumVerified", 1)
    assert publishes(station, "Downloaded", 1).flags == (procedures.OUT_OF_ORDER,)
    assert [fact.number for fact in station.of(PublicationStatusRecorded)] == [1, 2, 3, 4, 5]


def test_a_publication_stalls_and_may_come_before_its_answer(station):
    name = ask(station, PublishFirmware(URL, "AB"))
    assert publishes(station, "Downloading", 1).request_id == 1
    station.take(CommandReplied(name, ACCEPTED))
    station.wait(station.policy.diagnostics.firmware_silence_s)
    station.take(Tick())
    assert station.recorded == [PublicationEnded(1, station.now, stalled=True)]
    assert station.of(FirmwareStatusRecorded) == []


def test_a_refused_publication_has_ended(station):
    ask(station, PublishFirmware(URL, "AB"), Outcome(Result.REFUSED, "Rejected"))
    assert station.state.firmware.publications[0].ended
