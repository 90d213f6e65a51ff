"""The invariant of the wire: whatever happens, what stations may draw never exceeds a limit, also without a planner."""

import random
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine.model.charging_profiles import ProfilePurpose
from engine.model.commands import Outcome, Result
from engine.model.provisioning import BootReported, Registration, StationBooted
from engine.model.smart_charging import ProfileInstalled, SetChargingProfile, UpdateDynamicSchedule
from engine.model.transactions import TransactionEnded
from smartcharging.network import Network
from smartcharging.wire import KnownOrder, KnownProfile, KnownStation, SiteWire, WireSettings
from smartcharging.words import Step
from tests.smartcharging.wire.fleet import START, VirtualStation, connected, copied, gone, site_of, target

COUNT = 4
LIMIT_A = 48.0
UNCERTAIN = (Result.TIMED_OUT, Result.LOST, Result.FAILED)


class Wired(RuleBasedStateMachine):
    """Stations that apply what they accept, also when the answer is lost; a store that knows what was answered."""

    @initialize(
        version=st.sampled_from(["1.6", "2.0.1", "2.1"]),
        offsets=st.lists(st.sampled_from([-20.0, -11.0, 0.0, 17.0, 20.0]), min_size=COUNT, max_size=COUNT),
        dynamic=st.booleans(),
    )
    def begin(self, version, offsets, dynamic):
        self.site = site_of(COUNT, LIMIT_A)
        self.network = Network(self.site)
        self.settings = WireSettings(probe=False, patience_s=5, interval_s=3)
        self.true = START
        self.skew_s = 0.0
        self.version = version
        self.stations = [VirtualStation(f"CP{n}", version, offset) for n, offset in enumerate(offsets)]
        self.online = [True] * COUNT
        self.dynamic = dynamic and version == "2.1"
        self.store = [{} for _ in range(COUNT)]
        self.doubts = [[] for _ in range(COUNT)]
        self.open = []
        self.lives = 0
        self.transactions = 0
        self.targets = []
        self.new_wire()
        self.dispatch()
        for order, number, _ in list(self.open):
            self.settle(order, number, "yes")

    @property
    def now(self):
        """By the planner's clock."""
        return self.true + timedelta(seconds=self.skew_s)

    def new_wire(self):
        self.lives += 1
        self.wire = SiteWire(self.site, self.network, self.settings, name=f"w{self.lives}")
        known = [
            KnownStation(
                station=f"CP{number}",
                online=self.online[number],
                session="s",
                version=self.version,
                profiles=tuple(self.store[number].values()),
                orders=(*self.doubts[number], *(known for _, n, known in self.open if n == number)),
            )
            for number in range(COUNT)
        ]
        self.wire.restore(known, self.now)
        if self.dynamic:
            for station in self.wire._state.stations.values():
                station.told = station.told.__class__(version="2.1", dynamic=True, offline=True)
                self.wire._state.reckon(station)
        self.wire.want(self.targets, self.now)

    def dispatch(self):
        for order in self.wire.orders(self.now):
            number = int(order.station[2:])
            known = KnownOrder(order_id=order.order_id, command=order.command, sent_at=self.now)
            self.open.append((order, number, known))

    def settle(self, order, number, how):
        """`how`: yes, no, lost before it came (unsent, silence), lost after it was done (forgotten)."""
        entry = next(each for each in self.open if each[0] is order)
        station, command = self.stations[number], order.command
        if how in ("yes", "no") and not self.online[number]:
            how = "unsent"
        outcome = Outcome(Result.REFUSED, "Rejected")
        if how in ("yes", "forgotten"):
            outcome = station.do(command)
        self.open.remove(entry)
        if how == "forgotten":
            outcome = Outcome(random.Random(len(order.order_id)).choice(UNCERTAIN))
        elif how == "silence":
            outcome = Outcome(Result.TIMED_OUT)
        elif how == "unsent":
            outcome = Outcome(Result.OFFLINE)
        self.record(number, entry[2], outcome)
        self.wire.settled(order.order_id, outcome, self.now)

    def record(self, number, known, outcome):
        command = known.command
        if outcome.result in UNCERTAIN:
            self.doubts[number].append(KnownOrder(
                order_id=known.order_id, command=command, sent_at=known.sent_at, open=False))  # fmt: skip
        if outcome.result is not Result.ACCEPTED:
            return
        if isinstance(command, SetChargingProfile):
            profile = command.profile
            self.store[number][profile.id] = KnownProfile(
                evse=command.evse, profile=profile, installed_at=self.now)  # fmt: skip
            self.doubts[number] = [each for each in self.doubts[number] if _id_of(each.command) != profile.id]
        elif isinstance(command, UpdateDynamicSchedule):
            held = self.store[number].get(command.profile_id)
            if held is not None:
                self.store[number][command.profile_id] = copied(held, numbers=command.update)
                kept = [each for each in self.doubts[number] if _id_of(each.command) != command.profile_id]
                self.doubts[number] = kept

    @rule(wanted=st.lists(st.sampled_from([0.0, 6.0, 8.3, 13.0, 16.0, 24.0, 32.0]), min_size=COUNT, max_size=COUNT),
          later=st.sampled_from([None, 0.0, 10.0]), urgent=st.booleans())  # fmt: skip
    def plan(self, wanted, later, urgent):
        self.targets = []
        for number, current_a in enumerate(wanted):
            transaction = self.stations[number].transaction
            if transaction is None and number % 2:
                continue
            steps = {} if later is None else {"steps": _steps(self.now, current_a, later)}
            self.targets.append(target(number, current_a, self.now, transaction, urgent=urgent, **steps))
        self.wire.want(self.targets, self.now)
        self.dispatch()

    @rule()
    def look(self):
        self.dispatch()

    @precondition(lambda self: self.open)
    @rule(which=st.integers(0, 50), how=st.sampled_from(["yes", "yes", "yes", "no", "forgotten", "silence", "unsent"]))
    def answer(self, which, how):
        order, number, _ = self.open[which % len(self.open)]
        self.settle(order, number, how)

    @rule()
    def answer_all(self):
        for order, number, _ in list(self.open):
            self.settle(order, number, "yes")
        self.dispatch()

    @rule(seconds=st.sampled_from([1, 7, 31, 95, 600, 1500, 1801, 5400]))
    def wait(self, seconds):
        self.true += timedelta(seconds=seconds)
        self.dispatch()

    @rule(skew_s=st.sampled_from([0.0, -40.0, -2000.0, 10.0]))
    def step_the_clock(self, skew_s):
        """The planner's, not those of stations."""
        self.skew_s = skew_s
        self.dispatch()

    @rule(number=st.integers(0, COUNT - 1))
    def plug(self, number):
        station = self.stations[number]
        if station.transaction is None:
            self.transactions += 1
            station.plugs_in(str(self.transactions))

    @rule(number=st.integers(0, COUNT - 1), heard=st.booleans())
    def unplug(self, number, heard):
        station = self.stations[number]
        if station.transaction is None:
            return
        ended = TransactionEnded(transaction_id=station.transaction, ended_at=self.now, received_at=self.now)
        station.leaves()
        if heard:
            kept = {key: held for key, held in self.store[number].items()
                    if held.profile.purpose is not ProfilePurpose.TX}  # fmt: skip
            self.store[number] = kept
            self.wire.hear(station.name, ended, self.now)

    @rule(number=st.integers(0, COUNT - 1))
    def connection(self, number):
        if self.online[number]:
            gone(self.wire, f"CP{number}", self.now)
        else:
            connected(self.wire, f"CP{number}", self.now, self.version)
        self.online[number] = not self.online[number]

    @rule(number=st.integers(0, COUNT - 1))
    def boot(self, number):
        """It keeps what it had; the wire cannot know."""
        fact = StationBooted(BootReported("V", "M"), Registration.ACCEPTED, 300, self.now)
        self.wire.hear(f"CP{number}", fact, self.now)

    @rule(number=st.integers(0, COUNT - 1))
    def old_news(self, number):
        """The stream tells late of what the station took."""
        for held in self.store[number].values():
            fact = ProfileInstalled(evse=held.evse, profile=held.profile, at=held.installed_at)
            if held.numbers is None:
                self.wire.hear(f"CP{number}", fact, self.now)

    @rule()
    def restart(self):
        """The planner dies; another takes up what the store says."""
        self.new_wire()
        self.dispatch()

    @invariant()
    def no_limit_is_broken_now_or_ever(self):
        if not hasattr(self, "open"):
            return
        for later_s in (0, 1, 60, 600, 1799, 1830, 3000, 3601, 4500, 5280, 5330, 5400, 7200, 9000, 20_000, 100_000):
            at = self.true + timedelta(seconds=later_s)
            draws = [station.may_draw_a(at) for station in self.stations]
            assert sum(draws) <= LIMIT_A + 1e-6, (later_s, draws)


def _id_of(command):
    return command.profile.id if isinstance(command, SetChargingProfile) else getattr(command, "profile_id", None)


def _steps(now, current_a, later):
    quarter = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0) + timedelta(minutes=15)
    return (Step(now, current_a), Step(quarter, later), Step(quarter + timedelta(minutes=15), current_a))


Wired.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestInvariant = pytest.mark.timeout(300)(Wired.TestCase)
