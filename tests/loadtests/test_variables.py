"""Configuration keys, the device model and monitors: what the CSMS reads and changes, against a scripted one."""

from dataclasses import replace

import pytest

from loadtests.device_model import REPORT_ITEMS
from loadtests.variables import OF_KEY, TABLE, Variables, factory
from tests.loadtests.scripted import Csms
from tests.loadtests.test_station import ACCEPTED, LONG_CHARGE, newer, station_at, transaction_id, versions


@pytest.fixture(params=["2.0.1", "2.1"])
async def idle(request):
    async with (
        Csms() as csms,
        station_at(csms, request.param, replace(LONG_CHARGE, connectors=2), tokens=()) as station,
    ):
        await csms.until_heard("StatusNotification", 2)
        yield csms, station


@pytest.fixture
async def idle_16():
    async with Csms() as csms, station_at(csms, "1.6", tokens=()) as station:
        await csms.until_heard("StatusNotification")
        yield csms, station


def named(component, variable, **more):
    return {"component": {"name": component}, "variable": {"name": variable}} | more


async def test_all_keys_are_told_once_but_for_the_secret(idle_16):
    csms, _ = idle_16
    told = (await csms.call("GetConfiguration", {}))["configurationKey"]
    assert {each["key"] for each in told} == {each.key for each in TABLE if each.key}
    assert len(told) == len(OF_KEY)
    secret = next(each for each in told if each["key"] == "AuthorizationKey")
    assert "value" not in secret
    assert all(each["value"] for each in told if each["key"] in ("HeartbeatInterval", "MeterValueSampleInterval"))


async def test_keys_have_no_case_and_strange_ones_are_told_apart(idle_16):
    csms, _ = idle_16
    answer = await csms.call("GetConfiguration", {"key": ["heartbeatINTERVAL", "Nonsense"]})
    assert [each["value"] for each in answer["configurationKey"]] == ["3600"]
    assert answer["unknownKey"] == ["Nonsense"]


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [
        ("HeartbeatInterval", "77", "Accepted"),
        ("HeartbeatInterval", "soon", "Rejected"),
        ("HeartbeatInterval", "-1", "Rejected"),
        ("HeartbeatInterval", "0", "Rejected"),
        ("HeartbeatInterval", "99999999999", "Rejected"),
        ("LocalPreAuthorize", "TRUE", "Accepted"),
        ("LocalPreAuthorize", "yes", "Rejected"),
        ("MeterValuesSampledData", "Energy.Active.Import.Register,Voltage", "Accepted"),
        ("MeterValuesSampledData", "Vibes", "Rejected"),
        ("NumberOfConnectors", "2", "Rejected"),
        ("AuthorizationKey", "0123456789abcdef", "Accepted"),
        ("AuthorizationKey", "short", "Rejected"),
        ("Nonsense", "1", "NotSupported"),
    ],
)
async def test_keys_take_what_they_may(idle_16, key, value, status):
    csms, station = idle_16
    assert await csms.call("ChangeConfiguration", {"key": key, "value": value}) == {"status": status}
    if status == "Accepted":
        assert station.variables[OF_KEY[key.lower()].name] == value


async def test_what_is_sampled_follows_its_key():
    async with Csms() as csms, station_at(csms, "1.6", LONG_CHARGE) as station:
        await transaction_id(csms, station, "1.6")
        change = {"key": "MeterValuesSampledData", "value": "Energy.Active.Import.Register,Voltage"}
        assert await csms.call("ChangeConfiguration", change) == ACCEPTED
        heard = len(csms.all_of("MeterValues"))
        await csms.until_heard("MeterValues", heard + 2)
        sampled = csms.all_of("MeterValues")[-1]["meterValue"][0]["sampledValue"]
        assert {each["measurand"] for each in sampled} == {"Energy.Active.Import.Register", "Voltage"}


async def test_a_shorter_heartbeat_interval_takes_effect_at_once(idle_16):
    csms, _ = idle_16
    await csms.call("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "1"})
    await csms.until_heard("Heartbeat")


@versions
async def test_meter_values_come_at_the_full_second_when_that_is_asked_for(version):
    async with Csms() as csms, station_at(csms, version, tokens=()):
        await csms.until_heard("StatusNotification")
        if version == "1.6":
            await csms.call("ChangeConfiguration", {"key": "ClockAlignedDataInterval", "value": "1"})
        else:
            data = [named("AlignedDataCtrlr", "Interval", attributeValue="1")]
            await csms.call("SetVariables", {"setVariableData": data})
        values = (await csms.until_heard("MeterValues"))[0]["meterValue"][0]["sampledValue"]
        assert {each["context"] for each in values} == {"Sample.Clock"}


async def test_a_new_password_is_used_at_the_next_connection_which_comes_soon(idle):
    csms, _ = idle
    data = [named("SecurityCtrlr", "BasicAuthPassword", attributeValue="correct horse battery")]
    result = (await csms.call("SetVariables", {"setVariableData": data}))["setVariableResult"]
    assert result[0]["attributeStatus"] == "Accepted"
    await csms.until(lambda: len(csms.requests) == 2)
    assert "Authorization" in csms.requests[1].headers
    assert len(csms.all_of("BootNotification")) == 1
    got = await csms.call("GetVariables", {"getVariableData": [named("SecurityCtrlr", "BasicAuthPassword")]})
    assert got["getVariableResult"][0]["attributeStatus"] == "Rejected"


async def test_variables_are_read_and_changed_one_by_one(idle):
    csms, station = idle
    asked = [
        named("OCPPCommCtrlr", "HeartbeatInterval"),
        named("ocppcommctrlr", "heartbeatinterval", attributeType="Actual"),
        named("OCPPCommCtrlr", "Nonsense"),
        named("Nonsense", "HeartbeatInterval"),
        named("OCPPCommCtrlr", "HeartbeatInterval", attributeType="Target"),
    ]
    got = (await csms.call("GetVariables", {"getVariableData": asked}))["getVariableResult"]
    expected = ["Accepted", "Accepted", "UnknownVariable", "UnknownComponent", "NotSupportedAttributeType"]
    assert [each["attributeStatus"] for each in got] == expected
    assert got[0]["attributeValue"] == "3600"
    assert got[4]["attributeType"] == "Target"
    changes = [each | {"attributeValue": "77"} for each in asked]
    changes.append(named("ChargingStation", "Model", attributeValue="Other"))
    changes.append(named("OCPPCommCtrlr", "NetworkConfigurationPriority", attributeValue="1,2"))
    put = (await csms.call("SetVariables", {"setVariableData": changes}))["setVariableResult"]
    assert [each["attributeStatus"] for each in put] == [*expected, "Rejected", "RebootRequired"]
    assert station.variables.number("heartbeat") == 77


async def report(csms, action, payload):
    answer = await csms.call(action, {"requestId": 9} | payload)
    assert answer == ACCEPTED
    await csms.until(lambda: any(not each.get("tbc") for each in csms.all_of("NotifyReport")))
    parts = csms.all_of("NotifyReport")
    assert [each["seqNo"] for each in parts] == list(range(len(parts)))
    assert [each.get("tbc", False) for each in parts] == [True] * (len(parts) - 1) + [False]
    assert {each["requestId"] for each in parts} == {9}
    assert all(len(each["reportData"]) <= REPORT_ITEMS for each in parts)
    return [item for part in parts for item in part["reportData"]]


async def test_a_full_inventory_comes_in_parts_and_has_everything(idle):
    csms, _ = idle
    items = await report(csms, "GetBaseReport", {"reportBase": "FullInventory"})
    names = [(each["component"]["name"], each["variable"]["name"]) for each in items]
    assert ("SmartChargingCtrlr", "PeriodsPerSchedule") in names
    assert names.count(("Connector", "AvailabilityState")) == 2
    secret = next(each for each in items if each["variable"]["name"] == "BasicAuthPassword")
    assert "value" not in secret["variableAttribute"][0]


async def test_a_configuration_inventory_has_what_can_be_changed(idle):
    csms, _ = idle
    items = await report(csms, "GetBaseReport", {"reportBase": "ConfigurationInventory"})
    assert {each["variableAttribute"][0]["mutability"] for each in items} == {"ReadWrite", "WriteOnly"}


async def test_a_summary_has_how_it_is(idle):
    csms, _ = idle
    items = await report(csms, "GetBaseReport", {"reportBase": "SummaryInventory"})
    assert {each["variable"]["name"] for each in items} == {"AvailabilityState"}


async def test_a_report_has_what_was_asked_for(idle):
    csms, _ = idle
    asked = {"componentVariable": [{"component": {"name": "Connector", "evse": {"id": 2}}}]}
    items = await report(csms, "GetReport", asked)
    assert [each["component"]["evse"]["id"] for each in items] == [2]


@newer
async def test_a_report_about_nothing_is_an_empty_set(version):
    async with Csms() as csms, station_at(csms, version, tokens=()):
        await csms.until_heard("StatusNotification")
        for asked in ({"componentVariable": [{"component": {"name": "Unicorn"}}]}, {"componentCriteria": ["Problem"]}):
            answer = await csms.call("GetReport", {"requestId": 1} | asked)
            assert answer == {"status": "EmptyResultSet"}


async def test_monitors_are_set_reported_and_cleared(idle):
    csms, _ = idle
    one = named("OCPPCommCtrlr", "OfflineThreshold", value=10, type="UpperThreshold", severity=5)
    strange = named("Unicorn", "Horn", value=1, type="Delta", severity=5)
    answer = await csms.call("SetVariableMonitoring", {"setMonitoringData": [one, one, strange]})
    results = answer["setMonitoringResult"]
    assert [each["status"] for each in results] == ["Accepted", "Duplicate", "UnknownComponent"]
    number = results[0]["id"]
    assert await csms.call("GetMonitoringReport", {"requestId": 4}) == ACCEPTED
    told = (await csms.until_heard("NotifyMonitoringReport"))[0]
    assert told["monitor"][0]["variableMonitoring"][0]["id"] == number
    cleared = await csms.call("ClearVariableMonitoring", {"id": [number, 99]})
    assert [each["status"] for each in cleared["clearMonitoringResult"]] == ["Accepted", "NotFound"]
    assert await csms.call("GetMonitoringReport", {"requestId": 5}) == {"status": "EmptyResultSet"}


async def test_monitoring_has_a_base_and_a_level(idle):
    csms, _ = idle
    assert await csms.call("SetMonitoringBase", {"monitoringBase": "FactoryDefault"}) == ACCEPTED
    assert await csms.call("SetMonitoringLevel", {"severity": 4}) == ACCEPTED
    assert await csms.call("SetMonitoringLevel", {"severity": 12}) == {"status": "Rejected"}


async def test_network_profiles_go_into_their_slots(idle):
    csms, _ = idle
    data = {
        "ocppInterface": "Wired0", "ocppTransport": "JSON", "messageTimeout": 30, "securityProfile": 1,
        "ocppCsmsUrl": "wss://csms.example",
    }  # fmt: skip
    if csms.sockets[-1].subprotocol == "ocpp2.0.1":
        data["ocppVersion"] = "OCPP20"
    assert await csms.call("SetNetworkProfile", {"configurationSlot": 1, "connectionData": data}) == ACCEPTED
    bad = {"configurationSlot": 1, "connectionData": data | {"ocppCsmsUrl": "gopher://x"}}
    assert await csms.call("SetNetworkProfile", bad) == {"status": "Rejected"}


def test_what_a_station_never_changed_it_shares_with_all():
    one, other = Variables(factory(2, 10.0)), Variables(factory(2, 10.0))
    one.put("heartbeat", "5")
    assert (one["heartbeat"], other["heartbeat"], other["connectors"], other.number("meter")) == ("5", "60", "2", 10.0)
    assert factory(2, 10.0) is factory(2, 10.0)


def test_every_value_of_the_table_is_one_that_its_variable_takes():
    for variable in TABLE:
        assert variable.takes(variable.value) or variable.access != "ReadWrite", variable.name
        assert bool(variable.key) or bool(variable.component)
