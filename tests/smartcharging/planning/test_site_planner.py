"""The planner of a site over virtual stations: limits are kept, decreases come first, news is answered soon."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from engine.model.caps import CapReleased, CapSaved, CapSource, CapStep, HeldCap
from engine.model.charging_profiles import ProfilePurpose
from engine.model.commands import CommandRequest, CommandRequested, CommandSettled
from engine.model.plans import AlertKind, LimitDecided, SiteAlertCleared, SiteAlertRaised, SitePlanned, Why
from engine.model.sites import DriverAsked, DriverRequest, Load, LoadKind, SeriesKind, SeriesSaved, SiteSeries
from engine.model.smart_charging import ProfileInstalled, SetChargingProfile
from engine.model.transactions import TransactionOpened
from smartcharging.planning.settings import PlannerSettings
from smartcharging.planning.site_planner import SitePlanner
from tests.smartcharging.planning.twin import SETTINGS, START, Twin
from tests.smartcharging.wire.fleet import ACCEPTED, site_of

KW_PER_A = 0.69


@pytest.fixture
def twin():
    return Twin(3).runs(5)


def purposes(twin, since):
    return [
        order.command.profile.purpose
        for at, order in twin.orders
        if at >= since and isinstance(order.command, SetChargingProfile)
    ]


class TestPlans:
    """Who gets what."""

    def test_stations_get_a_default_before_anybody_charges(self, twin):
        assert {name: len(station.profiles) for name, station in twin.stations.items()} == dict.fromkeys(
            twin.stations, 1
        )
        assert set(purposes(twin, START)) == {ProfilePurpose.TX_DEFAULT}

    def test_a_car_alone_gets_all_that_it_can_take(self, twin):
        twin.starts("CP0")
        twin.runs(5)
        assert twin.may_draw_a("CP0") == 32.0
        assert twin.decided("CP0").why is Why.OWN_MAX

    def test_two_share_and_the_first_gives_way_before_the_second_rises(self, twin):
        twin.starts("CP0")
        twin.runs(15)
        twin.starts("CP1")
        begun = twin.now
        for _ in range(40):
            twin.turn()
            twin.passes(0.5)
            assert twin.sum_a <= 60.0 + 1e-6
        assert (twin.may_draw_a("CP0"), twin.may_draw_a("CP1")) == (30.0, 30.0)
        told = [order.station for at, order in twin.orders if at >= begun]
        assert told.index("CP0") < told.index("CP1")

    def test_what_one_leaves_the_other_gets(self, twin):
        for name in ("CP0", "CP1"):
            twin.starts(name)
        twin.runs(20)
        twin.ends("CP0")
        twin.runs(20)
        assert twin.may_draw_a("CP1") == 32.0
        assert twin.may_draw_a("CP0") <= 6.0

    def test_a_decision_says_which_limit_binds_and_who_else_is_below_it(self, twin):
        for name in ("CP0", "CP1"):
            twin.starts(name)
        twin.runs(20)
        decided = twin.decided("CP0")
        assert decided.why is Why.ROW
        assert decided.binding.startswith("grid L")
        assert (decided.binding_limit, decided.binding_used, decided.unit) == (60.0, 60.0, "A")
        assert [(each.node, each.current_a) for each in decided.competitors] == [("e1", 30.0)]

    def test_an_unchanged_decision_is_not_recorded_at_every_plan(self, twin):
        twin.starts("CP0")
        twin.runs(5)
        before = len(twin.facts(LimitDecided))
        twin.runs(700, step_s=20)
        assert len(twin.facts(SitePlanned)) > 3
        assert len(twin.facts(LimitDecided)) == before
        twin.runs(400, step_s=20)
        assert len(twin.facts(LimitDecided)) == before + 1

    def test_a_decision_that_waited_for_others_is_told_when_it_is_sent(self, twin):
        twin.starts("CP0")
        twin.runs(15)
        twin.starts("CP1")
        twin.runs(15)
        waited = [fact.sent for fact in twin.facts(LimitDecided) if fact.station == "CP1"]
        assert waited[-1]

    @pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
    def test_every_version_obeys(self, version):
        twin = Twin(3, version=version).runs(10)
        for name in twin.stations:
            twin.starts(name)
        twin.runs(60)
        assert twin.sum_a <= 60.0 + 1e-6
        assert min(twin.may_draw_a(name) for name in twin.stations) >= 19.0


class TestTurns:
    """When it plans."""

    def test_a_burst_is_one_plan(self, twin):
        planned = len(twin.facts(SitePlanned))
        for name in twin.stations:
            twin.starts(name)
        due = twin.planner.due_at(twin.now)
        assert due <= twin.now + timedelta(seconds=1)
        twin.runs(1.5, step_s=0.1)
        assert len(twin.facts(SitePlanned)) == planned + 1

    def test_meter_values_of_cars_make_no_plan(self, twin):
        twin.starts("CP0")
        twin.runs(10)
        planned = len(twin.facts(SitePlanned))
        for _ in range(20):
            twin.meters("CP0", 31.0, 31.0, 31.0)
            twin.runs(1)
        assert len(twin.facts(SitePlanned)) <= planned + 1

    def test_without_news_it_plans_now_and_then(self, twin):
        planned = len(twin.facts(SitePlanned))
        twin.runs(650, step_s=10)
        assert 2 <= len(twin.facts(SitePlanned)) - planned <= 4

    def test_a_clock_that_is_put_back_stops_nothing(self, twin):
        twin.passes(-3_600)
        twin.starts("CP0")
        assert twin.planner.due_at(twin.now) <= twin.now + timedelta(seconds=1)
        twin.runs(10)
        assert twin.may_draw_a("CP0") > 6.0


class TestCaps:
    """Limits from outside."""

    def charging(self, **fields):
        twin = Twin(3, **fields).runs(5)
        for name in twin.stations:
            twin.starts(name)
        return twin.runs(30)

    def test_a_cap_is_kept_soon_and_given_back_when_it_is_released(self):
        twin = self.charging()
        assert twin.sum_a == pytest.approx(60.0, abs=0.3)
        twin.cap(20.7)
        twin.runs(3)
        assert twin.sum_a * KW_PER_A <= 20.7 + 1e-6
        twin.planner.hear_operator(CapReleased(twin.site.site, "operator", "me", twin.now))
        twin.runs(40)
        assert twin.sum_a == pytest.approx(60.0, abs=0.3)

    def test_an_emergency_goes_out_without_a_plan_and_urgently(self):
        twin = self.charging()
        assert twin.cap(15.0, emergency=True)
        assert twin.planner.is_urgent()
        planned = twin.planner.plan_urgently(twin.now)
        assert planned.facts == ()
        assert len(planned.orders) == 3
        assert all(order.urgent for order in planned.orders)
        twin.take(planned)
        assert twin.sum_a * KW_PER_A <= 15.0 + 1e-6
        assert not twin.planner.is_urgent()
        twin.runs(10)
        assert "cap operator" in twin.facts(SitePlanned)[-1].trigger

    def test_of_caps_of_another_site_it_hears_nothing(self, twin):
        cap = CapSource(site="other", source="operator", steps=(CapStep(twin.now, 1.0),))
        assert not twin.planner.hear_operator(CapSaved(cap, "me", twin.now))

    def test_a_cap_of_nothing_pauses_everybody_and_says_so(self):
        twin = self.charging()
        twin.cap(0.0)
        twin.runs(5)
        assert twin.sum_a == 0.0
        assert twin.decided("CP0").why is Why.PAUSED

    def test_a_step_to_come_is_kept_when_it_comes(self):
        twin = self.charging()
        steps = (CapStep(twin.now, 30.0), CapStep(twin.now + timedelta(seconds=300), 12.0))
        cap = CapSource(site=twin.site.site, source="grid:x", steps=steps)
        twin.planner.hear_operator(CapSaved(cap, "me", twin.now))
        twin.runs(290, step_s=5)
        twin.runs(20)
        assert twin.sum_a * KW_PER_A <= 12.0 + 1e-6

    def test_a_source_that_falls_silent_is_said(self):
        twin = self.charging()
        twin.cap(30.0, source="grid:x", heartbeat_s=60.0, fallback_kw=10.0)
        twin.runs(10)
        twin.runs(120, step_s=5)
        assert twin.sum_a * KW_PER_A <= 10.0 + 1e-6
        assert AlertKind.SILENT_CAP in {alert.kind for alert in twin.facts(SiteAlertRaised)}

    def test_caps_in_the_book_that_were_not_heard_are_made_good(self):
        twin = self.charging()
        cap = CapSource(site=twin.site.site, source="operator", steps=(CapStep(twin.now, 12.0),))
        twin.planner.reconcile([HeldCap(cap, twin.now, twin.now)], twin.now)
        twin.runs(10)
        assert twin.sum_a * KW_PER_A <= 12.0 + 1e-6


class TestLoads:
    """What else draws."""

    LOAD = Load(load="house", node="grid", kind=LoadKind.METERED, station="METER", kw=5.0, stale_s=120.0)

    def house(self, **fields):
        twin = Twin(site=replace(site_of(3, allocator="max-min", **fields), loads=(self.LOAD,)))
        assert "METER" in twin.planner.stations
        assert twin.planner.meters == ("METER",)
        twin.load_meters("METER", 5.0)
        twin.runs(5)
        for name in twin.stations:
            twin.starts(name)
        return twin.runs(20)

    def test_a_load_that_rises_is_answered_at_once(self):
        twin = self.house()
        before = twin.sum_a
        twin.load_meters("METER", 25.0)
        assert twin.planner.due_at(twin.now) <= twin.now + timedelta(seconds=1)
        twin.runs(3)
        room = 60.0 - 25_000 / 3 / 230
        assert twin.sum_a <= room + 1e-6 < before

    def test_a_load_above_the_limit_pauses_all_and_says_by_how_much(self):
        twin = self.house()
        twin.load_meters("METER", 50.0)
        twin.runs(3)
        assert twin.sum_a == 0.0
        alert = next(alert for alert in twin.facts(SiteAlertRaised) if alert.kind is AlertKind.OVERLOAD)
        assert (alert.node, alert.unit) == ("grid", "A")
        assert alert.over == pytest.approx(50_000 / 3 / 230 - 60.0, abs=0.1)
        twin.load_meters("METER", 5.0)
        twin.runs(90, step_s=5)
        assert AlertKind.OVERLOAD in {alert.kind for alert in twin.facts(SiteAlertCleared)}

    def test_a_meter_that_falls_silent_is_said(self):
        twin = self.house()
        twin.runs(700, step_s=10)
        assert AlertKind.STALE_METER in {alert.kind for alert in twin.facts(SiteAlertRaised)}


class TestOffline:
    """Stations that cannot be told."""

    def test_a_station_that_is_gone_keeps_its_share_reserved(self):
        twin = Twin(3).runs(5)
        for name in twin.stations:
            twin.starts(name)
        twin.runs(30)
        kept = twin.may_draw_a("CP0")
        twin.goes("CP0")
        twin.cap(27.6)
        twin.runs(10)
        assert twin.may_draw_a("CP0") == kept
        assert twin.sum_a * KW_PER_A <= 27.6 + 1e-6
        twin.connects("CP0")
        twin.runs(20)
        assert twin.may_draw_a("CP0") < kept

    def test_a_cap_below_what_it_holds_is_an_alert(self):
        twin = Twin(3).runs(5)
        for name in twin.stations:
            twin.starts(name)
        twin.runs(30)
        twin.goes("CP0")
        twin.cap(5.0)
        twin.runs(10)
        alerts = {alert.kind for alert in twin.facts(SiteAlertRaised)}
        assert AlertKind.INFEASIBLE in alerts
        assert twin.may_draw_a("CP1") == twin.may_draw_a("CP2") == 0.0

    def test_a_station_that_was_never_heard_counts_with_its_outlet(self):
        twin = Twin(3, online=False)
        twin.connects("CP0")
        twin.starts("CP0")
        twin.runs(20)
        assert twin.may_draw_a("CP0") == 0.0
        assert AlertKind.INFEASIBLE in {alert.kind for alert in twin.facts(SiteAlertRaised)}


class TestOthers:
    """Prices, drivers, allocators."""

    def test_prices_and_drivers_make_it_plan(self, twin):
        series = SiteSeries(site="site", kind=SeriesKind.PRICE, start_at=twin.now, step_s=3_600, values=(0.3, 0.1))
        assert twin.planner.hear_operator(SeriesSaved(series, "me", twin.now))
        assert twin.planner.hear_operator(
            DriverAsked(DriverRequest(station="CP0", evse=1, energy_kwh=9.0), "me", twin.now)
        )
        assert twin.planner.due_at(twin.now) <= twin.now + timedelta(seconds=1)
        assert not twin.planner.hear_operator(SeriesSaved(replace(series, site="other"), "me", twin.now))
        assert not twin.planner.hear_operator(DriverAsked(DriverRequest(station="X", evse=1), "me", twin.now))

    def test_what_a_driver_asked_for_is_in_the_decision(self, twin):
        twin.planner.hear_operator(DriverAsked(DriverRequest(station="CP0", evse=1, energy_kwh=9.0), "me", twin.now))
        twin.starts("CP0")
        twin.runs(5)
        assert twin.decided("CP0").energy_kwh == pytest.approx(9.0)

    def test_uncontrolled_is_kept_within_the_limits_all_the_same(self):
        twin = Twin(3, allocator="uncontrolled").runs(5)
        for name in twin.stations:
            twin.starts(name)
        twin.runs(30)
        assert twin.sum_a <= 60.0 + 1e-6

    def test_an_allocator_that_is_not_installed_is_refused(self):
        with pytest.raises(ValueError, match="no allocator is called"):
            SitePlanner(site_of(1, allocator="astrology"), SETTINGS)

    def test_an_empty_site_is_planned_too(self):
        twin = Twin(2).runs(2)
        summary = twin.facts(SitePlanned)[0]
        assert (summary.cars, summary.planned_kw) == (0, 0.0)


class TestRestart:
    """A planner that was killed."""

    def stories(self, twin, *more):
        facts = {}
        for name, station in twin.stations.items():
            held = station.profiles.values()
            story = [(ProfileInstalled(each.evse, each.profile, twin.now), twin.now) for each in held]
            if name in twin.started:
                story.append((twin.started[name], twin.now))
            facts[name] = story
        for name, fact in more:
            facts[name].append((fact, twin.now))
        return facts

    def restart(self, twin, *more):
        stories = self.stories(twin, *more)
        twin.planner = twin.make()
        twin.planner.restore(stories, (), (), (), twin.now)
        for name in twin.stations:
            twin.connects(name)
        return twin

    def test_it_goes_on_and_the_limits_are_kept_all_the_time(self):
        twin = Twin(3).runs(5)
        for name in twin.stations:
            twin.starts(name)
        twin.runs(30)
        self.restart(twin)
        for _ in range(60):
            twin.turn()
            twin.passes(1)
            assert twin.sum_a <= 60.0 + 1e-6
        assert twin.sum_a == pytest.approx(60.0, abs=0.3)

    def test_what_was_on_its_way_counts_beside_what_is_held(self):
        twin = Twin(2).runs(5)
        for name in twin.stations:
            twin.starts(name)
        twin.runs(30)
        profile = next(held.profile for held in twin.stations["CP0"].profiles.values() if held.profile.transaction_id)
        schedule = profile.schedules[0]
        more = replace(profile, schedules=(replace(schedule, periods=(replace(schedule.periods[0], limit=32.0),)),))
        deadline = twin.now + timedelta(seconds=30)
        request = CommandRequest("old", "CP0", SetChargingProfile(1, more), twin.now, deadline, "planner")
        self.restart(twin, ("CP0", CommandRequested(request)))
        twin.stations["CP0"].do(request.command)
        for _ in range(40):
            twin.turn()
            twin.passes(0.5)
            assert twin.sum_a <= 60.0 + 2.0 + 1e-6, "what it already held when the order was given"
        assert twin.may_draw_a("CP1") <= 30.0 + 1e-6

    def test_what_a_killed_forerunner_sent_counts_when_it_is_heard_of(self):
        twin = Twin(2).runs(5)
        twin.starts("CP0")
        twin.runs(10)
        twin.planner = twin.make()
        twin.planner.restore(self.stories(twin), (), (), (), twin.now)
        for name in twin.stations:
            twin.connects(name)
        held = next(each.profile for each in twin.stations["CP0"].profiles.values() if each.profile.transaction_id)
        deadline = twin.now + timedelta(seconds=30)
        request = CommandRequest("w1.9.1.profile", "CP0", SetChargingProfile(1, held), twin.now, deadline, "planner")
        twin.hear("CP0", CommandRequested(request))
        twin.planner.plan(twin.now)
        assert not [order for order in twin.planner.send(twin.now).orders if order.station == "CP0"], "one at a time"
        twin.hear("CP0", CommandSettled("w1.9.1.profile", ACCEPTED, twin.now))
        twin.runs(10)
        assert twin.may_draw_a("CP0") > 6.0

    def test_a_transaction_of_before_is_planned_for(self):
        twin = Twin(2).runs(5)
        twin.starts("CP0")
        twin.runs(10)
        self.restart(twin)
        twin.runs(20)
        assert twin.decided("CP0").transaction_id == "100"


def test_settings_bound_how_far_it_looks():
    twin = Twin(1, settings=PlannerSettings(horizon_h=2.0, slots_max=4)).runs(2)
    assert isinstance(twin.planner, SitePlanner)
    twin.hear("CP0", TransactionOpened("100", twin.now, twin.now))
    draft = twin.planner.draft(twin.now)
    assert draft.problem.slots == 4
