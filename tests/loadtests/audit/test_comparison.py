"""The audit can fail: each way in which a database can be wrong shows as what it is, and where."""

import sqlite3

import pytest

from loadtests.audit.comparison import DIFFERENCES_MAX, Difference, Differences
from loadtests.audit.ledger import Sum
from tests.loadtests.audit.books import OTHER16, V2, V16, Postgres, at_ms, book, story16


@pytest.fixture
def ledger(tmp_path):
    ledger = book(tmp_path)
    yield ledger
    ledger.close()


@pytest.fixture
def postgres(ledger):
    return Postgres(ledger)


def moment(postgres, station, second):
    [found] = [each for each in postgres.samples if each.station == station and each.at_ms == at_ms(second)]
    return found


def kinds(differences):
    return {(each.kind, each.station, each.transaction_id) for each in differences.found}


def test_what_is_right_shows_no_difference_and_is_counted(ledger, postgres):
    differences = postgres.compare(ledger)
    assert differences.found == []
    assert differences.compared == {
        "transactions": 2,
        "transaction messages": 7,
        "meter values": 5,
        "sampled values": 7,
        "stations": 2,
    }


def test_a_transaction_that_is_gone_is_lost(ledger, postgres):
    del postgres.transactions[V16, "41"]
    assert kinds(postgres.compare(ledger)) == {("transaction lost", V16, "41")}


def test_a_transaction_that_nobody_was_told_of_is_told(ledger, postgres):
    row = postgres.transactions[V2, "tx-2"]
    postgres.transactions[V2, "tx-3"] = type(row)(**{**vars(row), "transaction_id": "tx-3"})
    assert kinds(postgres.compare(ledger)) == {("transaction that nobody was told of", V2, "tx-3")}
    assert postgres.compare(ledger, unfinished=[V2]).total == 0, "its start may have been said, and not answered"


@pytest.mark.parametrize(
    ("fields", "kind", "says"),
    [
        ({"energy_wh": 41.0}, "other energy", "acknowledged 40.0, stored 41.0"),
        ({"energy_wh": None}, "other energy", "stored None"),
        ({"started_ms": at_ms(2)}, "start at another time", "12:00:01.000Z, stored 2026-11-21T12:00:02.000Z"),
        ({"meter_start_wh": None}, "start with another register", "acknowledged 1000.0, stored None"),
        ({"token": "OTHER"}, "start with another token", "stored OTHER"),
        ({"evse": 2}, "start at another connector", "stored 2"),
        ({"ended_ms": at_ms(5)}, "stop at another time", "12:00:04.000Z, stored 2026-11-21T12:00:05.000Z"),
        ({"meter_stop_wh": 1039.0}, "stop with another register", "acknowledged 1040.0"),
        ({"stop_reason": "Remote"}, "stop for another reason", "acknowledged Local, stored Remote"),
        ({"flags": ("started_unseen",)}, "transaction flagged", "started_unseen"),
    ],
)
def test_each_changed_column_shows(ledger, postgres, fields, kind, says):
    postgres.change(V16, **fields)
    [difference] = postgres.compare(ledger).found
    assert (difference.kind, difference.station, difference.transaction_id) == (kind, V16, "41")
    assert says in difference.message


def test_a_message_that_did_not_arrive_shows_by_its_sequence_number(ledger, postgres):
    postgres.change(V2, last_sequence=1)
    assert kinds(postgres.compare(ledger)) == {("other last sequence number", V2, "tx-2")}


def test_a_transaction_whose_stop_was_answered_must_not_be_open(ledger, postgres):
    postgres.change(V16, ended_ms=None, meter_stop_wh=None, stop_reason=None)
    assert kinds(postgres.compare(ledger)) == {("transaction left open", V16, "41")}


def test_who_told_no_stop_has_no_transaction_that_is_closed_or_open(tmp_path, ledger, postgres):
    with sqlite3.connect(tmp_path / "ledger.sqlite") as file:
        file.execute("DELETE FROM events WHERE stage = 'stop' AND station = ?", [V16])
    file.close()
    assert kinds(postgres.compare(ledger)) == {("transaction closed by nobody", V16, "41")}
    postgres.change(V16, ended_ms=None)
    assert kinds(postgres.compare(ledger)) == {("transaction never stopped", V16, "41")}
    assert postgres.compare(ledger, unfinished=[V16]).total == 0


def test_meter_values_that_are_gone_are_lost(ledger, postgres):
    del postgres.samples[moment(postgres, V16, 3)]
    [difference] = postgres.compare(ledger).found
    assert (difference.kind, difference.station, difference.transaction_id) == ("meter values lost", V16, "41")
    assert "Sample.Periodic of 2026-11-21T12:00:03.000Z: 2 values acknowledged, 0 stored" in difference.message


def test_meter_values_that_are_there_twice_are_doubled(ledger, postgres):
    key = moment(postgres, V2, 2)
    postgres.samples[key] = postgres.samples[key].plus(postgres.samples[key])
    assert kinds(postgres.compare(ledger)) == {("meter values doubled", V2, "tx-2")}


def test_one_value_of_several_that_is_gone_shows(ledger, postgres):
    key = moment(postgres, V16, 2)
    postgres.samples[key] = Sum(1, postgres.samples[key].digest)
    assert kinds(postgres.compare(ledger)) == {("meter values lost in part", V16, "41")}


def test_a_value_that_became_another_shows(ledger, postgres):
    key = moment(postgres, V16, 2)
    postgres.samples[key] = Sum(2, postgres.samples[key].digest + 1)
    assert kinds(postgres.compare(ledger)) == {("meter values changed", V16, "41")}


def test_values_in_the_wrong_transaction_are_lost_there_and_news_here(ledger, postgres):
    key = moment(postgres, V16, 2)
    postgres.samples[key._replace(transaction_id="42")] = postgres.samples.pop(key)
    assert kinds(postgres.compare(ledger)) == {
        ("meter values lost", V16, "41"),
        ("meter values that nobody was told of", V16, "42"),
    }
    postgres.samples[key] = Sum(2, ledger.samples([V16])[key].digest)
    assert postgres.compare(ledger, unfinished=[V16]).total == 0


def test_one_number_for_two_starts_shows(ledger, postgres):
    ledger.on_answered(OTHER16, *next(story16()))
    ledger.finish()
    found = kinds(postgres.compare(ledger))
    assert found == {("one number for several starts", f"{OTHER16}, {V16}", "41")}


def test_differences_are_all_counted_and_kept_up_to_a_bound():
    differences = Differences()
    differences.add(Difference("lost", "S", None, "") for _ in range(DIFFERENCES_MAX + 5))
    assert len(differences.found) == DIFFERENCES_MAX
    assert differences.total == DIFFERENCES_MAX + 5
