"""Secrets are taken out of frames, everything else stays as it was written."""

import orjson
import pytest

from engine import redaction
from engine.redaction import redacted, redacted_url

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


@pytest.mark.parametrize("name", ["X-Amz-Signature", "sig", "access_token", "apiKey", "X-Amz-Credential"])
def test_what_lets_somebody_in_by_a_query_is_taken_out(name):
    url = f"https://h/logs?{name}={SECRET}&part=1#top"
    assert redacted_url(url) == f"https://h/logs?{name}=***&part=1#top"
    frame = f'[2,"1","GetLog",{{"log":{{"remoteLocation":"{url}"}}}}]'
    assert SECRET not in redacted(frame)
    assert "part=1" in redacted(frame)


@pytest.mark.parametrize("url", ["https://h/f?part=1&design=x", "ftp://h/signature", "https://h/f?monkey"])
def test_an_address_without_a_key_stays(url):
    assert redacted_url(url) == url


def test_an_address_made_to_be_slow_is_not():
    assert redacted_url("https://h/" + "?&" * 30_000)
    assert redacted_url("https://h/?" + "a" * 60_000)


def test_what_a_station_keeps_of_a_customer_is_taken_out():
    frame = f'[2,"1","NotifyCustomerInformation",{{"data":"{SECRET}","requestId":1,"seqNo":0}}]'
    clean = redacted(frame)
    assert SECRET not in clean
    assert '"requestId":1' in clean


def test_whom_a_station_was_asked_about_is_taken_out():
    assert SECRET not in redacted(f'[2,"1","CustomerInformation",{{"customerIdentifier":"{SECRET}","report":true}}]')
    assert SECRET not in redacted(f'{{"customer_identifier":"{SECRET}","report":true}}')


def test_the_key_of_a_vpn_in_a_network_profile_is_withheld():
    vpn = {"server": "v", "user": "u", "password": "hush", "key": "hush", "type": "IKEv2"}
    apn = {"apn": "a", "apnPassword": "hush", "simPin": 4711}
    connection = {"ocppCsmsUrl": "wss://u:hush@x", "vpn": vpn, "apn": apn, "basicAuthPassword": "hush"}
    frame = [2, "m", "SetNetworkProfile", {"configurationSlot": 1, "connectionData": connection}]
    clean = redaction.redacted(orjson.dumps(frame).decode())
    assert "hush" not in clean
    assert "4711" not in clean
    assert '"server":"v"' in clean


@pytest.mark.parametrize(
    ("component", "variable", "secret"),
    [
        ("SecurityCtrlr", "BasicAuthPassword", True),
        ("", "AuthorizationKey", True),
        ("NetworkConfiguration", "VpnKey", True),
        ("VpnCtrlr", "Key", True),
        ("X", "Key", False),
        ("OCPPCommCtrlr", "HeartbeatInterval", False),
    ],
)
def test_which_variables_are_secrets(component, variable, secret):
    assert redaction.is_secret_variable(component, variable) is secret


def test_an_address_is_told_without_its_password():
    assert redaction.redacted_url("wss://u:hush@x/ocpp") == "wss://u:***@x/ocpp"
