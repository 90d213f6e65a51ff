"""`narke stations` and `narke station ...`: the list, one of them, and what the operator decides about it."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from deploy.cli import station_records
from deploy.cli.client import Api, path
from deploy.cli.command import AsJson, Limit, Reach, Station, client_command
from deploy.cli.output import (
    Column,
    Row,
    console,
    energy,
    heading,
    moment,
    place,
    print_fields,
    print_json,
    print_rows,
    table_of,
    when,
)
from deploy.cli.station_records import RegistrationWord

NAME_MAX = 48

_STATIONS = (
    Column("STATION", "station", whole=True),
    Column("STATE", lambda row: "connected" if row["connected"] else "offline"),
    Column("OCPP", "version"),
    Column("REGISTERED", "registration"),
    Column("PROFILE", lambda row: _profile(row)),  # noqa: PLW0108 (defined below; found when called)
    Column("VENDOR", "vendor"),
    Column("MODEL", "model"),
    Column("SEEN", moment("seen_at")),
)
_CONNECTORS = (
    Column("EVSE", place),
    Column("STATUS", "status"),
    Column("SINCE", moment("received_at")),
    Column("ERROR", "error_code"),
    Column("INFO", "info"),
)
_OPEN = (
    Column("TRANSACTION", "transaction_id"),
    Column("EVSE", place),
    Column("TOKEN", "token"),
    Column("STARTED", moment("started_at")),
    Column("STATE", "charging_state"),
    Column("ENERGY", lambda row: energy(row["energy_wh"]), right=True),
)


class Switch(StrEnum):
    """What `station log` takes."""

    ON = "on"
    OFF = "off"
    DEFAULT = "default"


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    client_command(app, "stations")(list_stations)
    station = typer.Typer(help="One station: show it, register it, its password and message log.", no_args_is_help=True)
    client_command(station, "show")(show_station)
    client_command(station, "list")(list_stations)
    station_records.register(station)
    client_command(station, "log")(switch_log)
    app.add_typer(station, name="station")


def list_stations(  # noqa: PLR0913 (each is an option)
    reach: Reach,
    *,
    connected: Annotated[
        bool | None, typer.Option("--connected/--offline", help="Only connected ones, or only others.")
    ] = None,
    registered: Annotated[
        bool | None, typer.Option("--registered/--unregistered", help="Only those with a record, or only others.")
    ] = None,
    registration: Annotated[
        RegistrationWord | None, typer.Option(help="Only those whose boots are answered so.", show_default=False)
    ] = None,
    profile: Annotated[
        int | None, typer.Option(min=0, max=3, help="Only of this security profile.", show_default=False)
    ] = None,
    changing: Annotated[
        bool | None,
        typer.Option("--changing/--settled", help="Only those that have not shown their next password or profile yet."),
    ] = None,
    version: Annotated[
        str | None, typer.Option("--ocpp", help="OCPP version: 1.6, 2.0.1 or 2.1.", show_default=False)
    ] = None,
    search: Annotated[
        str | None, typer.Option(help="Text in identity, vendor, model, serial number or note.", show_default=False)
    ] = None,
    unresponsive: Annotated[
        bool, typer.Option("--unresponsive", help="Those that are connected and say nothing, and since when.")
    ] = False,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List stations, registered ones and those that connected."""
    if unresponsive:
        list_unresponsive(reach, limit, as_json=as_json)
        return
    query = {
        "connected": connected,
        "registered": registered,
        "registration": registration,
        "security_profile": profile,
        "changing": changing,
        "version": version,
        "search": search,
    }
    with reach.api() as api:
        rows = list(api.rows("/api/v1/stations", query, limit))
    print_rows(_STATIONS, rows, as_json=as_json, none="no station is known, or none that matches")
    hint_of_limit(rows, limit, as_json=as_json)


def list_unresponsive(reach: Reach, limit: int, *, as_json: bool) -> None:
    """Lists the stations whose connection lives and whose OCPP stack perhaps does not."""
    with reach.api() as api:
        rows = list(api.rows("/api/v1/unresponsive-stations", {}, limit))
    columns = (Column("STATION", "station", whole=True), Column("SILENT SINCE", moment("since_at")))
    print_rows(columns, rows, as_json=as_json, none="no station is unresponsive")
    hint_of_limit(rows, limit, as_json=as_json)


def hint_of_limit(rows: list[Row], limit: int, *, as_json: bool, which: str = "first") -> None:
    """Says that a listing may have been cut off: nothing is left out in silence."""
    if limit and len(rows) >= limit and not as_json:
        typer.echo(f"the {which} {limit}; --limit 0 shows all", err=True)


def show_station(reach: Reach, station: Station, *, as_json: AsJson = False) -> None:
    """Show a station with its connectors and open transactions."""
    with reach.api() as api:
        detail: Row = api.get(path("stations", station))
    if as_json:
        print_json(detail)
        return
    print_fields(_fields(detail["station"]))
    if detail["connectors"]:
        heading("connectors")
        console().print(table_of(_CONNECTORS, detail["connectors"]))
    if detail["open_transactions"]:
        heading("open transactions")
        console().print(table_of(_OPEN, detail["open_transactions"]))


def switch_log(
    reach: Reach,
    station: Station,
    switch: Annotated[Switch, typer.Argument(help="on, off, or as the system's setting says.", show_default=False)],
    *,
    as_json: AsJson = False,
) -> None:
    """Switch the log of a station's raw messages on or off."""
    kept = {Switch.ON: True, Switch.OFF: False, Switch.DEFAULT: None}[switch]
    with reach.api() as api:
        _report(_change(api, station, {"message_log": kept}), f"message log: {switch}", as_json=as_json)


def _change(api: Api, station: str, changes: Row) -> Row:
    changed: Row = api.send("PATCH", path("stations", station), changes)
    return changed


def _report(record: Row, done: str, *, as_json: bool) -> None:
    if as_json:
        print_json(record)
    else:
        typer.echo(f"{record['station']}: {done}")


def _profile(row: Row) -> str | None:
    """`2`, `1, then 2` while the change is under way, `3 (or 2)` where it may go back."""
    if row["security_profile"] is None:
        return None
    following = row["security_profile_next"]
    text = str(row["security_profile"]) + (f", then {following}" if following is not None else "")
    return f"{text} (or 2)" if row["downgrade_allowed"] and row["security_profile"] == 3 else text


def _password(row: Row) -> str:
    now = "set" if row["has_password"] else "none"
    return f"{now}, another is on its way" if row["has_password_next"] else now


def _handshake(row: Row) -> str | None:
    said = ("ocpp1.6 is assumed", row["assume_ocpp16"]), ("may lack Connection: Upgrade", row["lenient_upgrade"])
    return "; ".join(text for text, holds in said if holds) or None


def _fields(row: Row) -> list[tuple[str, Any]]:
    """A station for people, in the order in which one asks."""
    state = "connected" if row["connected"] else "offline"
    boot = f"{when(row['booted_at'])} {row['boot_reason'] or ''}".strip() if row["booted_at"] else None
    ended = f"{when(row['disconnected_at'])} ({row['close_code']} {row['close_reason'] or ''})".replace(" )", ")")
    log = {True: "on", False: "off", None: None}[row["message_log"]]
    return [
        ("station", row["station"]),
        ("state", state),
        ("OCPP", row["version"]),
        ("address", row["address"]),
        ("ingress", row["ingress"]),
        ("connected", when(row["connected_at"])),
        ("disconnected", ended if row["disconnected_at"] and not row["connected"] else None),
        ("seen", when(row["seen_at"])),
        ("registration", row["registration"] or "not registered"),
        ("security profile", _profile(row)),
        ("password", _password(row)),
        ("certificate name", row["certificate_name"]),
        ("handshake", _handshake(row)),
        ("message log", log),
        ("note", row["note"]),
        ("vendor", row["vendor"]),
        ("model", row["model"]),
        ("serial number", row["serial_number"]),
        ("firmware", row["firmware_version"]),
        ("meter", " ".join(filter(None, (row["meter_type"], row["meter_serial_number"])))),
        ("SIM", " ".join(filter(None, (row["iccid"], row["imsi"])))),
        ("booted", boot),
        ("boot answered", row["boot_registration"]),
        ("heartbeat", f"{row['heartbeat_interval_s']} s" if row["heartbeat_interval_s"] is not None else None),
    ]
