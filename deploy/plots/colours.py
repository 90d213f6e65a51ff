"""The colours of plots: told apart by people who see no red or green, on white and on dark pages alike."""

CARS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#F0E442",
    "#7B5EA7",
    "#3E7C6B",
    "#A6761D",
)
"""Okabe and Ito's seven that are no grey, and three that lie between them. With ten cars the hues are used up."""
REST = "#66717C"
OTHERS = "#CFD5DB"
LIMIT = "#B2182B"
NOW = "#5A6673"
INK = "#47525D"
"""Text and axes: contrast of 4.5 or more on white, and 3 or more on #1E1E1E, with a page of its own behind it."""
GRID = "#8C96A0"
PAGE = "#FFFFFF"
LINES = ("#0072B2", "#E69F00", "#009E73")
"""L1, L2, L3."""
PRICE = "#7B5EA7"
CO2 = "#3E7C6B"
