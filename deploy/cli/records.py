"""`narke records`: what the functional blocks of OCPP keep, any of their tables."""

import json
from typing import Annotated, Any

import typer

from deploy.cli.client import path
from deploy.cli.command import AsJson, Limit, Reach, client_command
from deploy.cli.errors import usage
from deploy.cli.output import Column, Row, print_rows, when
from deploy.cli.stations import hint_of_limit

_CELL_MAX = 60


def register(app: typer.Typer) -> None:
    """Adds the command."""
    client_command(app, "records")(list_records)


def list_records(
    reach: Reach,
    kind: Annotated[
        str | None, typer.Argument(help="Which, e.g. reservations; left out: lists the kinds.", show_default=False)
    ] = None,
    *,
    station: Annotated[str | None, typer.Option(help="Only of this station.", show_default=False)] = None,
    where: Annotated[
        list[str] | None, typer.Option("--where", help="FIELD=VALUE; may be given several times.", show_default=False)
    ] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List what Narke keeps of reservations, firmware updates, certificates, charging profiles, ..."""
    from storage.blocks.registry import TABLES  # noqa: PLC0415 (0.1 s: not for --help)

    if kind is None:
        kinds = [{"kind": table.path, "what": table.about} for table in TABLES.values()]
        print_rows((Column("KIND", "kind", whole=True), Column("WHAT", "what")), kinds, as_json=as_json, none="none")
        return
    table = TABLES.get(kind)
    if table is None:
        raise usage(f"there are no records of kind {kind!r}", "`narke records` lists the kinds")
    query: Row = {"station": station}
    for condition in where or []:
        name, separator, value = condition.partition("=")
        if not separator or name not in table.filters:
            raise usage(
                f"--where {condition}: no condition", f"write FIELD=VALUE with one of {', '.join(table.filters)}"
            )
        query[name] = value
    with reach.api() as api:
        rows = list(api.rows(path(kind), query, limit))
    fields = table.shown or table.row.__struct_fields__
    columns = [Column(name.removesuffix("_at").upper().replace("_", " "), _cell(name)) for name in fields]
    print_rows(columns, rows, as_json=as_json, none=f"no {kind}, or none that match")
    hint_of_limit(rows, limit, as_json=as_json)


def _cell(name: str) -> Any:
    def show(row: Row) -> str | None:
        value = row[name]
        if name.endswith("_at"):
            return when(value)
        if isinstance(value, dict | list):
            written = json.dumps(value, ensure_ascii=False)
            return written if len(written) <= _CELL_MAX else written[: _CELL_MAX - 1] + "…"
        return None if value is None else str(value)

    return show
