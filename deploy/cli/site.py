"""`narke site ...`: the trees that stations hang in, prices, and what drivers ask for. docs/sites.md."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.cli.client import Api, path
from deploy.cli.command import AsJson, Limit, Reach, client_command
from deploy.cli.errors import CliError, ExitCode, usage
from deploy.cli.output import Column, Row, moment, print_json, print_rows
from deploy.cli.stations import hint_of_limit
from deploy.cli.times import At, now, parse_moment

if TYPE_CHECKING:
    from smartcharging.site_files import SiteFile
    from smartcharging.site_problems import SiteProblem

_SITES = (
    Column("SITE", "site", whole=True),
    Column("NAME", "name"),
    Column("REVISION", "revision", right=True),
    Column("STATIONS", "stations", right=True),
    Column("EVSES", "evses", right=True),
    Column("LIMIT", lambda row: None if row["limit_kw"] is None else f"{row['limit_kw']:g} kW", right=True),
    Column("ALLOCATOR", "allocator"),
    Column("ENABLED", lambda row: "yes" if row["enabled"] else "no"),
    Column("SAVED", moment("saved_at")),
    Column("BY", "saved_by"),
)
_VERSIONS = (
    Column("REVISION", "revision", right=True),
    Column("SAVED", moment("saved_at")),
    Column("BY", "saved_by"),
    Column("STATIONS", "stations", right=True),
    Column("EVSES", "evses", right=True),
    Column("NODES", "nodes", right=True),
)
SiteName = Annotated[str, typer.Argument(help="Id of the site.", show_default=False)]
Files = Annotated[list[Path], typer.Argument(help="Site files (YAML), see docs/sites.md.", show_default=False)]
Revision = Annotated[int | None, typer.Option(min=1, help="As it was at this revision.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(help="Sites: the trees that stations hang in, and their limits.", no_args_is_help=True)
    client_command(group, "import")(import_sites)
    client_command(group, "export")(export_sites)
    client_command(group, "show")(show_site)
    client_command(group, "list")(list_sites)
    group.command("check")(check_files)
    client_command(group, "remove")(remove_site)
    client_command(group, "history")(show_history)
    client_command(group, "series")(save_series)
    client_command(group, "request")(request)
    app.add_typer(group, name="site")


def import_sites(reach: Reach, files: Files, *, as_json: AsJson = False) -> None:
    """Add or replace the sites of files. All files are read before anything is sent."""
    import msgspec  # noqa: PLC0415 (not for --help)

    read = [(file, one) for file in files for one in _read(file)]
    _refuse_twice(read)
    answers: list[Row] = []
    with reach.api() as api:
        for file, one in read:
            site = one.site.site
            try:
                answers.append(api.send("PUT", path("sites", site), msgspec.to_builtins(one.site)))
            except CliError as error:
                done = f" ({', '.join(answer['site'] for answer in answers)}: saved)" if answers else ""
                raise CliError(f"{file}: {error.what}{done}", error.todo, error.code) from None
            if not as_json:
                typer.echo(f"{site}: saved, revision {answers[-1]['revision']}")
                _warn(answers[-1]["problems"])
    if as_json:
        print_json(answers)


def export_sites(
    reach: Reach,
    sites: Annotated[list[str] | None, typer.Argument(help="Ids; left out: all.", show_default=False)] = None,
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write; left out: standard output.", show_default=False),
    ] = None,
    revision: Revision = None,
) -> None:
    """Write sites as a site file; several are documents of one file."""
    import msgspec  # noqa: PLC0415 (not for --help)

    from engine.model.sites import Site  # noqa: PLC0415 (likewise)
    from smartcharging.site_writing import dump  # noqa: PLC0415 (yaml)

    with reach.api() as api:
        names = sites or [row["site"] for row in api.rows(path("sites"), {"active": True}, 0)]
        found = [msgspec.convert(_held(api, name, revision)["site"], Site) for name in names]
    if not found:
        typer.echo("there are no sites", err=True)
        return
    text = dump(found)
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise usage(
            f"{output} cannot be written: {error.strerror}", "name a file in a folder that you may write"
        ) from None
    typer.echo(f"{output}: {len(found)} {'site' if len(found) == 1 else 'sites'}")


def show_site(reach: Reach, site: SiteName, *, revision: Revision = None, as_json: AsJson = False) -> None:
    """Show a site: its tree with all limits."""
    with reach.api() as api:
        held = _held(api, site, revision)
    if as_json:
        print_json(held)
        return
    from deploy.cli.site_trees import print_site  # noqa: PLC0415 (rich)

    print_site(held)


def list_sites(reach: Reach, *, limit: Limit = 100, as_json: AsJson = False) -> None:
    """List the sites."""
    with reach.api() as api:
        rows = list(api.rows(path("sites"), {"active": True}, limit))
    none = "there are no sites: `narke site import FILE` adds one, docs/sites.md has an example"
    print_rows(_SITES, rows, as_json=as_json, none=none)
    hint_of_limit(rows, limit, as_json=as_json)


def check_files(
    files: Files,
    *,
    as_json: AsJson = False,
) -> None:
    """Check site files, without a Narke. Exit status 2 where one cannot be imported."""
    from smartcharging.allocators import names  # noqa: PLC0415 (numpy)
    from smartcharging.site_check import check  # noqa: PLC0415 (not for --help)
    from smartcharging.site_problems import Severity  # noqa: PLC0415 (likewise)

    bad, told = False, []
    owners: dict[str, str] = {}
    for file in files:
        try:
            read = _read(file)
        except CliError as error:
            bad = True
            told.append({"file": str(file), "site": None, "good": False, "problems": [{"what": error.what}]})
            if not as_json:
                error.tell()
            continue
        for one in read:
            problems = (*check(one.site, names), *_taken(one, owners))
            good = not any(problem.severity is Severity.ERROR for problem in problems)
            bad |= not good
            rows = [_row(problem, one) for problem in problems]
            told.append({"file": str(file), "site": one.site.site, "good": good, "problems": rows})
            if not as_json:
                _tell(file, one, rows, good=good)
    if as_json:
        print_json(told)
    if bad:
        raise typer.Exit(ExitCode.USAGE)


def remove_site(reach: Reach, site: SiteName) -> None:
    """Remove a site with its caps and prices. Its stations are not planned any more; its history stays."""
    with reach.api() as api:
        api.send("DELETE", path("sites", site))
    typer.echo(f"{site}: removed; its stations are not planned any more")


def show_history(reach: Reach, site: SiteName, *, limit: Limit = 100, as_json: AsJson = False) -> None:
    """List the revisions of a site; `narke site export SITE --revision N` writes one."""
    with reach.api() as api:
        rows = list(api.rows(path("site-versions"), {"site": site}, limit))
    print_rows(_VERSIONS, rows, as_json=as_json, none=f"no revision of {site} is known")
    hint_of_limit(rows, limit, as_json=as_json)


def save_series(
    reach: Reach,
    site: SiteName,
    kind: Annotated[str, typer.Argument(help="price, export_price or co2 (g per kWh).", show_default=False)],
    file: Annotated[
        Path, typer.Argument(help="CSV of start,value at even steps, or JSON, see docs/sites.md.", show_default=False)
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Tell prices or CO2 for a time to come. What was told before is replaced whole."""
    from deploy.cli.series_files import read_series  # noqa: PLC0415 (not for --help)

    body = read_series(file)
    with reach.api() as api:
        saved = api.send("PUT", path("sites", site, "series", kind), body)
    if as_json:
        print_json(saved)
    else:
        typer.echo(f"{site}: {kind} from {saved['start_at']} to {saved['end_at']}, {saved['values']} values")


def request(  # noqa: PLR0913 (one parameter per option)
    reach: Reach,
    *,
    station: Annotated[str | None, typer.Option(help="For the car at this station.", show_default=False)] = None,
    evse: Annotated[int, typer.Option(min=1, help="EVSE of the station.")] = 1,
    token: Annotated[str | None, typer.Option(help="For this token, wherever it charges.", show_default=False)] = None,
    energy: Annotated[float | None, typer.Option(help="kWh that the car needs.", show_default=False)] = None,
    soc: Annotated[float | None, typer.Option(help="Charge that it needs, in percent.", show_default=False)] = None,
    departs: At = None,
    priority: Annotated[int | None, typer.Option(help="Higher ones are paused last.", show_default=False)] = None,
    discharge: Annotated[
        bool | None, typer.Option("--discharge/--no-discharge", help="Whether it may give back.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Keep what a driver asks for: for the car at an EVSE, or for a token's running or next transaction."""
    body: dict[str, Any] = {
        "station": station,
        "evse": None if station is None else evse,
        "token": token,
        "energy_kwh": energy,
        "soc_percent": soc,
        "departs_at": parse_moment(departs, "--departs", now()),
        "priority": priority,
        "may_discharge": discharge,
    }
    with reach.api() as api:
        kept = api.send("POST", path("driver-requests"), {name: one for name, one in body.items() if one is not None})
    if as_json:
        print_json(kept)
    else:
        typer.echo(f"{f'{station}/{evse}' if station else token}: noted")


def _held(api: Api, site: str, revision: int | None) -> Row:
    held: Row = api.get(path("sites", site), {"revision": revision})
    return held


def _read(file: Path) -> "tuple[SiteFile, ...]":
    """Raises CliError."""
    from smartcharging.site_files import BadSiteFile, load  # noqa: PLC0415 (yaml: not for --help)

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no UTF-8 text"
        raise usage(f"{file} cannot be read: {reason}", "give a site file; docs/sites.md has an example") from None
    try:
        return load(text)
    except BadSiteFile as error:
        faults = "".join(f"\n  {fault}" for fault in error.faults)
        raise usage(f"{file} is no site file:{faults}", "correct it; docs/sites.md has an example") from None


def _refuse_twice(read: "list[tuple[Path, SiteFile]]") -> None:
    first: dict[str, Path] = {}
    for file, one in read:
        if one.site.site in first:
            what = f"{file}: site {one.site.site!r} is in {first[one.site.site]}, too"
            raise usage(what, "name each site once")
        first[one.site.site] = file


def _taken(one: "SiteFile", owners: dict[str, str]) -> "list[SiteProblem]":
    """Stations that hang in a site of these files already; the others are noted in `owners`."""
    from smartcharging.site_problems import SiteProblem  # noqa: PLC0415 (not for --help)

    found: dict[str, SiteProblem] = {}
    for node in one.site.nodes:
        station = node.station or (node.outlet and node.outlet.station)
        if station and owners.setdefault(station, one.site.site) != one.site.site:
            text = f"station {station} belongs to site {owners[station]!r}, too"
            todo = "a station hangs in one site: take it out of one of them"
            found.setdefault(station, SiteProblem(node.node, text, todo))
    return [*found.values()]


def _warn(problems: list[Row]) -> None:
    for problem in problems:
        place = ", ".join(filter(None, (problem["node"], problem.get("field"))))
        typer.echo(f"  {problem['severity']}: {place or 'site'}: {problem['what']}; {problem['todo']}", err=True)


def _row(problem: Any, one: "SiteFile") -> Row:
    return {
        "severity": problem.severity.value,
        "line": one.lines.get(problem.node, one.lines[""]),
        "node": problem.node,
        "field": problem.field,
        "what": problem.what,
        "todo": problem.todo,
    }


def _tell(file: Path, one: "SiteFile", rows: list[Row], *, good: bool) -> None:
    evses = sum(node.outlet is not None for node in one.site.nodes)
    verdict = "good" if good else "cannot be imported"
    typer.echo(f"{file}: {one.site.site}: {verdict} (stations: {len(one.site.stations)}, EVSEs: {evses})")
    for row in rows:
        place = ", ".join(filter(None, (row["node"], row["field"])))
        typer.echo(
            f"  line {row['line']}, {row['severity']}: {place or 'site'}: {row['what']}; {row['todo']}", err=True
        )
