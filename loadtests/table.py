"""The fleet as a live table for terminals."""

from itertools import islice

from rich.console import Group
from rich.table import Table
from rich.text import Text

from loadtests.connector import Connector
from loadtests.fleet import Fleet
from loadtests.station import Station

ROWS_MAX = 30
_COLOUR = {
    "Available": "green",
    "Preparing": "yellow",
    "Charging": "bright_blue",
    "SuspendedEV": "blue",
    "Finishing": "yellow",
    "Unavailable": "red",
}


def table_of(fleet: Fleet) -> Group:
    """One row per connector, at most `ROWS_MAX`, and a line of totals."""
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for name, justify in (
        ("station", "left"),
        ("OCPP", "left"),
        ("connector", "right"),
        ("status", "left"),
        ("transaction", "left"),
        ("limit", "right"),
        ("kW", "right"),
        ("kWh", "right"),
        ("battery", "right"),
    ):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]  # rich wants a literal
    rows = ((station, connector) for station in fleet.stations for connector in station.connectors)
    for station, connector in islice(rows, ROWS_MAX):
        table.add_row(*_row(station, connector))
    hidden = len(fleet.stations) * fleet.options.habits.connectors - ROWS_MAX
    more = [Text(f"  and {hidden} more", style="dim")] if hidden > 0 else []
    return Group(table, *more, _totals(fleet))


def _row(station: Station, connector: Connector) -> tuple[Text | str, ...]:
    status = Text(connector.status, style=_COLOUR.get(connector.status, ""))
    if not station.registered:
        status = Text("not registered", style="dim")
    car, charge = connector.car, connector.charge
    if car is None or charge is None:
        return station.identity, station.version, str(connector.number), status, "", "", "", "", ""
    power_kw = connector.power_w / 1000
    energy_kwh = (connector.register_wh - charge.meter_start_wh) / 1000
    return (
        station.identity,
        station.version,
        str(connector.number),
        status,
        (charge.id or "?")[:12],
        f"{connector.limit.allowed_a:.0f} A",
        f"{power_kw:.1f}",
        f"{energy_kwh:.3f}",
        f"{100 * car.soc:.0f} %",
    )


def _totals(fleet: Fleet) -> Text:
    result = fleet.result()
    failures = sum(result.failures.values())
    return Text(
        f"\n {result.connected}/{result.stations} connected   {result.charging} charging   "
        f"{result.transactions} transactions   {result.energy_wh / 1000:.2f} kWh   {result.messages} messages   "
        f"p50 {result.p50_ms:.1f} ms   p99 {result.p99_ms:.1f} ms   {failures} failures",
        style="bold" if not failures else "bold red",
    )
