"""Monitors that stations have, reports of them, and the events they made."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from engine.model.ids import EvseRef
from engine.model.monitoring import (
    EventsRecorded,
    Monitor,
    MonitoringReportAsked,
    MonitoringReportMissing,
    MonitoringSet,
    MonitorsCleared,
    MonitorsRecorded,
    MonitorsSet,
)
from engine.model.provisioning import VariableRef
from storage.blocks.table import Change, Drop, Json, Put, Table

UNANSWERED = "Unanswered"
TAG = "monitoring"


class VariableMonitorRow(msgspec.Struct, frozen=True):
    """A monitor that a station has. `severity`: 0, the highest, to 9. `kind`: where it comes from, null: not said.

    `value`: threshold, change, or for the periodic ones seconds. `transaction`: it watches during transactions only.
    """

    station: str
    monitor_id: int
    component: str | None = None
    component_instance: str | None = None
    variable: str | None = None
    variable_instance: str | None = None
    evse: int | None = None
    connector: int | None = None
    type: str | None = None
    value: float | None = None
    severity: int | None = None
    transaction: bool | None = None
    kind: str | None = None
    stream_interval_s: int | None = None
    stream_values: int | None = None
    noted_at: datetime | None = None


class MonitoringEventRow(msgspec.Struct, frozen=True):
    """Something that a station noticed. `received_at`: our clock, `occurred_at`: the station's.

    `cleared`: back to normal. `sequence`: which part of a report in several parts it came in. `message`, `place`: the
    message it came in and its place there. `cause`: the id of the event that caused it.
    """

    station: str
    received_at: datetime
    message: int
    place: int
    event_id: int | None = None
    occurred_at: datetime | None = None
    trigger: str | None = None
    component: str | None = None
    component_instance: str | None = None
    variable: str | None = None
    variable_instance: str | None = None
    evse: int | None = None
    connector: int | None = None
    value: str | None = None
    severity: int | None = None
    cleared: bool | None = None
    kind: str | None = None
    monitor_id: int | None = None
    cause: int | None = None
    transaction_id: str | None = None
    tech_code: str | None = None
    tech_info: str | None = None
    sequence: int | None = None


class MonitoringReportRow(msgspec.Struct, frozen=True):
    """A report of monitors. `whole`: of all that the station has. `complete`: the last part came and none is missing.

    `missing`: the rest did not come in time. `unasked`: nobody asked for it.
    """

    station: str
    request_id: int
    asked_at: datetime
    whole: bool | None = None
    answer: str | None = None
    command_id: str | None = None
    parts: int = 0
    complete: bool = False
    missing: bool = False
    unasked: bool = False
    heard_at: datetime | None = None
    flags: Json = None


class MonitoringSettingRow(msgspec.Struct, frozen=True):
    """What was set of a station's monitoring from here: the base, and the severity up to which events are told."""

    station: str
    base: str | None = None
    level: int | None = None
    base_set_at: datetime | None = None
    level_set_at: datetime | None = None


MONITORS = Table(
    name="variable_monitors",
    row=VariableMonitorRow,
    key=("station", "monitor_id"),
    filters=("station", "component", "variable", "type", "kind"),
    shown=("station", "monitor_id", "component", "evse", "variable", "type", "value", "severity", "kind"),
    about="Monitors on variables that stations have.",
    tag=TAG,
)
EVENTS_TABLE = Table(
    name="monitoring_events",
    row=MonitoringEventRow,
    key=("station", "received_at", "message", "place"),
    newest_first="received_at",
    filters=("station", "component", "variable", "trigger", "severity", "cleared", "monitor_id", "transaction_id"),
    shown=("received_at", "station", "component", "evse", "variable", "value", "trigger", "severity", "cleared"),
    ages_by="received_at",
    about="Events that stations noticed (NotifyEvent).",
    tag=TAG,
)
REPORTS = Table(
    name="monitoring_reports",
    row=MonitoringReportRow,
    key=("station", "request_id"),
    newest_first="asked_at",
    filters=("station", "complete", "command_id"),
    ages_by="asked_at",
    about="Reports of monitors that were asked for.",
    tag=TAG,
)
SETTINGS = Table(
    name="monitoring_settings",
    row=MonitoringSettingRow,
    key=("station",),
    about="Monitoring base and level that were set.",
    tag=TAG,
)


def monitors_set(station: str, fact: MonitorsSet) -> Iterable[Change]:
    """Monitors that a station took."""
    for monitor in fact.monitors:
        yield Put(MONITORS, (station, monitor.id), _set_from_here(monitor, fact.noted_at))


def monitors_cleared(station: str, fact: MonitorsCleared) -> Iterable[Change]:
    """Monitors that are no more."""
    if fact.all:
        yield Drop(MONITORS, {"station": station})
    for monitor_id in fact.ids:
        yield Drop(MONITORS, {"station": station, "monitor_id": monitor_id})


def report_asked(station: str, fact: MonitoringReportAsked) -> Iterable[Change]:
    """The row of a report."""
    values: dict[str, Any] = {
        "asked_at": fact.noted_at,
        "whole": fact.whole,
        "command_id": fact.command_id,
        "answer": fact.answer or (UNANSWERED if fact.accepted is None else None),
    }
    if fact.empty:
        values["complete"] = True
    yield Put(REPORTS, (station, fact.request_id), values)


def report_told(station: str, fact: MonitorsRecorded) -> Iterable[Change]:
    """The monitors of a part, and the report's row."""
    report = fact.report
    if fact.first:
        yield Drop(MONITORS, {"station": station})
    for monitor in report.monitors:
        yield Put(MONITORS, (station, monitor.id), _monitor(monitor, fact.at))
    values: dict[str, Any] = {
        "heard_at": fact.at,
        "parts": report.sequence + 1,
        "complete": fact.complete,
        "missing": False,
    }
    if fact.flags:
        values["flags"] = fact.flags
    if "unknown_request" in fact.flags:
        values |= {"unasked": True, "asked_at": fact.at}
    yield Put(REPORTS, (station, report.request_id), values)


def report_missing(station: str, fact: MonitoringReportMissing) -> Iterable[Change]:
    """The rest did not come."""
    yield Put(REPORTS, (station, fact.request_id), {"missing": True})


def monitoring_set(station: str, fact: MonitoringSet) -> Iterable[Change]:
    """Another base or level."""
    if fact.base is not None:
        yield Put(SETTINGS, (station,), {"base": fact.base.value, "base_set_at": fact.noted_at})
    if fact.level is not None:
        yield Put(SETTINGS, (station,), {"level": fact.level, "level_set_at": fact.noted_at})


def events_told(station: str, fact: EventsRecorded) -> Iterable[Change]:
    """A row for each event."""
    for place, event in enumerate(fact.report.events):
        values = {
            "event_id": event.event_id,
            "occurred_at": event.at,
            "trigger": event.trigger,
            "value": event.value,
            "severity": event.severity,
            "cleared": event.cleared,
            "kind": event.kind.value,
            "monitor_id": event.monitor_id,
            "cause": event.cause,
            "transaction_id": event.transaction_id,
            "tech_code": event.tech_code,
            "tech_info": event.tech_info,
            "sequence": fact.report.sequence,
        }
        yield Put(EVENTS_TABLE, (station, fact.at, fact.number, place), values | _variable(event.ref))


def _monitor(monitor: Monitor, at: datetime) -> dict[str, Any]:
    """What a report says; of streams it says nothing."""
    return {
        "type": monitor.type.value,
        "value": monitor.value,
        "severity": monitor.severity,
        "transaction": monitor.transaction,
        "kind": None if monitor.kind is None else monitor.kind.value,
        "noted_at": at,
    } | _variable(monitor.ref)


def _set_from_here(monitor: Monitor, at: datetime) -> dict[str, Any]:
    stream = monitor.stream
    return _monitor(monitor, at) | {
        "stream_interval_s": None if stream is None else stream.interval_s,
        "stream_values": None if stream is None else stream.values,
    }


def _variable(ref: VariableRef) -> dict[str, Any]:
    evse = ref.evse or EvseRef(0)
    return {
        "component": ref.component,
        "component_instance": ref.component_instance,
        "variable": ref.variable,
        "variable_instance": ref.variable_instance,
        "evse": None if ref.evse is None else evse.evse,
        "connector": evse.connector,
    }


TABLES = (MONITORS, EVENTS_TABLE, REPORTS, SETTINGS)
CHANGES = {
    MonitorsSet: monitors_set,
    MonitorsCleared: monitors_cleared,
    MonitoringReportAsked: report_asked,
    MonitorsRecorded: report_told,
    MonitoringReportMissing: report_missing,
    MonitoringSet: monitoring_set,
    EventsRecorded: events_told,
}
EVENTS: tuple[type, ...] = ()
