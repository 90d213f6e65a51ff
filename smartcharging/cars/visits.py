"""One car at one EVSE: what its transaction's facts and readings have told so far."""

from datetime import datetime, timedelta
from math import inf, isfinite, nan

import msgspec

from engine.model.authorization import Token
from engine.model.metering import Reading
from engine.model.sites import SiteNode
from engine.model.transactions import ChargingState, TransactionOpened, TransactionUpdated
from smartcharging.cars.currents import Drawn, Supply, drawn
from smartcharging.cars.iso15118 import CarSaid
from smartcharging.cars.meters import Sample, samples_of
from smartcharging.cars.phases import PhaseMemory
from smartcharging.cars.registers import Register
from smartcharging.cars.tapering import TaperMemory

FLAGS_MAX = 12
LATE = timedelta(minutes=5)
"""A sample this much older than the station's newest is history: its energy counts, its current does not."""
SKEW_MAX = timedelta(hours=1)
IDLE_A = 1.0
"""Below it a car takes nothing that counts."""
TOOK_WITHIN = timedelta(minutes=10)
CABLE_A_MIN = 6.0


class Measured(msgspec.Struct, frozen=True):
    """What a car drew. `at`: our clock."""

    drawn: Drawn
    at: datetime


class Visit:
    """An open transaction at an EVSE of the site."""

    def __init__(self, transaction_id: str, node: SiteNode, supply: Supply, arrived_at: datetime) -> None:
        """A car about which nothing is known but that it is here."""
        outlet = supply.outlet
        self.transaction_id = transaction_id
        self.node = node
        self.supply = supply
        self.arrived_at = arrived_at
        self.seen_at = arrived_at
        """The last sign of life, our clock."""
        self.left_at: datetime | None = None
        """Its connector has been said to be free since; the end of the transaction was not heard."""
        self.token: Token | None = None
        self.token_priority: int | None = None
        self.state: ChargingState | None = None
        self.took_at: datetime | None = None
        """When it was last seen to take energy."""
        self.idle_since: datetime | None = None
        """It may charge, and takes nothing since."""
        self.cable_a_max = inf
        self.measured: Measured | None = None
        self.soc_percent: float | None = None
        self.said: CarSaid | None = None
        self.said_energy_kwh = 0.0
        """What had been delivered when the car told its needs."""
        self.prioritized = False
        self.phases = PhaseMemory(1 if outlet.dc else outlet.phases)
        self.taper = TaperMemory()
        self.register = Register(self._kw_max())
        self.allowed_a = inf
        self._sampled_at: datetime | None = None
        self._flags: dict[str, None] = {}

    @property
    def energy_kwh(self) -> float:
        """Delivered so far."""
        return self.register.energy_wh / 1000.0

    def takes_until(self, at: datetime) -> bool:
        """Whether it was still taking energy shortly before: by its meter, else by what its station says."""
        if self.took_at is None:
            return self.measured is None and self.state is ChargingState.CHARGING
        return at - self.took_at <= TOOK_WITHIN

    def energy_at(self, at: datetime) -> float:
        """About how much had been delivered at a moment, kWh: as much of it as of the time that it has taken."""
        whole_s = (self.seen_at - self.arrived_at).total_seconds()
        share = (at - self.arrived_at).total_seconds() / whole_s if whole_s > 0 else 1.0
        return self.energy_kwh * min(max(share, 0.0), 1.0)

    @property
    def conductors(self) -> tuple[int, ...]:
        """That the car uses."""
        return (1, 2, 3) if self.supply.outlet.dc else self.phases.phases

    @property
    def flags(self) -> tuple[str, ...]:
        """What was odd, the first of each."""
        return tuple(self._flags)

    def flag(self, *words: str) -> None:
        """Remembers what was odd."""
        for word in words:
            if len(self._flags) < FLAGS_MAX:
                self._flags.setdefault(word)

    def opened(self, fact: TransactionOpened) -> None:
        """What its start tells."""
        self.seen_at = max(self.seen_at, fact.received_at)
        self._start(fact.started_at, fact.received_at, offline=fact.offline)
        self._person(fact.token, None if fact.verdict is None else fact.verdict.priority)
        self._told(fact.phases_used, fact.cable_a_max)
        if fact.charging_state is not None:
            self._turns(fact.charging_state, fact.received_at)
        if fact.meter_start_wh is not None:
            self.register.begin(fact.meter_start_wh, fact.started_at)

    def updated(self, fact: TransactionUpdated, *, late_start: bool) -> None:
        """What a message of it tells; None: unchanged."""
        self.seen_at = max(self.seen_at, fact.received_at)
        self.left_at = None
        if late_start:
            self._start(fact.at, fact.received_at, offline=fact.offline)
        self._person(fact.token, None if fact.verdict is None else fact.verdict.priority)
        self._told(fact.phases_used, fact.cable_a_max)
        if fact.charging_state is not None:
            self._turns(fact.charging_state, fact.received_at)
        if fact.meter_start_wh is not None:
            self.register.begin(fact.meter_start_wh, fact.at)
        if fact.meter_last_wh is not None:
            self._energy(fact.meter_last_wh, fact.at)

    def read(self, readings: tuple[Reading, ...], received_at: datetime) -> bool:
        """What its meter says. False: nothing of power."""
        self.seen_at = max(self.seen_at, received_at)
        self.left_at = None
        told = False
        for sample in samples_of(readings):
            self.flag(*sample.odd)
            if isfinite(sample.register_wh):
                self._energy(sample.register_wh, sample.at or received_at)
            if self._sampled(sample, received_at):
                told = self._drawn(sample, received_at) or told
        return told

    def allow(self, current_a: float) -> None:
        """What it may draw from now on, A."""
        self.allowed_a = current_a
        self.taper.allow(current_a)
        if current_a < self.supply.outlet.current_a_min:
            self.idle_since = None

    def _start(self, started_at: datetime, received_at: datetime, *, offline: bool) -> None:
        """A station whose clock is wrong does not say when the car came; one that was offline does."""
        if started_at > received_at or (not offline and received_at - started_at > SKEW_MAX):
            self.flag("its station's clock is off: it arrived when we heard of it")
            started_at = min(received_at, self.arrived_at)
        self.arrived_at = started_at

    def _person(self, token: Token | None, priority: int | None) -> None:
        if token is not None:
            self.token = token
        if priority is not None:
            self.token_priority = priority

    def _told(self, phases_used: int | None, cable_a_max: float | None) -> None:
        if phases_used is not None:
            self.phases.told(phases_used)
        if cable_a_max is None:
            return
        if isfinite(cable_a_max) and cable_a_max >= CABLE_A_MIN:
            self.cable_a_max = cable_a_max
        else:
            self.flag(f"a cable of {cable_a_max:g} A left out")

    def _turns(self, state: ChargingState, at: datetime) -> None:
        self.state = state
        if state is ChargingState.CHARGING:
            self.idle_since = None
        elif state is ChargingState.SUSPENDED_EV:
            self.idle_since = self.idle_since or at

    def _energy(self, wh: float, at: datetime) -> None:
        odd = self.register.tell(wh, at)
        if odd is not None:
            self.flag(odd)

    def _sampled(self, sample: Sample, received_at: datetime) -> bool:
        """Whether a sample is news; what a station kept while it was offline is not, nor what came out of order."""
        if isfinite(sample.soc_percent) and sample.soc_percent >= 0:
            self.soc_percent = sample.soc_percent
        if sample.at is None:
            return True
        if self._sampled_at is not None and sample.at < self._sampled_at:
            return False
        first, self._sampled_at = self._sampled_at is None, sample.at
        return not (first and LATE < received_at - sample.at < SKEW_MAX)

    def _drawn(self, sample: Sample, at: datetime) -> bool:
        register_kw = self.register.power_kw if isfinite(sample.register_wh) else nan
        now = drawn(sample, self.supply, self.conductors, register_kw)
        if now is None:
            return False
        self.flag(*now.odd)
        self.measured = Measured(now, at)
        if now.by_phase and not self.supply.outlet.dc:
            self.phases.see(now.per_phase_a, sample.at or at)
        self.taper.see(now.highest_a, self.supply.outlet.current_a_min, sample.at or at)
        if now.highest_a > IDLE_A:
            self.idle_since, self.took_at = None, at
        elif self.allowed_a >= self.supply.outlet.current_a_min and self.allowed_a < inf:
            self.idle_since = self.idle_since or at
        return True

    def _kw_max(self) -> float:
        outlet = self.supply.outlet
        by_current = outlet.current_a_max * self.supply.kw_per_a(outlet.phases)
        return max(by_current, outlet.power_kw_max or 0.0) if outlet.dc else by_current
