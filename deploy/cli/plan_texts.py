"""Plans in words: pure functions from what REST tells to what people read."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from deploy.cli.output import Row

LISTED_MAX = 6
STEPS_MAX = 6
BAR_WIDTH = 14
_LINES = ("L1", "L2", "L3")
_EMPTY, _FULL = "░", "█"

WHY: Mapping[str, str] = {
    "own_max": "has all that car, cable and outlet take",
    "row": "limit",
    "enough": "enough for its need",
    "paused": "paused: not all can have their least current",
    "quarantined": "in quarantine: it does not follow its limits",
    "static": "not planned: the station's own default counts",
    "discharges": "gives energy back",
}
_SENTENCE_OF_WHY: Mapping[str, str] = {
    "own_max": "It has all that car, cable and outlet can take.",
    "enough": "With this it gets its energy by its departure; other cars or later hours make better use of the rest.",
    "paused": "It is paused: not all cars could have the least current that they need, and others have a higher "
    "priority or their turn.",
    "quarantined": "It is in quarantine: it did not follow its limits, so it is left at its static share.",
    "static": "Nothing was planned for it; the default that its station holds counts.",
    "discharges": "It gives energy back, because that is worth more now than what it takes later.",
}


class Use:
    """How much of the limit that is nearest is used. `text`: for people; `share`: 0 and up; None: no limit."""

    def __init__(self, node: Row) -> None:
        self.share: float | None = None
        kw = node["kw"] + max(0.0, node.get("others_kw") or 0.0)
        self.text = f"{kw:.1f} kW"
        candidates = [(kw, node.get("limit_kw"), "kW", "")]
        limits: Sequence[float | None] = node.get("limit_a") or (None, None, None)
        candidates += [(used, limits[line], "A", f" ({_LINES[line]})") for line, used in enumerate(node["a"])]
        for used, limit, unit, line in candidates:
            if limit is None:
                continue
            share = used / limit if limit > 0.0 else float(used > 0.0)
            if self.share is None or share > self.share + 1e-9:
                self.share, self.text = share, f"{used:.1f} of {limit:.1f} {unit}{line}"

    @property
    def bar(self) -> str:
        """Full where all is used."""
        if self.share is None:
            return ""
        full = min(BAR_WIDTH, round(self.share * BAR_WIDTH))
        return _FULL * full + _EMPTY * (BAR_WIDTH - full)

    @property
    def style(self) -> str:
        """Red above the limit."""
        if self.share is None:
            return "dim"
        return "red" if self.share > 1.001 else "yellow" if self.share > 0.95 else "green"


def clock(moment: str | None, zone: str, now: str) -> str:
    """A moment in the site's local time; with its date on other days."""
    if moment is None:
        return "-"
    local, today = (datetime.fromisoformat(each).astimezone(ZoneInfo(zone)) for each in (moment, now))
    return f"{local:%H:%M}" if local.date() == today.date() else f"{local:%a %d %b %H:%M}"


def ago(moment: str, now: str) -> str:
    """How long ago."""
    seconds = max(0.0, (datetime.fromisoformat(now) - datetime.fromisoformat(moment)).total_seconds())
    if seconds < 100:
        return f"{seconds:.0f} s ago"
    return f"{seconds / 60:.0f} min ago" if seconds < 6_000 else f"{seconds / 3600:.0f} h ago"


def amperes(current_a: float) -> str:
    """A limit."""
    return f"{current_a:.1f} A"


def steps_ahead(car: Row, zone: str, now: str, most: int = STEPS_MAX) -> list[str]:
    """What is to follow, where it changes by a tenth or more."""
    found, before = [], car["current_a"]
    for step in car.get("plan") or ():
        later = datetime.fromisoformat(step["at"]) > datetime.fromisoformat(now)
        if later and abs(step["current_a"] - before) >= 0.1:
            found.append(f"{amperes(step['current_a'])} at {clock(step['at'], zone, now)}")
            before = step["current_a"]
    return found[:most]


def why_in_short(car: Row) -> str:
    """What keeps it from more."""
    if car.get("binding"):
        said = f"{car['binding']}, {car['binding_used']:.1f} of {car['binding_limit']:.1f} {car['unit']}"
        return f"paused: {said}" if car["why"] == "paused" else said
    return WHY.get(car["why"], car["why"])


def need_in_short(car: Row) -> str:
    """What it still needs; what it got."""
    wanted = "?" if car.get("energy_kwh") is None else f"{car['energy_kwh']:.1f} kWh"
    had = car.get("energy_wh")
    return wanted if had is None else f"{wanted} (had {had / 1000:.1f})"


def headline(view: Row) -> Iterator[str]:
    """What was planned last, in a line or two."""
    planned = view["planned"]
    if planned is None:
        yield "never planned yet" if view["enabled"] else "not enabled: nothing is sent to its stations"
        return
    note = f"; {planned['note']}" if planned.get("note") else ""
    trigger = f" because of {planned['trigger']}" if planned.get("trigger") else ""
    yield (
        f"planned {ago(planned['at'], view['now'])}{trigger}, by {planned['allocator']} ({planned['layer']}), "
        f"in {planned['solve_ms']:.1f} ms{note}"
    )
    limit = "" if planned.get("limit_kw") is None else f" of {planned['limit_kw']:.1f}"
    others = f", {planned['unmanaged_kw']:.1f} kW not controlled" if planned["unmanaged_kw"] else ""
    share = planned.get("delivered_share")
    wanted = "" if share is None else f", {100 * share:.0f} % of the energy that is wanted"
    yield (
        f"{planned['planned_kw']:.1f}{limit} kW for {planned['cars']} cars, {planned['paused']} of them paused"
        f"{others}{wanted}"
    )


def cap_in_words(cap: Row, zone: str, now: str) -> str:
    """A cap from outside as it stands."""
    where = f"at {cap['node']}" if cap["node"] else "for the site"
    what = "caps nothing now" if cap["kw"] is None else f"{cap['kw']:.1f} kW"
    until = f" until {clock(cap['valid_until'], zone, now)}" if cap.get("valid_until") else ""
    export = " (export)" if cap["direction"] == "export" else ""
    return f"{cap['source']}{export} {where}: {what}, {cap['status']}{until}"


def alert_in_words(alert: Row, zone: str, now: str) -> str:
    """What needs a person."""
    over = f" ({alert['over']:.1f} {alert.get('unit') or ''} over)" if alert.get("over") else ""
    return f"{alert['kind']} at {alert['node']}{over}, since {clock(alert['at'], zone, now)}: {alert['detail']}"


# Why a station draws what it draws


def explained(told: Row) -> Iterator[str]:
    """All that is to be said of a station, a paragraph for each EVSE."""
    zone, now = told["time_zone"], told["now"]
    if not told["evses"]:
        yield f"{told['station']} hangs in site {told['site']}, which has no EVSE of it."
    for evse in told["evses"]:
        yield " ".join(_of_evse(told, evse))
    for cap in told["caps"]:
        yield f"Cap: {cap_in_words(cap, zone, now)}."
    for alert in told["alerts"]:
        yield f"Alert: {alert_in_words(alert, zone, now)}."
    if told["planned"] is None:
        yield f"Site {told['site']} was never planned yet."


def _of_evse(told: Row, evse: Row) -> Iterator[str]:
    car, zone, now = evse["car"], told["time_zone"], told["now"]
    name = f"{told['station']} EVSE {evse['evse']}"
    if car is None:
        yield (
            f"{name}: nobody charges there, or nothing was decided yet. A transaction that begins may draw what the "
            f"station's default profile says, until it is planned."
        )
        yield _way(evse)
        return
    phases = "1 phase" if car["phases"] == 1 else f"{car['phases']} phases"
    yield f"{name} may draw {amperes(car['current_a'])} on {phases} ({car['power_kw']:.1f} kW)."
    yield from _how_decided(car, now)
    yield from _why(car)
    yield from _need(car, zone, now)
    ahead = steps_ahead(car, zone, now)
    if ahead:
        yield f"Planned next: {', '.join(ahead)}."
    if not car["sent"]:
        yield "The station was not told this yet: the change is too small, or it waits until others hold less."
    yield _way(evse)


def _how_decided(car: Row, now: str) -> Iterator[str]:
    before = "" if car.get("before_a") is None else f"; before, it was {amperes(car['before_a'])}"
    trigger = f" because of {car['trigger']}" if car.get("trigger") else ""
    yield f"That was decided {ago(car['at'], now)}{trigger}, by {car['allocator']} ({car['layer']}){before}."


def _why(car: Row) -> Iterator[str]:
    if car["why"] in _SENTENCE_OF_WHY:
        yield _SENTENCE_OF_WHY[car["why"]]
    if car.get("binding"):
        yield (
            f"The limit that binds is {car['binding']}: cars use {car['binding_used']:.1f} of the "
            f"{car['binding_limit']:.1f} {car['unit']} that it has for them."
        )
    others = car.get("competitors") or []
    if others:
        named = ", ".join(f"{each['node']} with {amperes(each['current_a'])}{_priority(each)}" for each in others)
        yield f"It shares that with {named}."


def _priority(competitor: Row) -> str:
    priority = competitor.get("priority", 0)
    return f" (priority {priority})" if priority else ""


def _need(car: Row, zone: str, now: str) -> Iterator[str]:
    if car.get("energy_kwh") is None and car.get("departs_at") is None and not car.get("need"):
        yield "Nothing is known of what it needs."
        return
    energy = "an unknown energy" if car.get("energy_kwh") is None else f"{car['energy_kwh']:.1f} kWh"
    departs = "with an unknown departure"
    if car.get("departs_at") is not None:
        departs = f"by {clock(car['departs_at'], zone, now)}"
    had = "" if car.get("energy_wh") is None else f", {car['energy_wh'] / 1000:.1f} kWh were delivered"
    yield f"It is planned for {energy} more {departs}{had}."
    if car.get("need"):
        text = car["need"].rstrip(".")
        yield f"{text[:1].upper()}{text[1:]}."


def _way(evse: Row) -> str:
    uses = [(node["node"], Use(node)) for node in evse["path"]]
    limited = [f"{name} {use.text}" for name, use in uses if use.share is not None][:LISTED_MAX]
    outlet = f"the outlet gives {evse['current_a_max']:g} A at most"
    return f"On its way to the grid: {'; '.join([outlet, *limited])}."
