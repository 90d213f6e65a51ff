"""What the meter says of a transaction's energy, and readings outside transactions."""

import pytest

from engine.model.ids import EvseRef
from engine.model.metering import Reading, ReadingsAnswer, ReadingsRecorded, ReadingsReported
from engine.model.transactions import Stage, TransactionEnded, TransactionOpened, TransactionReported
from engine.station.metering import Registers, registers

BEGIN, END = "Transaction.Begin", "Transaction.End"


def energy(value, context="Sample.Periodic", location="Outlet", **more):
    return Reading(at=None, value=value, context=context, location=location, **more)


def power(value):
    return Reading(at=None, value=value, measurand="Power.Active.Import", unit="W")


def run(actor, *messages):
    """A 2.x transaction: readings of Started, of each Updated, of Ended."""
    for sequence, readings in enumerate(messages):
        stage = Stage.STARTED if sequence == 0 else Stage.ENDED if sequence == len(messages) - 1 else Stage.UPDATED
        report = TransactionReported(
            stage=stage, transaction_id="tx", at=actor.wait(60), sequence=sequence, readings=tuple(readings)
        )
        actor.says(report)
    (ended,) = actor.of(TransactionEnded)
    return ended


@pytest.mark.parametrize(
    ("messages", "stop_wh", "energy_wh"),
    [
        ([[energy(100.0)], [energy(200.0)], [energy(300.0)]], 300.0, 200.0),
        ([[energy(100.0)], [energy(200.0)], []], 200.0, 100.0),
        ([[], [energy(200.0)], [energy(300.0)]], 300.0, 100.0),
        ([[energy(90.0), energy(100.0, BEGIN)], [energy(300.0)]], 300.0, 200.0),
        ([[energy(100.0)], [energy(300.0, END), energy(290.0)]], 300.0, 200.0),
        ([[], [energy(100.0, BEGIN), energy(200.0), energy(300.0, END)]], 300.0, 200.0),
        ([[], [energy(300.0, END)]], 300.0, None),
        ([[], []], None, None),
        ([[power(7000.0)], [power(7000.0)], [power(0.0)]], None, None),
        ([[energy(100.0)], [energy(None, signed="x")], []], 100.0, 0.0),
        ([[energy(100.0)], [energy(float("nan"))], []], 100.0, 0.0),
        ([[energy(50.0, phase="L1"), energy(100.0)], [energy(70.0, phase="L1"), energy(300.0)]], 300.0, 200.0),
        ([[energy(100.0, location="Inlet")], [energy(150.0, location="Inlet")]], 150.0, 50.0),
        ([[energy(100.0, location="Inlet")], [energy(9.0), energy(150.0, location="Inlet")]], 150.0, 50.0),
        ([[], [energy(100.0, location="Inlet")], [energy(9.0), energy(150.0, location="Inlet")]], 150.0, 50.0),
        ([[energy(100.0), energy(120.0, location="Inlet")], [energy(180.0, location="Inlet")]], 100.0, 0.0),
        ([[energy(100.0, location="Body")], [energy(150.0, location="Body")]], None, None),
    ],
)
def test_energy_is_the_stop_less_the_start_of_one_register(actor, messages, stop_wh, energy_wh):
    ended = run(actor, *messages)
    assert (ended.meter_stop_wh, ended.energy_wh) == (stop_wh, energy_wh)


def test_a_start_with_several_readings_tells_first_and_last(actor):
    report = TransactionReported(
        stage=Stage.STARTED, transaction_id="tx", sequence=0, readings=(energy(100.0, BEGIN), energy(110.0))
    )
    actor.says(report)
    assert [fact.meter_start_wh for fact in actor.of(TransactionOpened)] == [100.0]
    assert actor.recorded[-1].meter_last_wh == 110.0
    (known,) = actor.state.ledger.open
    assert (known.meter_start_wh, known.meter_last_wh) == (100.0, 110.0)


def test_a_meter_start_that_the_station_named_stands_against_readings(actor):
    actor.says(TransactionReported(stage=Stage.STARTED, at=actor.now, meter_wh=100.0))
    readings = (energy(40.0, BEGIN), energy(160.0, END))
    actor.says(TransactionReported(stage=Stage.ENDED, transaction_id="1", at=actor.now, readings=readings))
    assert [fact.energy_wh for fact in actor.of(TransactionEnded)] == [60.0]


def test_an_unseen_start_is_known_by_a_reading_of_the_begin_alone(actor):
    for sequence, reading in ((3, energy(200.0)), (4, energy(100.0, BEGIN))):
        actor.says(
            TransactionReported(stage=Stage.UPDATED, transaction_id="tx", sequence=sequence, readings=(reading,))
        )
    assert actor.state.ledger.open[0].meter_start_wh == 100.0


def test_the_outlet_is_preferred_and_order_is_that_of_the_message():
    readings = (energy(1.0, location="Inlet"), energy(2.0), energy(3.0, END), energy(4.0), power(9.0))
    assert registers(readings, None) == Registers("Outlet", 2.0, 4.0, None, 3.0)
    assert registers(readings, "Inlet") == Registers("Inlet", 1.0, 1.0)
    assert registers((power(9.0),), None) is None
    assert registers((energy(2.0),), "Inlet") is None


def test_readings_outside_transactions_are_recorded_and_answered(actor):
    readings = (energy(100.0), power(7000.0))
    actor.says(TransactionReported(stage=Stage.STARTED, at=actor.now, evse=EvseRef(1, 1), meter_wh=100.0))
    assert actor.says(ReadingsReported(evse=EvseRef(1, 1), readings=readings)) == ReadingsAnswer()
    assert actor.recorded == [ReadingsRecorded(readings=readings, received_at=actor.now, evse=EvseRef(1, 1))]
