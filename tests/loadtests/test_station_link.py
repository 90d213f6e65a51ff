"""A station looks at what the CSMS says: the right code for each violation, on each version, and a share of all."""

from dataclasses import replace

import pytest

from loadtests.schema_check import violation
from tests.loadtests.scripted import NOW, Csms
from tests.loadtests.test_station import LONG_CHARGE, newer, station_at, versions

RESET = {"1.6": {"type": "Soft"}, "2.0.1": {"type": "OnIdle"}, "2.1": {"type": "OnIdle"}}
IDLE = replace(LONG_CHARGE, first_charge_s_max=1e3)


def violations(station):
    return {name: count for name, count in station.statistics.events.items() if name.startswith("schema violations")}


@pytest.mark.parametrize(
    ("payload", "code_16", "code_2"),
    [
        ({}, "ProtocolError", "OccurrenceConstraintViolation"),
        ({"type": 1}, "TypeConstraintViolation", "TypeConstraintViolation"),
        ({"type": "Gently"}, "PropertyConstraintViolation", "PropertyConstraintViolation"),
        ({"more": 1}, "FormationViolation", "FormatViolation"),
    ],
)
@versions
def test_each_violation_has_its_code(version, payload, code_16, code_2):
    payload = payload if "type" in payload or not payload else RESET[version] | payload
    found = violation(version, "Reset", "Request", payload)
    assert found.code == (code_16 if version == "1.6" else code_2)
    assert found.description


@newer
def test_too_few_items_are_an_occurrence(version):
    assert (
        violation(version, "GetVariables", "Request", {"getVariableData": []}).code == "OccurrenceConstraintViolation"
    )


def test_a_description_says_where():
    wrong = {"evse": {"id": "x"}, "operationalStatus": "Operative"}
    assert violation("2.1", "ChangeAvailability", "Request", wrong).description.startswith("evse/id: ")


@versions
@pytest.mark.parametrize("action", ["NeverHeardOf", "../v16/schemas/Reset", "", "x" * 5000])
def test_what_has_no_schema_cannot_violate_it(version, action):
    assert violation(version, action, "Request", {"anything": 1}) is None


@versions
def test_tenths_of_limits_are_sound(version):
    for tenths in range(320):
        periods = [{"startPeriod": 0, "limit": tenths / 10}]
        profile = {"chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Relative", "stackLevel": 0}
        schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": periods}
        if version == "1.6":
            wire = {
                "connectorId": 1,
                "csChargingProfiles": profile | {"chargingProfileId": 1, "chargingSchedule": schedule},
            }
        else:
            wire = {"evseId": 1, "chargingProfile": profile | {"id": 1, "chargingSchedule": [schedule | {"id": 1}]}}
        assert violation(version, "SetChargingProfile", "Request", wire) is None


@versions
async def test_a_bad_call_is_refused_counted_and_not_obeyed(version):
    async with Csms() as csms, station_at(csms, version, IDLE) as station:
        await csms.until_heard("StatusNotification")
        answer = await csms.call("Reset", RESET[version] | {"more": 1})
        assert answer[2] == ("FormationViolation" if version == "1.6" else "FormatViolation")
        assert answer[4] == {}
        assert len(violations(station)) == 1
        assert next(iter(violations(station))).startswith(f"schema violations {version} Reset Request: Form")
        assert station.registered


@versions
async def test_a_bad_reply_is_counted_and_taken_as_it_is(version):
    async with Csms() as csms:
        csms._replies = _Forgiving()
        csms.answers["BootNotification"] = [{"currentTime": NOW, "interval": "soon", "status": "Pending"}]
        csms.answers["BootNotification"] = [{"currentTime": NOW, "interval": 60, "status": "Accepted", "more": 1}]
        async with station_at(csms, version, IDLE) as station:
            await csms.until_heard("StatusNotification")
            assert [name.split()[3:5] for name in violations(station)] == [["BootNotification", "Response:"]]
        errors = [message for message in csms._replies.messages if message[0] == 5]
        assert len(errors) == (version == "2.1")


class _Forgiving(dict):
    """Takes replies that nobody waits for."""

    def __init__(self):
        super().__init__()
        self.messages = []

    def pop(self, _):
        return self

    def set_result(self, message):
        self.messages.append(message)


async def test_nobody_looks_where_nothing_is_to_be_checked():
    async with Csms() as csms, station_at(csms, "1.6", replace(IDLE, check_share=0.0)) as station:
        await csms.until_heard("StatusNotification")
        await csms.call("ClearCache", {"more": 1})
        assert violations(station) == {}


async def test_a_share_is_looked_at_evenly():
    async with Csms() as csms, station_at(csms, "1.6", replace(IDLE, check_share=0.25)) as station:
        await csms.until_heard("StatusNotification")
        for _ in range(20):
            await csms.call("ClearCache", {"more": 1})
        assert sum(violations(station).values()) in (4, 5, 6)


async def test_quirks_of_errors():
    quirks = ("error_details_as_string", "error_spellings_mixed")
    async with Csms() as csms, station_at(csms, "1.6", replace(IDLE, quirks=quirks)):
        await csms.until_heard("StatusNotification")
        answer = await csms.call("Reset", {"type": "Soft", "more": 1})
        assert (answer[2], answer[4]) == ("FormatViolation", "see the log")
