"""The caps of a site: the least counts, in whatever order things happen."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from engine.model.caps import CapDirection, CapHeard, CapReleased, CapSaved, CapSource, CapStep, HeldCap
from engine.model.charging_profiles import ChargingSchedule, RateUnit, SchedulePeriod
from engine.model.plans import AlertKind
from engine.model.smart_charging import LimitImposed, LimitReleased, LimitReported
from smartcharging import caps
from smartcharging.cap_states import CapStatus
from smartcharging.caps import CapKeeper
from tests.smartcharging.sites import depot

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
IMPORT = CapDirection.IMPORT
SLOT = np.array([1.0])


def at(seconds):
    return NOW + timedelta(seconds=seconds)


def cap(kw, source="grid", **more):
    steps = more.pop("steps", (CapStep(NOW, kw),))
    return CapSource(**({"site": "depot", "source": source, "steps": steps} | more))


def saved(what, seconds=0):
    return CapSaved(what, "somebody", at(seconds))


def released(source="grid", seconds=0):
    return CapReleased("depot", source, "somebody", at(seconds))


def now_kw(keeper, seconds, node="grid", direction=IMPORT):
    series = keeper.series(direction, at(seconds), SLOT)
    return float(series[node][0]) if node in series else None


def test_the_least_of_all_sources_counts():
    keeper = CapKeeper(depot())
    for source, kw in (("a", 30.0), ("b", 10.0), ("c", 20.0)):
        assert keeper.hear(saved(cap(kw, source)))
    assert now_kw(keeper, 1) == 10.0
    assert keeper.hear(released("b", 2))
    assert now_kw(keeper, 3) == 20.0
    assert [(state.source, state.binding) for state in keeper.states(at(3))] == [("a", False), ("c", True)]


def test_a_newer_word_replaces_the_whole_of_the_older_one():
    keeper = CapKeeper(depot())
    keeper.hear(saved(cap(10.0)))
    keeper.hear(saved(cap(25.0, node="board"), 1))
    assert now_kw(keeper, 2) is None
    assert now_kw(keeper, 2, "board") == 25.0


def test_export_and_import_do_not_mix():
    keeper = CapKeeper(depot())
    keeper.hear(saved(cap(5.0, direction=CapDirection.EXPORT)))
    assert now_kw(keeper, 1) is None
    assert now_kw(keeper, 1, direction=CapDirection.EXPORT) == 5.0


def test_the_fallback_counts_from_silence_to_the_next_word():
    keeper = CapKeeper(depot())
    keeper.hear(saved(cap(10.0, heartbeat_s=60.0, fallback_kw=4.0)))
    assert keeper.next_change_at(at(1)) == at(60)
    assert now_kw(keeper, 59) == 10.0
    assert now_kw(keeper, 60) == 4.0
    (alert,) = keeper.alerts(at(60))
    assert (alert.kind, alert.node) == (AlertKind.SILENT_CAP, "grid")
    assert "4 kW" in alert.detail
    assert keeper.hear(CapHeard("depot", "grid", at(70)))
    assert now_kw(keeper, 71) == 10.0
    assert keeper.alerts(at(71)) == ()
    assert keeper.next_change_at(at(71)) == at(130)


def test_a_cap_that_ran_out_is_shown_until_it_is_told_anew():
    keeper = CapKeeper(depot())
    keeper.hear(saved(cap(10.0, valid_until=at(60), fallback_kw=4.0)))
    assert now_kw(keeper, 61) == 4.0
    assert not any(state.status is not CapStatus.EXPIRED for state in keeper.states(at(61)))
    assert "run out" in keeper.alerts(at(61))[0].detail
    keeper.hear(CapHeard("depot", "grid", at(62)))
    assert now_kw(keeper, 63) == 4.0
    keeper.hear(saved(cap(12.0, steps=(CapStep(at(64), 12.0),)), 64))
    assert now_kw(keeper, 65) == 12.0
    assert keeper.alerts(at(65)) == ()


def test_a_source_that_ends_as_it_said_needs_nobody():
    keeper = CapKeeper(depot())
    keeper.hear(saved(cap(10.0, valid_until=at(60))))
    assert now_kw(keeper, 61) is None
    assert keeper.alerts(at(61)) == ()


def test_words_for_other_sites_and_unknown_sources_change_nothing():
    keeper = CapKeeper(depot())
    assert not keeper.hear(saved(cap(1.0, site="other")))
    assert not keeper.hear(CapHeard("depot", "grid", NOW))
    assert not keeper.hear(CapHeard("other", "grid", NOW))
    assert not keeper.hear(released())
    assert keeper.states(NOW) == ()


def test_a_release_that_is_older_than_the_cap_is_of_an_earlier_one():
    keeper = CapKeeper(depot())
    keeper.hear(saved(cap(10.0), 5))
    assert not keeper.hear(released(seconds=4))
    assert now_kw(keeper, 6) == 10.0


def test_a_clock_that_was_put_back_does_not_put_silence_off():
    keeper = CapKeeper(depot())
    keeper.hear(saved(cap(10.0, heartbeat_s=60.0, fallback_kw=4.0), 3600))
    assert now_kw(keeper, 0) == 10.0
    assert now_kw(keeper, 61) == 4.0


def test_a_cap_for_a_node_that_is_gone_is_shown_and_caps_nothing():
    keeper = CapKeeper(depot())
    keeper.hear(saved(cap(10.0, node="gone")))
    assert now_kw(keeper, 1, "gone") is None
    assert [alert.kind for alert in keeper.alerts(at(1))] == [AlertKind.BAD_INPUT]
    assert not keeper.states(at(1))[0].known


def test_there_is_an_end_to_how_many_caps_a_site_has(monkeypatch):
    monkeypatch.setattr(caps, "CAPS_MAX", 2)
    keeper = CapKeeper(depot())
    for source, kw in (("a", 3.0), ("b", 2.0), ("c", 1.0)):
        keeper.hear(saved(cap(kw, source)))
    assert now_kw(keeper, 1) == 2.0
    assert "cap of c" in keeper.alerts(at(1))[0].detail
    keeper.hear(saved(cap(1.5, "a")))
    assert now_kw(keeper, 1) == 1.5


def test_an_emergency_is_told_apart_while_it_caps():
    keeper = CapKeeper(depot())
    keeper.hear(saved(cap(10.0, emergency=True, node="board", steps=(CapStep(at(10), 1.0), CapStep(at(20), None)))))
    assert keeper.emergency_nodes(at(5)) == frozenset()
    assert keeper.emergency_nodes(at(15)) == {"board"}
    assert keeper.emergency_nodes(at(25)) == frozenset()


def test_the_book_brings_nothing_back_that_was_released():
    keeper = CapKeeper(depot())
    keeper.hear(saved(cap(10.0), 5))
    keeper.hear(released(seconds=10))
    keeper.restore(HeldCap(cap=cap(10.0), saved_at=at(5), heard_at=at(5)))
    assert now_kw(keeper, 11) is None
    keeper.restore(HeldCap(cap=cap(9.0), saved_at=at(11), heard_at=at(11)))
    assert now_kw(keeper, 12) == 9.0


def test_an_older_copy_of_the_book_does_not_replace_what_is_newer():
    keeper = CapKeeper(depot())
    keeper.hear(saved(cap(10.0), 5))
    keeper.restore(HeldCap(cap=cap(50.0), saved_at=at(1), heard_at=at(1)))
    assert now_kw(keeper, 6) == 10.0


def test_what_the_book_does_not_hold_any_more_was_released():
    keeper = CapKeeper(depot())
    keeper.hear(saved(cap(10.0, "old"), 1))
    keeper.hear(saved(cap(20.0, "young"), 100))
    keeper.limit_reported("CP-1", imposed(SchedulePeriod(start_s=0, limit=7000.0)))
    keeper.reconcile([HeldCap(cap=cap(40.0, "third"), saved_at=at(2), heard_at=at(2))], read_at=at(150))
    assert [state.source for state in keeper.states(at(101))] == ["station:CP-1:EMS", "third", "young"]


def test_a_cap_that_was_saved_while_the_book_was_read_stays():
    keeper = CapKeeper(depot())
    keeper.hear(saved(cap(10.0), 1))
    keeper.reconcile([], read_at=at(2))
    assert now_kw(keeper, 3) == 10.0
    keeper.reconcile([], read_at=at(600))
    assert now_kw(keeper, 601) is None


def imposed(*periods, seconds=0, evse=None, unit=RateUnit.W, **more):
    schedule = ChargingSchedule(unit=unit, periods=periods)
    return LimitImposed(LimitReported("EMS", evse, schedules=(schedule,), **more), at(seconds))


def test_a_stations_limit_caps_its_node_until_it_is_released():
    keeper = CapKeeper(depot())
    assert keeper.limit_reported("CP-1", imposed(SchedulePeriod(start_s=0, limit=7000.0)))
    assert now_kw(keeper, 1, "CP-1") == 7.0
    assert keeper.limit_reported("CP-1", LimitReleased("EMS", 0, at(2)))
    assert now_kw(keeper, 3, "CP-1") is None


def test_a_newer_limit_of_a_station_replaces_the_older_one():
    keeper = CapKeeper(depot())
    keeper.limit_reported("CP-1", imposed(SchedulePeriod(start_s=0, limit=7000.0)))
    keeper.limit_reported("CP-1", imposed(SchedulePeriod(start_s=0, limit=9000.0), seconds=5))
    assert now_kw(keeper, 6, "CP-1") == 9.0


def test_a_release_for_the_whole_station_releases_its_evses():
    keeper = CapKeeper(depot())
    keeper.limit_reported("CP-1", imposed(SchedulePeriod(start_s=0, limit=16.0), evse=1, unit=RateUnit.A))
    assert now_kw(keeper, 1, "CP-1/1") == pytest.approx(16 * 0.69)
    keeper.limit_reported("CP-1", LimitReleased("EMS", 0, at(2)))
    assert now_kw(keeper, 3, "CP-1/1") is None


def test_what_is_odd_in_a_stations_limit_is_said():
    keeper = CapKeeper(depot())
    keeper.limit_reported("CP-1", imposed(SchedulePeriod(start_s=0, limit=-5.0)))
    assert now_kw(keeper, 1, "CP-1") == 0.0
    (alert,) = keeper.alerts(at(1))
    assert (alert.kind, alert.node) == (AlertKind.BAD_INPUT, "CP-1")


def test_a_station_of_another_site_is_none_of_ours():
    keeper = CapKeeper(depot())
    assert not keeper.limit_reported("CP-9", imposed(SchedulePeriod(start_s=0, limit=7.0)))


SOURCES = ("a", "b", "c")


class CapsInAnyOrder(RuleBasedStateMachine):
    """The keeper beside a model that knows nothing but what a cap is: the cap never exceeds what counts."""

    @initialize()
    def begin(self):
        self.keeper = CapKeeper(depot())
        self.model = {}
        self.seconds = 0.0

    @rule(
        source=some.sampled_from(SOURCES),
        kws=some.lists(some.one_of(some.none(), some.integers(0, 50)), min_size=1, max_size=4),
        begins=some.integers(-100, 100),
        apart=some.integers(1, 60),
        lasts=some.one_of(some.none(), some.integers(1, 300)),
        beats=some.one_of(some.none(), some.integers(1, 120)),
        fallback=some.one_of(some.none(), some.integers(0, 50)),
    )
    def save(self, source, kws, begins, apart, lasts, beats, fallback):  # noqa: PLR0913, PLR0917 (all of a cap)
        steps = [(self.seconds + begins + number * apart, kw) for number, kw in enumerate(kws)]
        until = None if lasts is None else self.seconds + lasts
        what = cap(
            0,
            source,
            steps=tuple(CapStep(at(when), kw) for when, kw in steps),
            valid_until=None if until is None else at(until),
            heartbeat_s=beats,
            fallback_kw=fallback,
        )
        self.keeper.hear(saved(what, self.seconds))
        self.model[source] = {
            "steps": steps, "until": until, "beats": beats, "fallback": fallback, "heard": self.seconds
        }  # fmt: skip

    @rule(source=some.sampled_from(SOURCES))
    def hear(self, source):
        assert self.keeper.hear(CapHeard("depot", source, at(self.seconds))) == (source in self.model)
        if source in self.model:
            self.model[source]["heard"] = max(self.model[source]["heard"], self.seconds)

    @rule(source=some.sampled_from(SOURCES))
    def release(self, source):
        self.keeper.hear(released(source, self.seconds))
        if source in self.model and not self.model[source].get("later", False):
            del self.model[source]

    @rule()
    def restart(self):
        book = self.keeper.held()
        self.keeper = CapKeeper(depot())
        self.keeper.restore(*book)

    @rule(by=some.integers(1, 200))
    def wait(self, by):
        self.seconds += by

    def counts(self, known):
        if known["until"] is not None and self.seconds >= known["until"]:
            return known["fallback"]
        if known["beats"] is not None and self.seconds >= known["heard"] + known["beats"]:
            return known["fallback"]
        begun = [kw for when, kw in known["steps"] if when <= self.seconds]
        return begun[-1] if begun else None

    @invariant()
    def the_cap_is_the_least_that_counts(self):
        if not hasattr(self, "keeper"):
            return
        values = [kw for known in self.model.values() if (kw := self.counts(known)) is not None]
        expected = float(min(values)) if values else None
        series = self.keeper.series(IMPORT, at(self.seconds), np.array([0.0]))
        found = float(series["grid"][0]) if "grid" in series else None
        assert found == expected
        states = self.keeper.states(at(self.seconds))
        assert {state.source for state in states} == set(self.model)
        assert min([state.kw for state in states], default=np.inf) == (np.inf if expected is None else expected)


CapsInAnyOrder.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestCapsInAnyOrder = CapsInAnyOrder.TestCase
