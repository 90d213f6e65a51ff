"""Sites as YAML files that people write: nested, short where the default will do, strict. docs/sites.md has an example.

A file has one site, or several, each a document of its own. Reading tells every fault with its line; what is read still
has to pass `smartcharging.site_check`. Writing is canonical: the same site is always the same text, nodes in the order
of the tree. What is written is read back as the same site.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
import yaml

from engine.model.sites import (
    Battery,
    Goal,
    Goals,
    Load,
    LoadKind,
    NodeKind,
    Outlet,
    Phases,
    Site,
    SiteNode,
    TimedLimit,
    TimedPrice,
    Wiring,
)
from smartcharging.yaml_fields import Fields, FileFault, TooMuch, depth_fault, line_of

BYTES_MAX: Final = 4 * 1024 * 1024
SITES_MAX: Final = 1_000
LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where it is built in: thirty times as fast."""
_KINDS: Final = {kind.value: kind for kind in NodeKind}
_NODE: Final = {
    "grid": "main", "transformer": "t1", "feeder": "f1", "board": "b1", "station": "CP-1", "evse": "1", "id": "b1",
    "name": "Hall 3", "limit_a": "63", "limit_kw": "40", "export_kw": "0", "timed": "[...]", "wiring": "wye",
    "children": "[...]",
}  # fmt: skip
_OUTLET: Final = {
    "phases": "3", "rotation": "'123'", "current_a_max": "32", "current_a_min": "6", "dc": "false",
    "power_kw_max": "150", "discharge_kw_max": "0", "weight": "1", "priority": "0",
}  # fmt: skip
_TIMED: Final = {"limit_a": "40", "limit_kw": "20", "times": '"17:00-20:00"', "weekdays": "mon-fri"}
_PRICE: Final = {"price": "0.31", "times": '"07:00-19:30"', "weekdays": "mon-fri"}
_LOAD: Final = {
    "load": "building", "pv": "roof", "node": "main", "kind": "constant", "kw": "12", "profile_kw": "[1, 2]",
    "station": "METER-1", "evse": "0", "stale_s": "300", "share": "[1, 0, 0]", "reserve_kw": "0", "kw_certain": "0",
}  # fmt: skip
_BATTERY: Final = {
    "battery": "store", "node": "main", "capacity_kwh": "100", "charge_kw_max": "50", "discharge_kw_max": "50",
    "soc_percent": "50", "soc_percent_min": "10", "soc_percent_max": "95", "efficiency": "0.92",
}  # fmt: skip
_GOALS: Final = {
    "goal": "cost", "prices": "[...]", "export_price": "0.08", "demand_price": "0", "co2_price_per_kg": "0",
    "unserved_price": "10", "change_price": "0.01", "departure_quantile": "0.3",
}  # fmt: skip
_SITE: Final = {
    "site": "depot", "tree": "...", "name": "Depot", "time_zone": "Europe/Berlin", "currency": "EUR", "wiring": "wye",
    "voltage_v": "230", "allocator": "narke", "idle_a": "6", "energy_kwh_default": "20", "stay_s_default": "28800",
    "enabled": "true", "loads": "[...]", "batteries": "[...]", "goals": "...",
}  # fmt: skip
_SHARES: Final[dict[str, Phases]] = {"L1": (1.0, 0.0, 0.0), "L2": (0.0, 1.0, 0.0), "L3": (0.0, 0.0, 1.0)}


class BadSiteFile(ValueError):  # noqa: N818 (says what it is)
    """A file that cannot be read as sites. `faults`: all that were found."""

    def __init__(self, faults: Iterable[FileFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


class SiteFile(msgspec.Struct, frozen=True):
    """A site of a file. `lines`: where its nodes, loads and batteries begin, by id; '' is the site itself."""

    site: Site
    lines: Mapping[str, int]


def load(text: str) -> tuple[SiteFile, ...]:
    """The sites of a file.

    Raises:
        BadSiteFile: It cannot be read; the faults have their lines.
    """
    if len(text) > BYTES_MAX or len(text.encode(errors="replace")) > BYTES_MAX:
        raise BadSiteFile([FileFault(0, f"the file has more than {BYTES_MAX} bytes", "make several files of it")])
    fields = Fields()
    found: list[SiteFile] = []
    try:
        found = _documents(text.removeprefix("\ufeff"), fields)
    except TooMuch:
        pass  # it is among the faults
    except yaml.YAMLError as error:
        fields.faults.append(_of_yaml(error))
    except (RecursionError, UnicodeError):
        fields.faults.append(FileFault(0, "it is no YAML that anybody meant", "write less deep, in UTF-8"))
    if not found and not fields.faults:
        fields.faults.append(FileFault(0, "the file is empty", "write a site; docs/sites.md has an example"))
    if fields.faults:
        raise BadSiteFile(fields.faults)
    return tuple(found)


def _documents(text: str, fields: Fields) -> list[SiteFile]:
    """The sites that could be read.

    Raises:
        yaml.YAMLError, RecursionError, TooMuch: It could not be read on.
    """
    found: list[SiteFile] = []
    deep = depth_fault(yaml.parse(text, Loader=LOADER))
    if deep is not None:
        fields.faults.append(deep)
        return found
    for document in yaml.compose_all(text, Loader=LOADER):
        if len(found) == SITES_MAX:
            fields.fault(document, f"the file has more than {SITES_MAX} sites", "make several files of it")
            break
        read = _Document(fields).read(document)
        if read is not None:
            found.append(read)
    return found


def _of_yaml(error: yaml.YAMLError) -> FileFault:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = " ".join(str(getattr(error, "problem", None) or error).split())
    todo = "correct what is there or just before; indent by spaces alike, quote texts that hold ': ' or '#'"
    return FileFault(0 if mark is None else mark.line + 1, f"it is no YAML: {what}", todo)


class _Document:
    """Reads one document."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._lines: dict[str, int] = {}
        self._nodes: list[SiteNode] = []

    def read(self, document: yaml.Node) -> SiteFile | None:
        """The site; None where there are faults."""
        fields = self._fields
        before = len(fields.faults)
        given = fields.mapping(document, "the site", _SITE)
        self._lines[""] = line_of(document)
        values = self._plain(given, "the site", _SITE_KINDS)
        for needed in ("site", "tree"):
            if needed not in given and len(fields.faults) == before:
                fields.fault(document, f"the site has no {needed}", f"write {needed}: {_SITE[needed]}")
        if "tree" in given:
            self._node(given["tree"], None, None)
        if "loads" in given:
            values["loads"] = self._each(given["loads"], "loads", self._load)
        if "batteries" in given:
            values["batteries"] = self._each(given["batteries"], "batteries", self._battery)
        if "goals" in given:
            values["goals"] = self._goals(given["goals"])
        if len(fields.faults) > before:
            return None
        return SiteFile(Site(nodes=tuple(self._nodes), **values), self._lines)

    def _plain(self, given: Mapping[str, yaml.Node], what: str, kinds: Mapping[str, Any]) -> dict[str, Any]:
        """The fields that `kinds` has a way to read."""
        found = {}
        for name, node in given.items():
            if name in kinds:
                kind = kinds[name]
                read = self._fields.word(node, f"{name} of {what}", kind) if isinstance(kind, dict) else None
                if not isinstance(kind, dict):
                    read = getattr(self._fields, kind)(node, f"{name} of {what}")
                if read is not None:
                    found[name] = read
        return found

    def _each(self, node: yaml.Node, what: str, read: Any) -> tuple[Any, ...]:
        return tuple(one for one in map(read, self._fields.sequence(node, what)) if one is not None)

    def _node(self, node: yaml.Node, parent: str | None, station: str | None) -> None:
        """A node and all below it. `station`: the identity of the station above."""
        self._fields.deeper(node, lambda: self._node_inside(node, parent, station))

    def _node_inside(self, node: yaml.Node, parent: str | None, station: str | None) -> None:
        fields = self._fields
        before = len(fields.faults)
        what = "the tree" if parent is None else f"a node below {parent!r}"
        given = fields.mapping(node, what, _NODE | _OUTLET)
        kind = self._kind(node, given, what)
        if kind is None:
            return
        name, values = self._named(kind, given, (what, station))
        if name is None:
            return
        what = f"{kind.value} {name!r}"
        self._lines.setdefault(name, line_of(node))
        values |= self._plain(given, what, _NODE_KINDS)
        if "timed" in given:
            values["timed"] = self._each(given["timed"], f"timed of {what}", self._timed)
        if kind is not NodeKind.EVSE:
            for wrong in given.keys() & _OUTLET.keys():
                fields.fault(given[wrong], f"{what} has {wrong!r}", "only an EVSE has it: write it there")
        elif "children" in given:
            fields.fault(given["children"], f"{what} has children", "hang them below the node above it")
        if len(fields.faults) == before:
            self._nodes.append(SiteNode(node=name, kind=kind, parent=parent, **values))
        for child in fields.sequence(given["children"], f"children of {what}") if "children" in given else ():
            self._node(child, name, values.get("station") or station)

    def _kind(self, node: yaml.Node, given: Mapping[str, yaml.Node], what: str) -> NodeKind | None:
        """What it is: the field that names it. An EVSE may say its station beside."""
        named = [name for name in given if name in _KINDS]
        if "evse" in named and {*named} <= {"evse", "station"}:
            return NodeKind.EVSE
        if len(named) == 1:
            return _KINDS[named[0]]
        if given:
            text = f"{what} is named {' and '.join(named)}" if named else f"{what} has no name"
            self._fields.fault(node, text, f"name it by what it is, one of {', '.join(_KINDS)}, as board: b1")
        return None

    def _named(
        self, kind: NodeKind, given: Mapping[str, yaml.Node], where: tuple[str, str | None]
    ) -> tuple[str | None, dict[str, Any]]:
        """The id of a node, and what its name says besides: a station's identity, an EVSE's outlet."""
        fields, (what, _) = self._fields, where
        ident = fields.text(given["id"], f"id of {what}") if "id" in given else None
        if kind is NodeKind.EVSE:
            outlet = self._outlet(given, where)
            if outlet is None:
                return None, {}
            return ident or f"{outlet.station}/{outlet.evse}", {"outlet": outlet}
        name = fields.text(given[kind.value], f"{kind.value} of {what}")
        if kind is NodeKind.STATION:
            return ident or name, {"station": name}
        if ident is not None:
            fields.fault(given["id"], f"{what} has two ids", f"write it as {kind.value}: {ident}, without id")
        return name, {}

    def _outlet(self, given: Mapping[str, yaml.Node], where: tuple[str, str | None]) -> Outlet | None:
        fields, (what, station) = self._fields, where
        evse = fields.integer(given["evse"], f"evse of {what}")
        if "station" in given:
            station = fields.text(given["station"], f"station of the EVSE in {what}")
        elif station is None:
            fields.fault(given["evse"], f"EVSE {evse} has no station", "hang it below one, or write station: CP-1")
        values = self._plain(given, f"EVSE {evse} of {station}", _OUTLET_KINDS)
        if "rotation" in given:
            values["rotation"] = self._rotation(given["rotation"], f"rotation of EVSE {evse} of {station}")
        if evse is None or station is None or None in values.values():
            return None
        return Outlet(station=station, evse=evse, **values)

    def _rotation(self, node: yaml.Node, what: str) -> str | None:
        """Digits; who says only the first ones means that the others follow in turn."""
        written = self._fields.text(node, what)
        if written is None:
            return None
        digits = written.upper().replace("L", "").replace(",", "").replace(" ", "")
        if not 1 <= len(digits) <= 3 or not {*digits} <= {*"123"} or len({*digits}) < len(digits):
            todo = "write the grid phases of the connector's L1, L2, L3 in order, as '231'; one phase: as '2'"
            self._fields.fault(node, f"{what} is {written[:20]!r}", todo)
            return None
        while len(digits) < 3:
            digits += next(phase for phase in _after(digits[-1]) if phase not in digits)
        return digits

    def _timed(self, node: yaml.Node) -> TimedLimit | None:
        given = self._fields.mapping(node, "a timed limit", _TIMED)
        values = self._plain(
            given, "a timed limit", {"limit_a": "phases", "limit_kw": "number", "weekdays": "weekdays"}
        )
        values |= self._times(given, "a timed limit")
        return TimedLimit(**values)

    def _times(self, given: Mapping[str, yaml.Node], what: str) -> dict[str, int]:
        if "times" not in given:
            return {}
        times = self._fields.times(given["times"], f"times of {what}")
        return {} if times is None else {"from_s": times[0], "to_s": times[1]}

    def _load(self, node: yaml.Node) -> Load | None:
        fields = self._fields
        given = fields.mapping(node, "a load", _LOAD)
        if ("load" in given) == ("pv" in given):
            fields.fault(node, "a load has no name, or two", "name it load: building, or pv: roof if it feeds")
            return None
        name = fields.text(given.get("load") or given["pv"], "name of a load")
        values = self._plain(given, f"load {name!r}", _LOAD_KINDS)
        if "share" in given:
            share = given["share"]
            one = isinstance(share, yaml.ScalarNode)
            what = f"share of load {name!r}"
            found = fields.word(share, what, _SHARES) if one else fields.phases(share, what)
            values |= {} if found is None else {"share": found}
        if name is None or not self._has(node, given, f"load {name!r}", ("node",)) or "node" not in values:
            return None
        self._lines.setdefault(name, line_of(node))
        return Load(load=name, generation="pv" in given, **values)

    def _battery(self, node: yaml.Node) -> Battery | None:
        given = self._fields.mapping(node, "a battery", _BATTERY)
        values = self._plain(given, "a battery", _BATTERY_KINDS)
        needed = ("battery", "node", "capacity_kwh", "charge_kw_max", "discharge_kw_max")
        if not self._has(node, given, "a battery", needed) or any(name not in values for name in needed):
            return None
        self._lines.setdefault(values["battery"], line_of(node))
        return Battery(**values)

    def _goals(self, node: yaml.Node) -> Goals:
        given = self._fields.mapping(node, "goals", _GOALS)
        values = self._plain(given, "goals", _GOAL_KINDS)
        if "prices" in given:
            values["prices"] = self._each(given["prices"], "prices of goals", self._price)
        return Goals(**values)

    def _price(self, node: yaml.Node) -> TimedPrice | None:
        given = self._fields.mapping(node, "a price", _PRICE)
        values = self._plain(given, "a price", {"price": "number", "weekdays": "weekdays"})
        if not self._has(node, given, "a price", ("price",)) or "price" not in values:
            return None
        values |= self._times(given, "a price")
        return TimedPrice(**values)

    def _has(self, node: yaml.Node, given: Mapping[str, yaml.Node], what: str, needed: Iterable[str]) -> bool:
        missing = [name for name in needed if name not in given]
        if missing and given:
            self._fields.fault(node, f"{what} has no {' and no '.join(missing)}", "write it")
        return not missing


def _after(phase: str) -> str:
    return {"1": "231", "2": "312", "3": "123"}[phase]


_SITE_KINDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("site", "name", "time_zone", "currency", "allocator"), "text"),
    **dict.fromkeys(("voltage_v", "idle_a", "energy_kwh_default", "stay_s_default"), "number"),
    "wiring": {kind.value: kind for kind in Wiring},
    "enabled": "flag",
}
_NODE_KINDS: Final[dict[str, Any]] = {
    "name": "text",
    "limit_a": "phases",
    "limit_kw": "number",
    "export_kw": "number",
    "wiring": {kind.value: kind for kind in Wiring},
}
_OUTLET_KINDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("current_a_max", "current_a_min", "power_kw_max", "discharge_kw_max", "weight"), "number"),
    "phases": "integer",
    "priority": "integer",
    "dc": "flag",
}
_LOAD_KINDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("kw", "stale_s", "reserve_kw", "kw_certain"), "number"),
    "node": "text",
    "station": "text",
    "evse": "integer",
    "profile_kw": "numbers",
    "kind": {kind.value: kind for kind in LoadKind},
}
_BATTERY_KINDS: Final[dict[str, Any]] = {
    **dict.fromkeys([name for name in _BATTERY if name not in ("battery", "node")], "number"),
    "battery": "text",
    "node": "text",
}
_GOAL_KINDS: Final[dict[str, Any]] = {
    **dict.fromkeys([name for name in _GOALS if name not in ("goal", "prices")], "number"),
    "goal": {goal.value: goal for goal in Goal},
}
"""How fields are read: a method of `Fields`, or the words that there are."""
