"""The caps of a site: which source counts now, how much each node may draw, and what will change when.

Remembers what was told; `cap_states` says what that comes to. The cap of a node is the least over its sources. What the
stream tells counts in its order; a release that is older than the cap it is for is of an earlier one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import numpy as np

from engine.model.caps import CapDirection, CapHeard, CapReleased, CapSaved, HeldCap
from engine.model.plans import AlertKind, SiteAlertRaised
from engine.model.sites import Site
from engine.model.smart_charging import LimitImposed, LimitReleased
from smartcharging.cap_check import STATIONS_OWN
from smartcharging.cap_check import check_cap as check_cap  # noqa: PLC0414 (given on)
from smartcharging.cap_states import CapStatus, changes_after, kw_at, series_of, status_of
from smartcharging.station_limits import caps_of, source_of
from smartcharging.words import INF, Floats

CAPS_MAX = 10_000
"""Of one site; stations' own included."""
RELEASED_MAX = 1024
"""Releases that are remembered, so that an older copy of the book does not bring a cap back."""

GRACE = timedelta(minutes=1)

Key = tuple[str, str, CapDirection]
"""Source, node and direction. A source has one node and direction, but for stations that have no node of their own."""


class CapState(msgspec.Struct, frozen=True, kw_only=True):
    """A cap as people see it. `kw`: what it comes to now; inf: it caps nothing. `until`: when that may change.

    `node`: the root's id where the cap says none. `binding`: no other source of the node says less.
    """

    source: str
    node: str
    direction: CapDirection
    status: CapStatus
    kw: float
    until: datetime | None
    heard_at: datetime
    fallback_kw: float | None = None
    priority: int = 0
    emergency: bool = False
    binding: bool = False
    known: bool = True
    """False: the site has no such node (any more), so it caps nothing."""


class CapKeeper:
    """Keeps the caps of one site."""

    def __init__(self, site: Site) -> None:
        """No caps yet."""
        self._site = site
        self._root = site.root.node
        self._nodes = frozenset(node.node for node in site.nodes)
        self._held: dict[Key, HeldCap] = {}
        self._released: dict[str, datetime] = {}
        self._odd: dict[str, tuple[str, tuple[str, ...], datetime]] = {}

    def hear(self, fact: CapSaved | CapHeard | CapReleased) -> bool:
        """Takes what the operator's stream tells. False: it changes nothing here (another site's, unknown, old)."""
        match fact:
            case CapSaved(cap=cap, at=at):
                return self._keep(HeldCap(cap=cap, saved_at=at, heard_at=at))
            case CapHeard(site=site, source=source, at=at):
                return site == self._site.site and self._heard(source, at)
            case CapReleased(site=site, source=source, at=at):
                return site == self._site.site and self._release(source, at)

    def restore(self, *held: HeldCap) -> None:
        """Takes caps from the book, where they are newer than what is known."""
        for each in held:
            mine = [known for known in self._of_source(each.cap.source) if known.saved_at >= each.saved_at]
            if mine:
                self._heard(each.cap.source, each.heard_at)
            elif self._released.get(each.cap.source, each.saved_at) <= each.saved_at:
                self._keep(each)

    def reconcile(self, held: Iterable[HeldCap], read_at: datetime) -> None:
        """Takes all that the book held at `read_at`: what it did not hold, and is older, was released unheard.

        What is a little older only may have been saved while the book was read, or by a host whose clock lags: that is
        left for the next time.
        """
        book = [each for each in held if each.cap.site == self._site.site]
        sources = {each.cap.source for each in book}
        gone = {
            cap.cap.source
            for cap in self._held.values()
            if cap.cap.source not in sources and cap.saved_at < read_at - GRACE and not _is_stations(cap)
        }
        for source in gone:
            self._release(source, read_at)
        self.restore(*book)

    def limit_reported(self, station: str, fact: LimitImposed | LimitReleased) -> bool:
        """Takes what a station says that others limit it to. False: it changes nothing here."""
        if isinstance(fact, LimitReleased):
            own = source_of(station, fact.source, fact.evse)
            # Released for the whole station: its EVSEs' limits of that source with it.
            gone = [
                source
                for source in {cap.cap.source for cap in self._held.values()}
                if source == own or (not fact.evse and source.startswith(own + ":"))
            ]
            return any([self._release(source, fact.at) for source in gone])  # noqa: C419 (all of them, not the first)
        source = source_of(station, fact.limit.source, fact.limit.evse or 0)
        changed = self._drop(source)
        for made in caps_of(self._site, station, fact):
            self._put(HeldCap(cap=made.cap, saved_at=fact.at, heard_at=fact.at))
            if made.repaired:
                self._odd[source] = (made.cap.node, made.repaired, fact.at)
            changed = True
        return changed

    def series(
        self, direction: CapDirection, start: datetime, slot_s: Floats, now: datetime | None = None
    ) -> Mapping[str, Floats]:
        """What each capped node may draw (or give) in each slot, kW, inf where nothing caps it.

        Args:
            direction: Of the energy.
            start: When slot 0 begins.
            slot_s: (t,) how long each lasts.
            now: By which silence is judged; None: `start`.

        Returns:
            (t,) by node; nodes that nothing caps in any slot are not there.
        """
        now = now or start
        self._believe(now)
        found: dict[str, Floats] = {}
        for held in self._held.values():
            node = self._node(held)
            if held.cap.direction is not direction or node is None:
                continue
            least = series_of(held, now, start, slot_s)
            found[node] = np.minimum(found[node], least) if node in found else least
        return {node: least for node, least in found.items() if np.isfinite(least).any()}

    def next_change_at(self, now: datetime) -> datetime | None:
        """When a cap may come to something else next, if nobody says anything; None: never."""
        self._believe(now)
        return min((at for held in self._held.values() if (at := changes_after(held, now)) is not None), default=None)

    def emergency_nodes(self, now: datetime) -> frozenset[str]:
        """The nodes that an emergency caps now."""
        self._believe(now)
        urgent = [held for held in self._held.values() if held.cap.emergency and kw_at(held, now) < INF]
        return frozenset(node for held in urgent if (node := self._node(held)) is not None)

    def states(self, now: datetime) -> tuple[CapState, ...]:
        """All caps, as people see them, by node, direction and source."""
        self._believe(now)
        least: dict[tuple[str | None, CapDirection], float] = {}
        for held in self._held.values():
            place = (self._node(held), held.cap.direction)
            least[place] = min(least.get(place, INF), kw_at(held, now))
        found = [self._state(held, now, least[self._node(held), held.cap.direction]) for held in self._held.values()]
        return tuple(sorted(found, key=lambda state: (state.node, state.direction, state.source)))

    def alerts(self, now: datetime) -> tuple[SiteAlertRaised, ...]:
        """What needs a person: sources that fell silent or let their cap run out, and caps that cannot be kept."""
        self._believe(now)
        words: dict[tuple[AlertKind, str], list[str]] = {}
        for state in self.states(now):
            if not state.known:
                line = f"the cap of {state.source} caps nothing: the site has no node {state.node!r}"
                words.setdefault((AlertKind.BAD_INPUT, state.node), []).append(line)
            elif state.status is CapStatus.SILENT or (state.status is CapStatus.EXPIRED and state.kw < INF):
                words.setdefault((AlertKind.SILENT_CAP, state.node), []).append(_silence(state))
        for source, (node, repaired, _) in sorted(self._odd.items()):
            words.setdefault((AlertKind.BAD_INPUT, node), []).append(f"the cap of {source}: {'; '.join(repaired)}")
        return tuple(
            SiteAlertRaised(site=self._site.site, kind=kind, node=node, at=now, detail="; ".join(lines))
            for (kind, node), lines in sorted(words.items())
        )

    def held(self) -> tuple[HeldCap, ...]:
        """All that is kept, for a keeper of a changed site."""
        return tuple(self._held.values())

    def _state(self, held: HeldCap, now: datetime, least: float) -> CapState:
        cap, kw = held.cap, kw_at(held, now)
        return CapState(
            source=cap.source,
            node=cap.node or self._root,
            direction=cap.direction,
            status=status_of(held, now),
            kw=kw,
            until=changes_after(held, now),
            heard_at=held.heard_at,
            fallback_kw=cap.fallback_kw,
            priority=cap.priority,
            emergency=cap.emergency,
            binding=kw < INF and kw <= least,
            known=self._node(held) is not None,
        )

    def _node(self, held: HeldCap) -> str | None:
        """The node that it caps; None: the site does not have it."""
        node = held.cap.node or self._root
        return node if node in self._nodes else None

    def _of_source(self, source: str) -> Sequence[HeldCap]:
        return [held for key, held in self._held.items() if key[0] == source]

    def _keep(self, held: HeldCap) -> bool:
        """In place of all that the source said before."""
        if held.cap.site != self._site.site:
            return False
        self._drop(held.cap.source)
        self._put(held)
        self._released.pop(held.cap.source, None)
        return True

    def _put(self, held: HeldCap) -> None:
        if len(self._held) >= CAPS_MAX:
            words = (f"it is not kept, for the site has {CAPS_MAX} caps already; release some",)
            self._odd[held.cap.source] = (self._node(held) or self._root, words, held.saved_at)
            return
        self._held[held.cap.source, held.cap.node, held.cap.direction] = held

    def _heard(self, source: str, at: datetime) -> bool:
        found = self._of_source(source)
        self._change(source, lambda held: msgspec.structs.replace(held, heard_at=max(held.heard_at, at)))
        return bool(found)

    def _release(self, source: str, at: datetime) -> bool:
        if any(held.saved_at > at for held in self._of_source(source)):
            return False
        self._released[source] = at
        if len(self._released) > RELEASED_MAX:
            self._released.pop(next(iter(self._released)))
        return self._drop(source)

    def _drop(self, source: str) -> bool:
        gone = [key for key in self._held if key[0] == source]
        for key in gone:
            del self._held[key]
        self._odd.pop(source, None)
        return bool(gone)

    def _believe(self, now: datetime) -> None:
        """A word from the future (a clock was put back) counts as heard now, so that silence is noticed in time."""
        for key, held in self._held.items():
            if held.heard_at > now:
                self._held[key] = msgspec.structs.replace(held, heard_at=now)

    def _change(self, source: str, change: Callable[[HeldCap], HeldCap]) -> None:
        for key in [key for key in self._held if key[0] == source]:
            self._held[key] = change(self._held[key])


def _is_stations(held: HeldCap) -> bool:
    return held.cap.source.startswith(STATIONS_OWN)


def _silence(state: CapState) -> str:
    what = "caps nothing any more" if state.kw == INF else f"its fallback of {state.kw:g} kW counts"
    if state.status is CapStatus.EXPIRED:
        return f"the cap of {state.source} has run out: {what}"
    return f"{state.source} is silent since {state.heard_at:%Y-%m-%d %H:%M:%S} UTC: {what}"
