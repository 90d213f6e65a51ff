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
