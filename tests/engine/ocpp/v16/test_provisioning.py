"""Provisioning in 1.6."""

from datetime import UTC, datetime

import orjson
import pytest

from engine.model.commands import Outcome, Result
from engine.model.configuration_keys import REF_OF_KEY, ref_of_key
from engine.model.ids import EvseRef
from engine.model.provisioning import (
    BootAnswer,
    BootReported,
    GetVariables,
    HeartbeatAnswer,
    HeartbeatReported,
    Registration,
    ResetKind,
    ResetStation,
    SetVariables,
    VariableRef,
    VariableResult,
    VariableSetting,
)
from engine.ocpp import catalogue
from engine.ocpp.translation import NotExpressible
from engine.ocpp.v16.configuration_keys import key_of_ref
from engine.ocpp.versions import Version

V16 = Version.V16
NOW = datetime(2026, 5, 1, 10, tzinfo=UTC)
INTERVAL = VariableRef(component="OCPPCommCtrlr", variable="HeartbeatInterval")


def test_a_boot_tells_all_that_16_can_tell():
    payload = {
        "chargePointVendor": "V",
        "chargePointModel": "M",
        "chargePointSerialNumber": "S",
        "chargeBoxSerialNumber": "B",
        "firmwareVersion": "1.0",
        "iccid": "I",
        "imsi": "J",
        "meterType": "T",
        "meterSerialNumber": "N",
    }
    expected = BootReported(
        vendor="V",
        model="M",
        serial_number="S",
        firmware_version="1.0",
        iccid="I",
        imsi="J",
        meter_type="T",
        meter_serial_number="N",
    )
    assert catalogue.understand(V16, "BootNotification", payload) == (expected, ())


def test_empty_texts_are_not_said_and_the_boxs_number_stands_in():
    payload = {
        "chargePointVendor": "V",
        "chargePointModel": "M",
        "chargePointSerialNumber": "",
        "chargeBoxSerialNumber": "B",
        "iccid": "",
    }
    assert catalogue.understand(V16, "BootNotification", payload).report == BootReported(
        vendor="V", model="M", serial_number="B"
    )


@pytest.mark.parametrize("registration", Registration)
def test_a_boot_is_answered(registration):
    answer = BootAnswer(registration=registration, interval_s=300, now=NOW)
    assert catalogue.answer_payload(V16, "BootNotification", answer) == {
        "status": registration.value,
        "currentTime": "2026-05-01T10:00:00.000Z",
        "interval": 300,
    }


def test_a_heartbeat_is_answered_with_the_time():
    assert catalogue.understand(V16, "Heartbeat", {}).report == HeartbeatReported()
    assert catalogue.answer_payload(V16, "Heartbeat", HeartbeatAnswer(now=NOW)) == {
        "currentTime": "2026-05-01T10:00:00.000Z"
    }


def test_variables_become_keys():
    command = GetVariables(variables=(INTERVAL, VariableRef(variable="VendorKey")))
    assert catalogue.command_call(V16, command) == ("GetConfiguration", {"key": ["HeartbeatInterval", "VendorKey"]})
    assert catalogue.command_call(V16, GetVariables()) == ("GetConfiguration", {})


def test_keys_become_variables_with_the_unknown_ones_among_them():
    payload = {
        "configurationKey": [
            {"key": "heartbeatinterval", "readonly": False, "value": "300"},
            {"key": "VendorKey", "readonly": True},
        ],
        "unknownKey": ["Nonsense"],
    }
    outcome = catalogue.outcome_of(V16, "GetConfiguration", payload)
    assert outcome == Outcome(
        result=Result.ACCEPTED,
        payload=orjson.dumps(payload),
        variables=(
            VariableResult(ref=INTERVAL, status="Accepted", value="300", readonly=False),
            VariableResult(ref=VariableRef(variable="VendorKey"), status="Accepted", readonly=True),
            VariableResult(ref=VariableRef(variable="Nonsense"), status="UnknownVariable"),
        ),
    )


def test_a_password_that_a_station_gives_out_is_not_kept():
    payload = {"configurationKey": [{"key": "AuthorizationKey", "readonly": False, "value": "DEADBEEF"}]}
    outcome = catalogue.outcome_of(V16, "GetConfiguration", payload)
    assert outcome.variables[0].value == "(secret)"
    assert b"DEADBEEF" not in (outcome.payload or b"")


def test_one_key_is_set_per_message():
    setting = VariableSetting(ref=INTERVAL, value="60")
    assert catalogue.command_call(V16, SetVariables(settings=(setting,))) == (
        "ChangeConfiguration",
        {"key": "HeartbeatInterval", "value": "60"},
    )
    for settings in ((), (setting, setting)):
        with pytest.raises(NotExpressible, match="exactly one key"):
            catalogue.command_call(V16, SetVariables(settings=settings))


@pytest.mark.parametrize(
    ("status", "result"),
    [
        ("Accepted", Result.ACCEPTED),
        ("RebootRequired", Result.ACCEPTED),
        ("Rejected", Result.REFUSED),
        ("NotSupported", Result.REFUSED),
    ],
)
def test_setting_a_key_has_its_outcome(status, result):
    outcome = catalogue.outcome_of(V16, "ChangeConfiguration", {"status": status})
    assert (outcome.result, outcome.status) == (result, status)


@pytest.mark.parametrize(
    ("ref", "text"),
    [
        (
            VariableRef(component="DisplayMessageCtrlr", variable="Enabled"),
            "no key that means DisplayMessageCtrlr.Enabled",
        ),
        (VariableRef(component="SecurityCtrlr", variable="BasicAuthPassword"), "no key"),
        (VariableRef(variable="HeartbeatInterval", attribute="MaxSet"), "MaxSet"),
        (VariableRef(variable="HeartbeatInterval", evse=EvseRef(evse=1)), "whole station"),
        (VariableRef(variable="x" * 51), r"key\[0\]: is longer than 50"),
    ],
)
def test_variables_without_a_key_cannot_be_said(ref, text):
    with pytest.raises(NotExpressible, match=text):
        catalogue.command_call(V16, GetVariables(variables=(ref,)))


@pytest.mark.parametrize("key", REF_OF_KEY)
def test_every_key_of_the_table_goes_there_and_back(key):
    assert key_of_ref(ref_of_key(key)) == key
    assert ref_of_key(key.upper()) == ref_of_key(key)


def test_no_two_keys_mean_the_same_variable():
    assert len(set(REF_OF_KEY.values())) == len(REF_OF_KEY)


@pytest.mark.parametrize(("kind", "word"), [(ResetKind.IMMEDIATE, "Hard"), (ResetKind.ON_IDLE, "Soft")])
def test_resets_are_hard_or_soft(kind, word):
    assert catalogue.command_call(V16, ResetStation(kind=kind)) == ("Reset", {"type": word})


@pytest.mark.parametrize(
    "command", [ResetStation(kind=ResetKind.IMMEDIATE_AND_RESUME), ResetStation(kind=ResetKind.IMMEDIATE, evse=1)]
)
def test_other_resets_cannot_be_said(command):
    with pytest.raises(NotExpressible):
        catalogue.command_call(V16, command)
