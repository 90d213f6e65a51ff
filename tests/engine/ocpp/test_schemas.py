"""The official schemas and the errors that they lead to."""

import pytest

from engine.ocpp import schemas
from engine.ocpp.errors import ErrorCode, LocalError, RemoteError
from engine.ocpp.versions import Version

V16, V201, V21 = Version.V16, Version.V201, Version.V21
START = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "2026-05-01T10:00:00Z"}
BOOT = {"reason": "PowerUp", "chargingStation": {"model": "M", "vendorName": "V"}}


@pytest.mark.parametrize(("version", "requests", "responses"), [(V16, 39, 39), (V201, 64, 64), (V21, 91, 90)])
def test_every_action_has_its_schemas(version, requests, responses):
    assert len(schemas.schemas_of(version, "request")) == requests
    assert len(schemas.schemas_of(version, "response")) == responses


def test_what_is_right_passes():
    schemas.check(V16, "StartTransaction", "request", START)
    schemas.check(V21, "BootNotification", "request", BOOT)


@pytest.mark.parametrize(
    ("version", "action", "payload", "code", "text"),
    [
        (V16, "Authorize", {}, ErrorCode.PROTOCOL_ERROR, "payload: idTag is missing"),
        (
            V201,
            "BootNotification",
            {**BOOT, "chargingStation": {"model": "M"}},
            ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION,
            "chargingStation: vendorName is missing",
        ),
        (V16, "Authorize", {"idTag": 7}, ErrorCode.TYPE_CONSTRAINT_VIOLATION, "idTag: must be of type string"),
        (
            V16,
            "Authorize",
            {"idTag": "x" * 21},
            ErrorCode.TYPE_CONSTRAINT_VIOLATION,
            "idTag: is longer than 20 characters",
        ),
        (
            V201,
            "BootNotification",
            {**BOOT, "reason": "Boredom"},
            ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
            "reason: must be one of ApplicationReset",
        ),
        (
            V16,
            "MeterValues",
            {"connectorId": 1, "meterValue": []},
            ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION,
            "meterValue: needs at least 1 items",
        ),
        (V16, "Heartbeat", {"x": 1}, ErrorCode.FORMAT_VIOLATION, "payload: no property of that name is allowed: x"),
        (
            V16,
            "MeterValues",
            {"connectorId": 1, "meterValue": [{"timestamp": "", "sampledValue": [{"value": "1"}, {}]}]},
            ErrorCode.PROTOCOL_ERROR,
            "meterValue[0].sampledValue[1]: value is missing",
        ),
        (
            V16,
            "StartTransaction",
            {**START, "meterStart": 2**63},
            ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
            "meterStart: must be 9223372036854775807 or less",
        ),
        (
            V21,
            "StatusNotification",
            {"timestamp": "", "connectorStatus": "Available", "evseId": 1.0, "connectorId": 1},
            ErrorCode.TYPE_CONSTRAINT_VIOLATION,
            "evseId: must be of type integer",
        ),
    ],
)
def test_every_fault_has_its_code_and_tells_where_it_is(version, action, payload, code, text):
    with pytest.raises(RemoteError) as raised:
        schemas.check(version, action, "request", payload)
    assert raised.value.code is code
    assert raised.value.description.startswith(text)


def test_the_error_does_not_repeat_what_may_be_secret():
    with pytest.raises(RemoteError) as raised:
        schemas.check(V16, "ChangeConfiguration", "request", {"key": "AuthorizationKey", "value": "secret" * 100})
    assert "secret" not in raised.value.description


def test_one_decimal_limits_are_multiples_of_a_tenth():
    for tenths in range(1, 1000):
        schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": tenths / 10}]}
        payload = {"status": "Accepted", "chargingSchedule": schedule}
        schemas.check(V16, "GetCompositeSchedule", "response", payload)


def test_times_are_not_the_schemas_business():
    schemas.check(V16, "StartTransaction", "request", {**START, "timestamp": "2026-05-01 10:00:00+0100"})


def test_an_action_that_the_version_lacks_is_our_fault():
    with pytest.raises(LocalError, match=r"OCPP 2.0.1 has no request of SetDERControl"):
        schemas.check(V201, "SetDERControl", "request", {})
