"""Rows of the device model: variables and reports of them. OCPP 2.1 B05 to B08, 1.6 configuration keys.

1.6 keys stand under the 2.x variable that means the same, also where a command named the key itself, so that a variable
has one row whatever told of it.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from engine.model.configuration_keys import ref_of_key
from engine.model.device_model import ReportFollowed, ReportProgress, VariableEntry, VariableSource, VariablesRecorded
from engine.model.provisioning import VariableRef
from storage.blocks.table import Change, Drop, Json, Put, Table


class VariableRow(msgspec.Struct, frozen=True):
    """A variable's attribute, as its station told it last.

    `address`: its one name. `component` '': a 1.6 key without a counterpart in 2.x. `evse` None: the whole station.
    `value` None: not told, or a secret. `value_next`: taken, in force after the next restart. `allowed`: the values
    that it may have. `source`: report, read or written. `told_at`: our clock.
    """

    station: str
    address: str
    component: str = ""
    component_instance: str | None = None
    evse: int | None = None
    connector: int | None = None
    variable: str = ""
    variable_instance: str | None = None
    attribute: str | None = None
    value: str | None = None
    value_next: str | None = None
    mutability: str | None = None
    data_type: str | None = None
    unit: str | None = None
    limit_min: float | None = None
    limit_max: float | None = None
    elements_max: int | None = None
    allowed: str | None = None
    persistent: bool | None = None
    constant: bool | None = None
    monitored: bool | None = None
    source: str | None = None
    told_at: datetime | None = None


class ReportRow(msgspec.Struct, frozen=True):
    """A report of variables, and how far it is (`ReportStatus`). `missing`: numbers of parts that did not come."""

    station: str
    request_id: int
    changed_at: datetime
    kind: str | None = None
    status: str | None = None
    parts: int | None = None
    missing: Json = None
    flags: Json = None
    began_at: datetime | None = None


VARIABLES = Table(
    name="variables",
    row=VariableRow,
    key=("station", "address"),
    filters=("station", "component", "variable", "evse", "attribute", "mutability", "value"),
    shown=("station", "component", "variable", "variable_instance", "evse", "attribute", "value", "mutability"),
    about="Variables of stations' device models (1.6: configuration keys).",
    tag="provisioning",
)
REPORTS = Table(
    name="reports",
    row=ReportRow,
    key=("station", "request_id"),
    newest_first="changed_at",
    ages_by="changed_at",
    filters=("station", "kind", "status"),
    shown=("changed_at", "station", "request_id", "kind", "status", "parts", "missing", "flags"),
    about="Reports of device models and how far they are, newest first.",
    tag="provisioning",
)


def learned(station: str, fact: VariablesRecorded) -> Iterable[Change]:
    """What was learned of variables; a whole inventory removes what it does not name."""
    if fact.replaces_before is not None:
        yield Drop(VARIABLES, {"station": station}, older=("told_at", fact.replaces_before))
    for ref in fact.gone:
        yield Drop(VARIABLES, {"station": station, "address": _canonical(ref).address})
    for entry in fact.entries:
        ref = _canonical(entry.ref)
        yield Put(VARIABLES, (station, ref.address), {**_named(ref), **_told(entry, fact)})
    if fact.progress is not None:
        yield _report(station, fact.progress, fact.at)


def followed(station: str, fact: ReportFollowed) -> Iterable[Change]:
    """How far a report is."""
    yield _report(station, fact.progress, fact.noted_at)


def _report(station: str, progress: ReportProgress, at: datetime) -> Put:
    values = {
        "kind": progress.kind,
        "status": progress.status.value,
        "parts": progress.parts,
        "missing": list(progress.missing),
        "flags": [flag.value for flag in progress.flags],
        "began_at": progress.began_at,
        "changed_at": at,
    }
    return Put(REPORTS, (station, progress.request_id), values)


def _canonical(ref: VariableRef) -> VariableRef:
    """The variable that a 1.6 key means, where it means one; station and EVSE 0 are the same place."""
    if ref.component:
        return ref
    known = ref_of_key(ref.variable)
    return replace(known, attribute=ref.attribute) if known.component else ref


def _named(ref: VariableRef) -> dict[str, Any]:
    evse = ref.evse
    return {
        "component": ref.component,
        "component_instance": ref.component_instance,
        "evse": None if evse is None or evse.evse == 0 else evse.evse,
        "connector": None if evse is None else evse.connector,
        "variable": ref.variable,
        "variable_instance": ref.variable_instance,
        "attribute": ref.attribute or "Actual",
    }


def _told(entry: VariableEntry, fact: VariablesRecorded) -> dict[str, Any]:
    """The columns that the entry tells; a report tells all of them, a read or a write only the value."""
    told: dict[str, Any] = {"source": fact.source.value, "told_at": fact.at}
    if entry.value_next is not None:
        return told | {"value_next": entry.value_next}
    told |= {"value": entry.value, "value_next": None}
    if entry.mutability is not None:
        told["mutability"] = entry.mutability
    if fact.source is VariableSource.REPORT:
        told |= {
            "mutability": entry.mutability,
            "data_type": entry.data_type,
            "unit": entry.unit,
            "limit_min": entry.limit_min,
            "limit_max": entry.limit_max,
            "elements_max": entry.elements_max,
            "allowed": entry.values,
            "persistent": entry.persistent,
            "constant": entry.constant,
            "monitored": entry.monitored,
        }
    return told


TABLES = (VARIABLES, REPORTS)
CHANGES = {VariablesRecorded: learned, ReportFollowed: followed}
EVENTS: tuple[type, ...] = ()
