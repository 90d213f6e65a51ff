"""Cars, from the facts of their stations."""

from math import inf, nan

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from engine.model.authorization import Token, TokenStatus, TokenVerdict
from engine.model.availability import ConnectorStatus, ConnectorStatusChanged, ConnectorStatusReported
from engine.model.ids import EvseRef
from engine.model.metering import ReadingsRecorded
from engine.model.plans import AlertKind
from engine.model.sites import DriverRequest, Load, LoadKind
from engine.model.smart_charging import AcNeeds, EvNeeds, NeedsRecorded, NeedsReported, NeedsVerdict, PriorityChanged
from engine.model.transactions import ChargingState, Stage, TransactionFlag
from smartcharging.cars import CarKeeper
from smartcharging.forecast import Forecaster
from smartcharging.words import NeedSource
from tests.smartcharging.cars.meter import STATION, at, currents, ended, opened, reading, told, updated
from tests.smartcharging.sites import depot

SITE = depot(time_zone="UTC")


def kept(*facts, site=SITE, station=STATION):
    keeper = CarKeeper(site)
    for fact in facts:
        keeper.hear(station, fact, at(0))
    return keeper


def car(keeper, seconds=600):
    (view,) = keeper.cars(at(seconds), None)
    return view


def views(keeper, seconds=600):
    return {view.node: view.transaction_id for view in keeper.cars(at(seconds), None)}


def needs(seconds=0, transaction_id="t1", evse=1, **more):
    ac = AcNeeds(energy_wh=20_000.0, current_a_min=6.0, current_a_max=16.0, voltage_v_max=400.0)
    wanted = EvNeeds(**({"energy_transfer": "AC_three_phase", "ac": ac} | more))
    return NeedsRecorded(NeedsReported(evse, wanted), NeedsVerdict.PROCESSING, at(seconds), transaction_id)


def test_an_open_transaction_is_a_car_until_it_ends():
    keeper = kept()
    assert keeper.hear(STATION, opened(), at(0)) == {"CP-1/1"}
    view = car(keeper)
    assert (view.node, view.station, view.evse, view.transaction_id) == ("CP-1/1", "CP-1", 1, "t1")
    assert (view.arrived_at, view.token, view.state) == (at(0), Token("tag"), ChargingState.CHARGING)
    assert keeper.hear(STATION, ended(3600), at(3600)) == {"CP-1/1"}
    assert keeper.cars(at(3601), None) == ()


def test_transactions_of_other_stations_and_places_are_no_cars():
    assert kept(opened(), station="CP-9").cars(at(1), None) == ()
    assert kept(opened(evse=7)).cars(at(1), None) == ()
    assert kept(opened(evse=None)).cars(at(1), None) == ()


def test_a_station_with_one_evse_need_not_say_which():
    keeper = kept(opened(evse=None), site=depot(without=("CP-1/2",)))
    assert views(keeper) == {"CP-1/1": "t1"}


def test_a_place_that_is_told_later_makes_it_a_car():
    keeper = kept(opened(evse=None), updated(10, evse=EvseRef(2, 1), meter_last_wh=2000.0))
    assert views(keeper) == {"CP-1/2": "t1"}


def test_the_younger_of_two_transactions_at_a_place_is_the_car():
    keeper = kept(opened("old"), opened("new", 100))
    assert views(keeper) == {"CP-1/1": "new"}
    keeper.hear(STATION, ended(200, "new"), at(200))
    assert views(keeper) == {"CP-1/1": "old"}


def test_transactions_that_never_end_are_bounded():
    keeper = kept(*(opened(f"t{number}", number) for number in range(50)))
    for number in range(49, 45, -1):
        assert views(keeper) == {"CP-1/1": f"t{number}"}
        keeper.hear(STATION, ended(100, f"t{number}"), at(100))
    assert views(keeper) == {}


def test_the_same_facts_again_change_nothing():
    facts = [opened(), told(*currents(10.0, 10.0, 10.0), seconds=60), updated(60, meter_last_wh=1500.0)]
    once, twice = kept(*facts), kept(*facts, *facts)
    assert car(once) == car(twice)


def test_energy_is_told_by_readings_and_by_facts_alike():
    assert car(kept(opened(), updated(600, meter_last_wh=3000.0))).energy_kwh == 2.0
    assert car(kept(opened(), told(reading(3000.0, seconds=600), seconds=600))).energy_kwh == 2.0


def test_a_meter_that_goes_backwards_is_repaired_and_said():
    view = car(kept(opened(), updated(600, meter_last_wh=3000.0), updated(700, meter_last_wh=50.0)))
    assert view.energy_kwh == 2.0
    assert any("back" in flag for flag in view.flags)


def test_readings_that_are_no_numbers_are_left_out_and_said():
    view = car(kept(opened(), told(reading(nan, "Current.Import", "L1"), seconds=60)))
    assert view.measured_a is None
    assert view.flags


def test_currents_and_phases_come_from_the_meter():
    facts = [told(*currents(10.0, 0.1, 0.0), seconds=60 * number) for number in range(1, 5)]
    view = car(kept(opened(), *facts))
    assert view.per_phase_a == (10.0, 0.1, 0.0)
    assert (view.measured_a, view.measured_at, view.power_kw) == (10.0, at(240), pytest.approx(2.323))
    assert (view.phases, view.phases_known) == ((1,), True)


def test_readings_of_1_6_without_a_transaction_are_the_cars_at_that_connector():
    readings = ReadingsRecorded(currents(10.0, 10.0, 10.0), at(60), None, EvseRef(1, 1))
    assert car(kept(opened(), readings)).measured_a == 10.0


def test_what_was_measured_long_ago_says_nothing_of_now():
    keeper = kept(opened(), told(*currents(10.0, 10.0, 10.0), seconds=60))
    assert car(keeper, 120).measured_a == 10.0
    assert car(keeper, 7200).measured_a is None


def test_what_a_station_kept_while_it_was_offline_is_energy_but_no_current():
    late = told(reading(3000.0, seconds=60), *currents(30.0, 30.0, 30.0, seconds=60), seconds=1200)
    view = car(kept(opened(), told(*currents(10.0, 10.0, 10.0, seconds=1100), seconds=1100), late), 1201)
    assert view.measured_a == 10.0


def test_a_register_alone_tells_the_power():
    facts = [told(reading(1000.0 + 115.0 * number, seconds=60 * number), seconds=60 * number) for number in range(1, 4)]
    assert car(kept(opened(), *facts)).power_kw == pytest.approx(6.9)


def test_two_x_tells_the_phases_in_use_and_the_cable():
    view = car(kept(opened(phases_used=1, cable_a_max=20.0)))
    assert (view.phases, view.phases_known, view.current_a_max) == ((1,), True, 20.0)


@pytest.mark.parametrize("cable_a_max", [nan, 0.0, -16.0, 2.0])
def test_a_cable_that_cannot_be_is_left_out_and_said(cable_a_max):
    view = car(kept(opened(cable_a_max=cable_a_max)))
    assert view.current_a_max == inf
    assert any("cable" in flag for flag in view.flags)


def test_what_comes_after_the_end_brings_no_car_back():
    keeper = kept(opened(), ended(60), updated(70, flags=(TransactionFlag.AFTER_END,)))
    assert keeper.cars(at(80), None) == ()


def test_a_late_message_of_a_transaction_that_is_forgotten_brings_no_car_back():
    unseen = (TransactionFlag.STARTED_UNSEEN,)
    keeper = kept(opened(), ended(60), opened(seconds=70, flags=unseen), updated(70, evse=EvseRef(1, 1)))
    assert keeper.cars(at(80), None) == ()


def test_a_transaction_whose_start_was_not_heard_is_a_car_all_the_same():
    view = car(kept(updated(60, evse=EvseRef(1, 1), charging_state=ChargingState.SUSPENDED_EV)))
    assert view.state is ChargingState.SUSPENDED_EV
    assert view.flags == ("its start was not heard",)


def test_a_start_that_is_told_late_says_when_the_car_came():
    keeper = kept(opened(seconds=600, offline=True), updated(900, stage=Stage.STARTED, offline=True))
    late = msgspec.structs.replace(updated(900, stage=Stage.STARTED, offline=True), at=at(-3600))
    keeper.hear(STATION, late, at(900))
    assert car(keeper, 1000).arrived_at == at(-3600)


@pytest.mark.parametrize("started_s", [-30 * 86400, 7200])
def test_a_clock_that_is_off_does_not_say_when_the_car_came(started_s):
    view = car(kept(opened(started_at=at(started_s))))
    assert view.arrived_at == at(0)
    assert any("clock" in flag for flag in view.flags)


def free(seconds, status=ConnectorStatus.AVAILABLE):
    return ConnectorStatusChanged(ConnectorStatusReported(EvseRef(1, 1), status), at(seconds))


def test_a_car_whose_connector_is_free_has_left_although_no_end_was_heard():
    keeper = kept(opened())
    keeper.hear(STATION, free(600), at(600))
    assert len(keeper.cars(at(650), None)) == 1
    assert keeper.cars(at(721), None) == ()
    keeper.hear(STATION, told(*currents(10.0, 10.0, 10.0), seconds=800), at(800))
    assert len(keeper.cars(at(801), None)) == 1


def test_a_connector_that_is_taken_again_keeps_its_car():
    keeper = kept(opened())
    keeper.hear(STATION, free(600), at(600))
    keeper.hear(STATION, free(610, ConnectorStatus.OCCUPIED), at(610))
    assert len(keeper.cars(at(900), None)) == 1


def test_the_store_says_which_cars_are_gone():
    keeper = kept(opened(), opened("t2", 50, evse=2))
    assert keeper.reconcile([("CP-1", "t1")], read_at=at(40)) == frozenset()
    assert keeper.reconcile([("CP-1", "t1")], read_at=at(60)) == {"CP-1/2"}
    assert views(keeper) == {"CP-1/1": "t1"}


def test_a_cars_own_needs_limit_it_and_count_from_when_it_told_them():
    keeper = kept(opened(), needs(0, departure_at=at(7200)), updated(600, meter_last_wh=6000.0))
    view = car(keeper)
    assert view.current_a_max == 16.0
    assert view.need.energy_kwh == pytest.approx(15.0)
    assert (view.need.departs_at, view.need.departure_source) == (at(7200), NeedSource.CAR)


def test_needs_that_come_before_the_transaction_wait_for_it():
    assert car(kept(needs(-60, transaction_id=None), opened())).current_a_max == 16.0
    assert car(kept(needs(-3600, transaction_id=None), opened())).current_a_max == inf


def test_the_driver_comes_before_the_car():
    keeper = kept(opened(), needs(0, departure_at=at(7200)))
    assert keeper.ask(DriverRequest(station="CP-1", evse=1, energy_kwh=8.0, departs_at=at(3600)), at(10)) == ()
    need = car(keeper).need
    assert (need.energy_kwh, need.energy_source) == (8.0, NeedSource.DRIVER)
    assert (need.departs_at, need.departure_source) == (at(3600), NeedSource.DRIVER)
    assert "the driver said" in need.detail


def test_a_request_ends_with_its_transaction():
    keeper = kept(opened())
    keeper.ask(DriverRequest(token="TAG", energy_kwh=8.0, priority=3), at(10))
    assert car(keeper).priority == 3
    keeper.hear(STATION, ended(600), at(600))
    keeper.hear(STATION, opened("t2", 700), at(700))
    assert car(keeper, 800).need.energy_source is NeedSource.DEFAULT
    assert car(keeper, 800).priority is None


def test_nonsense_in_a_request_is_said_and_left_out():
    keeper = kept(opened())
    complaints = keeper.ask(DriverRequest(token="tag", energy_kwh=-8.0, departs_at=at(0), priority=1), at(10))
    assert len(complaints) == 2
    view = car(keeper)
    assert (view.priority, view.need.energy_kwh, view.need.departs_at) == (1, inf, None)


def test_priority_charging_and_the_tokens_priority_count():
    verdict = TokenVerdict(TokenStatus.ACCEPTED, priority=2)
    keeper = kept(opened(verdict=verdict))
    assert car(keeper).priority == 2
    keeper.hear(STATION, PriorityChanged("t1", True, at(10)), at(10))  # noqa: FBT003 (a fact's field)
    assert car(keeper).priority > 9
    keeper.hear(STATION, PriorityChanged("t1", False, at(20)), at(20))  # noqa: FBT003 (a fact's field)
    assert car(keeper).priority == 2


def test_a_car_that_draws_less_than_it_may_tapers():
    keeper = kept(opened())
    keeper.allow("CP-1/1", 32.0)
    keeper.allow("nowhere", 32.0)
    touched = [keeper.hear(STATION, told(*currents(12.0, 12.0, 12.0), seconds=60 * n), at(60 * n)) for n in range(1, 5)]
    view = car(keeper)
    assert view.tapering
    assert 13.0 <= view.current_a_max <= 15.0
    assert {"CP-1/1"} in touched


def test_a_car_that_takes_nothing_although_it_may_needs_little():
    keeper = kept(opened(), updated(60, charging_state=ChargingState.SUSPENDED_EV))
    assert car(keeper, 300).need.energy_kwh == inf
    need = car(keeper, 700).need
    assert need.energy_kwh < 1.0
    assert "takes nothing" in need.detail


def test_a_car_that_is_paused_by_us_is_not_full():
    keeper = kept(opened())
    keeper.allow("CP-1/1", 0.0)
    for number in range(1, 40):
        keeper.hear(STATION, told(*currents(0.0, 0.0, 0.0), seconds=60 * number), at(60 * number))
    assert car(keeper, 2400).need.energy_kwh == inf


def test_a_stay_that_is_over_is_told_once_to_be_learned():
    keeper = kept(opened())
    keeper.ask(DriverRequest(token="tag", energy_kwh=8.0, departs_at=at(7200)), at(10))
    keeper.hear(STATION, ended(3600, energy_wh=5000.0), at(3600))
    (stay,) = keeper.departed()
    assert (stay.station, stay.site, stay.token_key) == ("CP-1", "depot", "tag")
    assert (stay.arrived_at, stay.departed_at, stay.energy_kwh) == (at(0), at(3600), 5.0)
    assert (stay.claimed_departs_at, stay.claimed_kwh) == (at(7200), 8.0)
    assert keeper.departed() == ()


@pytest.mark.parametrize(("amps", "last_s", "still"), [(16.0, 3500, True), (16.0, 1200, False), (0.2, 3500, False)])
def test_a_car_that_leaves_while_it_charges_may_have_wanted_more(amps, last_s, still):
    keeper = kept(opened(), told(*currents(amps, 0.0, 0.0), seconds=last_s), ended(3600))
    assert keeper.departed()[0].still_taking is still


@pytest.mark.parametrize(("state", "still"), [(ChargingState.CHARGING, True), (ChargingState.SUSPENDED_EV, False)])
def test_without_a_meter_the_station_says_whether_it_was_charging(state, still):
    assert kept(opened(charging_state=state), ended(3600)).departed()[0].still_taking is still


def test_how_likely_cars_stay_is_told_by_node():
    keeper = kept(opened(), opened("t2", 0, 2, token="other"))
    keeper.ask(DriverRequest(token="tag", departs_at=at(3600)), at(0))
    slots = np.full(8, 900.0)
    found = keeper.staying(["CP-1/2", "nowhere", "CP-1/1"], slots, at(600), Forecaster())
    assert found.shape == (3, 8)
    assert (found[1] == 1.0).all()
    assert (np.diff(found, axis=1) <= 0).all()
    assert found[2, -1] < 0.1 < found[0, -1]
    assert found[2, 0] > 0.9


def test_nothing_is_learned_of_a_transaction_that_we_ended():
    keeper = kept(opened(), ended(3600, reason="Abandoned"))
    assert keeper.departed() == ()
    assert keeper.cars(at(3601), None) == ()


def test_a_restart_leaves_the_same_cars():
    before = kept(opened(), updated(600, meter_last_wh=3000.0), told(*currents(10.0, 10.0, 10.0), seconds=600))
    after = CarKeeper(SITE)
    facts = [opened(), updated(600, meter_last_wh=3000.0), told(*currents(10.0, 10.0, 10.0), seconds=600)]
    after.restore([(STATION, fact) for fact in facts], at(700))
    assert after.cars(at(700), None) == before.cars(at(700), None)


def test_a_restart_counts_a_cars_needs_from_when_it_told_them():
    after = CarKeeper(SITE)
    after.restore([(STATION, each) for each in (opened(), updated(1000, meter_last_wh=6000.0), needs(0))], at(1000))
    assert car(after, 1000).need.energy_kwh == pytest.approx(15.0)


names, evses = some.sampled_from(["t1", "t2", "t3", "t4", "t5", "t6"]), some.sampled_from([None, 0, 1, 2, 9])
seconds = some.integers(-10_000, 10_000)
amps = some.one_of(some.floats(allow_nan=True), some.sampled_from([0.0, 16.0]))
any_fact = some.one_of(
    some.builds(opened, names, seconds, evses, some.sampled_from([None, "tag"]), meter_start_wh=amps),
    some.builds(updated, seconds, names, meter_last_wh=amps, cable_a_max=some.one_of(some.none(), amps)),
    some.builds(ended, seconds, names),
    some.builds(needs, seconds, names, some.sampled_from([1, 2, 9])),
    some.builds(free, seconds, some.sampled_from(ConnectorStatus)),
    some.builds(lambda name, active: PriorityChanged(name, active, at(0)), names, some.booleans()),
    some.tuples(amps, amps, seconds, names).map(
        lambda each: told(*currents(each[0], each[1]), seconds=each[2], transaction_id=each[3])
    ),
)


@settings(max_examples=150, deadline=None)
@given(some.lists(any_fact, max_size=40))
def test_in_whatever_order_facts_come_there_is_at_most_one_car_per_place(facts):
    keeper = CarKeeper(SITE)
    for number, fact in enumerate(facts):
        keeper.hear(STATION, fact, at(number))
        found = keeper.cars(at(number), None)
        assert len({view.node for view in found}) == len(found) <= 2
        for view in found:
            assert view.need.energy_kwh > 0
            assert view.energy_kwh >= 0
            assert view.current_a_max >= 6.0
            assert set(view.phases) <= {1, 2, 3}


def test_loads_are_heard_and_told():
    load = Load(load="building", node="grid", kind=LoadKind.METERED, station="METER", kw=50.0)
    keeper = CarKeeper(depot(loads=(load,)))
    assert [alert.kind for alert in keeper.alerts(at(0))] == [AlertKind.STALE_METER]
    power = ReadingsRecorded((reading(9000.0, "Power.Active.Import"),), at(10), None, EvseRef(0))
    assert keeper.hear("METER", power, at(10)) == {"grid"}
    (found,) = keeper.loads(at(10), np.array([60.0, 60.0]), at(10))
    assert found.kw.sum(axis=0) == pytest.approx([9.0, 9.0])
    assert keeper.alerts(at(11)) == ()
