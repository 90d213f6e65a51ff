"""Many statuses, one outcome."""

import pytest

from engine.model.commands import Result
from engine.ocpp.v2 import entries
from engine.ocpp.versions import Version


@pytest.mark.parametrize(("statuses", "word"), [(["A", "A"], "A"), (["A", "B"], None), ([], None)])
def test_a_word_stands_for_all_only_where_all_agree(statuses, word):
    assert entries.one_word(iter(statuses)) == word


def test_each_reason_stands_once_in_the_order_of_the_answer():
    assert entries.detail_of_others(5, ["b", "a", "b"]) == "3 of 5 not accepted: b, a"
    assert entries.detail_of_others(5, []) is None


def test_a_status_is_the_reason_where_no_other_is_given():
    read = entries.outcome_of_entries("results")
    outcome = read({"results": [{"status": "NotFound"}, {"status": "Accepted"}]}, Version.V201)
    assert (outcome.result, outcome.status) == (Result.REFUSED, "NotFound")
    assert outcome.detail == "1 of 2 not accepted: NotFound"


def test_words_that_are_a_yes_elsewhere_are_none_here():
    outcome = entries.outcome_of_entries("results")({"results": [{"status": "NoTariff"}]}, Version.V21)
    assert outcome.result is Result.REFUSED
