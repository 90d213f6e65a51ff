"""`narke plan ...`: what a site's cars may draw now and next, its day as a picture, what needs a person."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli import plan_texts as texts
from deploy.cli.client import path
from deploy.cli.command import AsJson, Limit, Reach, client_command
from deploy.cli.errors import usage
from deploy.cli.export import export_bytes
from deploy.cli.output import Column, Row, console, heading, moment, print_json, print_rows, styled, table_of
from deploy.cli.stations import hint_of_limit

KINDS = ("load", "phases", "price")
_FORMATS = {".png": "png", ".svg": "svg"}
_ALERTS = (
    Column("SITE", "site"),
    Column("KIND", "kind"),
    Column("NODE", "node"),
    Column("SINCE", moment("at")),
    Column("OVER", lambda row: None if row.get("over") is None else f"{row['over']:.1f} {row.get('unit') or ''}"),
    Column("OVER SINCE", moment("cleared_at")),
    Column("DETAIL", "detail", wrap=True),
)
SiteName = Annotated[str, typer.Argument(help="Id of the site.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(help="Plans of sites: limits, cars, pictures, alerts.", no_args_is_help=True)
    client_command(group, "show")(show_plan)
    client_command(group, "plot")(plot_day)
    client_command(group, "alerts")(list_alerts)
    app.add_typer(group, name="plan")


def show_plan(
    reach: Reach,
    site: SiteName,
    *,
    all_nodes: Annotated[bool, typer.Option("--all", help="Also nodes without a limit and without cars.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a site's cars may draw now and next, and why."""
    with reach.api() as api:
        view = api.get(path("sites", site, "plan"))
    if as_json:
        print_json(view)
        return
    _print_plan(view, all_nodes=all_nodes)


def plot_day(
    reach: Reach,
    site: SiteName,
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="File to write, .png or .svg.", show_default="SITE-KIND.png"),
    ] = None,
    kind: Annotated[
        str, typer.Option(help="load: power by car; phases: current by line; price: prices beside the power.")
    ] = "load",
    day: Annotated[
        str | None, typer.Option(help="In the site's time zone, e.g. 2026-05-01.", show_default="today")
    ] = None,
    node: Annotated[
        str | None, typer.Option(help="Whose lines (phases).", show_default="the first with a limit per line")
    ] = None,
) -> None:
    """Draw a site's day: measured until now, planned from now on."""
    if kind not in KINDS:
        raise usage(f"there is no plot {kind!r}", f"take one of {', '.join(KINDS)}")
    file = out or Path(f"{site.replace('/', '_')}-{kind}.png")
    if file.suffix.lower() not in _FORMATS:
        raise usage(f"{file} is neither .png nor .svg", "name a file that ends in one of them")
    form = _FORMATS[file.suffix.lower()]
    query = {"kind": kind, "day": _day(day), "node": node}
    with reach.api() as api:
        media = "image/png" if form == "png" else "image/svg+xml"
        export_bytes(api.stream(path("sites", site, f"plot.{form}"), query, media), file)


def list_alerts(
    reach: Reach,
    *,
    site: Annotated[str | None, typer.Option(help="Only of this site.", show_default=False)] = None,
    over: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List what needs a person at sites."""
    with reach.api() as api:
        rows = list(api.rows(path("site-alerts"), {"site": site, "active": None if over else True}, limit))
    print_rows(_ALERTS if over else _ALERTS[:5] + _ALERTS[6:], rows, as_json=as_json, none="nothing needs a person")
    hint_of_limit(rows, limit, as_json=as_json)


def _day(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise usage(f"--day: {text!r} is no day", "write it as 2026-05-01") from None


def _print_plan(view: Row, *, all_nodes: bool) -> None:
    zone, now = view["time_zone"], view["now"]
    name = f"{view['name']} ({view['site']})" if view.get("name") else view["site"]
    out = console()
    out.print(styled(f"{name}, {texts.clock(now, zone, now)} {zone}"), style="bold")
    for line in texts.headline(view):
        out.print(styled(line))
    heading("limits")
    _print_nodes(view, all_nodes=all_nodes)
    heading("cars")
    _print_cars(view)
    for title, lines in (
        ("caps", [texts.cap_in_words(cap, zone, now) for cap in view["caps"]]),
        ("alerts", [texts.alert_in_words(alert, zone, now) for alert in view["alerts"]]),
    ):
        if lines:
            heading(title)
            for line in lines:
                out.print(styled(line))


def _print_nodes(view: Row, *, all_nodes: bool) -> None:
    """The tree, indented, with a bar of the limit that is nearest."""
    from rich.table import Table  # noqa: PLC0415 (rich: not for --json)
    from rich.text import Text  # noqa: PLC0415 (rich: not for --json)

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for _ in range(4):
        table.add_column(no_wrap=True, overflow="ellipsis")
    for node in view["nodes"]:
        use = texts.Use(node)
        if not all_nodes and node["depth"] and use.share is None:
            continue
        cap = "" if node.get("cap_kw") is None else f"capped to {node['cap_kw']:.1f} kW"
        label = styled(f"{'  ' * node['depth']}{node['node']}")
        table.add_row(label, Text(use.bar, style=use.style), styled(use.text), styled(cap))
    console().print(table)


def _print_cars(view: Row) -> None:
    zone, now = view["time_zone"], view["now"]
    if not view["cars"]:
        console().print(styled("nobody charges"))
        return
    columns = (
        Column("STATION", "station"),
        Column("EVSE", "evse", right=True),
        Column("NOW", lambda row: texts.amperes(row["current_a"]) + ("" if row["sent"] else " *"), right=True),
        Column("kW", lambda row: f"{row['power_kw']:.1f}", right=True),
        Column("NEXT", lambda row: ", ".join(texts.steps_ahead(row, zone, now, 2))),
        Column("NEEDS", texts.need_in_short),
        Column("LEAVES", lambda row: texts.clock(row.get("departs_at"), zone, now)),
        Column("WHY NOT MORE", texts.why_in_short, wrap=True),
    )
    console().print(table_of(columns, view["cars"]))
    if not all(car["sent"] for car in view["cars"]):
        console().print(styled("* not told to the station yet: too small a change, or it waits for others"))
