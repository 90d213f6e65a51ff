"""Block J, meter values: outside of transactions (J01) and in them (J02)."""

import pytest

from engine.model.metering import ReadingsRecorded
from engine.model.transactions import TransactionFlag
from engine.ocpp.versions import Version
from tests.conformance.charging import Charging, at
from tests.conformance.conversation import V16, Conversation

TWO = [Version.V201, Version.V21]


def meter_values(version, sampled, evse=1):
    place = {"connectorId": evse} if version is V16 else {"evseId": evse}
    return {**place, "meterValue": [{"timestamp": at(5), "sampledValue": sampled}]}


def recorded(conversation):
    return [reading for fact in conversation.of(ReadingsRecorded) for reading in fact.readings]


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("evse", [0, 1, 7])
def test_J01_FR_18_meter_values_are_always_answered(version, evse):
    """EVSE 0 (1.6: connector 0) is the main meter."""
    conversation = Conversation(version)
    sampled = [{"value": "12.5" if version is V16 else 12.5}]
    assert conversation.says("MeterValues", meter_values(version, sampled, evse)) == {}
    [fact] = conversation.of(ReadingsRecorded)
    assert (fact.evse.evse, fact.transaction_id, fact.readings[0].value) == (evse, None, 12.5)


@pytest.mark.parametrize("version", Version)
def test_J01_FR_18_also_those_that_make_no_sense(version):
    """An error would make the station say them again for ever (1.6 section 4.7)."""
    conversation = Conversation(version)
    value = {"value": "much" if version is V16 else -1e300, "measurand": "SoC", "phase": "L3-L1"}
    assert conversation.says("MeterValues", meter_values(version, [value])) == {}


@pytest.mark.parametrize("version", TWO)
def test_J01_FR_21_signed_values_are_kept_as_they_came(version):
    signed = {
        "signedMeterData": "T0NNRnx7fXx7fQ==",
        "signingMethod": "ECDSA-secp256r1-SHA256",
        "encodingMethod": "OCMF",
        "publicKey": "b2NhOmJhc2U2NA==",
    }
    conversation = Conversation(version)
    conversation.says("MeterValues", meter_values(version, [{"value": 1_000, "signedMeterValue": signed}]))
    [reading] = recorded(conversation)
    assert all(part in reading.signed for part in signed.values())


@pytest.mark.parametrize("version", TWO)
def test_J02_FR_01_the_units_of_a_transactions_values_are_made_one(version):
    charging = Charging(Conversation(version))
    charging.start()
    sampled = [
        {"value": 1.5, "measurand": "Energy.Active.Import.Register", "unitOfMeasure": {"unit": "kWh"}},
        {"value": 74, "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "W", "multiplier": 2}},
        {"value": 16.25, "measurand": "Current.Import", "phase": "L1"},
    ]
    charging.event("Updated", "MeterValuePeriodic", 60, meterValue=[{"timestamp": at(60), "sampledValue": sampled}])
    values = [(reading.value, reading.unit) for reading in recorded(charging.conversation)[-3:]]
    assert values == [(1_500, "Wh"), (7_400, "W"), (16.25, "A")]


@pytest.mark.parametrize("version", TWO)
def test_J02_FR_14_several_events_may_have_one_timestamp(version):
    charging = Charging(Conversation(version))
    charging.start()
    for register in (1_100, 1_200, 1_300):
        charging.meter(register, 60)
    told = [fact.sequence for fact in charging.updated]
    assert [reading.value for reading in recorded(charging.conversation)[-3:]] == [1_100, 1_200, 1_300]
    assert told[-1] == 3


@pytest.mark.parametrize("version", Version)
def test_J02_FR_16_a_register_that_runs_backwards_is_kept_and_flagged(version):
    """Meters are exchanged."""
    charging = Charging(Conversation(version))
    charging.start(meter_wh=50_000)
    charging.stop(meter_wh=10)
    [ended] = charging.ended
    flags = {flag for fact in (*charging.updated, ended) for flag in fact.flags}
    assert (ended.meter_stop_wh, TransactionFlag.METER_BACKWARDS in flags) == (10, True)


@pytest.mark.parametrize("version", TWO)
@pytest.mark.parametrize("kind", ["Started", "Updated", "Ended"])
def test_J02_FR_19_every_transaction_event_is_answered(version, kind):
    charging = Charging(Conversation(version))
    assert charging.event(kind, "MeterValuePeriodic", 60, 1_000, "Sample.Periodic") == {}
