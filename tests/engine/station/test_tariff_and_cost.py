"""What transactions cost: chosen, counted, told and settled."""

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.model.authorization import Token, TokenPresented, TokenRecord
from engine.model.commands import CommandRequested, Outcome, Result
from engine.model.ids import EvseRef
from engine.model.metering import Reading
from engine.model.tariff_and_cost import (
    AssignedTo,
    ChangeTransactionTariff,
    ClearTariffs,
    CostBegun,
    CostCounted,
    CostFlag,
    CostReported,
    CostSettled,
    DefaultTariffInstalled,
    GetTariffs,
    HeldTariff,
    HeldTariffsCleared,
    HeldTariffsListed,
    SetDefaultTariff,
    TariffBook,
    TariffsCleared,
    TariffsFound,
    TransactionTariffChanged,
    UpdateCost,
)
from engine.model.tariffs import Price, PriceList, Tariff
from engine.model.transactions import ChargingState, Stage, TransactionExtras, TransactionReported
from engine.station.policy import CostPolicy, Policy
from tests.engine.station.charging import ask, tell


def per_kwh(name, amount, **fields):
    return Tariff(id=name, currency="EUR", energy=PriceList((Price(Decimal(amount)),)), **fields)


CHEAP, DEAR = per_kwh("cheap", "0.25"), per_kwh("dear", "1.00")
BOOK = TariffBook().with_saved(CHEAP).with_saved(DEAR).with_assigned(AssignedTo.DEFAULT, "", "cheap")


@pytest.fixture
def station(make_actor):
    """A connected station, known tokens and a book of tariffs."""
    actor = make_actor(tokens=[TokenRecord(Token("04AB"), group="fleet")])
    actor.tariffs = BOOK
    actor.connect()
    actor.boot()
    actor.wait(10)
    return actor


def meter(actor, wh):
    return (Reading(at=actor.now, value=float(wh)),)


def event(actor, stage, sequence, wh=None, **fields):
    report = TransactionReported(
        stage=stage,
        transaction_id="t-1",
        at=actor.now,
        evse=EvseRef(1, 1),
        token=Token("04AB", "ISO14443") if stage is Stage.STARTED else None,
        readings=() if wh is None else meter(actor, wh),
        sequence=sequence,
        trigger="x",
        **fields,
    )
    return actor.says(report, message_id=f"{stage}-{sequence}")


def of(actor, kind):
    return [fact for fact in actor.recorded if isinstance(fact, kind)]


def commanded(actor):
    commands = [fact.request.command for fact in of(actor, CommandRequested)]
    return [command for command in commands if isinstance(command, UpdateCost)]


def test_I03_FR_02_the_total_is_told_when_the_transaction_ends(station):
    assert event(station, Stage.STARTED, 0, 1000).total_cost is None
    assert [fact.tariff_id for fact in of(station, CostBegun)] == ["cheap"]
    station.wait(3600)
    answer = event(station, Stage.ENDED, 1, 11_000)
    assert answer.total_cost == 2.5
    (settled,) = of(station, CostSettled)
    assert (settled.cost.total.incl, settled.cost.tariff_id, settled.flags) == (Decimal("2.50"), "cheap", ())
    assert station.state.costs.costs == ()


def test_I03_FR_04_free_is_zero_and_unknown_is_not_said(station):
    station.tariffs = (
        TariffBook().with_saved(Tariff(id="free", currency="EUR")).with_assigned(AssignedTo.DEFAULT, "", "free")
    )
    event(station, Stage.STARTED, 0, 1000)
    assert event(station, Stage.ENDED, 1, 2000).total_cost == 0.0


@pytest.mark.parametrize("book", [None, TariffBook().with_saved(CHEAP)])
def test_without_a_tariff_nothing_is_said_or_kept(station, book):
    station.tariffs = book
    event(station, Stage.STARTED, 0, 1000)
    assert event(station, Stage.ENDED, 1, 2000).total_cost is None
    assert not station.of(CostBegun)


@pytest.mark.parametrize(
    ("assignments", "expected"),
    [
        ([], "cheap"),
        ([(AssignedTo.STATION, "CP-1")], "dear"),
        ([(AssignedTo.GROUP, "fleet")], "dear"),
        ([(AssignedTo.TOKEN, "04ab")], "dear"),
        ([(AssignedTo.STATION, "CP-2"), (AssignedTo.TOKEN, "other")], "cheap"),
    ],
)
def test_the_tariff_is_the_tokens_its_groups_the_stations_or_the_default(station, assignments, expected):
    for to, name in assignments:
        station.tariffs = station.tariffs.with_assigned(to, name, "dear")
    event(station, Stage.STARTED, 0, 1000)
    assert [fact.tariff_id for fact in of(station, CostBegun)] == [expected]


def test_a_token_that_comes_later_brings_its_tariff(station):
    station.tariffs = BOOK.with_assigned(AssignedTo.TOKEN, "04ab", "dear")
    report = TransactionReported(
        stage=Stage.STARTED, transaction_id="t-1", at=station.now, evse=EvseRef(1, 1), sequence=0, trigger="x"
    )
    station.says(report)
    assert of(station, CostBegun)[0].tariff_id == "cheap"
    station.wait(10)
    later = TransactionReported(
        stage=Stage.UPDATED, transaction_id="t-1", at=station.now, token=Token("04AB"), sequence=1, trigger="Authorized"
    )
    station.says(later, message_id="later")
    assert of(station, CostBegun)[0].tariff_id == "dear"


def test_I02_FR_01_a_driver_is_told_the_running_cost_at_an_interval(station):
    event(station, Stage.STARTED, 0, 0)
    station.wait(30)
    event(station, Stage.UPDATED, 1, 500)
    assert not of(station, CostCounted), "the interval is not over"
    station.wait(30)
    event(station, Stage.UPDATED, 2, 4000)
    assert commanded(station) == [UpdateCost("t-1", Decimal("1.00"))]
    station.wait(60)
    event(station, Stage.UPDATED, 3, 4100)
    assert of(station, CostCounted)
    assert not commanded(station), "two and a half cents are not worth a message"
    station.wait(60)
    event(station, Stage.UPDATED, 4, 8000)
    assert commanded(station) == [UpdateCost("t-1", Decimal("2.00"))]


def test_a_station_that_does_not_know_CostUpdated_is_spared(station):
    event(station, Stage.STARTED, 0, 0)
    tell(station, UpdateCost("t-1", Decimal(1)), Outcome(Result.FAILED, "NotImplemented"))
    station.wait(60)
    event(station, Stage.UPDATED, 1, 4000)
    assert of(station, CostCounted)
    assert not commanded(station)


def test_the_operator_may_want_no_updates(make_actor):
    actor = make_actor(policy=Policy(costs=CostPolicy(updates=False)))
    actor.tariffs = BOOK
    actor.connect()
    actor.boot()
    event(actor, Stage.STARTED, 0, 0)
    actor.wait(60)
    event(actor, Stage.UPDATED, 1, 4000)
    assert not commanded(actor)


def test_a_1_6_transaction_has_a_cost_and_no_updates(station):
    start = TransactionReported(
        stage=Stage.STARTED, at=station.now, evse=EvseRef(1, 1), token=Token("04AB"), meter_wh=1000.0
    )
    number = station.says(start).number
    station.wait(3600)
    update = TransactionReported(stage=Stage.UPDATED, transaction_id=str(number), readings=meter(station, 3000))
    station.says(update, message_id="u")
    assert not commanded(station)
    stop = TransactionReported(stage=Stage.ENDED, transaction_id=str(number), at=station.now, meter_wh=5000.0)
    station.says(stop, message_id="s")
    assert of(station, CostSettled)[0].cost.total.incl == Decimal("1.00")


def test_idle_time_begins_when_the_car_pauses(station):
    idle = Tariff(id="idle", currency="EUR", idle_time=PriceList((Price(Decimal(1)),)))
    station.tariffs = TariffBook().with_saved(idle).with_assigned(AssignedTo.DEFAULT, "", "idle")
    event(station, Stage.STARTED, 0, 0, charging_state=ChargingState.CHARGING)
    station.wait(600)
    event(station, Stage.UPDATED, 1, charging_state=ChargingState.SUSPENDED_EV)
    station.wait(300)
    assert event(station, Stage.ENDED, 2).total_cost == 5.0


def test_a_tariff_that_goes_while_a_transaction_runs_leaves_its_cost_unknown(station):
    event(station, Stage.STARTED, 0, 0)
    station.tariffs = BOOK.without("cheap")
    assert event(station, Stage.ENDED, 1, 1000).total_cost is None
    (settled,) = of(station, CostSettled)
    assert settled.flags == (CostFlag.TARIFF_GONE,)
    assert settled.cost.failure
    assert station.state.costs.costs == ()


def test_a_transaction_without_a_meter_is_flagged(station):
    event(station, Stage.STARTED, 0)
    event(station, Stage.ENDED, 1)
    assert of(station, CostSettled)[0].flags == (CostFlag.NO_METER,)


def test_I12_FR_01_what_the_station_reckoned_is_kept_verbatim(station):
    event(station, Stage.STARTED, 0, 0)
    event(station, Stage.ENDED, 1, 1000, extras=TransactionExtras(cost=b'{"totalCost":{}}'))
    assert [(fact.cost, fact.final) for fact in of(station, CostReported)] == [(b'{"totalCost":{}}', True)]


def test_I08_FR_01_a_drivers_own_tariff_goes_with_the_verdict_if_stations_are_told(make_actor):
    actor = make_actor(tokens=[TokenRecord(Token("04AB"))], policy=Policy(costs=CostPolicy(driver_tariffs=True)))
    actor.connect()
    actor.boot()
    dated = per_kwh("own", "0.10", valid_from=actor.now)
    actor.tariffs = BOOK.with_saved(dated).with_assigned(AssignedTo.TOKEN, "04ab", "own")
    told = actor.says(TokenPresented(Token("04AB")), message_id="a").tariff
    assert (told.id, told.valid_from) == ("own", None), "I08.FR.09"
    assert actor.says(TokenPresented(Token("FFFF")), message_id="b").tariff is None


def test_stations_are_not_told_tariffs_by_default(station):
    station.tariffs = BOOK.with_assigned(AssignedTo.TOKEN, "04ab", "dear")
    assert station.says(TokenPresented(Token("04AB"))).tariff is None


class TestHeld:
    """Tariffs that 2.1 stations hold."""

    def test_I07_FR_10_an_accepted_default_is_held(self, station):
        facts = tell(station, SetDefaultTariff(CHEAP, evse=1))
        assert [(fact.evse, fact.tariff) for fact in facts if isinstance(fact, DefaultTariffInstalled)] == [(1, CHEAP)]

    def test_a_tariff_that_is_not_sound_is_objected_to(self, station):
        assert "currency" in ask(station, SetDefaultTariff(Tariff(id="x", currency="euro")))

    def test_I09_what_the_station_lists_is_all_it_has(self, station):
        held = (HeldTariff("cheap", "DefaultTariff", evses=(1, 2)),)
        facts = tell(station, GetTariffs(), Outcome(Result.ACCEPTED, "Accepted", found=TariffsFound(held)))
        assert [fact.tariffs for fact in facts if isinstance(fact, HeldTariffsListed)] == [held]
        facts = tell(station, GetTariffs(1), Outcome(Result.ACCEPTED, "NoTariff"), "d")
        assert [(fact.evse, fact.tariffs) for fact in facts if isinstance(fact, HeldTariffsListed)] == [(1, ())]

    def test_I10_what_is_cleared_is_gone(self, station):
        found = Outcome(Result.ACCEPTED, "Accepted", found=TariffsCleared(("a",)))
        facts = tell(station, ClearTariffs(), found)
        assert [fact.tariff_ids for fact in facts if isinstance(fact, HeldTariffsCleared)] == [("a",)]

    def test_I11_FR_04_05_a_tariff_changes_for_a_running_transaction_and_in_its_currency(self, station):
        assert "I11.FR.04" in ask(station, ChangeTransactionTariff("t-1", DEAR))
        event(station, Stage.STARTED, 0, 0)
        other = Tariff(id="other", currency="USD")
        assert "I11.FR.05" in ask(station, ChangeTransactionTariff("t-1", other), "d")
        facts = tell(station, ChangeTransactionTariff("t-1", DEAR), command_id="e")
        assert any(isinstance(fact, TransactionTariffChanged) for fact in facts)


class TestBook:
    """The operator's book."""

    def test_I08_FR_08_another_content_needs_another_id(self):
        with pytest.raises(ValueError, match="use another id"):
            BOOK.with_saved(per_kwh("cheap", "0.26"))
        assert BOOK.with_saved(CHEAP) == BOOK

    def test_only_what_is_in_it_can_be_assigned(self):
        with pytest.raises(ValueError, match="save it first"):
            BOOK.with_assigned(AssignedTo.STATION, "CP-1", "nope")

    def test_whoever_had_a_tariff_that_goes_has_none(self):
        book = BOOK.with_assigned(AssignedTo.TOKEN, "x", "cheap").without("cheap")
        assert [*book.assigned()] == []

    def test_an_assignment_can_be_taken_back(self):
        book = BOOK.with_assigned(AssignedTo.GROUP, "g", "dear")
        assert book.with_assigned(AssignedTo.GROUP, "g", None) == BOOK


def test_older_readings_do_no_harm(station):
    event(station, Stage.STARTED, 0, 0)
    station.wait(120)
    event(station, Stage.UPDATED, 1, 4000)
    late = TransactionReported(
        stage=Stage.UPDATED,
        transaction_id="t-1",
        at=station.now - timedelta(seconds=100),
        readings=meter(station, 100),
        sequence=5,
        trigger="x",
    )
    station.says(late, message_id="late")
    station.wait(60)
    assert event(station, Stage.ENDED, 6, 8000).total_cost == 2.0
