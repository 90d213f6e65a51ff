"""Battery swap: swaps, and the batteries that went in and out."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from engine.model.battery_swap import SwapEvent, SwapLapsed, SwapMoved, SwapRequested
from storage.blocks.table import Change, Json, Put, Table


class BatterySwapRow(msgspec.Struct, frozen=True):
    """A swap. `state`: requested, in, out, out_timeout or lapsed. `asked`: by us, not begun at the station.

    `batteries_in`, `batteries_out`: as last told; `batteries_left`: those that nobody took.
    """

    station: str
    request_id: int
    began_at: datetime
    state: str = ""
    asked: bool = False
    token: str | None = None
    in_at: datetime | None = None
    out_at: datetime | None = None
    batteries_in: Json = None
    batteries_out: Json = None
    batteries_left: Json = None
    flags: Json = None


SWAPS = Table(
    name="battery_swaps",
    row=BatterySwapRow,
    key=("station", "request_id", "began_at"),
    newest_first="began_at",
    ages_by="began_at",
    filters=("station", "state", "token"),
    shown=("station", "request_id", "began_at", "state", "token", "in_at", "out_at", "flags"),
    about="Battery swaps, newest first.",
    tag="battery swap",
)
_STATES = {SwapEvent.IN: "in", SwapEvent.OUT: "out", SwapEvent.OUT_TIMEOUT: "out_timeout"}
_BATTERIES = {
    SwapEvent.IN: "batteries_in",
    SwapEvent.OUT: "batteries_out",
    SwapEvent.OUT_TIMEOUT: "batteries_left",
}


def requested(station: str, fact: SwapRequested) -> Iterable[Change]:
    """We asked for it."""
    values = {"state": "requested", "asked": True, "token": fact.token.value}
    yield Put(SWAPS, (station, fact.request_id, fact.began_at), values)


def moved(station: str, fact: SwapMoved) -> Iterable[Change]:
    """Batteries went in or out. Flags that say that nothing is wrong erase nothing."""
    report = fact.report
    values: dict[str, object] = {
        "state": _STATES[report.event],
        "token": report.token.value,
        _BATTERIES[report.event]: report.batteries,
        "in_at" if report.event is SwapEvent.IN else "out_at": fact.at,
    }
    if fact.flags:
        values["flags"] = fact.flags
    yield Put(SWAPS, (station, report.request_id, fact.began_at), values)


def lapsed(station: str, fact: SwapLapsed) -> Iterable[Change]:
    """Nothing came in."""
    yield Put(SWAPS, (station, fact.request_id, fact.began_at), {"state": "lapsed"})


TABLES = (SWAPS,)
CHANGES = {SwapRequested: requested, SwapMoved: moved, SwapLapsed: lapsed}
EVENTS = (SwapMoved,)
