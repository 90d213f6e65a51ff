"""Limits: numbers that can be kept, with each other and with what is drawn beside the cars."""

from math import inf, isfinite, sqrt
from typing import Final

from engine.model.sites import DAY_S, Load, LoadKind, NodeKind, Phases, Site, SiteNode, TimedLimit, Wiring
from smartcharging.outlet_check import wiring_of
from smartcharging.site_problems import Findings
from smartcharging.tree_check import Tree

LIMIT_A_MAX: Final = 100_000.0
LIMIT_KW_MAX: Final = 100_000.0
TIMED_MAX: Final = 64
WEEKDAYS: Final = range(1, 8)
_NONE: Final = (inf, inf, inf)


def check_limits(site: Site, tree: Tree, found: Findings) -> None:
    """Finds limits that are no limits, or that cannot hold."""
    good = {node.node for node in site.nodes if _is_sound(node, found)}
    floors = _floors(site, tree)
    above: dict[str, tuple[Phases, float, float]] = {}
    for name, node in tree.nodes.items():  # parents come first
        a, kw, export_kw = above.get(node.parent or "", (_NONE, inf, inf))
        if name in good:
            _check_floor(node, floors.get(name), found)
            _check_below(node, (a, kw, export_kw), found)
            a = tuple(map(min, node.limit_a, a)) if node.limit_a else a  # type: ignore[assignment]  # three stay three
            kw = min(kw, inf if node.limit_kw is None else node.limit_kw)
            export_kw = min(export_kw, inf if node.export_kw is None else node.export_kw)
        above[name] = a, kw, export_kw
    _check_loads(site, tree, good, found)
    _check_idle(site, tree, good, found)


def _is_sound(node: SiteNode, found: Findings) -> bool:
    """Whether its limits are numbers."""
    sound = _are_limits(node.node, "", node.limit_a, node.limit_kw, found)
    if node.export_kw is not None:
        sound &= found.number(node.node, "export_kw", node.export_kw, most=LIMIT_KW_MAX, unit="kW")
    if len(node.timed) > TIMED_MAX:
        text = f"it has {len(node.timed)} timed limits"
        found.error(node.node, "timed", text, f"at most {TIMED_MAX} fit: join some")
    for number, timed in enumerate(node.timed):
        sound &= _is_sound_timed(node.node, f"timed[{number}]", timed, found)
    return sound


def _are_limits(name: str, field: str, a: Phases | None, kw: float | None, found: Findings) -> bool:
    dot = f"{field}." if field else ""
    sound = True
    for phase, value in enumerate(a or (), 1):
        sound &= found.number(name, f"{dot}limit_a L{phase}", value, most=LIMIT_A_MAX, unit="A")
    if kw is not None:
        sound &= found.number(name, f"{dot}limit_kw", kw, most=LIMIT_KW_MAX, unit="kW")
    return sound


def _is_sound_timed(name: str, field: str, timed: TimedLimit, found: Findings) -> bool:
    sound = check_times(name, field, timed.from_s, timed.to_s, timed.weekdays, found)
    if timed.limit_a is None and timed.limit_kw is None:
        found.error(name, field, "it limits nothing", "write limit_a or limit_kw")
        sound = False
    return _are_limits(name, field, timed.limit_a, timed.limit_kw, found) and sound


def check_times(name: str, field: str, from_s: int, to_s: int, weekdays: tuple[int, ...], found: Findings) -> bool:
    """Whether these are times of the day and days of the week."""
    sound = True
    for part, value, most in (("from", from_s, DAY_S - 1), ("to", to_s, DAY_S)):
        if not 0 <= value <= most:
            todo = f"write seconds after midnight, 0 to {most} (in a file: a time, as 07:00)"
            found.error(name, f"{field}.{part}", f"{value} is no time of the day", todo)
            sound = False
    if any(day not in WEEKDAYS for day in weekdays) or len({*weekdays}) < len(weekdays):
        todo = "write each day once: 1 (Monday) to 7 (Sunday); none: all"
        found.error(name, f"{field}.weekdays", f"{list(weekdays)} are no days of the week", todo)
        sound = False
    return sound


def _floors(site: Site, tree: Tree) -> dict[str, tuple[Phases, float]]:
    """What one car below each node needs at least: A by grid phase, and kW. inf: no car could use that phase."""
    floors: dict[str, tuple[Phases, float]] = {}
    wiring = wiring_of(site, tree)
    for name in reversed(tree.nodes):  # children come first
        outlet = tree.nodes[name].outlet
        if outlet is not None and outlet.rotation and not outlet.dc:
            lines = 2 if wiring[name] is Wiring.DELTA and outlet.phases == 1 else outlet.phases
            used = outlet.rotation[:lines]
            by_phase = tuple(outlet.current_a_min if str(phase) in used else inf for phase in (1, 2, 3))
            _lower(floors, name, (by_phase, outlet.current_a_min * site.voltage_v / 1000))  # type: ignore[arg-type]  # three
        parent = tree.nodes[name].parent
        if parent is not None and name in floors:
            _lower(floors, parent, floors[name])
    return floors


def _lower(floors: dict[str, tuple[Phases, float]], name: str, floor: tuple[Phases, float]) -> None:
    a, kw = floors.get(name, (_NONE, inf))
    floors[name] = (tuple(map(min, a, floor[0])), min(kw, floor[1]))  # type: ignore[assignment]  # three stay three


def _check_floor(node: SiteNode, floor: tuple[Phases, float] | None, found: Findings) -> None:
    """A limit below what one car needs lets none charge."""
    if floor is None:
        return
    a, kw = floor
    for phase, (limit, least) in enumerate(zip(node.limit_a or _NONE, a, strict=True), 1):
        if isfinite(least) and limit < least:
            _tell_floor(node.node, f"limit_a L{phase}", (limit, least, "A"), found)
    if node.limit_kw is not None and isfinite(kw) and node.limit_kw < kw:
        _tell_floor(node.node, "limit_kw", (node.limit_kw, kw, "kW"), found)
    for number, timed in enumerate(node.timed):
        low = timed.limit_kw is not None and 0 < timed.limit_kw < kw < inf
        low |= any(0 < limit < least < inf for limit, least in zip(timed.limit_a or (), a, strict=False))
        if low:
            text = "it is less than one car needs to charge at all"
            found.warning(node.node, f"timed[{number}]", text, "write 0 if nobody is to charge then, or more")


def _tell_floor(name: str, field: str, values: tuple[float, float, str], found: Findings) -> None:
    limit, least, unit = values
    if limit == 0:
        found.warning(name, field, "it is 0", "no car below it will ever charge; leave it out if there is no limit")
        return
    text = f"{limit:g} {unit} are less than the {least:g} {unit} that one car below it needs"
    found.error(name, field, text, "no car could ever charge: write more, or 0 if nobody is to charge")


def _check_below(node: SiteNode, above: tuple[Phases, float, float], found: Findings) -> None:
    """A limit above that of a node further up never counts."""
    a, kw, export_kw = above
    over = [phase for phase, limit in enumerate(node.limit_a or (), 1) if limit > a[phase - 1]]
    todo = "the lower one counts; correct one of them if that is not meant"
    if over and node.limit_a is not None:
        phases = ", ".join(f"L{phase} {node.limit_a[phase - 1]:g} A above {a[phase - 1]:g} A" for phase in over)
        found.warning(node.node, "limit_a", f"more than a node above it has: {phases}", todo)
    if node.limit_kw is not None and node.limit_kw > kw:
        text = f"{node.limit_kw:g} kW are more than the {kw:g} kW of a node above it"
        found.warning(node.node, "limit_kw", text, todo)
    if node.export_kw is not None and node.export_kw > export_kw:
        text = f"{node.export_kw:g} kW are more than the {export_kw:g} kW of a node above it"
        found.warning(node.node, "export_kw", text, todo)
    for number, timed in enumerate(node.timed):
        a_useless = timed.limit_a is None or (
            node.limit_a is not None and all(map(float.__ge__, timed.limit_a, node.limit_a))
        )
        kw_useless = timed.limit_kw is None or (node.limit_kw is not None and timed.limit_kw >= node.limit_kw)
        if a_useless and kw_useless and not (timed.limit_a is None and timed.limit_kw is None):
            text = "it is not below the node's own limit, so it never counts"
            found.warning(node.node, f"timed[{number}]", text, "timed limits only lower: raise the node's own instead")


def _check_loads(site: Site, tree: Tree, good: set[str], found: Findings) -> None:
    """What is always drawn must leave something. A voltage that cannot be is told elsewhere."""
    if not (isfinite(site.voltage_v) and site.voltage_v > 0):
        return
    drawn: dict[str, tuple[float, float, float]] = {}
    for load in site.loads:
        if load.node not in tree.nodes or not _is_steady(load):
            continue
        kw = least_kw(load)
        for node in (tree.nodes[load.node], *tree.above(load.node)):
            before = drawn.get(node.node, (0.0, 0.0, 0.0))
            drawn[node.node] = tuple(  # type: ignore[assignment]  # three stay three
                already + kw * share for already, share in zip(before, load.share, strict=True)
            )
    wiring = wiring_of(site, tree)
    for name, kw_by_phase in drawn.items():
        node = tree.nodes[name]
        if name not in good or node.kind is NodeKind.EVSE:
            continue
        v = site.voltage_v / (sqrt(3) if wiring[name] is Wiring.DELTA else 1)
        over = [
            f"L{phase} {kw * 1000 / v - limit:.1f} A"
            for phase, (kw, limit) in enumerate(zip(kw_by_phase, node.limit_a or _NONE, strict=True), 1)
            if kw * 1000 / v > limit
        ]
        if node.limit_kw is not None and sum(kw_by_phase) > node.limit_kw:
            over.append(f"{sum(kw_by_phase) - node.limit_kw:.1f} kW")
        if over:
            text = f"the loads below it draw more than its limit at all times, by {', '.join(over)}"
            found.warning(name, "loads", text, "no car below it will ever charge: correct the loads or the limit")


def _check_idle(site: Site, tree: Tree, good: set[str], found: Findings) -> None:
    """What all EVSEs may draw before anything is planned should fit, or some get nothing then."""
    if not site.idle_a or not isfinite(site.idle_a):
        return
    idle: dict[str, list[float]] = {}
    wiring = wiring_of(site, tree)
    for name in reversed(tree.nodes):  # children come first
        node = tree.nodes[name]
        if node.outlet is not None and not node.outlet.dc:
            lines = 2 if wiring[name] is Wiring.DELTA and node.outlet.phases == 1 else node.outlet.phases
            used = node.outlet.rotation[: max(lines, 0)]
            idle[name] = [site.idle_a if str(phase) in used else 0.0 for phase in (1, 2, 3)]
        if node.parent is not None and name in idle:
            above = idle.setdefault(node.parent, [0.0, 0.0, 0.0])
            above[:] = map(float.__add__, above, idle[name])
    for name, drawn in idle.items():
        limit_a = tree.nodes[name].limit_a
        if name not in good or limit_a is None or tree.nodes[name].kind is NodeKind.EVSE:
            continue
        worst = max(range(3), key=lambda phase: drawn[phase] - limit_a[phase])
        if drawn[worst] > limit_a[worst] > 0:
            text = (
                f"idle_a of {site.idle_a:g} A comes to {drawn[worst]:g} A on L{worst + 1}, above {limit_a[worst]:g} A"
            )
            todo = "some cars will get nothing before they are planned; leave idle_a out and Narke chooses"
            found.warning(name, "limit_a", text, todo)


def least_kw(load: Load) -> float:
    """What a load draws at every moment."""
    return min(load.profile_kw) if load.kind is LoadKind.PROFILE else load.kw + load.reserve_kw


def _is_steady(load: Load) -> bool:
    numbers = (load.kw, load.reserve_kw, *load.share, *load.profile_kw)
    if load.generation or not all(map(isfinite, numbers)):
        return False
    return load.kind is LoadKind.CONSTANT or (load.kind is LoadKind.PROFILE and bool(load.profile_kw))
