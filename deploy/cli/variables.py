"""`narke variables` and `narke variable get/set`: a station's device model, or its configuration keys (OCPP 1.6)."""

import re
from typing import Annotated, Any

import typer

from deploy.cli.client import path
from deploy.cli.command import AsJson, Deadline, Limit, Reach, Station, client_command
from deploy.cli.commands import tell
from deploy.cli.errors import usage
from deploy.cli.output import Column, Row, moment, print_rows
from deploy.cli.stations import hint_of_limit

_NAME = re.compile(
    r"(?:(?P<component>[^.#@/]+)(?:#(?P<component_instance>[^.@/]+))?(?:@(?P<evse>\d+)(?:\.(?P<connector>\d+))?)?\.)?"
    r"(?P<variable>[^#@/.][^#@/]*)(?:#(?P<variable_instance>[^/]+))?(?:/(?P<attribute>\w+))?"
)
_NAME_HELP = "Component.Variable, or a 1.6 key; in full Component#instance@evse.connector.Variable#instance/Attribute."


def _name_of(row: Row) -> str:
    """The variable for people, as `get` and `set` take it."""
    component = row["component"] or ""
    if row["component_instance"]:
        component += f"#{row['component_instance']}"
    if row["evse"] is not None:
        component += f"@{row['evse']}" + (f".{row['connector']}" if row["connector"] else "")
    variable = row["variable"] + (f"#{row['variable_instance']}" if row["variable_instance"] else "")
    attribute = f"/{row['attribute']}" if row["attribute"] not in (None, "Actual") else ""
    return f"{component}.{variable}{attribute}" if component else f"{variable}{attribute}"


def _value_of(row: Row) -> str | None:
    value: str | None = row["value"]
    if row["value_next"] is None:
        return value
    return f"{value or ''} -> {row['value_next']} (after a restart)"


_VARIABLES = (
    Column("VARIABLE", _name_of, whole=True),
    Column("VALUE", _value_of),
    Column("UNIT", "unit"),
    Column("MUTABILITY", "mutability"),
    Column("TYPE", "data_type"),
    Column("TOLD", moment("told_at")),
)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    client_command(app, "variables")(list_variables)
    variable = typer.Typer(help="Read or write variables (OCPP 1.6: configuration keys).", no_args_is_help=True)
    client_command(variable, "get")(get_variables)
    client_command(variable, "set")(set_variable)
    app.add_typer(variable, name="variable")


def list_variables(  # noqa: PLR0913 (each is an option)
    reach: Reach,
    station: Station,
    *,
    component: Annotated[str | None, typer.Option(help="Only of this component.", show_default=False)] = None,
    variable: Annotated[str | None, typer.Option(help="Only of this name.", show_default=False)] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask the station for all of them instead.")] = False,
    limit: Limit = 1_000,
    as_json: AsJson = False,
) -> None:
    """List what is known of a station's variables: reported, read or written."""
    if refresh:
        _command(reach, station, {"command": "get_base_report"}, None, as_json=as_json)
        return
    with reach.api() as api:
        query = {"station": station, "component": component, "variable": variable}
        rows = list(api.rows("/api/v1/variables", query, limit))
        if not rows:
            api.get(path("stations", station))  # tells an unknown station from one without variables
    none = f"nothing is known; `narke variables {station} --refresh` asks the station"
    print_rows(_VARIABLES, rows, as_json=as_json, none=none)
    hint_of_limit(rows, limit, as_json=as_json)


def get_variables(
    reach: Reach,
    station: Station,
    names: Annotated[list[str], typer.Argument(help=_NAME_HELP, show_default=False)],
    *,
    deadline: Deadline = None,
    as_json: AsJson = False,
) -> None:
    """Read variables from the station itself."""
    body = {"command": "get_variables", "variables": [variable_of(name) for name in names]}
    _command(reach, station, body, deadline, as_json=as_json)


def set_variable(
    reach: Reach,
    station: Station,
    name: Annotated[str, typer.Argument(help=_NAME_HELP, show_default=False)],
    value: Annotated[str, typer.Argument(help="The new value.", show_default=False)],
    *,
    deadline: Deadline = None,
    as_json: AsJson = False,
) -> None:
    """Write a variable at the station."""
    body = {"command": "set_variables", "settings": [{**variable_of(name), "value": value}]}
    _command(reach, station, body, deadline, as_json=as_json)


def variable_of(name: str) -> Row:
    """A variable as the API names it; a 1.6 key becomes the variable that means the same in every version.

    Raises:
        CliError: It is no name.
    """
    from engine.model.configuration_keys import ref_of_key  # noqa: PLC0415 (msgspec: not for --help)

    found = _NAME.fullmatch(name)
    if found is None:
        raise usage(f"{name!r} is no variable", f"write {_NAME_HELP}")
    said: dict[str, Any] = {field: value for field, value in found.groupdict().items() if value is not None}
    if "component" not in said:
        known = ref_of_key(said["variable"])
        if known.component:
            said |= {"component": known.component, "variable": known.variable}
            if known.variable_instance:
                said["variable_instance"] = known.variable_instance
    return said | {field: int(said[field]) for field in ("evse", "connector") if field in said}


def _command(reach: Reach, station: str, body: Row, deadline: float | None, *, as_json: bool) -> None:
    with reach.api() as api:
        answer = api.command(station, "commands", body if deadline is None else {**body, "deadline_s": deadline})
    tell(answer, as_json=as_json)
