"""`narke cap ...`: what caps sites from outside: operators and grid operators. docs/sites.md."""

from datetime import datetime
from typing import Annotated, Any

import typer

from deploy.cli.client import path
from deploy.cli.command import AsJson, Limit, Reach, client_command
from deploy.cli.errors import usage
from deploy.cli.output import Column, Row, moment, print_json, print_rows
from deploy.cli.site import SiteName
from deploy.cli.stations import hint_of_limit
from deploy.cli.times import At, now, parse_moment

_OPERATOR = "operator"
Source = Annotated[str, typer.Option(help="Who caps, e.g. operator or grid:north.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(help="Caps from outside: at most so many kW for a site.", no_args_is_help=True)
    client_command(group, "set")(set_cap)
    client_command(group, "list")(list_caps)
    client_command(group, "heartbeat")(hear_cap)
    client_command(group, "release")(release_cap)
    app.add_typer(group, name="cap")


def set_cap(  # noqa: PLR0913 (one parameter per option)
    reach: Reach,
    site: SiteName,
    *,
    kw: Annotated[float | None, typer.Option(help="At most so many kW from --from on.", show_default=False)] = None,
    step: Annotated[
        list[str] | None,
        typer.Option("--step", help="TIME=KW, more of them, ascending; KW none: no cap.", show_default=False),
    ] = None,
    node: Annotated[str, typer.Option(help="Of the site's tree.", show_default="its root")] = "",
    from_: Annotated[str, typer.Option("--from", help="From when on; as --until.")] = "now",
    until: At = None,
    source: Source = _OPERATOR,
    fallback: Annotated[
        float | None, typer.Option(help="kW that count after --until or in silence.", show_default=False)
    ] = None,
    heartbeat: Annotated[
        float | None, typer.Option(help="Seconds without a word after which it is silent.", show_default=False)
    ] = None,
    priority: Annotated[int, typer.Option(help="Shown; the least cap counts whatever it is.")] = 0,
    export: Annotated[bool, typer.Option("--export", help="Caps what flows back to the grid.")] = False,
    emergency: Annotated[bool, typer.Option("--emergency", help="Stations are told before anything else.")] = False,
    as_json: AsJson = False,
) -> None:
    """Cap a site, or change a source's cap: what it said before is replaced whole."""
    at = now()
    begin = parse_moment(from_, "--from", at)
    steps: list[Row] = [] if kw is None else [{"at": begin, "kw": kw}]
    steps += [_step(text, at) for text in step or ()]
    if not steps:
        raise usage("nothing is capped", "give --kw, or --step TIME=KW; `narke cap release` lifts a cap")
    body: dict[str, Any] = {
        "steps": steps,
        "node": node,
        "direction": "export" if export else "import",
        "valid_until": parse_moment(until, "--until", at),
        "fallback_kw": fallback,
        "heartbeat_s": heartbeat,
        "priority": priority,
        "emergency": emergency,
    }
    with reach.api() as api:
        saved: Row = api.send("PUT", path("sites", site, "caps", source), body)
    if as_json:
        print_json(saved)
        return
    first = _kw(steps[0]["kw"]) or "no cap"
    typer.echo(f"{site}: {source} caps {node or 'its root'} at {first}")
    for warning in saved["warnings"]:
        typer.echo(f"  warning: {warning}", err=True)


def list_caps(
    reach: Reach,
    site: Annotated[str | None, typer.Argument(help="Only of this site.", show_default=False)] = None,
    *,
    released: Annotated[bool, typer.Option("--all", help="Also those that were released.")] = False,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List caps: the last word of each source."""
    with reach.api() as api:
        rows = list(api.rows(path("site-caps"), {"site": site, "active": None if released else True}, limit))
    columns = (
        Column("SITE", "site", whole=True),
        Column("SOURCE", "source", whole=True),
        Column("NODE", lambda row: row["node"] or "root"),
        Column("DIRECTION", "direction"),
        Column("NOW", _now, right=True),
        Column("STEPS", lambda row: len(row["steps"] or ()), right=True),
        Column("UNTIL", moment("valid_until")),
        Column("FALLBACK", lambda row: _kw(row["fallback_kw"]), right=True),
        Column("HEARD", moment("heard_at")),
        Column("STATE", _state),
    )
    print_rows(columns, rows, as_json=as_json, none="nothing is capped")
    hint_of_limit(rows, limit, as_json=as_json)


def hear_cap(reach: Reach, site: SiteName, *, source: Source = _OPERATOR) -> None:
    """Say that a source lives, before its --heartbeat is over."""
    with reach.api() as api:
        api.send("POST", path("sites", site, "caps", source, "heartbeat"))
    typer.echo(f"{site}: {source} was heard of")


def release_cap(reach: Reach, site: SiteName, *, source: Source = _OPERATOR) -> None:
    """Release a cap: its source caps nothing any more."""
    with reach.api() as api:
        api.send("DELETE", path("sites", site, "caps", source))
    typer.echo(f"{site}: {source} caps nothing any more")


def _step(text: str, at: datetime) -> Row:
    """TIME=KW."""
    when, separator, kw = text.rpartition("=")
    if not separator:
        raise usage(f"--step {text}: no step", "write TIME=KW, e.g. 18:00=20 or +2h=none")
    begin = parse_moment(when, "--step", at)
    if kw.strip().lower() == "none":
        return {"at": begin, "kw": None}
    try:
        return {"at": begin, "kw": float(kw)}
    except ValueError:
        raise usage(f"--step {text}: {kw!r} is no number of kW", "write TIME=KW, e.g. 18:00=20 or +2h=none") from None


def _kw(value: float | None) -> str | None:
    return None if value is None else f"{value:g} kW"


def _now(row: Row) -> str | None:
    """What its series says at this moment, whether it is heard of or not."""
    begun = [step for step in row["steps"] or () if datetime.fromisoformat(step["at"]) <= now()]
    return _kw(begun[-1]["kw"]) if begun else None


def _state(row: Row) -> str:
    """What is made of a source, as of its own words: the planner goes by the same."""
    at = now()
    if not row["active"]:
        return "released"
    until, heard = row["valid_until"], row["heard_at"]
    if until is not None and datetime.fromisoformat(until) <= at:
        return "over"
    beat_s = row["heartbeat_s"]
    silent = beat_s is not None and heard is not None
    if silent and (at - datetime.fromisoformat(heard)).total_seconds() > beat_s:
        return "silent"
    return "emergency" if row["emergency"] else "live"
