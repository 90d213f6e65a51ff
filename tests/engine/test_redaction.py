"""Secrets are taken out of frames, everything else stays as it was written."""

import orjson
import pytest

from engine.redaction import redacted

SECRET = "s3cr3t-0123456789"


@pytest.mark.parametrize(
    "payload",
    [
        {"key": "AuthorizationKey", "value": SECRET},
        {"key": "authorizationkey", "value": SECRET},
        {"configurationKey": [{"key": "AuthorizationKey", "readonly": False, "value": SECRET}]},
        {
            "setVariableData": [
                {
                    "component": {"name": "SecurityCtrlr"},
                    "variable": {"name": "BasicAuthPassword"},
                    "attributeValue": SECRET,
                }
            ]
        },
        {
            "getVariableResult": [
                {"attributeStatus": "Accepted", "variable": {"name": "BasicAuthPassword"}, "attributeValue": SECRET}
            ]
        },
        {
            "reportData": [
                {"variable": {"name": "BasicAuthPassword"}, "variableAttribute": [{"type": "Actual", "value": SECRET}]}
            ]
        },
        {"connectionData": {"basicAuthPassword": SECRET, "apn": {"apnPassword": SECRET, "simPin": 1234}}},
        {"connectionData": {"vpn": {"server": "x", "password": SECRET}}},
        {"location": f"ftp://user:{SECRET}@example.com/logs"},
        {"data": orjson.dumps({"password": SECRET}).decode()},
        {"data": f'{{"password": "{SECRET}", broken'},
    ],
)
def test_a_secret_is_taken_out_wherever_it_hides(payload):
    clean = redacted(orjson.dumps([2, "1", "Any", payload]).decode())
    assert SECRET not in clean
    assert "1234" not in clean
    assert orjson.loads(clean)[:3] == [2, "1", "Any"]


def test_a_name_written_with_escapes_hides_nothing():
    text = '[2,"1","ChangeConfiguration",{"key":"\\u0041uthorizationKey","value":"SECRET"}]'.replace("SECRET", SECRET)
    assert SECRET not in redacted(text)


def test_an_unreadable_frame_that_may_hold_a_secret_is_withheld():
    assert SECRET not in redacted(f'[2,"1","ChangeConfiguration",{{"key":"AuthorizationKey","value":"{SECRET}"')


@pytest.mark.parametrize(
    "text",
    [
        '[2, "1",  "Heartbeat", {}]',
        '[2,"1","ChangeConfiguration",{"key":"HeartbeatInterval","value":"60"}]',
        '[2,"1","GetDiagnostics",{"location":"ftp://example.com/x"}]',
        '[3,"1",{"configurationKey":[],"unknownKey":["AuthorizationKey"]}]',
        '[2,"1","DataTransfer",{"vendorId":"a\\u00e9"}]',
        "no json at all",
    ],
)
def test_a_frame_without_a_secret_stays_as_it_was_written(text):
    assert redacted(text) == text


def test_the_user_of_a_url_stays_readable():
    assert "ftp://user:***@example.com" in redacted(
        f'[2,"1","GetLog",{{"location":"ftp://user:{SECRET}@example.com"}}]'
    )
