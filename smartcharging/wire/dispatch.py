"""Decides what goes out now: decreases first; increases only beside the worst case of all others.

An increase that does not fit yet waits for the decreases of others, and after a while takes the part that fits. One
order at a time is with an EVSE. Nothing goes to stations that are not connected; they count with what they hold.
"""

from datetime import datetime, timedelta

import numpy as np

from engine.model.charging_profiles import ChargingProfile, OperationMode
from engine.model.commands import Command
from engine.model.smart_charging import ClearChargingProfile
from smartcharging.wire.choice import TINY_A, Change, changes
from smartcharging.wire.ledger import TOLERANCE
from smartcharging.wire.promises import Promise
from smartcharging.wire.site_state import SiteState
from smartcharging.wire.stations import Evse, OpenOrder, OrderKind, PlaceName
from smartcharging.wire.steps import ROUNDING, STEP_A, highest_of
from smartcharging.wire.telling import Teller
from smartcharging.wire.wishes import Wishes
from smartcharging.words import INF, Floats, Order

CLEAR_EVERY = timedelta(minutes=1)


class Dispatch:
    """Makes orders of what each EVSE should hold: one pass over a site.

    `waiting`: nodes that did not get all that they should. `orders`: what goes out.

    Args:
        state: Of the site; what is sent is counted there at once.
        wishes: What each EVSE should hold.
        now: The time.
        name: Begins the ids of orders.
    """

    def __init__(self, state: SiteState, wishes: Wishes, now: datetime, name: str) -> None:
        self._state = state
        self._wishes = wishes
        self._teller = Teller(state, wishes, now)
        self._now = now
        self._name = name
        self._open = sum(1 for evse in state.list if evse.order is not None)
        self.orders: list[Order] = []
        self.waiting: set[str] = set()

    def run(self) -> list[Order]:
        """The orders, the most urgent first."""
        self._clear_foreign()
        rising: list[Change] = []
        for change in sorted(changes(self._state, self._wishes, self._now), key=_rank):
            if not self._may(change):
                if change.rises:
                    self.waiting.add(change.evse.node)
            elif not self._fall(change):
                rising.append(change)
        hurried = self._falling()
        for change in sorted(rising, key=lambda each: _need(each, self._state)):
            if self._may(change):
                self._rise(change, hurried=hurried)
        return self.orders

    def _fall(self, change: Change) -> bool:
        """Sends what allows less, or all of it where that fits. False: it only rises, and may wait."""
        if change.evse.places[change.place].unknown:
            self._make_known(change)
            return True
        if not change.rises:
            self._send(change, change.wanted)
            return True
        if not (change.falls or change.forced):
            return False
        if self._fits(change, change.wanted):
            self._send(change, change.wanted)
            return True
        lower = np.minimum(change.wanted, change.held)
        if change.forced or change.demanded or change.is_worth(lower):
            self._send(change, lower)
            self.waiting.add(change.evse.node)
            return True
        return False

    def _make_known(self, change: Change) -> None:
        """Tells one that may hold anything: what is wanted where it fits, else no more than it held or all may hold.

        It counts as unlimited, so anything would be less; but it may well hold what it was told last.
        """
        if self._fits(change, change.wanted, alone=True):
            self._send(change, change.wanted)
            return
        index, grid, clock_s = change.evse.index, self._state.grid, self._state.settings.clock_s
        assert grid is not None, "the grid is laid before anything is sent"
        known = [each.steps for each in change.evse.places[change.place].promises if each.profile is not None]
        surely = highest_of(known).highest(grid, clock_s) if known else self._wishes.base[index]
        self._send(change, np.minimum(change.wanted, surely))
        self.waiting.add(change.evse.node)

    def _rise(self, change: Change, *, hurried: bool) -> None:
        if self._fits(change, change.wanted):
            self._send(change, change.wanted)
            return
        self.waiting.add(change.evse.node)
        if hurried and not change.urgent:
            return
        partial = self._partial(change)
        if change.is_worth(partial) and self._fits(change, partial):
            self._send(change, partial)

    def _partial(self, change: Change) -> Floats:
        """As much of what is wanted as fits beside all others; nothing below what a car needs to charge at all."""
        evse = change.evse
        room = self._state.ledger.room(evse.index, own=change.place is not PlaceName.DEFAULT)
        room = np.where(np.isfinite(room), np.floor(room / STEP_A + ROUNDING) * STEP_A, room)
        lower = np.minimum(change.wanted, change.held)
        values = np.maximum(np.minimum(change.wanted, room), lower)
        useless = (values < evse.outlet_floor_a * change.blow - TINY_A) & (values > change.held)
        values = np.where(useless, lower, values)
        if self._teller.is_dynamic(change):
            values[: self._teller.leased] = values[: self._teller.leased].min()
        return values

    def _fits(self, change: Change, values: Floats, *, alone: bool = False) -> bool:
        """Whether these fit beside all others. `alone`: whatever the place counts with now."""
        if change.place is PlaceName.OWN and change.evse.places[PlaceName.DEFAULT].unknown:
            return False  # it counts as unlimited, so anything would seem to fit
        index, ledger = change.evse.index, self._state.ledger
        rule = ledger.fits_alone if alone else ledger.fits
        match change.place:
            case PlaceName.DEFAULT:
                return rule(index, default=values if alone else np.maximum(ledger.default[index], values))
            case PlaceName.OWN:
                return rule(index, own=values if alone else np.maximum(ledger.own[index], values))
            case PlaceName.TOP:
                return rule(index, top=values if alone else np.maximum(ledger.top[index], values))

    def _send(self, change: Change, values: Floats) -> None:
        """Makes the order, and counts it as on its way; nothing where the station would hold what it holds anyway."""
        state, evse = self._state, change.evse
        place = evse.places[change.place]
        telling = self._teller.telling(change, values)
        profile = telling.profile
        promise = state.promise_of(evse, change.place, profile, self._now)
        differs = abs(float(values[0]) - float(change.held[0])) > 2 * STEP_A  # no rounding makes that the same
        if not (change.forced or differs) and self._says_nothing_new(change, promise):
            return
        order = self._order(evse, telling.command, telling.kind, urgent=change.urgent)
        promise.order_id = order.order_id
        promise.lease_s = self._wishes.lease_s if len(promise.steps.times_s) > 1 else 0.0
        if profile.valid_to is not None:
            promise.lease_s = profile.valid_to.timestamp()
        if change.place is PlaceName.OWN:
            evse.transaction_id = profile.transaction_id
        place.send(promise)
        place.sent_s = self._now.timestamp()
        evse.order = OpenOrder(
            order_id=order.order_id,
            station=evse.station,
            kind=telling.kind,
            sent_at=self._now,
            deadline_s=order.deadline_s,
            node=evse.node,
            place=change.place,
            unit=profile.schedules[0].unit,
            raises=bool((values > change.held + TINY_A).any()),
            transaction_id=profile.transaction_id,
        )
        state.remember(evse.order)
        state.count_sent(evse, change.place, promise)

    def _says_nothing_new(self, change: Change, promise: Promise) -> bool:
        """Whether the station would hold after it what it holds anyway, as far as a profile can say it."""
        grid, held = self._state.grid, change.evse.places[change.place].held
        assert grid is not None, "the grid is laid before anything is sent"
        if held is None or held.profile is None or promise.profile is None:
            return False
        now_s = self._now.timestamp()
        if abs(promise.gives.at(now_s) - held.gives.at(now_s)) > TINY_A or _mode(promise.profile) != _mode(
            held.profile
        ):
            return False
        row = self._state.highest(promise.steps)
        return bool(np.abs(row - change.held).max() <= TINY_A / 10)

    def _clear_foreign(self) -> None:
        """Takes away what others set above ours; now and then, so that it hinders nothing else where that fails."""
        for evse in self._state.list:
            if not evse.foreign or evse.order is not None or not self._ready(evse) or self._full():
                continue
            if evse.cleared_at is not None and abs(self._now - evse.cleared_at) < CLEAR_EVERY:
                continue
            evse.cleared_at = self._now
            command = ClearChargingProfile(profile_id=min(evse.foreign))
            order = self._order(evse, command, OrderKind.CLEAR, urgent=False)
            evse.order = OpenOrder(
                order_id=order.order_id,
                station=evse.station,
                kind=OrderKind.CLEAR,
                sent_at=self._now,
                deadline_s=order.deadline_s,
                node=evse.node,
            )
            self._state.remember(evse.order)

    def _order(self, evse: Evse, command: Command, kind: OrderKind, *, urgent: bool) -> Order:
        self._open += 1
        order = Order(
            order_id=f"{self._name}.{len(self.orders) + 1}.{kind}",
            station=evse.station,
            command=command,
            urgent=urgent,
            deadline_s=self._state.settings.deadline_s,
        )
        self.orders.append(order)
        return order

    def _may(self, change: Change) -> bool:
        """Whether an EVSE may be sent this now; if not, it is looked at again."""
        evse = change.evse
        if evse.order is not None or self._full() or not self._ready(evse):
            return False
        waited_s = self._now.timestamp() - evse.places[change.place].sent_s
        if waited_s < 0:  # the clock was set back
            waited_s = INF
        if waited_s < (self._state.stations[evse.station].ability.update_s_min or 0.0):
            return False
        return change.forced or change.demanded or change.urgent or waited_s >= self._state.settings.interval_s

    def _ready(self, evse: Evse) -> bool:
        online = self._state.stations[evse.station].online
        return online and (evse.held_back is None or evse.held_back <= self._now)

    def _full(self) -> bool:
        return self._open >= self._state.settings.orders_max

    def _falling(self) -> bool:
        """Whether decreases are on their way and young enough to be waited for."""
        patience = timedelta(seconds=self._state.settings.patience_s)
        return any(
            evse.order is not None and not evse.order.raises and abs(self._now - evse.order.sent_at) < patience
            for evse in self._state.list
        )


def _mode(profile: ChargingProfile) -> OperationMode | None:
    return profile.schedules[0].periods[0].operation_mode


def _rank(change: Change) -> tuple[bool, bool, bool, bool, bool, str]:
    """Urgent, unknown and demanded first; of one EVSE what counts now: a default that nobody knows, else its own."""
    default = change.place is PlaceName.DEFAULT
    unknown = change.forced and default
    return not change.urgent, not unknown, not change.demanded, not change.forced, default, change.evse.node


def _need(change: Change, state: SiteState) -> tuple[bool, bool, float, str]:
    """Who gets room first: who cannot charge at all, then who has the least of what it should have."""
    wanted, has = float(change.wanted[0]), float(min(change.held[0], state.ledger.ceiling_a[change.evse.index]))
    starved = has < change.evse.outlet_floor_a <= wanted
    share = has / wanted if wanted > TOLERANCE else 1.0
    return not change.urgent, not starved, share, change.evse.node
