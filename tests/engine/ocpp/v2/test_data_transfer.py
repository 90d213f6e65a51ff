"""Data transfer: any JSON goes through untouched, both ways."""

import pytest

from engine.model.commands import Result
from engine.model.data_transfer import DataAnswer, DataReported, SendData
from engine.ocpp.translation import NotExpressible
from engine.ocpp.v2 import data_transfer
from engine.ocpp.v2.dialect import dialect
from engine.ocpp.versions import Version


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("text", b'"text"'),
        ({"z": 1, "a": [None, 1.5]}, b'{"z":1,"a":[null,1.5]}'),
        ([], b"[]"),
        (None, b"null"),
        (False, b"false"),
        ("", b'""'),
    ],
)
def test_data_are_kept_as_json(data, expected):
    report = data_transfer.report_from_data_transfer({"vendorId": "v", "data": data}, Version.V201)
    assert report == DataReported(vendor_id="v", data=expected)


@pytest.mark.parametrize("message_id", [{}, {"messageId": ""}])
def test_absent_data_and_an_empty_message_id_are_not_said(message_id):
    report = data_transfer.report_from_data_transfer({"vendorId": "v", **message_id}, Version.V21)
    assert report == DataReported(vendor_id="v", message_id=None, data=None)


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
@pytest.mark.parametrize("status", ["Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"])
def test_every_status_is_told(status, version, judge):
    payload = data_transfer.data_transfer_response(DataAnswer(status=status), version)
    assert payload == {"status": status}
    judge(version, "DataTransfer", "Response", payload)


def test_data_go_with_the_answer():
    answer = DataAnswer(status="Accepted", data=b'{"a":null}')
    expected = {"status": "Accepted", "data": {"a": None}}
    assert data_transfer.data_transfer_response(answer, Version.V201) == expected


def test_we_say_what_we_have():
    command = SendData(vendor_id="v", message_id="m", data=b'{"a":1}')
    said = data_transfer.data_transfer_from_send_data(command, Version.V201)
    assert said == ("DataTransfer", {"vendorId": "v", "messageId": "m", "data": {"a": 1}})
    least = data_transfer.data_transfer_from_send_data(SendData(vendor_id="v"), Version.V201)
    assert least == ("DataTransfer", {"vendorId": "v"})
    nothing = data_transfer.data_transfer_from_send_data(SendData(vendor_id="v", message_id=""), Version.V201)
    assert nothing == least


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (SendData(vendor_id="v", data=b"{"), "as JSON, and these are not"),
        (SendData(vendor_id="v" * 256), "255 characters in a vendorId"),
        (SendData(vendor_id="v", message_id="m" * 51), "50 characters in a messageId"),
    ],
)
def test_what_cannot_travel_is_not_expressible(command, problem):
    with pytest.raises(NotExpressible, match=problem):
        data_transfer.data_transfer_from_send_data(command, Version.V21)


def test_an_unknown_vendor_is_a_no():
    outcome = dialect(Version.V201).from_csms["DataTransfer"].outcome({"status": "UnknownVendorId"}, Version.V201)
    assert (outcome.result, outcome.status) == (Result.REFUSED, "UnknownVendorId")
