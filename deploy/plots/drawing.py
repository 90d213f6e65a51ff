"""Draws a site's day: pure functions, one figure each, without pyplot; one at a time, for matplotlib's style is global.

The background is a page of its own: light, so that the picture reads the same on light and dark pages and in print.
"""

import io
import threading
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, cast
from zoneinfo import ZoneInfo

import matplotlib as mpl
import matplotlib.dates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.dates import date2num
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from deploy.plots import colours
from ingress.http.site_day import Curve, PhaseCurve, SiteDay

Floats = NDArray[np.float64]

CARS_MAX = 10
"""Cars with a colour of their own; the others are one band."""
DPI = 130
SIZE_IN = (11.0, 5.4)
SIZE_OF_PANELS_IN = (11.0, 6.6)
LABEL_CHARACTERS_MAX = 22
_ONE_AT_A_TIME = threading.Lock()
_STYLE: Any = {
    "font.size": 10,
    "font.family": "DejaVu Sans",
    "svg.fonttype": "none",
    "svg.hashsalt": "narke",
    "text.color": colours.INK,
    "axes.labelcolor": colours.INK,
    "axes.edgecolor": colours.GRID,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "xtick.color": colours.INK,
    "ytick.color": colours.INK,
    "grid.color": colours.GRID,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.facecolor": colours.PAGE,
    "axes.facecolor": colours.PAGE,
    "text.parse_math": False,
}


class PlotKind(StrEnum):
    """What is shown."""

    LOAD = "load"
    """Power over the day against the limit, stacked by car."""
    PHASES = "phases"
    """Current of each line against its limit."""
    PRICE = "price"
    """Price and CO2 above the power of the cars."""


class PlotFormat(StrEnum):
    """What comes out."""

    PNG = "png"
    SVG = "svg"


def plot(day: SiteDay, kind: PlotKind, form: PlotFormat) -> bytes:
    """The picture of a day.

    Args:
        day: What is to be seen.
        kind: Of it.
        form: PNG (1430 pixels wide) or SVG with text that can be searched.
    """
    draw = {PlotKind.LOAD: _load, PlotKind.PHASES: _phases, PlotKind.PRICE: _price}[kind]
    with _ONE_AT_A_TIME, mpl.rc_context(_STYLE):
        return _bytes(draw(day), form)


def _bytes(figure: Figure, form: PlotFormat) -> bytes:
    out = io.BytesIO()
    if form is PlotFormat.SVG:
        FigureCanvasSVG(figure)
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": "Narke"})
    else:
        FigureCanvasAgg(figure)
        figure.savefig(out, format="png", dpi=DPI, metadata={"Software": "Narke"})
    return out.getvalue()


# Load


def _load(day: SiteDay) -> Figure:
    figure = Figure(figsize=SIZE_IN, layout="constrained")
    axes = figure.subplots()
    handles = _stack(axes, day)
    handles += _limit(axes, day, day.limit_kw, "limit of the grid connection")
    _time_axis(axes, day)
    _power_axis(axes, day)
    _title(axes, day, "power by car")
    _legend(figure, handles)
    return figure


def _power_axis(axes: Axes, day: SiteDay) -> None:
    axes.set_ylabel("kW")
    total = np.nansum([_known(car.kw, day) for car in day.cars] or [np.zeros(day.slots)], axis=0)
    others = _known(day.others_kw, day)
    limits = [each for each in day.limit_kw if np.isfinite(each)]
    top = max(float((total + np.maximum(others, 0.0)).max(initial=0.0)), *limits, 1.0)
    axes.set_ylim(min(0.0, float(others.min(initial=0.0)) * 1.1), top * 1.08)


def _stack(axes: Axes, day: SiteDay) -> list[Any]:
    """Others at the bottom, then the cars that had most, then the rest; planned parts are paler."""
    bands: list[tuple[str, str, Floats]] = []
    others = _known(day.others_kw, day)
    if np.any(others):
        bands.append(("not controlled", colours.OTHERS, np.maximum(others, 0.0)))
    shown, rest = _ranked(day)
    bands += [(label, colours.CARS[number], kw) for number, (label, kw) in enumerate(shown)]
    if rest is not None:
        bands.append((rest[0], colours.REST, rest[1]))
    below = np.zeros(day.slots)
    for _, colour, kw in bands:
        _band(axes, day, below, below + kw, colour)
        below = below + kw
    if np.any(others < 0.0):
        _band(axes, day, np.minimum(others, 0.0), np.zeros(day.slots), colours.OTHERS)
    return [Patch(facecolor=colour, label=_short(label)) for label, colour, _ in reversed(bands)]


def _band(axes: Axes, day: SiteDay, low: Floats, high: Floats, colour: str) -> None:
    now = day.slots if day.now_slot is None else day.now_slot
    for begin, end, alpha in ((0, now, 0.95), (now, day.slots, 0.5)):
        if begin < end and np.any(high[begin:end] > low[begin:end]):
            times = _times(day, begin, end)
            axes.fill_between(
                times, _closed(low[begin:end]), _closed(high[begin:end]),
                step="post", facecolor=colour, edgecolor=colours.PAGE, linewidth=0.25, alpha=alpha,
            )  # fmt: skip


def _ranked(day: SiteDay) -> tuple[list[tuple[str, Floats]], tuple[str, Floats] | None]:
    """The cars with most energy, most first; and all others together."""
    cars = [(car.label, _known(car.kw, day)) for car in day.cars]
    cars = sorted(((label, kw) for label, kw in cars if np.any(kw)), key=lambda each: -float(each[1].sum()))
    if len(cars) <= CARS_MAX:
        return cars, None
    rest = cars[CARS_MAX:]
    return cars[:CARS_MAX], (f"{len(rest)} others", np.sum([kw for _, kw in rest], axis=0))


# Lines


def _phases(day: SiteDay) -> Figure:
    figure = Figure(figsize=SIZE_OF_PANELS_IN, layout="constrained")
    if not day.phases:
        return _nothing(figure, day, "current by line", "No node of this site has a limit per line.")
    panels: Sequence[Axes] = np.atleast_1d(figure.subplots(len(day.phases), 1, sharex=True, sharey=True)).tolist()
    handles: list[Any] = []
    for number, (axes, phase) in enumerate(zip(panels, day.phases, strict=True)):
        handles = _line_panel(axes, day, phase, colours.LINES[number % len(colours.LINES)])
        axes.set_ylabel(f"{phase.line}, A")
        _time_axis(axes, day)
        axes.tick_params(labelbottom=number == len(day.phases) - 1)
        axes.set_xlabel(axes.get_xlabel() if number == len(day.phases) - 1 else "")
    top = max(_top(day, phase) for phase in day.phases)
    panels[0].set_ylim(0.0, top * 1.1)
    _title(panels[0], day, f"current by line of {day.phase_node}")
    _legend(figure, handles)
    return figure


def _line_panel(axes: Axes, day: SiteDay, phase: PhaseCurve, colour: str) -> list[Any]:
    others, cars = np.maximum(_known(phase.others_a, day), 0.0), _known(phase.cars_a, day)
    handles = []
    if np.any(others):
        _band(axes, day, np.zeros(day.slots), others, colours.OTHERS)
        handles.append(Patch(facecolor=colours.OTHERS, label="not controlled"))
    _band(axes, day, others, others + cars, colour)
    handles.append(Patch(facecolor=colours.REST, label="cars (in the colour of the line)"))
    return _limit(axes, day, phase.limit_a, "limit of the line") + handles


def _top(day: SiteDay, phase: PhaseCurve) -> float:
    used = np.maximum(_known(phase.others_a, day), 0.0) + _known(phase.cars_a, day)
    return max(float(used.max(initial=0.0)), *(each for each in phase.limit_a if np.isfinite(each)), 1.0)


# Price


def _price(day: SiteDay) -> Figure:
    above = [
        (curve, unit, name, colour)
        for curve, unit, name, colour in (
            (day.price, f"{day.currency} per kWh", "price", colours.PRICE),
            (day.co2, "g CO2 per kWh", "CO2", colours.CO2),
        )
        if np.any(np.isfinite(np.array(curve, dtype=np.float64)))
    ]
    figure = Figure(figsize=SIZE_OF_PANELS_IN, layout="constrained")
    ratios = [*(1.0 for _ in above), 1.6]
    panels: Sequence[Axes] = np.atleast_1d(figure.subplots(len(ratios), 1, sharex=True, height_ratios=ratios)).tolist()
    for axes, (curve, unit, name, colour) in zip(panels, above, strict=False):
        values = np.array(curve, dtype=np.float64)
        axes.step(_times(day, 0, day.slots), _closed(values), where="post", color=colour, linewidth=1.8)
        axes.set_ylabel(unit)
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        axes.set_ylim(min(0.0, low * 1.1), max(high * 1.15, low + 1e-6, 1e-6))
        axes.set_title(name, fontsize=10, fontweight="normal")
        _time_axis(axes, day, bottom=False)
    handles = _stack(panels[-1], day) + _limit(panels[-1], day, day.limit_kw, "limit of the grid connection")
    _time_axis(panels[-1], day)
    _power_axis(panels[-1], day)
    said = "price, CO2 and power" if above else "power (no price is known)"
    figure.suptitle(_titled(day, said), x=0.01, ha="left", fontsize=12, fontweight="bold")
    _legend(figure, handles)
    return figure


# What all have


def _limit(axes: Axes, day: SiteDay, curve: Curve, label: str) -> list[Any]:
    values = np.array(curve, dtype=np.float64)
    if not np.any(np.isfinite(values)):
        return []
    values = np.where(np.isfinite(values), values, np.nan)
    axes.step(_times(day, 0, day.slots), _closed(values), where="post", color=colours.LIMIT, linewidth=1.8)
    return [Line2D([], [], color=colours.LIMIT, linewidth=1.8, label=label)]


def _time_axis(axes: Axes, day: SiteDay, *, bottom: bool = True) -> None:
    zone = ZoneInfo(day.time_zone)
    dates: Any = matplotlib.dates  # its functions have no types
    axes.xaxis.set_major_locator(dates.HourLocator(byhour=range(0, 24, 3), tz=zone))
    axes.xaxis.set_minor_locator(dates.HourLocator(tz=zone))
    axes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M", tz=zone))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, min_n_ticks=3))
    axes.grid(visible=True, axis="both", which="major")
    axes.set_axisbelow(True)
    axes.set_xlim(_number(day.at(0)), _number(day.at(day.slots)))
    axes.tick_params(labelbottom=bottom)
    if bottom:
        axes.set_xlabel(f"time of day, {day.time_zone}")
    if day.now_slot is not None:
        axes.axvline(_number(day.at(day.now_slot)), color=colours.NOW, linewidth=1.0, linestyle=(0, (4, 3)))


def _title(axes: Axes, day: SiteDay, what: str) -> None:
    axes.set_title(_titled(day, what), pad=18)
    if day.now_slot is not None:
        axes.annotate(
            "measured ◂ now ▸ planned",
            (_number(day.at(day.now_slot)), 1.0), xycoords=("data", "axes fraction"),
            xytext=(0, 2), textcoords="offset points",
            ha="center", va="bottom", fontsize=8, color=colours.NOW, annotation_clip=False,
        )  # fmt: skip


def _titled(day: SiteDay, what: str) -> str:
    local = day.start_at.astimezone(ZoneInfo(day.time_zone))
    return f"{_short(day.name, 60)}: {what}, {local:%A %d %B %Y}"


def _legend(figure: Figure, handles: list[Any]) -> None:
    if handles:
        figure.legend(handles=handles, loc="outside right upper")


def _nothing(figure: Figure, day: SiteDay, what: str, why: str) -> Figure:
    axes = figure.subplots()
    axes.set_title(_titled(day, what))
    axes.set_axis_off()
    axes.text(0.5, 0.5, why, ha="center", va="center", transform=axes.transAxes)
    return figure


def _known(curve: Curve, day: SiteDay) -> Floats:
    """As an array of the day's length; what is not known is nothing."""
    values = np.zeros(day.slots)
    given = np.array(curve[: day.slots], dtype=np.float64)
    values[: len(given)] = np.nan_to_num(given, nan=0.0, posinf=0.0, neginf=0.0)
    return values


def _closed(values: Floats) -> Floats:
    """With the last value once more, for steps that end where the last slot ends."""
    return np.append(values, values[-1:])


def _times(day: SiteDay, begin: int, end: int) -> Any:
    return [_number(day.at(slot)) for slot in range(begin, end + 1)]


def _number(at: datetime) -> float:
    return cast("float", date2num(at))  # type: ignore[no-untyped-call]  # matplotlib has no types there


def _short(text: str, most: int = LABEL_CHARACTERS_MAX) -> str:
    plain = "".join(each if each.isprintable() else " " for each in text)
    return plain if len(plain) <= most else plain[: most - 1] + "…"
