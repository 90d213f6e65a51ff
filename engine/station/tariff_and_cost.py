"""Tariffs and costs: what transactions cost, told while they run and when they end. OCPP 2.1 block I.

    transaction opens    its tariff is chosen: the token's, its group's, the station's, the default; none: no cost
    it goes on           usage is counted when the interval of the policy is over or charging begins or pauses, and 2.x
                         stations are sent CostUpdated where the sum has moved enough (I02)
    it ends              the cost is settled, and told in the answer (I03.FR.02); free is 0.00, unknown is not said

Between two counts energy flows evenly. A tariff that goes out of the operator's book while a transaction runs leaves
its cost unknown, flagged. 1.6 has no message for costs: they are counted and kept.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from engine.model.authorization import TokenAnswer, TokenPresented, TokenStatus
from engine.model.commands import CommandRequest, Outcome, Result
from engine.model.facts import Fact
from engine.model.tariff_and_cost import (
    ChangeTransactionTariff,
    ClearTariffs,
    CostBegun,
    CostCounted,
    CostFlag,
    CostReported,
    CostSettled,
    CostUpdatesUnsupported,
    DefaultTariffInstalled,
    GetTariffs,
    HeldTariffsCleared,
    HeldTariffsListed,
    SetDefaultTariff,
    TariffsCleared,
    TariffsFound,
    TransactionTariffChanged,
    UpdateCost,
)
from engine.model.tariffs import CostDetails, Money, Tariff
from engine.model.transactions import (
    ChargingState,
    Stage,
    TransactionAnswer,
    TransactionEnded,
    TransactionFlag,
    TransactionOpened,
    TransactionReported,
    TransactionUpdated,
)
from engine.rating.costs import cost_of
from engine.rating.fold import advance, begin, fits
from engine.rating.samples import Sample
from engine.rating.soundness import fault_of
from engine.station.commands import issue
from engine.station.context import Context
from engine.station.effects import Effect, Record, Reply
from engine.station.known_costs import KnownCost
from engine.station.ledger import KnownTransaction
from engine.station.state import StationState, evolve

UPDATE_S = 60.0
"""How long a CostUpdated may wait for the station; the next one has a newer sum."""
UPDATE_PRIORITY = -50
UNSUPPORTED = frozenset({"NotSupported", "NotImplemented"})
NO_TARIFF = "NoTariff"
"""A station's word for: there is none."""
NO_CURRENCY = "XXX"
"""ISO 4217: no currency is involved."""

TransactionFact = TransactionOpened | TransactionUpdated | TransactionEnded


def of_transaction(
    state: StationState, report: TransactionReported, effects: tuple[Effect, ...], context: Context
) -> tuple[Effect, ...]:
    """The effects of a message about a transaction, and what they cost; the sum goes into the answer at the end."""
    effects = with_costs(state, effects, context)
    extras = report.extras
    if extras is not None and extras.cost is not None and report.transaction_id:
        ended = report.stage is Stage.ENDED
        fact = CostReported(report.transaction_id, context.received_at, cost=extras.cost, final=ended)
        effects = _before_the_reply(effects, (Record(fact),))
    settled = [fact for fact in _facts(effects) if isinstance(fact, CostSettled)]
    if not settled or settled[-1].cost.failure is not None:
        return effects
    total = float(settled[-1].cost.total.incl)
    return tuple(_with_total(effect, total) for effect in effects)


def with_costs(state: StationState, effects: tuple[Effect, ...], context: Context) -> tuple[Effect, ...]:
    """The effects of anything that tells of transactions, and what they cost."""
    if context.tariffs is None and not state.costs.costs:
        return effects
    more: list[Effect] = []
    after = state
    for fact in _facts(effects):
        after = evolve(after, fact)
        if isinstance(fact, TransactionOpened | TransactionUpdated | TransactionEnded):
            for new in _counted(after, fact, context):
                more.append(Record(new))
                after = evolve(after, new)
                more += _told(after, new, context)
    return _before_the_reply(effects, tuple(more)) if more else effects


def presented(report: TokenPresented, effects: tuple[Effect, ...], context: Context) -> tuple[Effect, ...]:
    """The answer to Authorize, with the driver's own tariff where there is one and stations are told (I08.FR.01)."""
    book = context.tariffs
    if book is None or not context.policy.costs.driver_tariffs:
        return effects

    def priced(effect: Effect) -> Effect:
        if not isinstance(effect, Reply) or not isinstance(effect.answer, TokenAnswer):
            return effect
        verdict = effect.answer.verdict
        tariff = book.of_driver(report.token.key, verdict.group)
        if tariff is None or verdict.status is not TokenStatus.ACCEPTED:
            return effect
        return Reply(replace(effect.answer, tariff=replace(tariff, valid_from=None)))

    return tuple(priced(effect) for effect in effects)


def objection_to_change(state: StationState, command: ChangeTransactionTariff, context: Context) -> str | None:
    """Why a transaction must not get another tariff (I11.FR.04, 05)."""
    if all(known.transaction_id != command.transaction_id for known in state.ledger.open):
        return f"No transaction {command.transaction_id[:50]!r} runs at the station (I11.FR.04): name one that does."
    fault = fault_of(command.tariff)
    if fault is not None:
        return f"The tariff is not sound: {fault}."
    known = state.costs.find(command.transaction_id)
    before = None if known is None or context.tariffs is None else context.tariffs.find(known.tariff_id)
    if before is not None and before.currency != command.tariff.currency:
        return f"The transaction is in {before.currency}, which cannot change (I11.FR.05): use a tariff in that."
    return None


def objection_to_default(_state: StationState, command: SetDefaultTariff, _context: Context) -> str | None:
    """Why a station must not get a default tariff."""
    fault = fault_of(command.tariff)
    return None if fault is None else f"The tariff is not sound: {fault}."


def objection_to_update(state: StationState, command: UpdateCost, _context: Context) -> str | None:
    """Why a sum must not be shown."""
    if all(known.transaction_id != command.transaction_id for known in state.ledger.open):
        return f"No transaction {command.transaction_id[:50]!r} runs at the station: name one that does."
    return None


def update_settled(
    _state: StationState, _request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """A station that knows no CostUpdated is spared."""
    if outcome.result is Result.FAILED and outcome.status in UNSUPPORTED:
        return (Record(CostUpdatesUnsupported(at=context.now)),)
    return ()


def default_settled(
    _state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """The station holds the tariff."""
    command = request.command
    assert isinstance(command, SetDefaultTariff), command
    if outcome.result is not Result.ACCEPTED:
        return ()
    return (Record(DefaultTariffInstalled(command.evse, command.tariff, context.now)),)


def listed(_state: StationState, request: CommandRequest, outcome: Outcome, context: Context) -> tuple[Effect, ...]:
    """What the station holds."""
    command = request.command
    assert isinstance(command, GetTariffs), command
    if outcome.result is not Result.ACCEPTED:
        return ()
    found = outcome.found if isinstance(outcome.found, TariffsFound) else TariffsFound()
    if not found.tariffs and outcome.status != NO_TARIFF:
        return ()
    return (Record(HeldTariffsListed(command.evse, found.tariffs, context.now)),)


def cleared(_state: StationState, request: CommandRequest, outcome: Outcome, context: Context) -> tuple[Effect, ...]:
    """What the station says is gone; what it did not have is gone, too."""
    command = request.command
    assert isinstance(command, ClearTariffs), command
    found = outcome.found
    if outcome.result is not Result.ACCEPTED and not isinstance(found, TariffsCleared):
        return ()
    named = found.tariff_ids if isinstance(found, TariffsCleared) else ()
    if outcome.result is not Result.ACCEPTED and not named:
        return ()
    return (Record(HeldTariffsCleared(named or command.tariff_ids, context.now, evse=command.evse)),)


def change_settled(
    _state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """The station reckons with another tariff; so do we, if it is in the book, for what comes (I11.FR.08)."""
    command = request.command
    assert isinstance(command, ChangeTransactionTariff), command
    if outcome.result is not Result.ACCEPTED:
        return ()
    return (Record(TransactionTariffChanged(command.transaction_id, command.tariff, context.now)),)


def _counted(after: StationState, fact: TransactionFact, context: Context) -> Iterator[Fact]:
    """What a fact about a transaction means for its cost; `after`: the state with the fact."""
    known = after.ledger.find(fact.transaction_id)
    if known is None:
        return
    match fact:
        case TransactionOpened():
            group = None if fact.verdict is None else fact.verdict.group
            yield from _begun(after, known, group, context, unseen=TransactionFlag.STARTED_UNSEEN in fact.flags)
        case TransactionUpdated():
            if fact.token is not None:
                group = None if fact.verdict is None else fact.verdict.group
                yield from _begun(after, known, group, context, unseen=False)
            yield from _gone_on(after, known, fact, context)
        case TransactionEnded():
            yield from _ended(after, known, fact, context)


def _begun(
    after: StationState, known: KnownTransaction, group: str | None, context: Context, *, unseen: bool
) -> Iterator[Fact]:
    """The tariff of the transaction, unless it has it already."""
    book = context.tariffs
    tariff = None if book is None else book.of(after.station, known.token_key, group)
    before = after.costs.find(known.transaction_id)
    if tariff is None or (before is not None and before.tariff_id == tariff.id):
        return
    usage = begin(tariff, known.started_at, zone_of(context), charging=_charges(known))
    flags = (CostFlag.STARTED_UNSEEN,) if unseen else ()
    yield CostBegun(known.transaction_id, tariff.id, usage, context.received_at, flags)


def _gone_on(
    after: StationState, known: KnownTransaction, fact: TransactionUpdated, context: Context
) -> Iterator[Fact]:
    cost = after.costs.find(known.transaction_id)
    tariff = _tariff_of(cost, context)
    if cost is None or tariff is None or TransactionFlag.AFTER_END in fact.flags:
        return
    charging = None if fact.charging_state is None else fact.charging_state is ChargingState.CHARGING
    turned = charging is not None and charging is not cost.usage.charging
    due = cost.usage.at + timedelta(seconds=context.policy.costs.update_interval_s) <= fact.at
    if turned or due:
        sample = Sample(fact.at, _energy_wh(known), charging)
        usage = advance(tariff, cost.usage, sample, zone_of(context))
        details = cost_of(tariff, usage, final=False)
        told = _worth_telling(after, known, cost, details, context)
        yield CostCounted(known.transaction_id, usage, details, context.received_at, told)


def _ended(after: StationState, known: KnownTransaction, fact: TransactionEnded, context: Context) -> Iterator[Fact]:
    cost = after.costs.find(known.transaction_id)
    if cost is None:
        return
    tariff = _tariff_of(cost, context)
    if tariff is None:
        why = f"tariff {cost.tariff_id} went out of the book while the transaction ran"
        unknown = CostDetails(currency=NO_CURRENCY, total=Money(), tariff_id=cost.tariff_id, failure=why)
        yield CostSettled(known.transaction_id, unknown, context.received_at, (CostFlag.TARIFF_GONE,))
        return
    energy_wh = fact.energy_wh if fact.energy_wh is not None else _energy_wh(known)
    usage = advance(tariff, cost.usage, Sample(fact.ended_at, energy_wh), zone_of(context))
    flags = (CostFlag.NO_METER,) if energy_wh is None and tariff.energy is not None else ()
    yield CostSettled(known.transaction_id, cost_of(tariff, usage, final=True), context.received_at, flags)


def _told(after: StationState, fact: Fact, context: Context) -> tuple[Effect, ...]:
    """The command that shows the driver the sum."""
    if not isinstance(fact, CostCounted) or not fact.told:
        return ()
    command = UpdateCost(fact.transaction_id, fact.cost.total.incl)
    name = f"cost:{fact.transaction_id}:{fact.usage.at:%Y%m%dT%H%M%S%f}"
    return issue(after, context, command, name, UPDATE_S, UPDATE_PRIORITY)


def _worth_telling(
    after: StationState, known: KnownTransaction, cost: KnownCost, details: CostDetails, context: Context
) -> bool:
    """Whether a 2.x station that is connected is sent this sum; 1.6 has no message for it (and a number of ours)."""
    policy = context.policy.costs
    if not policy.updates or known.number is not None or after.costs.muted or after.session is None:
        return False
    if cost.told is None or cost.told_at is None:
        return True
    if cost.told_at + timedelta(seconds=policy.update_interval_s) > context.received_at:
        return False
    return abs(float(details.total.incl - cost.told)) >= policy.update_least


def _tariff_of(cost: KnownCost | None, context: Context) -> Tariff | None:
    """The tariff, as long as it is the one that the usage was counted by."""
    if cost is None or context.tariffs is None:
        return None
    tariff = context.tariffs.find(cost.tariff_id)
    return tariff if tariff is not None and fits(tariff, cost.usage) else None


def _energy_wh(known: KnownTransaction) -> float | None:
    if known.meter_start_wh is None or known.meter_last_wh is None:
        return None
    return known.meter_last_wh - known.meter_start_wh


def _charges(known: KnownTransaction) -> bool:
    """A transaction whose state is not known is taken to charge: that is what it is for."""
    return known.charging_state in (None, ChargingState.CHARGING)


def zone_of(context: Context) -> ZoneInfo:
    """The zone of tariffs' local times."""
    return _zone(context.policy.costs.time_zone)


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _facts(effects: tuple[Effect, ...]) -> list[Fact]:
    return [effect.fact for effect in effects if isinstance(effect, Record)]


def _before_the_reply(effects: tuple[Effect, ...], more: tuple[Effect, ...]) -> tuple[Effect, ...]:
    rest = tuple(effect for effect in effects if not isinstance(effect, Reply))
    return *rest, *more, *(effect for effect in effects if isinstance(effect, Reply))


def _with_total(effect: Effect, total: float) -> Effect:
    if not isinstance(effect, Reply) or not isinstance(effect.answer, TransactionAnswer):
        return effect
    return Reply(replace(effect.answer, total_cost=total))
