"""`narke profiles ...`: charging profiles of a station, and what they come to."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.client import Api, path
from deploy.cli.command import AsJson, Deadline, Limit, Reach, Station, client_command
from deploy.cli.commands import tell
from deploy.cli.errors import usage
from deploy.cli.output import Column, Row, moment, print_fields, print_json, print_rows
from deploy.cli.stations import hint_of_limit
from deploy.cli.times import now, parse_time

_PROFILES = (
    Column("ID", "profile_id"),
    Column("EVSE", "evse"),
    Column("PURPOSE", "purpose"),
    Column("KIND", "kind"),
    Column("LEVEL", "stack_level"),
    Column("LIMITS", lambda row: _limits(row)),  # noqa: PLW0108 (it is defined below)
    Column("TRANSACTION", "transaction_id"),
    Column("SOURCE", "source"),
    Column("INSTALLED", moment("installed_at")),
    Column("GONE", "removed_because"),
)
_PERIODS_SHOWN = 4
AtEvse = Annotated[int, typer.Option("--evse", min=0, help="EVSE, from 1; 0: the station.")]


@dataclass(frozen=True)
class _Which:
    """Criteria of profiles."""

    profile_id: int | None
    evse: int | None
    purpose: str | None
    stack_level: int | None

    def said(self) -> Row:
        """Those that are given."""
        return {name: value for name, value in vars(self).items() if value is not None}


Id = Annotated[int | None, typer.Option("--id", help="Of this id.", show_default=False)]
OfEvse = Annotated[int | None, typer.Option("--evse", min=0, help="At this EVSE; 0: the station.", show_default=False)]
Purpose = Annotated[str | None, typer.Option(help="E.g. TxDefaultProfile.", show_default=False)]
Level = Annotated[int | None, typer.Option(min=0, help="Of this stack level.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    profiles = typer.Typer(help="Charging profiles: what stations may draw, and when.", no_args_is_help=True)
    client_command(profiles, "list")(list_profiles)
    client_command(profiles, "set")(set_profile)
    client_command(profiles, "clear")(clear_profiles)
    client_command(profiles, "refresh")(refresh_profiles)
    client_command(profiles, "composite")(composite)
    client_command(profiles, "effective")(effective)
    app.add_typer(profiles, name="profiles")


def list_profiles(
    reach: Reach,
    station: Station,
    *,
    gone: Annotated[bool, typer.Option("--all", help="Also those that the station has no more.")] = False,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List the profiles that a station holds, as far as Narke knows."""
    with reach.api() as api:
        query = {"station": station, "installed": None if gone else True}
        rows = list(api.rows(path("charging-profiles"), query, limit))
    print_rows(_PROFILES, rows, as_json=as_json, none="no profile is known")
    hint_of_limit(rows, limit, as_json=as_json)


def set_profile(
    reach: Reach,
    station: Station,
    file: Annotated[Path, typer.Argument(help="JSON of a profile, see docs/smart-charging.md.", show_default=False)],
    *,
    evse: AtEvse = 0,
    deadline: Deadline = None,
    as_json: AsJson = False,
) -> None:
    """Install a profile, or replace the one of its id."""
    try:
        profile = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise usage(f"{file} cannot be read: {error}", "give a file with a profile as JSON") from None
    body = {"command": "set_charging_profile", "evse": evse, "profile": profile}
    _send(reach, station, body, deadline, as_json=as_json)


def clear_profiles(  # noqa: PLR0913 (each is an argument or option)
    reach: Reach,
    station: Station,
    *,
    profile_id: Id = None,
    evse: OfEvse = None,
    purpose: Purpose = None,
    level: Level = None,
    deadline: Deadline = None,
    as_json: AsJson = False,
) -> None:
    """Remove the profile of an id, or all that fit."""
    which = _Which(profile_id, evse, purpose, level).said()
    _send(reach, station, {"command": "clear_charging_profile", **which}, deadline, as_json=as_json)


def refresh_profiles(reach: Reach, station: Station, *, deadline: Deadline = None, as_json: AsJson = False) -> None:
    """Ask a 2.x station to report its profiles; then `profiles list` shows what it really holds."""
    _send(reach, station, {"command": "get_charging_profiles"}, deadline, as_json=as_json)


def composite(  # noqa: PLR0913 (each is an argument or option)
    reach: Reach,
    station: Station,
    *,
    evse: AtEvse = 0,
    duration_s: Annotated[int, typer.Option("--duration", min=1, help="Seconds to look ahead.")] = 86_400,
    unit: Annotated[str | None, typer.Option(help="A or W.", show_default="the station's")] = None,
    deadline: Deadline = None,
    as_json: AsJson = False,
) -> None:
    """Ask a station what its profiles come to."""
    body: Row = {"command": "get_composite_schedule", "evse": evse, "duration_s": duration_s, "unit": unit}
    _send(reach, station, {name: value for name, value in body.items() if value is not None}, deadline, as_json=as_json)


def effective(  # noqa: PLR0913 (each is an argument or option)
    reach: Reach,
    station: Station,
    *,
    evse: Annotated[int, typer.Option(min=1, help="EVSE, from 1.")] = 1,
    at: Annotated[str | None, typer.Option(help="At that time instead of now.", show_default=False)] = None,
    zone: Annotated[str, typer.Option(help="Time zone of schedules in local time.")] = "UTC",
    voltage_v: Annotated[float, typer.Option("--voltage", min=1, help="Volts of a phase.")] = 230,
    as_json: AsJson = False,
) -> None:
    """Say what the profiles that Narke knows come to: the limit at an EVSE, and which profile binds."""
    present = now()
    moment_asked = datetime.fromisoformat(parse_time(at, "--at", present) or present.isoformat())
    with reach.api() as api:
        rows = list(api.rows(path("charging-profiles"), {"station": station, "installed": True}, 0))
        transaction = _open_transaction(api, station, evse)
    found = _effective(rows, evse, moment_asked, zone, voltage_v, transaction)
    if as_json:
        print_json(found)
        return
    limit_a, limit_w = found["limit_a"], found["limit_w"]
    shown = "none" if limit_a is None else f"{limit_a:g} A on {found['phases']} phases ({limit_w:g} W)"
    print_fields(
        [
            ("station", station),
            ("evse", evse),
            ("transaction", found["transaction_id"]),
            ("limit", shown),
            ("by", ", ".join(f"{each['purpose']} {each['id']}" for each in found["by"]) or None),
        ]
    )


def _effective(rows: list[Row], evse: int, at: datetime, zone: str, voltage_v: float, transaction: Row | None) -> Row:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 (not for --help)

    import msgspec  # noqa: PLC0415

    from engine.model.charging_profiles import NUMBERS, ChargingProfile  # noqa: PLC0415
    from engine.station.effective_limit import Circumstances, Installed, effective_limit  # noqa: PLC0415

    def profile_of(row: Row) -> ChargingProfile:
        profile: Any = row["profile"]
        numbers = row["numbers"]
        if numbers and len(profile["schedules"]) == 1 and len(profile["schedules"][0]["periods"]) == 1:
            period = profile["schedules"][0]["periods"][0]
            period |= {name: numbers[name] for name in NUMBERS if name in numbers}
        return msgspec.convert(profile | {"transaction_id": row["transaction_id"]}, ChargingProfile)

    try:
        zone_info = ZoneInfo(zone)
    except (KeyError, ValueError):
        raise usage(f"--zone {zone}: there is no such time zone", "use a name of IANA's, e.g. Europe/Berlin") from None
    installed = [Installed(row["evse"], profile_of(row)) for row in rows if row["profile"]]
    begun = None if transaction is None else transaction["started_at"]
    asked = Circumstances(
        evse=evse,
        now=at,
        transaction_id=None if transaction is None else transaction["transaction_id"],
        begun_at=None if begun is None else datetime.fromisoformat(begun),
        zone=zone_info,
        voltage_v=voltage_v,
    )
    found = effective_limit(installed, asked)
    return {
        "evse": evse,
        "at": at.isoformat(),
        "transaction_id": asked.transaction_id,
        "limit_a": found.limit_a,
        "limit_w": found.limit_w,
        "phases": found.phases,
        "by": [{"purpose": purpose, "id": number} for purpose, number in found.by],
    }


def _open_transaction(api: Api, station: str, evse: int) -> Row | None:
    rows = api.rows(path("transactions"), {"station": station, "open": True}, 100)
    return next((row for row in rows if row["evse"] == evse), None)


def _send(reach: Reach, station: str, body: Row, deadline: float | None, *, as_json: bool) -> None:
    with reach.api() as api:
        answer = api.command(station, "commands", body if deadline is None else {**body, "deadline_s": deadline})
    tell(answer, as_json=as_json)


def _limits(row: Row) -> str | None:
    """The first limits of a profile, e.g. `16 A, 8 A from 3600 s`."""
    profile = row.get("profile")
    if not profile or not profile["schedules"]:
        return None
    schedule = profile["schedules"][0]
    periods = schedule["periods"]
    shown = [
        f"{period.get('limit', period.get('setpoint', '-'))} {schedule['unit']}"
        + (f" from {period['start_s']} s" if period["start_s"] else "")
        for period in periods[:_PERIODS_SHOWN]
    ]
    return ", ".join(shown) + (", ..." if len(periods) > _PERIODS_SHOWN else "")
