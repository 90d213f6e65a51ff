"""Sites to test with: small ones that are sound, to be broken one thing at a time."""

import msgspec

from engine.model.sites import NodeKind, Outlet, Site, SiteNode


def outlet(station: str = "CP-1", evse: int = 1, **more) -> Outlet:
    return Outlet(station=station, evse=evse, **more)


def node(name: str, kind: str = "board", parent: str | None = "grid", **more) -> SiteNode:
    return SiteNode(node=name, kind=NodeKind(kind), parent=parent, **more)


GRID = SiteNode(node="grid", kind=NodeKind.GRID, limit_a=(63.0, 63.0, 63.0))
BOARD = node("board", limit_a=(40.0, 40.0, 40.0), limit_kw=27.0)
STATION = node("CP-1", "station", "board", station="CP-1")
EVSE = node("CP-1/1", "evse", "CP-1", outlet=outlet())
OTHER = node("CP-1/2", "evse", "CP-1", outlet=outlet(evse=2))


def depot(*nodes: SiteNode, without: tuple[str, ...] = (), **more) -> Site:
    """A sound site of two EVSEs, with these nodes instead of those of the same id, or beside them."""
    given = {one.node for one in nodes} | set(without)
    kept = [one for one in (GRID, BOARD, STATION, EVSE, OTHER) if one.node not in given]
    return Site(**({"site": "depot", "nodes": (*kept, *nodes), "time_zone": "Europe/Berlin"} | more))


def changed(what, **changes):
    return msgspec.structs.replace(what, **changes)
