"""Stations are asked what they can, once for each firmware, after their default is safe."""

import pytest

from engine.model.commands import Outcome, Result
from engine.model.configuration_keys import ref_of_key
from engine.model.provisioning import GetVariables, VariableResult
from engine.model.smart_charging import GetChargingProfiles
from tests.smartcharging.wire.fleet import ACCEPTED, Bench, booted, connected


def questions(orders):
    return [order for order in orders if isinstance(order.command, GetVariables)]


def bench_that_probes():
    return Bench(1, settings={"probe": True})


def answer(bench, order, outcome):
    bench.wire.settled(order.order_id, outcome, bench.now)


TOLD = Outcome(
    Result.ACCEPTED,
    variables=(
        VariableResult(ref=ref_of_key("ChargingScheduleMaxPeriods"), status="Accepted", value="2"),
        VariableResult(ref=ref_of_key("ChargeProfileMaxStackLevel"), status="Accepted", value="5"),
        VariableResult(ref=ref_of_key("Nonsense"), status="UnknownVariable"),
    ),
)


def test_the_default_goes_first_then_the_question_and_no_more():
    bench = bench_that_probes()
    (default,) = bench.orders()
    assert questions([default]) == []
    answer(bench, default, ACCEPTED)
    (question,) = questions(bench.orders())
    assert bench.orders() == []
    answer(bench, question, TOLD)
    ability = bench.wire.abilities()["CP0"].ability
    assert (ability.periods_max, ability.stack_level_max) == (2, 5)
    bench.wait(4000)
    assert questions(bench.run()) == []
    connected(bench.wire, "CP0", bench.now, session="again")
    booted(bench.wire, "CP0", bench.now)
    assert questions(bench.run()) == []
    booted(bench.wire, "CP0", bench.now, firmware="2")
    assert len(questions(bench.run())) == 1


def test_a_question_without_an_answer_is_asked_again_later():
    bench = bench_that_probes()
    bench.run(1)
    (question,) = questions(bench.orders())
    answer(bench, question, Outcome(Result.TIMED_OUT))
    assert questions(bench.orders()) == []
    bench.wait(bench.settings.retry_s + 1)
    assert len(questions(bench.orders())) == 1


def test_a_station_that_will_not_say_is_left_alone():
    bench = bench_that_probes()
    bench.run(1)
    asked = 0
    for _ in range(60):
        for question in questions(bench.orders()):
            answer(bench, question, Outcome(Result.FAILED, "NotSupported"))
            asked += 1
        bench.wait(60)
    assert asked == 2


@pytest.mark.parametrize(("version", "times"), [("1.6", 0), ("2.0.1", 1), ("2.1", 1)])
def test_a_station_is_asked_once_what_it_holds_already(version, times):
    bench = Bench(1, version=version, settings={"probe": True})
    bench.run(8)
    bench.wait(4000)
    bench.run(8)
    listings = [order for order in bench.sent if isinstance(order.command, GetChargingProfiles)]
    assert len(listings) == times


def test_without_the_setting_nobody_is_asked():
    bench = Bench(1)
    bench.run()
    bench.wait(60)
    assert questions(bench.run()) == []
