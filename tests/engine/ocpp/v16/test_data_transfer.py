"""Data transfer in 1.6."""

import pytest

from engine.model.commands import Result
from engine.model.data_transfer import DataAnswer, DataReported, SendData
from engine.ocpp import catalogue
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

V16 = Version.V16


def test_data_is_told_as_json():
    payload = {"vendorId": "V", "messageId": "M", "data": 'say "hi"'}
    expected = DataReported(vendor_id="V", message_id="M", data=b'"say \\"hi\\""')
    assert catalogue.understand(V16, "DataTransfer", payload).report == expected
    assert catalogue.understand(V16, "DataTransfer", {"vendorId": "V"}).report == DataReported(vendor_id="V")


@pytest.mark.parametrize(
    ("answer", "payload"),
    [
        (DataAnswer(status="UnknownVendorId"), {"status": "UnknownVendorId"}),
        (DataAnswer(status="Accepted", data=b'"ok"'), {"status": "Accepted", "data": "ok"}),
        (DataAnswer(status="Accepted", data=b'{"a":1}'), {"status": "Accepted", "data": '{"a":1}'}),
    ],
)
def test_data_is_answered_as_text(answer, payload):
    assert catalogue.answer_payload(V16, "DataTransfer", answer) == payload


def test_data_is_sent_as_text():
    command = SendData(vendor_id="V", message_id="M", data=b'"ok"')
    expected = ("DataTransfer", {"vendorId": "V", "messageId": "M", "data": "ok"})
    assert catalogue.command_call(V16, command) == expected


@pytest.mark.parametrize(("data", "text"), [(b'{"a":1}', "as a text"), (b"{", "no JSON")])
def test_data_that_is_no_text_cannot_be_said(data, text):
    with pytest.raises(NotExpressible, match=text):
        catalogue.command_call(V16, SendData(vendor_id="V", data=data))


def test_an_unknown_vendor_is_a_no():
    assert catalogue.outcome_of(V16, "DataTransfer", {"status": "UnknownVendorId"}).result is Result.REFUSED
