"""Monitoring: which monitors are known, reports of them, events and what they tell of connectors."""

from datetime import timedelta

import pytest

from engine.model.availability import ConnectorStatus, ConnectorStatusChanged
from engine.model.commands import CommandReplied, CommandRequest, CommandRequested, Outcome, Result
from engine.model.ids import EvseRef
from engine.model.monitoring import (
    ClearVariableMonitoring,
    EventsRecorded,
    EventsReported,
    GetMonitoringReport,
    Monitor,
    MonitoringBase,
    MonitoringEvent,
    MonitoringReportAsked,
    MonitoringReportMissing,
    MonitoringReportPlanned,
    MonitoringSet,
    MonitorKind,
    MonitorResult,
    MonitorResults,
    MonitorsCleared,
    MonitorSetting,
    MonitorsGone,
    MonitorsReported,
    MonitorsSet,
    MonitorType,
    SetMonitoringBase,
    SetMonitoringLevel,
    SetVariableMonitoring,
    StreamParameters,
)
from engine.model.notices import NoticeAnswer
from engine.model.provisioning import BootReported, VariableRef
from engine.station import procedures
from engine.station.decider import Tick, next_deadline
from engine.station.diagnostics import GAP, REPEATED, RESTARTED
from engine.station.monitoring import ASK_AFTER_S, ASK_SOON_S

ACCEPTED = Outcome(Result.ACCEPTED, "Accepted")
POWER = VariableRef("Power", "EVSE", evse=EvseRef(1))
MONITOR = Monitor(1, POWER, MonitorType.UPPER_THRESHOLD, 9.0, 4)
AVAILABILITY = VariableRef("AvailabilityState", "Connector", evse=EvseRef(1, 1))


def ask(actor, command, outcome=None):
    """Gives a command, and the answer where there is one; returns its id."""
    ask.last += 1
    name = f"c{ask.last}"
    deadline_at = actor.now + timedelta(hours=1)
    actor.take(CommandRequest(name, "CP-1", command, requested_at=actor.now, deadline_at=deadline_at))
    if outcome is not None:
        actor.take(CommandReplied(name, outcome))
    return name


ask.last = 0


def part(actor, sequence, *monitors, more=False, request_id=1):
    assert actor.says(MonitorsReported(request_id, sequence, monitors, more)) == NoticeAnswer()
    return actor.recorded[-1]


def event(value="Occupied", ref=AVAILABILITY, **more):
    wanted = {"event_id": 1, "trigger": "Delta", "kind": MonitorKind.HARD_WIRED_NOTIFICATION} | more
    return MonitoringEvent(ref=ref, value=value, **wanted)


def notices(actor, *events):
    assert actor.says(EventsReported(events)) == NoticeAnswer()
    return [
        (fact.report.evse, fact.report.status) for fact in actor.recorded if isinstance(fact, ConnectorStatusChanged)
    ]


@pytest.fixture
def station(actor):
    actor.wait(10)
    return actor


def test_N04_FR_11_the_monitors_that_a_station_took_are_known(station):
    first = MonitorSetting(POWER, MonitorType.UPPER_THRESHOLD, 9.0, 4)
    second = MonitorSetting(POWER, MonitorType.PERIODIC, 60.0, 8, stream=StreamParameters(60))
    third = MonitorSetting(POWER, MonitorType.DELTA, 1.0, 5)
    results = (
        MonitorResult(POWER, MonitorType.DELTA, 5, "UnknownVariable"),
        MonitorResult(POWER, MonitorType.PERIODIC, 8, "Accepted", 22),
        MonitorResult(POWER, MonitorType.UPPER_THRESHOLD, 4, "Accepted", 11),
    )
    outcome = Outcome(Result.REFUSED, "UnknownVariable", found=MonitorResults(results))
    ask(station, SetVariableMonitoring((first, second, third)), outcome)
    (fact,) = station.of(MonitorsSet)
    assert {(each.id, each.type, each.value, each.stream) for each in fact.monitors} == {
        (11, MonitorType.UPPER_THRESHOLD, 9.0, None),
        (22, MonitorType.PERIODIC, 60.0, StreamParameters(60)),
    }
    assert {each.kind for each in fact.monitors} == {MonitorKind.CUSTOM_MONITOR}


def test_N04_FR_12_a_monitor_that_is_replaced_keeps_its_number(station):
    setting = MonitorSetting(POWER, MonitorType.DELTA, 1.0, 5, id=7)
    results = MonitorResults((MonitorResult(POWER, MonitorType.DELTA, 5, "Accepted"),))
    ask(station, SetVariableMonitoring((setting,)), Outcome(Result.ACCEPTED, "Accepted", found=results))
    assert station.of(MonitorsSet)[0].monitors[0].id == 7


def test_the_whole_station_is_the_same_place_however_it_is_left_out(station):
    setting = MonitorSetting(VariableRef("T", "CS", component_instance="", evse=EvseRef(0)), MonitorType.DELTA, 1.0, 5)
    results = MonitorResults((MonitorResult(VariableRef("T", "CS"), MonitorType.DELTA, 5, "Accepted", 3),))
    ask(station, SetVariableMonitoring((setting,)), Outcome(Result.ACCEPTED, "Accepted", found=results))
    assert station.of(MonitorsSet)[0].monitors[0].id == 3


def test_an_answer_without_anything_taken_is_no_news(station):
    setting = MonitorSetting(POWER, MonitorType.DELTA, 1.0, 5)
    stranger = MonitorResults((MonitorResult(VariableRef("X", "Y"), MonitorType.DELTA, 5, "Accepted", 3),))
    ask(station, SetVariableMonitoring((setting,)), Outcome(Result.FAILED, "NotSupported"))
    ask(station, SetVariableMonitoring((setting,)), Outcome(Result.ACCEPTED, "Accepted", found=stranger))
    assert station.of(MonitorsSet) == []


def test_N06_FR_01_cleared_monitors_are_gone(station):
    found = MonitorsGone((1, 2))
    ask(station, ClearVariableMonitoring((1, 2, 3)), Outcome(Result.REFUSED, "Rejected", found=found))
    assert station.of(MonitorsCleared) == [MonitorsCleared(station.now, (1, 2))]
    ask(station, ClearVariableMonitoring((3,)), Outcome(Result.REFUSED, "Rejected", found=MonitorsGone(())))
    assert len(station.of(MonitorsCleared)) == 1


def test_N02_FR_09_the_first_part_of_a_whole_report_begins_anew(station):
    ask(station, GetMonitoringReport(), ACCEPTED)
    first = part(station, 0, MONITOR, more=True)
    assert (first.first, first.complete, first.flags) == (True, False, ())
    last = part(station, 1)
    assert (last.first, last.complete, last.flags) == (False, True, ())
    assert next_deadline(station.state, station.policy) is None


def test_N02_FR_05_a_report_of_some_leaves_the_others(station):
    ask(station, GetMonitoringReport((POWER,)), ACCEPTED)
    assert part(station, 0, MONITOR).first is False


def test_oddities_of_a_report_are_flagged(station):
    assert part(station, 0, MONITOR, request_id=9).flags == (procedures.UNKNOWN_REQUEST,)
    ask(station, GetMonitoringReport(), ACCEPTED)
    assert part(station, 1, MONITOR, more=True).flags == (GAP,)
    assert part(station, 1, MONITOR, more=True).flags == (REPEATED,)
    assert part(station, 0, MONITOR, more=True).flags == (RESTARTED,)
    done = part(station, 2, MONITOR)
    assert (done.flags, done.complete) == ((GAP,), False)
    assert part(station, 3, MONITOR).flags == (procedures.AFTER_END,)


def test_a_part_may_come_before_the_answer(station):
    name = ask(station, GetMonitoringReport())
    assert part(station, 0, MONITOR).first is True
    station.take(CommandReplied(name, ACCEPTED))
    assert [fact.accepted for fact in station.of(MonitoringReportAsked)] == [None, True]
    assert next_deadline(station.state, station.policy) is None


def test_N02_FR_10_an_empty_report_means_that_there_are_none(station):
    ask(station, GetMonitoringReport(), Outcome(Result.ACCEPTED, "EmptyResultSet"))
    assert station.of(MonitorsCleared) == [MonitorsCleared(station.now, all=True)]
    assert next_deadline(station.state, station.policy) is None
    ask(station, GetMonitoringReport((POWER,)), Outcome(Result.ACCEPTED, "EmptyResultSet"))
    assert len(station.of(MonitorsCleared)) == 1, "there may be others"


def test_the_rest_that_does_not_come_is_missed_once(station):
    ask(station, GetMonitoringReport(), ACCEPTED)
    part(station, 0, MONITOR, more=True)
    station.wait(station.policy.diagnostics.report_silence_s)
    station.take(Tick())
    assert station.recorded == [MonitoringReportMissing(1, station.now)]
    assert next_deadline(station.state, station.policy) is None


@pytest.mark.parametrize("outcome", [Outcome(Result.REFUSED, "NotSupported"), Outcome(Result.OFFLINE)])
def test_a_report_that_will_not_come_is_not_waited_for(station, outcome):
    ask(station, GetMonitoringReport(), outcome)
    assert next_deadline(station.state, station.policy) is None


@pytest.mark.parametrize("base", [MonitoringBase.FACTORY_DEFAULT, MonitoringBase.HARD_WIRED_ONLY])
def test_N03_FR_04_FR_05_another_base_removes_what_was_set(station, base):
    ask(station, SetMonitoringBase(base), ACCEPTED)
    assert station.of(MonitorsCleared) == [MonitorsCleared(station.now, all=True)]
    assert station.of(MonitoringSet) == [MonitoringSet(station.now, base=base)]
    station.wait(ASK_SOON_S)
    station.take(Tick())
    (command,) = [fact.request.command for fact in station.recorded if isinstance(fact, CommandRequested)]
    assert command == GetMonitoringReport(request_id=1)


def test_N03_FR_03_all_leaves_what_was_set(station):
    ask(station, SetMonitoringBase(MonitoringBase.ALL), ACCEPTED)
    assert station.of(MonitorsCleared) == []
    assert len(station.of(MonitoringReportPlanned)) == 1
    ask(station, SetMonitoringBase(MonitoringBase.ALL), Outcome(Result.REFUSED, "NotSupported"))
    assert len(station.of(MonitoringSet)) == 1


def test_N05_FR_01_the_level_is_noted_when_it_is_taken(station):
    ask(station, SetMonitoringLevel(4), ACCEPTED)
    ask(station, SetMonitoringLevel(9), Outcome(Result.REFUSED, "Rejected"))
    assert station.of(MonitoringSet) == [MonitoringSet(station.now, level=4)]


def test_N04_FR_19_after_a_boot_known_monitors_are_asked_for_again(station):
    part(station, 0, MONITOR, request_id=9)
    station.boot()
    assert not any(isinstance(fact, CommandRequested) for fact in station.recorded), "not before the answer"
    station.wait(ASK_AFTER_S)
    station.take(Tick())
    asked = [fact.request for fact in station.of(CommandRequested)]
    assert [request.command for request in asked] == [GetMonitoringReport(request_id=1)]
    assert station.state.monitoring.ask_at is None


def test_a_boot_of_a_station_without_known_monitors_asks_nothing(station):
    station.says(BootReported(vendor="Acme", model="One"))
    assert station.of(MonitoringReportPlanned) == []


def test_N07_FR_03_events_are_recorded_as_they_are(station):
    hot = event("63", VariableRef("Temperature", "EVSE"), event_id=5, cleared=True)
    assert notices(station, hot) == []
    assert station.recorded == [EventsRecorded(EventsReported((hot,)), 1, station.now)]
    notices(station, hot)
    assert station.recorded[0].number == 2


@pytest.mark.parametrize(
    ("ref", "value", "expected"),
    [
        (AVAILABILITY, "Occupied", [(EvseRef(1, 1), ConnectorStatus.OCCUPIED)]),
        (AVAILABILITY, " faulted ", [(EvseRef(1, 1), ConnectorStatus.FAULTED)]),
        (VariableRef("AvailabilityState", "ChargingStation"), "Available", [(EvseRef(0), ConnectorStatus.AVAILABLE)]),
        (VariableRef("AvailabilityState", "EVSE", evse=EvseRef(1)), "Available", []),
        (VariableRef("AvailabilityState", "Connector", evse=EvseRef(1)), "Available", []),
        (VariableRef("AvailabilityState", "Connector"), "Available", []),
        (AVAILABILITY, "Melted", []),
        (VariableRef("Available", "Connector", evse=EvseRef(1, 1)), "Occupied", []),
    ],
)
def test_G01_FR_03_availability_events_are_statuses_of_connectors(station, ref, value, expected):
    assert notices(station, event(value, ref)) == expected


def test_G01_FR_04_the_last_of_several_events_counts(station):
    told = notices(station, event("Occupied"), event("63", POWER), event("Available"))
    assert [status for _, status in told] == [ConnectorStatus.OCCUPIED, ConnectorStatus.AVAILABLE]
    assert station.state.connectors[-1].status is ConnectorStatus.AVAILABLE
