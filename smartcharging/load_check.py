"""Unmanaged loads, generation and stationary batteries: that they hang somewhere and that their numbers make sense."""

from typing import Final

from engine.model.sites import Battery, Load, LoadKind, Site
from smartcharging.site_problems import Findings
from smartcharging.tree_check import EVSE_NUMBER_MAX, Tree

LOADS_MAX: Final = 1_000
BATTERIES_MAX: Final = 100
KW_MAX: Final = 100_000.0
KWH_MAX: Final = 1_000_000.0
PROFILE_MAX: Final = 1_440
STALE_S_MAX: Final = 86_400.0
SHARE_TOLERANCE: Final = 0.002
"""0.333 three times is meant to be one."""


def check_loads(site: Site, tree: Tree, found: Findings) -> None:
    """Finds what is wrong with loads."""
    if len(site.loads) > LOADS_MAX:
        found.error("", "loads", f"it has {len(site.loads)} loads", f"at most {LOADS_MAX} fit: join some")
    _check_ids([load.load for load in site.loads], "load", found)
    for load in site.loads:
        _check_place(load.load, load.node, tree, found)
        _check_powers(load, found)
        _check_share(load, found)
        _check_meter(load, found)


def check_batteries(site: Site, tree: Tree, found: Findings) -> None:
    """Finds what is wrong with stationary batteries."""
    if len(site.batteries) > BATTERIES_MAX:
        text = f"it has {len(site.batteries)} batteries"
        found.error("", "batteries", text, f"at most {BATTERIES_MAX} fit: join some")
    _check_ids([battery.battery for battery in site.batteries], "battery", found)
    for battery in site.batteries:
        _check_place(battery.battery, battery.node, tree, found)
        _check_battery(battery, found)


def _check_ids(ids: list[str], kind: str, found: Findings) -> None:
    seen: set[str] = set()
    for one in ids:
        found.name(one, kind, one, kind)
        if one in seen:
            found.error(one, kind, f"two of the site's have the id of this {kind}", "give each an id of its own")
        seen.add(one)


def _check_place(name: str, node: str, tree: Tree, found: Findings) -> None:
    if node not in tree.nodes:
        todo = found.meant(node, tree.nodes, "name the node that it hangs at")
        found.error(name, "node", f"{node!r} is no node of this site", todo)


def _check_powers(load: Load, found: Findings) -> None:
    name = load.load
    feeds = "; what feeds is generation: true, with positive numbers" if load.kw < 0 and not load.generation else ""
    if feeds:
        found.error(name, "kw", f"{load.kw:g} kW is negative", "write what is drawn as a positive number" + feeds)
    else:
        found.number(name, "kw", load.kw, most=KW_MAX, unit="kW")
    found.number(name, "reserve_kw", load.reserve_kw, most=KW_MAX, unit="kW")
    if found.number(name, "kw_certain", load.kw_certain, most=KW_MAX, unit="kW") and load.kw_certain:
        if not load.generation:
            todo = "it is what generation surely gives: write generation: true, or leave it out"
            found.error(name, "kw_certain", "it draws, it does not feed", todo)
        elif load.kind is LoadKind.CONSTANT and load.kw_certain > load.kw:
            text = f"{load.kw_certain:g} kW are certain, but it gives {load.kw:g} kW"
            found.error(name, "kw_certain", text, "write at most what it gives")
    if load.kind is LoadKind.PROFILE and not load.profile_kw:
        todo = "write the kW of as many equal parts of the day as you like, e.g. 24 or 96"
        found.error(name, "profile_kw", "a profile has no values", todo)
    elif load.profile_kw and load.kind is not LoadKind.PROFILE:
        todo = "write kind: profile, or leave them out"
        found.error(name, "profile_kw", f"a {load.kind.value} load has a profile", todo)
    if len(load.profile_kw) > PROFILE_MAX:
        text = f"it has {len(load.profile_kw)} values"
        found.error(name, "profile_kw", text, f"write at most {PROFILE_MAX}: one a minute")
    for number, value in enumerate(load.profile_kw[:PROFILE_MAX]):
        if not found.number(name, f"profile_kw[{number}]", value, most=KW_MAX, unit="kW"):
            break


def _check_share(load: Load, found: Findings) -> None:
    if all(found.number(load.load, "share", part, most=1.0) for part in load.share):
        total = sum(load.share)
        if abs(total - 1) > SHARE_TOLERANCE:
            text = f"its shares of L1, L2, L3 sum to {total:g}"
            found.error(load.load, "share", text, "write three parts of 1, e.g. [1, 0, 0]")


def _check_meter(load: Load, found: Findings) -> None:
    name = load.load
    if load.kind is LoadKind.METERED:
        if load.station is None:
            found.error(name, "station", "it is metered, and not said by which station", "write its identity")
        else:
            found.identity(name, "station", load.station)
        if not 0 <= load.evse <= EVSE_NUMBER_MAX:
            text = f"EVSE {load.evse} is none"
            found.error(name, "evse", text, "write 0 (the station's main meter) or an EVSE from 1")
        found.number(name, "stale_s", load.stale_s, least=1.0, most=STALE_S_MAX, unit="s")
        if load.kw == 0 and not load.generation:
            todo = "write in kw what it draws at worst: that counts while the meter is silent"
            found.warning(name, "kw", "while its meter is silent it counts as drawing nothing", todo)
    elif load.station is not None:
        todo = "write kind: metered, or leave the station out"
        found.error(name, "station", f"a {load.kind.value} load has a meter", todo)


def _check_battery(battery: Battery, found: Findings) -> None:
    name = battery.battery
    found.positive(name, "capacity_kwh", battery.capacity_kwh, most=KWH_MAX, unit="kWh")
    found.number(name, "charge_kw_max", battery.charge_kw_max, most=KW_MAX, unit="kW")
    found.number(name, "discharge_kw_max", battery.discharge_kw_max, most=KW_MAX, unit="kW")
    least, most, now = battery.soc_percent_min, battery.soc_percent_max, battery.soc_percent
    fields = (("soc_percent_min", least), ("soc_percent_max", most), ("soc_percent", now))
    if all([found.number(name, field, value, most=100.0, unit="%") for field, value in fields]):  # noqa: C419 (all are told)
        if least >= most:
            text = f"its least charge, {least:g} %, is not below its most, {most:g} %"
            found.error(name, "soc_percent_min", text, "correct one of them")
        elif not least <= now <= most:
            text = f"{now:g} % is not within {least:g} and {most:g} %"
            found.error(name, "soc_percent", text, "write a charge between its least and its most")
    if found.positive(name, "efficiency", battery.efficiency, most=1.0) and battery.efficiency < 0.3:
        found.warning(name, "efficiency", f"it loses {100 - 100 * battery.efficiency:g} %", "write 0.92 for 92 %")
