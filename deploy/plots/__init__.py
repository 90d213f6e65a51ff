"""Plots of sites: a day in, a picture out. matplotlib is heavy; whoever imports `deploy.plots.drawing` pays for it."""

from enum import StrEnum


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
