"""A new password on the wire. Security whitepaper A01, 2.1 A01; TC_073, TC_A_09."""

import pytest

from engine.model.provisioning import ChangePassword
from engine.ocpp.catalogue import command_call, outcome_of
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

HEX = "0123456789ABCDEF0123456789abcdef01234567"
BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])


def test_TC_073_1_6_is_told_hexadecimal_digits_as_they_are():
    assert command_call(Version.V16, ChangePassword(HEX)) == (
        "ChangeConfiguration",
        {"key": "AuthorizationKey", "value": HEX},
    )


def test_1_6_is_told_the_bytes_of_a_text():
    _, payload = command_call(Version.V16, ChangePassword("open sesame, pls"))
    assert bytes.fromhex(payload["value"]) == b"open sesame, pls"


@pytest.mark.parametrize("password", ["", "short", "x" * 21, "ab" * 21, "ä" * 11])
def test_1_6_holds_16_to_20_bytes(password):
    with pytest.raises(NotExpressible, match="16 to 20 bytes"):
        command_call(Version.V16, ChangePassword(password))


@BOTH
def test_TC_A_09_2_x_is_told_the_text(version):
    action, payload = command_call(version, ChangePassword(HEX))
    (data,) = payload["setVariableData"]
    named = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    assert (action, data) == ("SetVariables", {**named, "attributeValue": HEX})


@BOTH
@pytest.mark.parametrize("length", [15, 65])
def test_A00_FR_205_2_x_bounds_its_length(version, length):
    with pytest.raises(NotExpressible, match="16 to"):
        command_call(version, ChangePassword("x" * length))


def test_2_1_holds_longer_ones():
    command_call(Version.V21, ChangePassword("x" * 64))
    with pytest.raises(NotExpressible, match="16 to 40"):
        command_call(Version.V201, ChangePassword("x" * 64))


@BOTH
def test_TC_A_10_a_station_may_refuse(version):
    named = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    answer = {"setVariableResult": [{**named, "attributeStatus": "Rejected"}]}
    assert outcome_of(version, "SetVariables", answer).result == "refused"
