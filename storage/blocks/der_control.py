"""DER control: controls that stations have, and alarms of their inverters."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from engine.model.der_control import (
    DerAlarmEnded,
    DerAlarmRaised,
    DerControlInstalled,
    DerControlRan,
    DerControlRemoved,
    DerControlsSuperseded,
)
from storage.blocks.table import Change, Json, Put, Table

TAG = "grid"


class DerControlRow(msgspec.Struct, frozen=True):
    """A control that a station has, or had (`installed` false). `running`: a scheduled one is in force now."""

    station: str
    control_id: str
    type: str = ""
    is_default: bool = False
    installed: bool = True
    superseded: bool = False
    superseded_by: str | None = None
    running: bool = False
    priority: int | None = None
    settings: Json = None
    installed_at: datetime | None = None
    reported_at: datetime | None = None
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    removed_at: datetime | None = None
    removed_because: str | None = None


class DerAlarmRow(msgspec.Struct, frozen=True):
    """A time in which an inverter deviated from its charging profile. `type`: of the control that made it last."""

    station: str
    raised_at: datetime
    type: str = ""
    fault: str | None = None
    info: str | None = None
    active: bool = True
    station_at: datetime | None = None
    ended_at: datetime | None = None
    flags: Json = None


CONTROLS = Table(
    name="der_controls",
    row=DerControlRow,
    key=("station", "control_id"),
    filters=("station", "type", "installed", "is_default"),
    shown=("station", "control_id", "type", "is_default", "installed", "superseded", "running", "priority"),
    about="DER controls that stations have or had.",
    tag=TAG,
)
ALARMS = Table(
    name="der_alarms",
    row=DerAlarmRow,
    key=("station", "raised_at"),
    newest_first="raised_at",
    ages_by="raised_at",
    filters=("station", "active"),
    shown=("station", "raised_at", "type", "fault", "active", "ended_at", "info"),
    about="Times in which inverters deviated from their profiles.",
    tag=TAG,
)


def installed(station: str, fact: DerControlInstalled) -> Iterable[Change]:
    """The station has it (again)."""
    control = fact.control
    priority = control.settings.get("priority")
    values = {
        "type": control.type.value,
        "is_default": control.is_default,
        "installed": True,
        "superseded": control.superseded,
        "priority": priority if isinstance(priority, int) else None,
        "settings": control.settings,
        "removed_at": None,
        "removed_because": None,
        "reported_at" if fact.reported else "installed_at": fact.at,
    }
    yield Put(CONTROLS, (station, control.id), values)


def superseded(station: str, fact: DerControlsSuperseded) -> Iterable[Change]:
    """Others count in their place."""
    for control_id in fact.control_ids:
        yield Put(CONTROLS, (station, control_id), {"superseded": True, "running": False, "superseded_by": fact.by})


def removed(station: str, fact: DerControlRemoved) -> Iterable[Change]:
    """The station has it no more."""
    values = {
        "installed": False,
        "running": False,
        "removed_at": fact.noted_at,
        "removed_because": fact.reason.value,
    }
    yield Put(CONTROLS, (station, fact.control_id), values)


def ran(station: str, fact: DerControlRan) -> Iterable[Change]:
    """It is in force, or no more."""
    moment = "started_at" if fact.started else "stopped_at"
    yield Put(CONTROLS, (station, fact.control_id), {"running": fact.started, moment: fact.at})


def raised(station: str, fact: DerAlarmRaised) -> Iterable[Change]:
    """An inverter deviates."""
    report = fact.report
    values = {"type": report.type.value, "fault": report.fault, "info": report.info, "active": True}
    yield Put(ALARMS, (station, fact.raised_at), values | {"station_at": report.at})


def ended(station: str, fact: DerAlarmEnded) -> Iterable[Change]:
    """It does so no more."""
    values = {"type": fact.report.type.value, "active": False, "ended_at": fact.at, "flags": fact.flags}
    yield Put(ALARMS, (station, fact.raised_at), values)


TABLES = (CONTROLS, ALARMS)
CHANGES = {
    DerControlInstalled: installed,
    DerControlsSuperseded: superseded,
    DerControlRemoved: removed,
    DerControlRan: ran,
    DerAlarmRaised: raised,
    DerAlarmEnded: ended,
}
EVENTS = (DerAlarmRaised, DerAlarmEnded, DerControlRan, DerControlsSuperseded)
