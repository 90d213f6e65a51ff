"""The device model: GetBaseReport, GetReport and the NotifyReport that follow. OCPP 2.1 B07, B08.

Translates; never decides, never remembers. Values of secrets are left out, although some stations give them out.
"""

from engine.model.device_model import (
    ComponentVariable,
    GetBaseReport,
    GetReport,
    VariableEntry,
    VariablesAnswer,
    VariablesReported,
)
from engine.model.envelopes import Answer
from engine.model.ids import EvseRef
from engine.model.provisioning import VariableRef
from engine.ocpp import outcomes, times
from engine.ocpp.answers import expected
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload, StationCall
from engine.ocpp.v2 import availability, limits
from engine.ocpp.versions import Version
from engine.redaction import is_secret_variable

BLOCK = "provisioning"

_WRITE_ONLY = "WriteOnly"


def report_from_notify_report(payload: Payload, _version: Version) -> VariablesReported:
    """A part of a report: an entry for each attribute of each variable. Without `tbc` it is the last."""
    entries = [entry for data in payload.get("reportData") or () for entry in _entries(data)]
    return VariablesReported(
        request_id=payload["requestId"],
        sequence=payload["seqNo"],
        more=bool(payload.get("tbc")),
        generated_at=times.parse(payload["generatedAt"]),
        entries=tuple(entries),
    )


def notify_report_response(answer: Answer, _version: Version) -> Payload:
    """Nothing to say."""
    expected(VariablesAnswer, answer, "NotifyReport")
    return {}


def get_base_report_from_get_base_report(command: GetBaseReport, version: Version) -> tuple[str, Payload]:
    """A base report.

    Raises:
        NotExpressible: There is no request id.
    """
    return "GetBaseReport", {"requestId": _request_id(command, version), "reportBase": command.base.value}


def get_report_from_get_report(command: GetReport, version: Version) -> tuple[str, Payload]:
    """A custom report.

    Raises:
        NotExpressible: There is no request id, or neither variables nor criteria are named (2.1 B08).
    """
    if not command.variables and not command.criteria:
        raise NotExpressible(f"OCPP {version} reports on variables or criteria: name some, or use get_base_report")
    payload: Payload = {"requestId": _request_id(command, version)}
    if command.variables:
        payload["componentVariable"] = [_component_variable(each, version) for each in command.variables]
    if command.criteria:
        payload["componentCriteria"] = [criterion.value for criterion in command.criteria]
    return "GetReport", payload


def _request_id(command: GetBaseReport | GetReport, version: Version) -> int:
    if command.request_id is None:
        raise NotExpressible(f"OCPP {version} reports under a requestId: give request_id")
    return command.request_id


def _component_variable(each: ComponentVariable, version: Version) -> Payload:
    component: Payload = {"name": limits.require_name(each.component, "a component's name", version)}
    if each.component_instance:
        component["instance"] = limits.require_name(each.component_instance, "a component's instance", version)
    if each.evse is not None:
        evse = availability.evse_from_evse_ref(EvseRef(evse=each.evse, connector=each.connector), version)
        if evse is not None:
            component["evse"] = evse
    payload: Payload = {"component": component}
    if each.variable:
        variable: Payload = {"name": limits.require_name(each.variable, "a variable's name", version)}
        if each.variable_instance:
            variable["instance"] = limits.require_name(each.variable_instance, "a variable's instance", version)
        payload["variable"] = variable
    return payload


def _entries(data: Payload) -> list[VariableEntry]:
    """What one ReportDataType says: 1 to 4 attributes with the same characteristics."""
    component, variable = data["component"], data["variable"]
    characteristics: Payload = data.get("variableCharacteristics") or {}
    secret = is_secret_variable(component["name"], variable["name"])
    evse = availability.evse_ref_from_evse(component.get("evse"))
    entries = []
    for attribute in data["variableAttribute"]:
        kind = attribute.get("type") or "Actual"
        mutability = attribute.get("mutability")
        ref = VariableRef(
            variable=variable["name"],
            component=component["name"],
            component_instance=component.get("instance") or None,
            variable_instance=variable.get("instance") or None,
            evse=evse,
            attribute=None if kind == "Actual" else kind,
        )
        entries.append(
            VariableEntry(
                ref=ref,
                value=None if secret or mutability == _WRITE_ONLY else attribute.get("value"),
                mutability=mutability,
                data_type=characteristics.get("dataType"),
                unit=characteristics.get("unit") or None,
                limit_min=_number(characteristics.get("minLimit")),
                limit_max=_number(characteristics.get("maxLimit")),
                elements_max=characteristics.get("maxElements"),
                values=characteristics.get("valuesList") or None,
                persistent=attribute.get("persistent"),
                constant=attribute.get("constant"),
                monitored=characteristics.get("supportsMonitoring"),
            )
        )
    return entries


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


FROM_STATION = (
    StationCall(action="NotifyReport", block=BLOCK, report=report_from_notify_report, response=notify_report_response),
)
FROM_CSMS = (
    CsmsCall(action="GetBaseReport", block=BLOCK, outcome=outcomes.from_status_field),
    CsmsCall(action="GetReport", block=BLOCK, outcome=outcomes.from_status_field),
)
COMMANDS = (
    CommandTranslator(command=GetBaseReport, call=get_base_report_from_get_base_report),
    CommandTranslator(command=GetReport, call=get_report_from_get_report),
)
