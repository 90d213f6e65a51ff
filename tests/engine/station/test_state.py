"""What is remembered of a station stays small and survives its rest."""

from datetime import timedelta

from engine.model.authorization import Token
from engine.model.availability import ConnectorStatus, ConnectorStatusReported
from engine.model.ids import EvseRef
from engine.model.metering import Reading
from engine.model.transactions import ChargingState, Stage, TransactionReported
from engine.station.ledger import KEYS_OPEN_MAX, TRANSACTIONS_ENDED_MAX, TRANSACTIONS_FORGOTTEN_MAX
from engine.station.state import decode_state, encode_state, fresh

SIZE_BYTES_MAX = 1536


def event(actor, transaction_id, stage, sequence, value):
    report = TransactionReported(
        stage=stage,
        transaction_id=transaction_id,
        at=actor.wait(60),
        evse=EvseRef(1, 1),
        token=Token("04ABCDEF012345"),
        readings=(Reading(at=actor.now, value=value),),
        sequence=sequence,
        trigger="MeterValuePeriodic",
        charging_state=ChargingState.SUSPENDED_EVSE,
    )
    actor.says(report)


def test_a_fresh_station_remembers_nothing():
    assert decode_state(encode_state(fresh("CP-1"))) == fresh("CP-1")
    assert len(encode_state(fresh("CP-1"))) < 100


def test_a_busy_station_of_two_connectors_stays_within_its_budget(actor):
    for connector in (1, 2):
        status = ConnectorStatus.SUSPENDED_EVSE
        at = actor.now + timedelta(microseconds=123457)
        actor.says(ConnectorStatusReported(evse=EvseRef(connector, 1), status=status, at=at))
    for n in range(TRANSACTIONS_ENDED_MAX + TRANSACTIONS_FORGOTTEN_MAX + 1):
        transaction_id = f"0f8fad5b-d9cb-469f-a165-70867728{n:04}"
        for sequence, stage in enumerate([Stage.STARTED, *[Stage.UPDATED] * KEYS_OPEN_MAX, Stage.ENDED]):
            event(actor, transaction_id, stage, sequence, 123456.7 + sequence)
    for sequence, stage in enumerate([Stage.STARTED, *[Stage.UPDATED] * KEYS_OPEN_MAX]):
        event(actor, "0f8fad5b-d9cb-469f-a165-70867728ffff", stage, sequence, 123456.7 + sequence)
    assert len(actor.state.ledger.forgotten) == TRANSACTIONS_FORGOTTEN_MAX
    assert len(encode_state(actor.state)) < SIZE_BYTES_MAX
