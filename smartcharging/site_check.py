"""What a site must be to make sense. Whoever saves a site checks it here first; every message names the node.

Errors keep a site from being saved. Warnings do not: what is odd may be meant, and what cannot be kept (a load above a
limit) is shed and told while it runs. docs/sites.md has the list.
"""

from collections.abc import Callable, Iterable
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from engine.model.sites import Goal, Goals, Site
from smartcharging.limit_check import TIMED_MAX, check_limits, check_times
from smartcharging.load_check import check_batteries, check_loads
from smartcharging.outlet_check import CURRENT_A_MAX, FLOOR_A, check_outlets
from smartcharging.site_problems import TEXT_CHARACTERS_MAX, Findings, SiteProblem
from smartcharging.tree_check import check_tree

VOLTAGE_V_MIN: Final = 50.0
VOLTAGE_V_MAX: Final = 1_000.0
ENERGY_KWH_MAX: Final = 1_000.0
STAY_S_MAX: Final = 30 * 86_400.0
PRICE_MAX: Final = 1_000_000.0


def check(site: Site, allocators: Callable[[], Iterable[str]] | None = None) -> tuple[SiteProblem, ...]:
    """All that is wrong with a site, errors first; empty: nothing.

    Args:
        site: Its values have the types of their words; nothing else is taken for granted.
        allocators: Tells the names of allocators there are; None: any will do.
    """
    found = Findings()
    _check_site(site, found)
    if allocators is not None:
        _check_allocator(site, [*allocators()], found)
    tree = check_tree(site, found)
    check_outlets(site, tree, found)
    check_limits(site, tree, found)
    check_loads(site, tree, found)
    check_batteries(site, tree, found)
    _check_goals(site.goals, found)
    return found.problems


def _check_site(site: Site, found: Findings) -> None:
    found.name("", "site", site.site, "site")
    if site.name is not None and (len(site.name) > TEXT_CHARACTERS_MAX or not site.name.isprintable()):
        found.error("", "name", "it cannot be shown", f"write at most {TEXT_CHARACTERS_MAX} characters")
    if not _is_zone(site.time_zone):
        todo = found.meant(site.time_zone, sorted(available_timezones()), "write an IANA name, e.g. Europe/Berlin")
        found.error("", "time_zone", f"there is no time zone {site.time_zone[:TEXT_CHARACTERS_MAX]!r}", todo)
    if not (len(site.currency) == 3 and site.currency.isascii() and site.currency.isupper()):
        text = f"{site.currency[:20]!r} is no currency"
        found.error("", "currency", text, "write the three letters of ISO 4217, e.g. EUR")
    found.number("", "voltage_v", site.voltage_v, least=VOLTAGE_V_MIN, most=VOLTAGE_V_MAX, unit="V")
    if site.idle_a is not None:
        good = found.number("", "idle_a", site.idle_a, most=CURRENT_A_MAX, unit="A")
        if good and 0 < site.idle_a < FLOOR_A:
            text = f"{site.idle_a:g} A let no car charge"
            found.warning("", "idle_a", text, f"write 0 (no car charges before it is planned) or {FLOOR_A:g} and more")
    if site.energy_kwh_default is not None:
        found.positive("", "energy_kwh_default", site.energy_kwh_default, most=ENERGY_KWH_MAX, unit="kWh")
    if site.stay_s_default is not None:
        found.positive("", "stay_s_default", site.stay_s_default, most=STAY_S_MAX, unit="s")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError only for some names; a folder is an OSError
        return False
    except KeyError:
        return False
    return True


def _check_allocator(site: Site, names: list[str], found: Findings) -> None:
    if site.allocator not in names:
        todo = found.meant(site.allocator, names, f"use one of {', '.join(sorted(names))}")
        found.error("", "allocator", f"there is no allocator {site.allocator[:TEXT_CHARACTERS_MAX]!r}", todo)


def _check_goals(goals: Goals, found: Findings) -> None:
    if len(goals.prices) > TIMED_MAX:
        text = f"there are {len(goals.prices)} prices"
        found.error("", "goals.prices", text, f"at most {TIMED_MAX} fit: use `narke site series` for more")
    for number, timed in enumerate(goals.prices):
        field = f"goals.prices[{number}]"
        check_times("", field, timed.from_s, timed.to_s, timed.weekdays, found)
        found.number("", f"{field}.price", timed.price, least=-PRICE_MAX, most=PRICE_MAX)
    found.number("", "goals.export_price", goals.export_price, least=-PRICE_MAX, most=PRICE_MAX)
    found.number("", "goals.demand_price", goals.demand_price, most=PRICE_MAX)
    found.number("", "goals.co2_price_per_kg", goals.co2_price_per_kg, most=PRICE_MAX)
    if found.positive("", "goals.unserved_price", goals.unserved_price, most=PRICE_MAX):
        dearest = max((timed.price for timed in goals.prices), default=0.0)
        if goals.unserved_price <= dearest:
            text = f"a missing kWh costs {goals.unserved_price:g}, energy up to {dearest:g}"
            todo = "write much more than energy costs, or cars are left without"
            found.warning("", "goals.unserved_price", text, todo)
    if goals.change_price is not None:
        found.number("", "goals.change_price", goals.change_price, most=PRICE_MAX)
    quantile = goals.departure_quantile
    if not 0 < quantile < 1:
        todo = "write a number between 0 and 1; small: cautious"
        found.error("", "goals.departure_quantile", f"{quantile:g} is no quantile", todo)
    if goals.goal is Goal.COST and not goals.prices and goals.demand_price == 0:
        text = "the goal is cost, and the site has no prices of its own"
        found.warning("", "goals.prices", text, "write prices by time of day, or send them with `narke site series`")
