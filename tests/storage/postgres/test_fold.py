"""The fold knows every fact, and the writer every field."""

from typing import get_args

import msgspec
import pytest

from engine.model.authorization import TokenStatus, TokenVerdict
from engine.model.commands import CommandRequest, CommandRequested
from engine.model.facts import Fact
from engine.model.ids import EvseRef
from engine.model.notices import RawCommand
from engine.model.provisioning import SetVariables, VariableRef, VariableSetting
from engine.model.transactions import TransactionEnded, TransactionUpdated
from storage.blocks.registry import EVENTS, RULES
from storage.projection import clean
from storage.projection.changes import StationReport
from storage.projection.commands import requested_command
from storage.projection.events import event_of
from storage.projection.stations import heard_of_at
from storage.projection.transactions import transaction_after
from storage.queries.rows import StationRow, TransactionRow
from tests.storage.postgres.stories import at, theirs

SECRET = "s3cr3t-0123456789"
NOW = at(0)

IN_TABLES_OF_THEIR_OWN = {
    "TransactionOpened",
    "TransactionUpdated",
    "TransactionEnded",
    "ReadingsRecorded",
    "CommandRequested",
    "CommandSent",
    "CommandSettled",
}
SEEN_ONLY = {"StationSeen"}
REMEMBERED_ONLY = {
    "CostUpdatesUnsupported", "DerReportBegun", "DerReportEnded", "DerReportHeard", "DisplayReportMissing",
    "InventoryAsked", "InventoryPlanned", "LocalListAsked", "LocalListDoubted", "MonitoringReportPlanned",
    "ProfilesReportBegun", "ProfilesReportEnded", "ProfilesReportHeard", "StopDropped", "StopPlanned",
}  # fmt: skip
"""What a station's state must know and nobody else wants: where a conversation is, what is planned."""
HISTORY = {
    "SessionStarted", "SessionEnded", "StationBooted", "ConnectorStatusChanged", "TokenChecked", "DataReceived",
    "NoticeRecorded",
}  # fmt: skip


def test_every_fact_has_a_place():
    of_blocks = {fact.__name__ for fact in (*RULES, *EVENTS)}
    ours = IN_TABLES_OF_THEIR_OWN | SEEN_ONLY | HISTORY | REMEMBERED_ONLY
    assert {fact.__name__ for fact in get_args(Fact)} - of_blocks == ours - of_blocks
    assert of_blocks & REMEMBERED_ONLY == set()


def test_a_station_row_holds_the_whole_report():
    reported = (*StationReport.__struct_fields__, "seen_at")
    assert StationRow.__struct_fields__[-len(reported) :] == reported


ROW = TransactionRow("CP-1", "7", started_at=at(0), start_received_at=at(0), updated_at=at(0), evse=1, connector=2)


def updated(row: TransactionRow = ROW, **fields: object) -> TransactionRow:
    told = {"transaction_id": "7", "at": theirs(5), "received_at": at(5)} | fields
    return transaction_after(row, "CP-1", [TransactionUpdated(**told)])


def test_what_an_update_does_not_say_stays():
    full = updated(meter_start_wh=1.0, meter_last_wh=5.0, sequence=9, reservation_id=3)
    assert updated(full, sequence=4) == full


@pytest.mark.parametrize(
    ("evse", "expected"),
    [(None, (1, 2)), (EvseRef(1), (1, 2)), (EvseRef(1, 3), (1, 3)), (EvseRef(2), (2, None)), (EvseRef(2, 1), (2, 1))],
)
def test_a_connector_stays_known_until_another_evse_is_named(evse: EvseRef | None, expected: tuple[int, int | None]):
    row = updated(evse=evse)
    assert (row.evse, row.connector) == expected


def test_energy_so_far_does_not_go_back_when_the_register_does():
    row = updated(meter_start_wh=100.0, meter_last_wh=150.0)
    assert updated(row, meter_last_wh=90.0).energy_wh == 50.0
    assert updated(row, meter_last_wh=100.0).energy_wh == 0.0


def test_a_stop_told_after_the_end_completes_it_once():
    ended = TransactionEnded(transaction_id="7", ended_at=theirs(9), received_at=at(9))
    row = transaction_after(updated(meter_start_wh=100.0), "CP-1", [ended])
    assert (row.meter_stop_wh, row.energy_wh) == (None, None)
    row = updated(row, meter_last_wh=150.0)
    assert (row.meter_stop_wh, row.energy_wh) == (150.0, 50.0)
    row = updated(row, meter_last_wh=900.0)
    assert (row.meter_stop_wh, row.energy_wh) == (150.0, 50.0)


def test_an_end_says_nothing_about_the_token_of_the_start():
    ended = TransactionEnded(
        transaction_id="7", ended_at=theirs(9), received_at=at(9), verdict=TokenVerdict(status=TokenStatus.INVALID)
    )
    row = transaction_after(msgspec.structs.replace(ROW, token_status="Accepted"), "CP-1", [ended])
    assert (row.token_status, row.stop_token_status, row.stop_reason) == ("Accepted", "Invalid", "Local")


def test_every_fact_is_understood_by_all_that_look_at_it():
    from tests.storage.postgres.stories import story_16, story_21  # noqa: PLC0415 (only here)

    for _, _, entry in [*story_16(), *story_21()]:
        for fact in entry.records[0].facts:
            name = type(fact).__name__
            assert (event_of("CP-1", fact) is not None) == (name in HISTORY)
            assert (heard_of_at(fact) is None) == (name == "SessionEnded")


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (None, None),
        (b'{"a": 1.50, "b":"\xc3\xa4"}', '{"a": 1.50, "b":"ä"}'),
        (b'{"a":1,"a":2}', '{"a":1,"a":2}'),
        (b"null", "null"),
        (b" 1", " 1"),
        (b"1 2", '"1 2"'),
        (b'"\\\\u0000"', '"\\\\u0000"'),
        (b'"\\uD800"', '"\ufffd"'),
        (b"1" * 400, "1" * 400),
    ],
)
def test_json_is_kept_verbatim_where_postgresql_takes_it(payload: bytes | None, expected: str | None):
    assert clean.json_text(payload) == expected


def test_text_is_kept_where_postgresql_takes_it():
    assert clean.text("Ladesäule \U0001f600\n") == "Ladesäule \U0001f600\n"
    assert clean.text("a\0\ud800b") == "a\ufffd\ufffdb"
    assert clean.text_or_none(None) is None


@pytest.mark.parametrize(
    "command",
    [
        SetVariables((VariableSetting(VariableRef("BasicAuthPassword", "SecurityCtrlr"), SECRET),)),
        RawCommand("ChangeConfiguration", b'{"key":"AuthorizationKey","value":"%s"}' % SECRET.encode()),
        RawCommand("SetNetworkProfile", b'{"connectionData":{"basicAuthPassword":"%s"}}' % SECRET.encode()),
    ],
)
def test_a_secret_sent_to_a_station_rests_in_no_row(command: SetVariables | RawCommand):
    request = CommandRequest("c", "CP-1", command, NOW, NOW)
    row = requested_command("CP-1", CommandRequested(request))
    assert SECRET not in row.command
    assert row.kind == type(command).__name__
