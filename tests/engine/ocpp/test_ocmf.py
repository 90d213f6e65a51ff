"""OCMF in signed meter values: recognised however it comes, read, its structure checked; nothing raises."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ocpp import ocmf

PAYLOAD = {
    "FV": "1.0",
    "GI": "DZG-GSH01.1K2L",
    "GS": "1DZG0028225179",
    "PG": "T26",
    "MV": "DZG",
    "MM": "GSH01.1K2L",
    "MS": "1DZG0028225179",
    "MF": "230",
    "IS": True,
    "IT": "ISO14443",
    "ID": "HRWWBX8|x",
    "RD": [
        {"TM": "2023-05-19T11:55:14,000+0000 S", "TX": "B", "RV": 108.8, "RI": "1-b:1.8.0", "RU": "kWh", "ST": "G"},
        {"TM": "2023-05-19T11:55:48,000+0000 S", "TX": "E", "RV": 108.814},
    ],
}
SIGNATURE = {"SA": "ECDSA-secp256r1-SHA256", "SD": "30450221"}


def written(payload=PAYLOAD, signature=SIGNATURE):
    return f"OCMF|{json.dumps(payload)}|{json.dumps(signature)}"


def in_base64(text):
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "signed",
    [
        written(),
        in_base64(written()),
        written().encode().hex(),
        json.dumps({"signedMeterData": in_base64(written()), "encodingMethod": "OCMF", "publicKey": ""}),
        json.dumps({"signedMeterData": written()}),
        f"  {written()}\n",
    ],
)
def test_it_is_recognised_however_it_comes(signed):
    found = ocmf.recognised(signed)
    assert found.faults == ()
    assert (found.vendor, found.model, found.serial, found.pagination) == ("DZG", "GSH01.1K2L", "1DZG0028225179", "T26")
    assert (found.identified, found.identification) == (True, "HRWWBX8|x")
    assert (found.signature_algorithm, found.signature) == ("ECDSA-secp256r1-SHA256", "30450221")
    begin, end = found.readings
    assert (begin.value, begin.unit, begin.transaction) == (108.8, "kWh", "B")
    assert (end.value, end.unit, end.transaction, end.status) == (108.814, "kWh", "E", "G")


@pytest.mark.parametrize("signed", ["", "AQID", "{}", '{"signedMeterData": 5}', "[1]", "<signed>EDL</signed>", "zz=="])
def test_what_is_not_ocmf_is_not_recognised(signed):
    assert ocmf.recognised(signed) is None


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"PG": "26"}, "PG: must be T or F and a number"),
        ({"IS": "yes"}, "IS: must be true or false"),
        ({"RD": []}, "RD: must be a list of readings"),
        ({"RD": [5]}, "RD[0]: must be an object"),
        ({"RD": [{**PAYLOAD["RD"][0], "RV": None}]}, "RD[0].RV: must be a number"),
        ({"RD": [{**PAYLOAD["RD"][0], "TM": "yesterday"}]}, "RD[0].TM: must be a time"),
        ({"RD": [{**PAYLOAD["RD"][0], "ST": "?"}]}, "RD[0].ST: must be one of"),
        ({"RD": [{**PAYLOAD["RD"][0], "TX": "?"}]}, "RD[0].TX: unknown word"),
        ({"RD": PAYLOAD["RD"][:1] * 101}, "RD: more than 100 readings"),
    ],
)
def test_a_fault_of_the_structure_is_told_and_the_rest_is_read(change, fault):
    found = ocmf.parsed(written({**PAYLOAD, **change}))
    assert [each for each in found.faults if each.startswith(fault)]
    assert found.vendor == "DZG"


@pytest.mark.parametrize(
    ("signature", "fault"),
    [
        ({}, "SD: there is no signature"),
        ({"SD": "xyz"}, "SD: must be hexadecimal"),
        ({"SD": "!", "SE": "base64"}, "SD: must be base64"),
        ({"SD": "00", "SE": "rot13"}, "SE: unknown encoding"),
    ],
)
def test_a_broken_signature_is_told(signature, fault):
    assert ocmf.parsed(written(signature=signature)).faults[0].startswith(fault)


@pytest.mark.parametrize("text", ["OCMF|", "OCMF|{}", "OCMF|5|6", "OCMF|{|}", "OCMF|" + "[" * 60_000 + "|{}"])
def test_a_broken_text_is_told(text):
    assert ocmf.parsed(text).faults


@given(st.text() | st.text().map(lambda text: f"OCMF|{text}") | st.dictionaries(st.text(), st.text()).map(json.dumps))
def test_nothing_that_a_station_writes_raises(signed):
    ocmf.recognised(signed)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*PAYLOAD, "TM", "RV", "ST"]), inner),
)


@given(json_values, json_values)
def test_no_json_within_it_raises(payload, signature):
    assert isinstance(ocmf.parsed(written(payload, signature)), ocmf.Ocmf)
