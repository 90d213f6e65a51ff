"""What a site hears: facts of its stations and of the operator go to whom they concern; and make it be planned, or not.

Decides nothing. Meter values of cars make no plan; a metered load that rises does at once.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from engine.model.caps import CapHeard, CapReleased, CapSaved, HeldCap
from engine.model.facts import Fact, OperatorFact
from engine.model.metering import ReadingsRecorded
from engine.model.sites import DriverAsked, LoadKind, SeriesKind, SeriesSaved, Site, SiteSeries
from engine.model.smart_charging import LimitImposed, LimitReleased
from smartcharging.cap_states import CapStatus
from smartcharging.caps import CapKeeper
from smartcharging.cars import CarKeeper
from smartcharging.planning import triggers
from smartcharging.planning.turns import Turns
from smartcharging.words import NodeLoad

LATER = timedelta(seconds=30)
"""Within so long news is planned that only gives more room."""


class Ears:
    """The ears of one site.

    `series`: prices and CO2 as told last. `limits_moved`: caps or loads are others than the wire was told.
    `to_verify`: meters of cars said something. `loads_kw`: what loads drew when the site was planned last, by node.

    Args:
        site: The site.
        stations: Identities of its stations.
        cars: Hears of transactions, meters, needs and drivers.
        caps: Hears of caps.
        turns: Hears why to plan.
        load_step_kw: A metered load that rises by more is news.
    """

    def __init__(
        self,
        site: Site,
        stations: Sequence[str],
        cars: CarKeeper,
        caps: CapKeeper,
        turns: Turns,
        load_step_kw: float,
    ) -> None:
        self._site = site
        self._stations = frozenset(stations)
        self._cars = cars
        self._caps = caps
        self._turns = turns
        self._step_kw = load_step_kw
        self._metered = {load.node for load in site.loads if load.kind is LoadKind.METERED}
        self.series: dict[SeriesKind, SiteSeries] = {}
        self.limits_moved = True
        self.to_verify = False
        self.loads_kw: Mapping[str, float] = {}

    def hear(self, station: str, fact: Fact, at: datetime) -> None:
        """A fact about one of its stations."""
        touched = self._cars.hear(station, fact, at)
        if isinstance(fact, ReadingsRecorded):
            self._read(touched, at)
        elif isinstance(fact, LimitImposed | LimitReleased):
            if self._caps.limit_reported(station, fact):
                self.limits_moved = True
                self._turns.news(triggers.trigger_of(fact) or triggers.CAP, at)
        elif (trigger := triggers.trigger_of(fact)) is not None and (touched or trigger == triggers.CONNECTION):
            self._turns.news(trigger, at)

    def hear_operator(self, fact: OperatorFact) -> bool:
        """A fact of the operator's, of this site or not; False: it changes nothing here."""
        match fact:
            case CapSaved() | CapHeard() | CapReleased():
                return self._hear_cap(fact)
            case SeriesSaved(series=series, at=at):
                if series.site != self._site.site:
                    return False
                self.series[series.kind] = series
                self._turns.news(triggers.PRICES, at)
                return True
            case DriverAsked(request=request, at=at):
                if request.station is not None and request.station not in self._stations:
                    return False
                self._cars.ask(request, at)
                self._turns.news(triggers.DRIVER, at)
                return True
            case _:
                return False

    def reconcile(self, caps: Sequence[HeldCap], now: datetime) -> None:
        """All caps that the book holds for it at this moment."""
        before = self._caps.states(now)
        self._caps.reconcile(caps, now)
        if self._caps.states(now) != before:
            self.limits_moved = True
            self._turns.news(triggers.CAP, now)

    def _hear_cap(self, fact: CapSaved | CapHeard | CapReleased) -> bool:
        was_silent = isinstance(fact, CapHeard) and self._is_silent(fact)
        if not self._caps.hear(fact):
            return False
        if isinstance(fact, CapHeard) and not was_silent:
            return True  # it lives on, as was believed
        self.limits_moved = True
        source = fact.cap.source if isinstance(fact, CapSaved) else fact.source
        if isinstance(fact, CapSaved) and fact.cap.emergency:
            self._turns.emergency(f"{triggers.CAP} {source}", fact.at)
        else:
            self._turns.news(f"{triggers.CAP} {source}", fact.at)
        return True

    def _is_silent(self, fact: CapHeard) -> bool:
        silent = {state.source for state in self._caps.states(fact.at) if state.status is CapStatus.SILENT}
        return fact.source in silent

    def _read(self, touched: frozenset[str], at: datetime) -> None:
        """A meter: whether stations keep to their limits is looked at in a while, loads that rise at once."""
        self.to_verify = True
        if not touched & self._metered:
            if touched:  # phases are known now, or the car takes less than it may
                self._turns.news("meter", at, within=LATER)
            return
        drawn = by_node(self._cars.loads(at, np.ones(1), at))
        if any(kw > self.loads_kw.get(node, 0.0) + self._step_kw for node, kw in drawn.items()):
            self.limits_moved = True
            self._turns.news(triggers.LOAD, at)
        elif any(kw < self.loads_kw.get(node, 0.0) - 2 * self._step_kw for node, kw in drawn.items()):
            self._turns.news(triggers.LOAD, at, within=LATER)


def by_node(loads: Sequence[NodeLoad]) -> dict[str, float]:
    """KW in the first slot."""
    found: dict[str, float] = {}
    for load in loads:
        found[load.node] = found.get(load.node, 0.0) + float(load.kw[:, 0].sum())
    return found
