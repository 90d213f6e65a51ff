"""`narke firmware`: updates are asked for and followed."""

import json

import pytest

from engine.model.facts import JournalEntry, StationFacts
from engine.model.firmware import (
    FirmwareStatus,
    FirmwareStatusRecorded,
    FirmwareUpdateAsked,
    FirmwareUpdateStalled,
    UpdateFirmware,
)
from storage.journal_reader import StreamEntry
from tests.ingress.http.house import NOW

ASKED = FirmwareUpdateAsked(7, "c1", "ftp://h/f", NOW, accepted=True, answer="Accepted", from_version="1.0")


@pytest.fixture
def tell(narke):
    narke.house.add_station("CP-1")

    def take(*facts):
        entry = JournalEntry("default", NOW, (StationFacts("CP-1", facts),))
        with pytest.raises(StopIteration):
            narke.house.projection.apply([StreamEntry("s0", "1-0", entry)]).send(None)

    return take


def ok(result):
    assert result.exit_code == 0, result.output
    return result


def commanded(narke):
    return narke.house.gateway.requests[0].command


def test_an_update_is_fetched_at_once_unless_told_otherwise(narke):
    narke.house.add_station("CP-1")
    assert "accepted" in ok(narke.run("firmware", "update", "CP-1", "ftp://h/f")).stdout
    command = commanded(narke)
    assert isinstance(command, UpdateFirmware)
    assert (command.location, command.install_at, command.signature) == ("ftp://h/f", None, None)
    assert command.retrieve_at is not None


def test_a_signed_update_takes_its_certificate_and_signature_from_files(narke, tmp_path):
    narke.house.add_station("CP-1")
    (tmp_path / "cert.pem").write_text("PEM\n")
    (tmp_path / "sig").write_text("c2ln\n")
    files = ("--certificate", str(tmp_path / "cert.pem"), "--signature", f"@{tmp_path / 'sig'}")
    times = ("--retrieve", "2030-01-01T00:00Z", "--install", "2030-01-02T00:00Z", "--retries", "2")
    ok(narke.run("firmware", "update", "CP-1", "ftp://h/f", *files, *times))
    command = commanded(narke)
    assert (command.signing_certificate, command.signature, command.retries) == ("PEM", "c2ln", 2)
    assert (command.retrieve_at.day, command.install_at.day) == (1, 2)


def test_a_file_that_is_not_there_is_told(narke):
    result = narke.run("firmware", "update", "CP-1", "ftp://h/f", "--signature", "@/nowhere")
    assert result.exit_code == 2
    assert "/nowhere cannot be read" in result.stderr


def test_updates_and_their_statuses_are_listed(narke, tell):
    status = FirmwareStatusRecorded(FirmwareStatus.DOWNLOADING, 1, NOW, 7, 7, flags=("out_of_order",))
    tell(ASKED, status, FirmwareUpdateStalled(7, NOW))
    line = ok(narke.run("firmware", "list", "--station", "CP-1", "--stalled")).stdout
    assert all(word in line for word in ("CP-1", "Downloading", "stalled", "1.0"))
    assert "no update" in narke.run("firmware", "list", "--result", "installed").output
    rows = json.loads(ok(narke.run("firmware", "statuses", "CP-1", "--request", "7", "--json")).stdout)
    assert [(row["status"], row["flags"]) for row in rows] == [("Downloading", ["out_of_order"])]
