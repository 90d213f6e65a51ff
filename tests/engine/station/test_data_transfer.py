"""Vendors' own messages."""

from engine.model.data_transfer import DataAnswer, DataReceived, DataReported
from engine.station.policy import Policy

REPORT = DataReported("Acme", "hello", b'{"a":1}')


def test_an_unknown_vendor_is_told_so_and_its_data_recorded(actor):
    assert actor.says(REPORT) == DataAnswer(status="UnknownVendorId")
    assert actor.recorded == [DataReceived(report=REPORT, status="UnknownVendorId", at=actor.now)]


def test_a_vendor_on_the_list_is_accepted(make_actor):
    actor = make_actor(policy=Policy(data_vendors_accepted=frozenset({"Acme"})))
    assert actor.says(REPORT) == DataAnswer(status="Accepted")


def test_the_word_of_the_vendors_handler_is_the_answer_and_is_kept(actor):
    finding = DataAnswer("Accepted", b'{"a":1}')
    assert actor.says(DataReported("com.acme", "m", b'"x"', finding=finding)) == finding
    (fact,) = actor.recorded
    assert (fact.status, fact.answer, fact.report.finding) == ("Accepted", b'{"a":1}', None)
