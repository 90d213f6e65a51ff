"""Rows of monitors, of reports of them and of events."""

from datetime import timedelta

from engine.model.ids import EvseRef
from engine.model.monitoring import (
    EventsRecorded,
    EventsReported,
    Monitor,
    MonitoringBase,
    MonitoringEvent,
    MonitoringReportAsked,
    MonitoringReportMissing,
    MonitoringSet,
    MonitorKind,
    MonitorsCleared,
    MonitorsRecorded,
    MonitorsReported,
    MonitorsSet,
    MonitorType,
    StreamParameters,
)
from engine.model.provisioning import VariableRef
from storage.blocks.monitoring import EVENTS_TABLE, MONITORS, REPORTS, SETTINGS
from tests.storage.blocks.projecting import NOW, Rows

LATER = NOW + timedelta(minutes=5)
POWER = VariableRef("Power", "EVSE", component_instance="left", evse=EvseRef(1, 2))
ASKED = MonitoringReportAsked(7, "c1", NOW, accepted=True, whole=True, answer="Accepted")


def monitor(number, **more):
    wanted = {"ref": POWER, "type": MonitorType.PERIODIC, "value": 60.0, "severity": 8} | more
    return Monitor(number, **wanted)


def part(sequence, *monitors, more=False, **told):
    return MonitorsRecorded(MonitorsReported(7, sequence, monitors, more), LATER, **told)


async def numbers(rows):
    return [row.monitor_id for row in await rows.of(MONITORS)]


async def test_a_monitor_is_a_row_until_it_is_cleared():
    rows = Rows()
    custom = monitor(3, kind=MonitorKind.CUSTOM_MONITOR, stream=StreamParameters(60, 30))
    await rows.after(MonitorsSet((custom, monitor(4)), NOW))
    row = (await rows.of(MONITORS))[0]
    assert (row.component, row.component_instance, row.variable, row.evse, row.connector) == (
        "EVSE",
        "left",
        "Power",
        1,
        2,
    )
    assert (row.type, row.value, row.severity, row.kind) == ("Periodic", 60.0, 8, "CustomMonitor")
    assert (row.stream_interval_s, row.stream_values) == (60, 30)
    await rows.after(MonitorsCleared(LATER, (3, 9)))
    assert await numbers(rows) == [4]
    await rows.after(MonitorsCleared(LATER, all=True))
    assert await numbers(rows) == []


async def test_a_whole_report_replaces_what_was_known_and_keeps_its_own_parts():
    rows = Rows()
    await rows.after(MonitorsSet((monitor(1), monitor(2)), NOW), ASKED)
    await rows.after(part(0, monitor(2), more=True, first=True), part(1, monitor(5), complete=True), apart=False)
    assert await numbers(rows) == [2, 5]
    row = await rows.one(REPORTS)
    assert (row.whole, row.parts, row.complete, row.answer) == (True, 2, True, "Accepted")


async def test_a_report_of_some_leaves_the_others():
    rows = Rows()
    await rows.after(MonitorsSet((monitor(1),), NOW), part(0, monitor(2), complete=True))
    assert await numbers(rows) == [1, 2]


async def test_reports_are_missing_unasked_or_empty():
    rows = Rows()
    await rows.after(part(0, monitor(2), flags=("unknown_request",)))
    row = await rows.one(REPORTS)
    assert (row.unasked, row.asked_at, row.flags) == (True, LATER, ["unknown_request"])
    await rows.after(MonitoringReportMissing(7, LATER))
    assert (await rows.one(REPORTS)).missing
    await rows.after(MonitoringReportAsked(8, "c2", NOW, accepted=True, empty=True, answer="EmptyResultSet"))
    assert (await rows.one(REPORTS, command_id="c2")).complete


async def test_base_and_level_are_kept_side_by_side():
    rows = Rows()
    await rows.after(MonitoringSet(NOW, base=MonitoringBase.ALL), MonitoringSet(LATER, level=4))
    row = await rows.one(SETTINGS)
    assert (row.base, row.level, row.base_set_at, row.level_set_at) == ("All", 4, NOW, LATER)


async def test_each_event_is_a_row_however_often_its_number_occurs():
    rows = Rows()
    event = MonitoringEvent(
        5, POWER, "Alerting", "9", MonitorKind.CUSTOM_MONITOR, NOW, monitor_id=3, severity=2, transaction_id="tx"
    )
    fact = EventsRecorded(EventsReported((event, event), sequence=1), 1, LATER)
    await rows.after(fact, EventsRecorded(EventsReported((event,)), 2, LATER))
    found = await rows.of(EVENTS_TABLE)
    assert sorted((row.message, row.place) for row in found) == [(1, 0), (1, 1), (2, 0)]
    row = found[0]
    assert (row.event_id, row.occurred_at, row.received_at, row.severity) == (5, NOW, LATER, 2)
    assert [row.transaction_id for row in await rows.of(EVENTS_TABLE, severity=2, monitor_id=3)] == ["tx"] * 3


async def test_the_same_entry_twice_leaves_the_same_rows():
    rows = Rows()
    fact = EventsRecorded(
        EventsReported((MonitoringEvent(5, POWER, "Delta", "9", MonitorKind.CUSTOM_MONITOR),)), 1, LATER
    )
    await rows.after(fact, fact)
    assert len(await rows.of(EVENTS_TABLE)) == 1
