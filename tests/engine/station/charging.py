"""Profiles and conversations that the tests of smart charging share."""

from datetime import timedelta

from engine.model.authorization import Token
from engine.model.charging_profiles import (
    ChargingProfile,
    ChargingSchedule,
    ProfileKind,
    ProfilePurpose,
    RateUnit,
    SchedulePeriod,
)
from engine.model.commands import CommandReplied, CommandRequest, Outcome, Result
from engine.model.ids import EvseRef
from engine.model.transactions import Stage, TransactionReported
from engine.station.effects import Send, Settle


def profile(number=1, purpose=ProfilePurpose.TX_DEFAULT, *, level=0, transaction=None, limits=(16.0,), **changes):
    """A relative profile of one schedule, a period a minute."""
    periods = tuple(SchedulePeriod(start_s=60 * place, limit=limit) for place, limit in enumerate(limits))
    fields = {
        "id": number,
        "stack_level": level,
        "purpose": purpose,
        "kind": ProfileKind.RELATIVE,
        "schedules": (ChargingSchedule(unit=RateUnit.A, periods=periods, id=number),),
        "transaction_id": transaction,
    }
    return ChargingProfile(**(fields | changes))


def tx_profile(number=1, transaction="t-1", **changes):
    return profile(number, ProfilePurpose.TX, transaction=transaction, **changes)


def ask(actor, command, command_id="c"):
    """Requests a command; the id says when it is asked again. Returns why it was refused, or None."""
    request = CommandRequest(command_id, "CP-1", command, actor.now, actor.now + timedelta(minutes=5))
    effects = actor.take(request)
    settled = [effect.outcome for effect in effects if isinstance(effect, Settle) and effect.command_id == command_id]
    if settled:
        assert settled[0].result is Result.REFUSED
        return settled[0].detail
    return None


def reply(actor, outcome=None, command_id="c"):
    """The station's answer; returns the facts that came of it."""
    actor.take(CommandReplied(command_id, outcome or Outcome(Result.ACCEPTED, "Accepted")))
    return actor.recorded


def tell(actor, command, outcome=None, command_id="c"):
    """Asks and answers; returns the facts that came of the answer."""
    assert ask(actor, command, command_id) is None
    assert any(isinstance(effect, Send) for effect in actor.effects)
    return reply(actor, outcome, command_id)


def start(actor, transaction_id="t-1", evse=1, sequence=0, **fields):
    """A 2.x transaction begins."""
    report = TransactionReported(
        stage=Stage.STARTED,
        transaction_id=transaction_id,
        at=actor.now,
        evse=EvseRef(evse, 1),
        token=Token("04AB", "ISO14443"),
        sequence=sequence,
        trigger="Authorized",
        **fields,
    )
    return actor.says(report, message_id=f"start-{transaction_id}")


def end(actor, transaction_id="t-1", sequence=9, **fields):
    """It ends."""
    report = TransactionReported(
        stage=Stage.ENDED, transaction_id=transaction_id, at=actor.now, sequence=sequence, **fields
    )
    return actor.says(report, message_id=f"end-{transaction_id}")
