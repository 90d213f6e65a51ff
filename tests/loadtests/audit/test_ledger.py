"""The ledger: what goes in comes out, from a file, and a reply that cannot be right is noticed."""

import pytest

from loadtests.audit import ledger as ledger_module
from loadtests.audit.ledger import Ledger
from tests.loadtests.audit.books import V2, V16, VERSIONS, book, story16


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite", VERSIONS)
    yield ledger
    ledger.close()


def test_events_come_out_in_the_order_of_their_replies(tmp_path):
    ledger = book(tmp_path)
    assert [event.stage for station, event in ledger.events([V16])] == ["start", "update", "update", "stop"]
    assert {station for station, _ in ledger.events([V16, V2])} == {V16, V2}
    assert {moment.context: amount.amount for moment, amount in ledger.samples([V2]).items()} == {
        "Transaction.Begin": 1,
        "Sample.Periodic": 1,
        "Transaction.End": 1,
    }
    ledger.close()


def test_memory_is_bounded_for_rows_go_to_the_file(ledger, monkeypatch):
    monkeypatch.setattr(ledger_module, "ROWS_MAX", 4)
    for action, payload, reply in story16():
        ledger.on_answered(V16, action, payload, reply)
        assert len(ledger._events) + len(ledger._samples) < 4
    assert len(list(ledger.events([V16]))) == 4 - len(ledger._events)
    assert ledger.answers == 4


def test_the_same_moment_in_two_messages_adds_up(ledger):
    calls = list(story16())
    for action, payload, reply in [calls[1], calls[1]]:
        ledger.on_answered(V16, action, payload, reply)
    ledger.finish()
    [amount] = ledger.samples([V16]).values()
    assert amount.amount == 4


@pytest.mark.parametrize(
    ("station", "action", "payload", "reply", "says"),
    [
        (V16, "Heartbeat", {}, {}, "schema of OCPP 1.6"),
        (V16, "Heartbeat", {}, {"transactionId": 1, "idTagInfo": {"status": "Accepted"}}, "reply to Heartbeat"),
        (V16, "MeterValues", {"connectorId": 1, "meterValue": []}, {"currentTime": "x"}, "reply to MeterValues"),
        (
            V16,
            "StartTransaction",
            {},
            {"transactionId": -1, "idTagInfo": {"status": "Invalid"}},
            "names no transaction",
        ),
        (V2, "TransactionEvent", {}, {"idTokenInfo": {"status": "Accepted"}}, "another token"),
        (V2, "TransactionEvent", {"idToken": {}}, {}, "another token"),
    ],
)
def test_a_reply_that_cannot_be_the_one_to_its_call_is_kept_apart(ledger, station, action, payload, reply, says):
    ledger.on_answered(station, action, payload, reply)
    [unsound] = ledger.unsound
    assert (unsound.station, unsound.action) == (station, action)
    assert says in unsound.problem


def test_unsound_replies_are_bounded_and_counted(ledger, monkeypatch):
    monkeypatch.setattr(ledger_module, "UNSOUND_MAX", 2)
    for _ in range(5):
        ledger.on_answered(V16, "Heartbeat", {}, {})
    assert (len(ledger.unsound), ledger.unsound_more) == (2, 3)
