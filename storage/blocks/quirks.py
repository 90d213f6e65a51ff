"""Rows of quirks: what was noticed of stations, what operators chose for them, and who is connected but silent."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from engine.model.quirks import Make, OdditiesCounted
from engine.model.sessions import IdentityContested, StationResponsive, StationUnresponsive, VersionChanged
from engine.model.stations import StationRegistered
from storage.blocks.table import Change, Drop, Json, Put, Table


class QuirkObservationRow(msgspec.Struct, frozen=True):
    """Something odd that was noticed of a station, since it is of this vendor, model and firmware.

    `oddity`: see docs/quirks.md. `count`: how often. `noted_at`: when it was counted last (our clock). `example`: one.
    """

    station: str
    oddity: str
    count: int = 0
    noted_at: datetime | None = None
    vendor: str | None = None
    model: str | None = None
    firmware: str | None = None
    example: str | None = None


class StationQuirksRow(msgspec.Struct, frozen=True):
    """The quirks that an operator chose for a station, beside those of its make."""

    station: str
    quirks: Json = None
    changed_at: datetime | None = None


class UnresponsiveStationRow(msgspec.Struct, frozen=True):
    """A station that is connected and says nothing. `since_at`: since when (our clock)."""

    station: str
    session: str = ""
    since_at: datetime | None = None


QUIRK_OBSERVATIONS = Table(
    name="quirk_observations",
    row=QuirkObservationRow,
    key=("station", "oddity"),
    filters=("station", "oddity", "vendor", "model", "firmware"),
    shown=("station", "oddity", "count", "noted_at", "vendor", "model", "firmware", "example"),
    about="What was noticed of stations that a quirk could be the answer to.",
    tag="quirks",
)
STATION_QUIRKS = Table(
    name="station_quirks",
    row=StationQuirksRow,
    key=("station",),
    about="Quirks that operators chose for stations.",
    tag="quirks",
)
UNRESPONSIVE_STATIONS = Table(
    name="unresponsive_stations",
    row=UnresponsiveStationRow,
    key=("station",),
    shown=("station", "since_at", "session"),
    about="Stations that are connected and say nothing.",
    tag="stations",
)


def counted(station: str, fact: OdditiesCounted) -> Iterable[Change]:
    """All counts of the station; those of another make are over. An example stays until there is another."""
    if fact.of_new_make:
        yield Drop(QUIRK_OBSERVATIONS, {"station": station})
    make = fact.make or Make("", "")
    of_make = {"vendor": make.vendor, "model": make.model, "firmware": make.firmware}
    for oddity, count in fact.counts.items():
        example = {"example": fact.examples[oddity]} if oddity in fact.examples else {}
        values = {"count": count, "noted_at": fact.noted_at, **of_make, **example}
        yield Put(QUIRK_OBSERVATIONS, (station, oddity), values)


def registered(_: str, fact: StationRegistered) -> Iterable[Change]:
    """What the operator's record names."""
    record = fact.record
    if record.quirks:
        yield Put(STATION_QUIRKS, (record.station,), {"quirks": list(record.quirks), "changed_at": fact.at})
    else:
        yield Drop(STATION_QUIRKS, {"station": record.station})


def fell_silent(station: str, fact: StationUnresponsive) -> Iterable[Change]:
    """It is unresponsive."""
    yield Put(UNRESPONSIVE_STATIONS, (station,), {"session": fact.session, "since_at": fact.at})


def spoke_again(station: str, _: StationResponsive) -> Iterable[Change]:
    """It is not any more, or not connected."""
    yield Drop(UNRESPONSIVE_STATIONS, {"station": station})


TABLES = (QUIRK_OBSERVATIONS, STATION_QUIRKS, UNRESPONSIVE_STATIONS)
CHANGES = {
    OdditiesCounted: counted,
    StationRegistered: registered,
    StationUnresponsive: fell_silent,
    StationResponsive: spoke_again,
}
EVENTS = (IdentityContested, VersionChanged, StationUnresponsive, StationResponsive)
