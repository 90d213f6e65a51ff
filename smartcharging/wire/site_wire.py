"""The wire of one site: targets in, orders out, outcomes and facts in; and what each EVSE may draw at the worst.

The invariant: at every moment from now on the most that all EVSEs may draw together (what they acknowledged, the larger
of old and new where something is on its way or in doubt, the outlet's maximum where nothing is known) is within every
row of the site; or it was not when the wire was asked for the first time (a limit that fell, a station that is new),
and then nothing is allowed more before it is. Pure: time is an argument; it may jump.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from engine.model.charging_profiles import ChargingProfile
from engine.model.commands import Outcome
from engine.model.facts import Fact
from engine.model.sites import Site
from smartcharging.network import Network
from smartcharging.wire import audit, hearing, probing, reports, settlement, starting, verification
from smartcharging.wire.dispatch import Dispatch
from smartcharging.wire.quirks import ChargingQuirk
from smartcharging.wire.reports import AbilityView, Notice, Over
from smartcharging.wire.restoring import KnownOrder, KnownStation, restore, take_up
from smartcharging.wire.settings import WireSettings
from smartcharging.wire.site_state import SiteState
from smartcharging.wire.steps import Grid
from smartcharging.wire.wishes import (
    Caps,
    Loads,
    ShareBook,
    Shares,
    Wanted,
    Wishes,
    next_step_at,
    wishes,
    worst_loads,
)
from smartcharging.words import Floats, Order, Target, Told, Worst


class Sources(NamedTuple):
    """Where the limits of a moment come from: callables of (start, slot_s).

    `caps`, `export_caps`: by node, (t,) kW. `loads`: what else draws; None: each at its most.
    """

    caps: Caps
    loads: Loads | None = None
    export_caps: Caps | None = None


def _no_caps(_start: datetime, _slot_s: Floats) -> Mapping[str, Floats]:
    return {}


class SiteWire:
    """Brings plans to stations, safely. One per site.

    Call `hear` and `settled` with what happened, `limits_changed` when caps or loads did, `want` with each plan, then
    `orders`, at once and again whenever something was heard, and at `due_at`.

    Args:
        site: The site.
        network: Its rows.
        settings: How.
        name: Begins the ids of orders; no two wires that ever lived may have the same (site, name).
        quirks: Beside those that come with Narke.
    """

    def __init__(
        self,
        site: Site,
        network: Network,
        settings: WireSettings,
        *,
        name: str = "w",
        quirks: tuple[ChargingQuirk, ...] = (),
    ) -> None:
        self._state = SiteState(site, network, settings, quirks)
        self._shares = ShareBook(site, network)
        self._name = name
        self._round = 0
        self._sources = Sources(_no_caps)
        self._limits_for: Grid | None = None
        self._standing: Floats | None = None
        self._targets: dict[str, Target] = {}
        self._wishes: Wishes | None = None
        self._waiting: set[str] = set()
        self._deaf_then: frozenset[str] = frozenset()

    def hear(self, station: str, fact: Fact, at: datetime) -> None:
        """A fact about a station became true. Facts of other stations change nothing.

        Args:
            station: Its identity.
            fact: Any; sessions, boots, transactions, profiles, variables and composite schedules matter.
            at: When it did (our clock).
        """
        hearing.hear(self._state, station, fact, at)

    def restore(
        self, stations: Sequence[KnownStation], now: datetime, quarantined: Mapping[str, str] | None = None
    ) -> None:
        """After a restart, before anything else. What it is not told counts as unknown: the outlet's maximum."""
        restore(self._state, stations, dict(quarantined or {}), now)

    def take_up(self, station: str, order: KnownOrder, now: datetime) -> None:
        """A command that a forerunner of this wire sent is on its way, which no store told of yet."""
        take_up(self._state, station, order, now)

    def limits_changed(self, sources: Sources, now: datetime) -> None:
        """Caps or loads are others now (or their sources say others when asked again)."""
        self._sources = sources
        self._limits_for = None
        self._lay(now)

    def want(self, targets: Sequence[Target], now: datetime) -> None:
        """What EVSEs should hold; it replaces all that was wanted before. Others get their idle share.

        Raises:
            ValueError: A target of an EVSE that the site does not have, without steps, with steps that do not ascend,
                or with a current that is no number.
        """
        for wanted in targets:
            _check(wanted, self._state.evses)
        self._targets = {wanted.node: wanted for wanted in targets}
        for evse in self._state.list:
            target = self._targets.get(evse.node)
            evse.target = target
            running = None if target is None else target.transaction_id
            self._state.ledger.narrow(evse.index, target.conductors if target is not None and running else ())
            if running is not None and evse.transaction_id not in (None, running):
                hearing.forget_own(self._state, evse)
        self._wishes = None
        self._refresh(now)
        self._state.ledger.recount()

    def orders(self, now: datetime) -> list[Order]:
        """What may go out now. Each is on its way from now on, until it is settled."""
        settlement.expire(self._state, now)
        self._refresh(now)
        self._state.ledger.recount()
        if self._state.gives is not None:
            self._state.gives.recount()
        assert self._wishes is not None, "wishes are made where the grid is"
        self._round += 1
        name = f"{self._name}.{self._round}"
        dispatch = Dispatch(self._state, self._wishes, now, name)
        found = dispatch.run()
        self._waiting = dispatch.waiting
        found += probing.probes(self._state, now, name)
        found += audit.audits(self._state, now, name)
        return sorted(found, key=lambda order: not order.urgent)

    def settled(self, order_id: str, outcome: Outcome, now: datetime) -> bool:
        """An order is over. False: it is not known (any more); facts tell what became of it."""
        order = self._state.orders.get(order_id)
        if order is None:
            return False
        settlement.settle(self._state, order, outcome, now)
        return True

    def metered(self, node: str, per_phase_a: Sequence[float], at: datetime) -> None:
        """What an EVSE was measured to draw, A by conductor. Of nodes that are no EVSE nothing."""
        evse = self._state.evses.get(node)
        if evse is not None:
            verification.metered(self._state, evse, per_phase_a, at)

    def worst(self, start: datetime, slot_s: Floats, nodes: Collection[str] | None = None) -> Worst:
        """The most that each EVSE may draw in each slot, by all that its station may hold.

        Args:
            start: When the first slot begins.
            slot_s: (t,) how long each lasts.
            nodes: Of these alone; None: of all.
        """
        return reports.worst(self._state, start, slot_s, nodes)

    def told(self) -> Mapping[str, Told]:
        """What became of each EVSE's target; of those without: of its default."""
        return reports.told(self._state, self._wishes, self._waiting)

    def held_a(self, now: datetime) -> Mapping[str, float]:
        """What each EVSE may draw now by all that its station may hold, A per phase."""
        return {evse.node: verification.allowed_a(self._state, evse, now) for evse in self._state.list}

    def quarantined(self) -> Mapping[str, str]:
        """Nodes in quarantine, and why."""
        return dict(self._state.leashed)

    def release(self, node: str) -> bool:
        """An operator lets an EVSE out of quarantine. False: it was not in it."""
        evse = self._state.evses.get(node)
        return evse is not None and verification.release(self._state, evse)

    def notices(self, now: datetime) -> tuple[Notice, ...]:
        """What people should know: quarantine, ways that do not work, cars that do not wake, stations not reached."""
        return reports.notices(self._state, now)

    def over(self) -> tuple[Over, ...]:
        """Rows that may be above their limits by what stations may hold, and when; the worst first."""
        self._state.ledger.recount()
        return reports.over(self._state)

    def abilities(self) -> Mapping[str, AbilityView]:
        """What stations can, by what they said, their make, and what they refused."""
        return reports.abilities(self._state)

    def start_profile(self, station: str, evse: int | None, now: datetime) -> ChargingProfile | None:
        """The profile that a remote start at an EVSE of the site should carry (`starting`).

        Args:
            station: Where.
            evse: None: the station chooses.
            now: The time.

        Returns:
            None: None is needed or possible; the station's default counts then.
        """
        return starting.profile_for_start(self._state, station, evse, now)

    def shares(self, now: datetime) -> Mapping[str, float]:
        """What each EVSE falls to for ever when nobody plans, A per phase."""
        self._refresh(now)
        tail = self._share().tail
        return {node: float(tail[index, -1]) for index, node in enumerate(self._state.names)}

    def due_at(self, now: datetime) -> datetime | None:
        """When `orders` has something to do by itself."""
        state = self._state
        moments = [each for evse in state.list for each in reports.due(state, evse, now)]
        if self._waiting:
            moments.append(now + timedelta(seconds=max(1.0, state.settings.patience_s)))
        step_at = next_step_at(self._targets, now)
        if step_at is not None:
            moments.append(step_at)
        if state.grid is not None:
            moments.append(state.grid.start + timedelta(seconds=float(state.grid.slot_s[0])))
        return min((each for each in moments if each > now), default=now + timedelta(seconds=1) if moments else None)

    def _lay(self, now: datetime) -> None:
        """Grid and limits as of now."""
        state = self._state
        moved = state.regrid(now)
        grid = state.grid
        assert grid is not None, "it was laid just now"
        if moved or self._limits_for is not grid:
            self._limits_for = grid
            caps = self._sources.caps(grid.start, grid.slot_s)
            worst = worst_loads(state.site, len(grid))
            loads = worst if self._sources.loads is None else self._sources.loads(grid.start, grid.slot_s)
            state.ledger.limits = state.network.limits(grid.start, grid.slot_s, caps=caps, loads=loads)
            self._standing = state.network.limits(grid.start, grid.slot_s, caps=caps, loads=worst)
            if state.gives is not None:
                export = self._sources.export_caps or _no_caps
                out = export(grid.start, grid.slot_s)
                state.gives.limits = state.network.exports(grid.start, grid.slot_s, caps=out, loads=loads)
            state.ledger.recount()
            self._wishes = None

    def _refresh(self, now: datetime) -> None:
        """Grid, limits and wishes as of now."""
        self._lay(now)
        state = self._state
        step_at = min((step.at for target in self._targets.values() for step in target.steps[1:]), default=None)
        deaf = state.deaf()
        stepped = step_at is not None and step_at <= now
        if self._wishes is None or stepped or deaf != self._deaf_then or self._lease_moved(now):
            self._deaf_then = deaf
            self._wishes = self._wished(now)

    def _lease_moved(self, now: datetime) -> bool:
        """Whether what is told now would be good for longer than what was wished when it was wished."""
        assert self._wishes is not None, "asked only where there are wishes"
        return self._wishes.lease_s < now.timestamp() + self._state.settings.lease_s

    def _wished(self, now: datetime) -> Wishes:
        state = self._state
        assert state.grid is not None, "it was laid before"
        wanted = Wanted(
            targets=self._targets,
            leashed=frozenset(state.leashed),
            lease_s=state.settings.lease_s,
            boundary_s=state.settings.boundary_s,
        )
        return wishes(state.grid, state.names, self._share(), wanted, now)

    def _share(self) -> Shares:
        grid, standing = self._state.grid, self._standing
        assert grid is not None, "it was laid before"
        assert standing is not None, "limits are read where the grid is"
        return self._shares.shares(grid, standing, self._state.ledger, self._state.reserved())


def _check(target: Target, known: Mapping[str, object]) -> None:
    if target.node not in known:
        raise ValueError(f"target of {target.node}: the site has no such EVSE")
    if not target.steps:
        raise ValueError(f"target of {target.node}: it has no steps")
    if not all(np.isfinite(step.current_a) for step in target.steps):
        raise ValueError(f"target of {target.node}: a current is no number")
    times = [step.at for step in target.steps]
    if any(later <= earlier for earlier, later in pairwise(times)):
        raise ValueError(f"target of {target.node}: its steps do not ascend")
