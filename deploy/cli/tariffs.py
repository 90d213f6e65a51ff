"""`narke tariffs ...`: what charging costs, and for whom."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.client import path
from deploy.cli.command import AsJson, Limit, Reach, client_command
from deploy.cli.errors import usage
from deploy.cli.output import Column, Row, moment, print_json, print_rows
from deploy.cli.stations import hint_of_limit

_TARIFFS = (
    Column("TARIFF", "tariff_id", whole=True),
    Column("CURRENCY", "currency"),
    Column("ENERGY", lambda row: _amounts(row, "energy", "kWh")),
    Column("CHARGING", lambda row: _amounts(row, "charging_time", "min")),
    Column("IDLE", lambda row: _amounts(row, "idle_time", "min")),
    Column("FIXED", lambda row: _amounts(row, "fixed_fee", None)),
    Column("SAVED", moment("saved_at")),
)
_ASSIGNMENTS = (
    Column("FOR", "assigned_to"),
    Column("NAME", "name", whole=True),
    Column("TARIFF", "tariff_id", whole=True),
    Column("SINCE", moment("assigned_at")),
)
_COSTS = (
    Column("STATION", "station", whole=True),
    Column("TRANSACTION", "transaction_id", whole=True),
    Column("TARIFF", "tariff_id"),
    Column("TOTAL", lambda row: None if row["total_incl"] is None else f"{row['total_incl']:.2f}", right=True),
    Column("CURRENCY", "currency"),
    Column("STATE", lambda row: "final" if row["final"] else "running"),
    Column("COUNTED", moment("counted_at")),
    Column("FLAGS", lambda row: ", ".join(row["flags"] or [])),
)
TariffId = Annotated[str, typer.Argument(help="Id of the tariff.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    tariffs = typer.Typer(help="Tariffs: what charging costs, and for whom.", no_args_is_help=True)
    client_command(tariffs, "list")(list_tariffs)
    client_command(tariffs, "save")(save_tariff)
    client_command(tariffs, "remove")(remove_tariff)
    client_command(tariffs, "assign")(assign_tariff)
    client_command(tariffs, "assignments")(list_assignments)
    client_command(tariffs, "costs")(list_costs)
    app.add_typer(tariffs, name="tariffs")


def list_tariffs(reach: Reach, *, limit: Limit = 100, as_json: AsJson = False) -> None:
    """List the tariffs."""
    with reach.api() as api:
        rows = list(api.rows(path("tariffs"), {"active": True}, limit))
    print_rows(_TARIFFS, rows, as_json=as_json, none="there are no tariffs")
    hint_of_limit(rows, limit, as_json=as_json)


def save_tariff(
    reach: Reach,
    tariff_id: TariffId,
    file: Annotated[Path, typer.Argument(help="JSON of a tariff, see docs/tariffs.md.", show_default=False)],
    *,
    as_json: AsJson = False,
) -> None:
    """Add a tariff. Another content needs another id: old bills name theirs."""
    try:
        body: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise usage(f"{file} cannot be read: {error}", "give a file with a tariff as JSON") from None
    with reach.api() as api:
        saved = api.send("PUT", path("tariffs", tariff_id), body)
    if as_json:
        print_json(saved)
    else:
        typer.echo(f"{tariff_id}: saved")


def remove_tariff(reach: Reach, tariff_id: TariffId) -> None:
    """Remove a tariff; whoever had it has none."""
    with reach.api() as api:
        api.send("DELETE", path("tariffs", tariff_id))
    typer.echo(f"{tariff_id}: removed")


def assign_tariff(
    reach: Reach,
    tariff_id: Annotated[
        str | None, typer.Argument(help="Id of the tariff; left out: none of its own.", show_default=False)
    ] = None,
    *,
    station: Annotated[str | None, typer.Option(help="For this station.", show_default=False)] = None,
    token: Annotated[str | None, typer.Option(help="For this token.", show_default=False)] = None,
    group: Annotated[str | None, typer.Option(help="For this group of tokens.", show_default=False)] = None,
    default: Annotated[bool, typer.Option("--default", help="For all others.")] = False,
) -> None:
    """Say whom a tariff is for: a token, a group, a station, or everybody else."""
    named = {"station": station, "token": token, "group": group, "default": "all" if default else None}
    chosen = [(kind, name) for kind, name in named.items() if name is not None]
    if len(chosen) != 1:
        raise usage("a tariff is for one", "give one of --station, --token, --group and --default")
    kind, name = chosen[0]
    with reach.api() as api:
        api.send("PUT", path("tariff-assignments", kind, name), {"tariff_id": tariff_id})
    typer.echo(f"{kind} {name}: {tariff_id or 'no tariff of its own'}")


def list_assignments(reach: Reach, *, limit: Limit = 100, as_json: AsJson = False) -> None:
    """List whom tariffs are for."""
    with reach.api() as api:
        rows = list(api.rows(path("tariff-assignments"), {}, limit))
    print_rows(_ASSIGNMENTS, rows, as_json=as_json, none="no tariff is assigned")
    hint_of_limit(rows, limit, as_json=as_json)


def list_costs(
    reach: Reach,
    *,
    station: Annotated[str | None, typer.Option(help="Only at this station.", show_default=False)] = None,
    transaction: Annotated[str | None, typer.Option(help="Only of this transaction.", show_default=False)] = None,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List what transactions cost."""
    with reach.api() as api:
        query = {"station": station, "transaction_id": transaction}
        rows = list(api.rows(path("transaction-costs"), query, limit))
    print_rows(_COSTS, rows, as_json=as_json, none="no cost is known: `narke tariffs assign` says what charging costs")
    hint_of_limit(rows, limit, as_json=as_json)


def _amounts(row: Row, name: str, unit: str | None) -> str | None:
    """The amounts of a list, e.g. `0.40, 0.25 /kWh`."""
    prices = ((row.get("tariff") or {}).get(name) or {}).get("prices")
    if not prices:
        return None
    amounts = ", ".join(str(price["amount"]) for price in prices)
    return amounts if unit is None else f"{amounts} /{unit}"
