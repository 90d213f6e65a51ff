"""Sites: the trees that stations hang in, every revision of them, prices, and what drivers asked for."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from engine.model.sites import DriverAsked, NodeKind, SeriesSaved, Site, SiteRemoved, SiteSaved
from storage.blocks.table import Age, Change, Drop, Json, Put, Table

TAG = "sites"


class SiteRow(msgspec.Struct, frozen=True):
    """A site as it is, or was when it was removed (`active` false). `document`: whole, in the words of the API."""

    site: str
    active: bool = True
    revision: int = 0
    name: str | None = None
    time_zone: str = ""
    allocator: str = ""
    enabled: bool = True
    nodes: int = 0
    stations: int = 0
    evses: int = 0
    limit_kw: float | None = None
    saved_at: datetime | None = None
    saved_by: str = ""
    removed_at: datetime | None = None
    removed_by: str | None = None
    document: Json = None


class SiteVersionRow(msgspec.Struct, frozen=True):
    """A revision of a site, whole."""

    site: str
    revision: int
    saved_at: datetime
    saved_by: str = ""
    nodes: int = 0
    stations: int = 0
    evses: int = 0
    document: Json = None


class SiteStationRow(msgspec.Struct, frozen=True):
    """A station of a site. `nodes`: of its EVSEs. `node`: its own; NULL: the tree has none."""

    site: str
    station: str
    node: str | None = None
    evses: int = 0
    nodes: Json = None


class SiteSeriesRow(msgspec.Struct, frozen=True):
    """Prices (per kWh) or CO2 (g per kWh) as told last. Each of `numbers` counts for `step_s`, from `start_at` on."""

    site: str
    kind: str
    start_at: datetime | None = None
    step_s: int = 0
    numbers: Json = None
    saved_at: datetime | None = None
    saved_by: str = ""


class DriverRequestRow(msgspec.Struct, frozen=True):
    """What a driver asked for. `place`: station/EVSE, or token:<token>."""

    place: str
    asked_at: datetime
    station: str | None = None
    evse: int | None = None
    token: str | None = None
    energy_kwh: float | None = None
    soc_percent: float | None = None
    departs_at: datetime | None = None
    priority: int | None = None
    may_discharge: bool | None = None
    asked_by: str = ""


SITES = Table(
    name="sites",
    row=SiteRow,
    key=("site",),
    filters=("active", "enabled", "allocator"),
    shown=("site", "name", "revision", "enabled", "stations", "evses", "allocator", "saved_at", "saved_by"),
    about="Sites whose charging is planned.",
    tag=TAG,
)
VERSIONS = Table(
    name="site_versions",
    row=SiteVersionRow,
    key=("site", "revision"),
    newest_first="saved_at",
    filters=("site", "revision"),
    shown=("site", "revision", "saved_at", "saved_by", "stations", "evses"),
    about="Every revision of every site, newest first.",
    tag=TAG,
)
STATIONS = Table(
    name="site_stations",
    row=SiteStationRow,
    key=("site", "station"),
    filters=("site", "station"),
    about="Which stations belong to which site.",
    tag=TAG,
)
SERIES = Table(
    name="site_series",
    row=SiteSeriesRow,
    key=("site", "kind"),
    filters=("site", "kind"),
    shown=("site", "kind", "start_at", "step_s", "saved_at", "saved_by"),
    about="Prices and CO2 of sites as told last.",
    tag=TAG,
)
REQUESTS = Table(
    name="driver_requests",
    row=DriverRequestRow,
    key=("place", "asked_at"),
    newest_first="asked_at",
    ages_by="asked_at",
    age=Age.PRIVATE,
    filters=("station", "evse", "token"),
    shown=("asked_at", "place", "energy_kwh", "soc_percent", "departs_at", "priority", "asked_by"),
    about="What drivers asked for, newest first.",
    tag=TAG,
)


def saved(_: str, fact: SiteSaved) -> Iterable[Change]:
    """A site is added or changed; its stations are these and no others."""
    site = fact.site
    counts = {
        "nodes": len(site.nodes),
        "stations": len(site.stations),
        "evses": sum(node.kind is NodeKind.EVSE for node in site.nodes),
        "saved_at": fact.at,
        "saved_by": fact.by,
        "document": site,
    }
    values = {
        "active": True,
        "revision": fact.revision,
        "name": site.name,
        "time_zone": site.time_zone,
        "allocator": site.allocator,
        "enabled": site.enabled,
        "limit_kw": next((node.limit_kw for node in site.nodes if node.parent is None), None),
        "removed_at": None,
        "removed_by": None,
    }
    yield Put(SITES, (site.site,), values | counts)
    yield Put(VERSIONS, (site.site, fact.revision), counts)
    yield Drop(STATIONS, {"site": site.site})
    yield from _stations(site)


def _stations(site: Site) -> Iterable[Change]:
    own: dict[str, str | None] = dict.fromkeys(site.stations)
    nodes: dict[str, list[str]] = {station: [] for station in own}
    for node in site.nodes:
        if node.kind is NodeKind.STATION and node.station is not None:
            own[node.station] = node.node
        if node.outlet is not None and node.outlet.station in nodes:
            nodes[node.outlet.station].append(node.node)
    for station, node_of in own.items():
        values = {"node": node_of, "evses": len(nodes[station]), "nodes": nodes[station]}
        yield Put(STATIONS, (site.site, station), values)


def removed(_: str, fact: SiteRemoved) -> Iterable[Change]:
    """A site is not planned any more; its revisions stay."""
    yield Put(SITES, (fact.site,), {"active": False, "removed_at": fact.at, "removed_by": fact.by})
    yield Drop(STATIONS, {"site": fact.site})
    yield Drop(SERIES, {"site": fact.site})


def told(_: str, fact: SeriesSaved) -> Iterable[Change]:
    """Prices or CO2."""
    series = fact.series
    values = {
        "start_at": series.start_at,
        "step_s": series.step_s,
        "numbers": series.values,
        "saved_at": fact.at,
        "saved_by": fact.by,
    }
    yield Put(SERIES, (series.site, series.kind.value), values)


def asked(_: str, fact: DriverAsked) -> Iterable[Change]:
    """A driver's request."""
    request = fact.request
    named = {name: getattr(request, name) for name in DriverRequestRow.__struct_fields__[2:-1]}
    place = f"{request.station}/{request.evse or 0}" if request.station is not None else f"token:{request.token}"
    yield Put(REQUESTS, (place, fact.at), named | {"asked_by": fact.by})


TABLES = (SITES, VERSIONS, STATIONS, SERIES, REQUESTS)
CHANGES = {SiteSaved: saved, SiteRemoved: removed, SeriesSaved: told, DriverAsked: asked}
EVENTS: tuple[type, ...] = ()
