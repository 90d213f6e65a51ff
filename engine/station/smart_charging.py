"""Smart charging: what the station holds, and what it and its cars tell. OCPP 2.1 block K, 1.6 section 3.13.

A profile is held from the station's yes (or its own report) until it is cleared, replaced, not reported any more, or
its transaction ends. One that a remote start carried is held for the transaction to come:

    RequestStart accepted -> held, without transaction -> its transaction begins: adopted -> ends: removed
                                                     '--- none within START_S (Alarm): removed, NEVER_STARTED

A report of profiles comes in parts, maybe before the answer to the request; its last part settles what is not there any
more. Parts of no known request are kept and flagged, and remove nothing. Which commands may be sent is
`charging_objections`'.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from engine.model.charging_profiles import ChargingSchedule, ProfilePurpose, ScheduleUpdate
from engine.model.commands import CommandRequest, Outcome, Result
from engine.model.facts import Fact
from engine.model.remote_control import RequestStart
from engine.model.smart_charging import (
    SOURCE_CSMS,
    ChargingFlag,
    ChargingNoted,
    ClearChargingProfile,
    CompositeSchedule,
    CompositeScheduleTold,
    DynamicScheduleUpdated,
    DynamicUpdateAnswer,
    DynamicUpdatePulled,
    EvScheduleAnswer,
    EvScheduleRecorded,
    EvScheduleReported,
    GetChargingProfiles,
    GetCompositeSchedule,
    LimitImposed,
    LimitReleased,
    LimitReleaseReported,
    LimitReported,
    NeedsAnswer,
    NeedsRecorded,
    NeedsReported,
    PriorityChanged,
    PriorityReported,
    ProfileAdopted,
    ProfileInstalled,
    ProfileRemoved,
    ProfilesReportBegun,
    ProfilesReported,
    ProfilesReportEnded,
    ProfilesReportHeard,
    RemovalReason,
    SetChargingProfile,
    UpdateDynamicSchedule,
)
from engine.model.transactions import TransactionEnded, TransactionOpened, TransactionUpdated
from engine.station.charging_memory import REPORT_S, REPORTED_IDS_MAX, START_S, HeldProfile, merged
from engine.station.charging_objections import NOT_CLEARED, replaces_by_level
from engine.station.context import Context
from engine.station.effects import Effect, Record, Reply
from engine.station.ev_schedules import within
from engine.station.ledger import KnownTransaction
from engine.station.state import StationState

NO_PROFILES = "NoProfiles"
"""A station's word for: nothing fits the request."""
NOTHING_FITS = "Unknown"
"""A station's word for: there was nothing to clear."""
ANY_EVSE = 0
"""Where the station chooses the place of a remote start."""

_NOTED = Reply(ChargingNoted())
_NO_NUMBERS = ScheduleUpdate()


def set_settled(state: StationState, request: CommandRequest, outcome: Outcome, context: Context) -> tuple[Effect, ...]:
    """The station has the profile, in place of the one that it replaces."""
    command = request.command
    assert isinstance(command, SetChargingProfile), command
    if outcome.result is not Result.ACCEPTED:
        return ()
    profile = command.profile
    replaced = [
        held
        for held in state.charging.profiles
        if replaces_by_level(state)
        and held.id != profile.id
        and (held.evse, held.purpose, held.stack_level) == (command.evse, profile.purpose, profile.stack_level)
    ]
    installed = ProfileInstalled(evse=command.evse, profile=profile, at=context.now)
    return *_removed(replaced, RemovalReason.REPLACED, context.now), Record(installed)


def clear_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """What fits is gone; also where the station says that it never had it."""
    command = request.command
    assert isinstance(command, ClearChargingProfile), command
    fitting = [held for held in state.charging.profiles if _is_cleared(command, held)]
    if outcome.result is Result.ACCEPTED:
        return _removed(fitting, RemovalReason.CLEARED, context.now)
    if outcome.result is Result.REFUSED and outcome.status == NOTHING_FITS:
        return _removed(fitting, RemovalReason.NOT_REPORTED, context.now)
    return ()


def report_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """A report follows (or came before this answer), or there is nothing to report."""
    command = request.command
    assert isinstance(command, GetChargingProfiles), command
    if outcome.result is not Result.ACCEPTED:
        return ()
    if outcome.status == NO_PROFILES:
        fitting = [held for held in state.charging.profiles if _is_asked(command, held)]
        return _removed(fitting, RemovalReason.NOT_REPORTED, context.now)
    if state.charging.report(command.request_id or 0) is not None:
        return ()
    return (Record(ProfilesReportBegun(asked=command, at=context.now)),)


def composite_settled(
    _state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """What the station says it will do."""
    command = request.command
    assert isinstance(command, GetCompositeSchedule), command
    told = outcome.found
    if not isinstance(told, CompositeSchedule):
        return ()
    if told.evse is None:
        told = CompositeSchedule(command.evse, told.unit, told.periods, told.start_at, told.duration_s, told.rate_min)
    return (Record(CompositeScheduleTold(schedule=told, at=context.now, asked_duration_s=command.duration_s)),)


def update_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """A dynamic profile has new numbers."""
    command = request.command
    assert isinstance(command, UpdateDynamicSchedule), command
    if outcome.result is not Result.ACCEPTED:
        return ()
    held = state.charging.find(command.profile_id)
    known = None if held is None else held.dynamic
    update = command.update if known is None else merged(known, command.update)
    flags = () if held is not None else (ChargingFlag.UNKNOWN_PROFILE,)
    return (Record(DynamicScheduleUpdated(profile_id=command.profile_id, update=update, at=context.now, flags=flags)),)


def start_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """The profile that a remote start carried waits for its transaction, which may have begun before this answer."""
    command = request.command
    assert isinstance(command, RequestStart), command
    if outcome.result is not Result.ACCEPTED or command.profile is None:
        return ()
    evse = ANY_EVSE if command.evse is None else command.evse.evse
    installed = ProfileInstalled(
        evse=evse, profile=command.profile, at=context.now, remote_start_id=command.remote_start_id
    )
    for known in reversed(state.ledger.open):
        begun = known.started and known.started_at >= request.requested_at
        if begun and known.evse is not None and evse in (ANY_EVSE, known.evse):
            adopted = ProfileAdopted(command.profile.id, known.evse, known.transaction_id, context.now)
            return Record(installed), Record(adopted)
    return (Record(installed),)


def profiles_reported(state: StationState, report: ProfilesReported, context: Context) -> tuple[Effect, ...]:
    """Keeps what a part of a report tells; after the last, what was not in it is gone."""
    at = context.received_at
    effects: list[Effect] = []
    known = state.charging.report(report.request_id)
    asked = None if known is None or known.ended else known.asked
    if known is None:
        asked = _asked_for(state, report.request_id)
        if asked is not None:
            effects.append(Record(ProfilesReportBegun(asked=asked, at=at)))
    effects += [
        Record(ProfileInstalled(evse=report.evse, profile=profile, at=at, source=report.source, reported=True))
        for profile in report.profiles
    ]
    ids = tuple(profile.id for profile in report.profiles)[:REPORTED_IDS_MAX]
    flags = () if asked is not None else (ChargingFlag.UNKNOWN_REQUEST,)
    effects.append(Record(ProfilesReportHeard(report.request_id, ids, report.more, at, flags)))
    if asked is not None and not report.more:
        seen = (*(() if known is None else known.seen), *ids)
        began_at = at if known is None else known.began_at
        effects += _missing(state, asked, seen, began_at, at)
        effects.append(Record(ProfilesReportEnded(request_id=report.request_id, noted_at=at)))
    return *effects, _NOTED


def limit_reported(_state: StationState, report: LimitReported, context: Context) -> tuple[Effect, ...]:
    """Something other than we limits the station."""
    flags = (ChargingFlag.SOURCE_IS_CSMS,) if report.source == SOURCE_CSMS else ()
    return Record(LimitImposed(limit=report, at=context.received_at, flags=flags)), _NOTED


def limit_released(state: StationState, report: LimitReleaseReported, context: Context) -> tuple[Effect, ...]:
    """That limit is gone."""
    evse = report.evse or 0
    flags = () if (report.source, evse) in state.charging.limits else (ChargingFlag.NOT_IMPOSED,)
    return Record(LimitReleased(report.source, evse, context.received_at, flags)), _NOTED


def needs_reported(state: StationState, report: NeedsReported, context: Context) -> tuple[Effect, ...]:
    """Keeps what a car needs, and tells it whether a profile follows: that is the operator's policy."""
    known = transaction_at(state, report.evse)
    needs = report.needs
    flags = () if known is not None else (ChargingFlag.NO_TRANSACTION,)
    if needs.ac is None and needs.dc is None and needs.v2x is None:
        flags = (*flags, ChargingFlag.NO_PARAMETERS)
    policy = context.policy.charging
    verdict = policy.needs
    if context.planned and policy.planned_needs is not None:
        verdict = policy.planned_needs
    fact = NeedsRecorded(
        report=report,
        verdict=verdict,
        at=context.received_at,
        transaction_id=None if known is None else known.transaction_id,
        flags=flags,
    )
    return Record(fact), Reply(NeedsAnswer(verdict))


def ev_schedule_reported(state: StationState, report: EvScheduleReported, context: Context) -> tuple[Effect, ...]:
    """Holds a car's plan against the profile of its transaction (K15.FR.11, 12)."""
    known = transaction_at(state, report.evse)
    given = () if known is None else _schedules_given(state, known.transaction_id)
    verdict = within(report.schedule, report.time_base_at, given, report.selected_id)
    flags = () if known is not None else (ChargingFlag.NO_TRANSACTION,)
    if verdict is None:
        flags = (*flags, ChargingFlag.UNCHECKED)
    elif not verdict:
        flags = (*flags, ChargingFlag.BEYOND_LIMIT)
    fact = EvScheduleRecorded(
        report=report,
        within=verdict is not False,
        at=context.received_at,
        transaction_id=None if known is None else known.transaction_id,
        flags=flags,
    )
    return Record(fact), Reply(EvScheduleAnswer(within=fact.within))


def priority_reported(state: StationState, report: PriorityReported, context: Context) -> tuple[Effect, ...]:
    """Priority went on or off."""
    known = state.ledger.find(report.transaction_id)
    flags = () if known is not None else (ChargingFlag.UNKNOWN_TRANSACTION,)
    return Record(PriorityChanged(report.transaction_id, report.active, context.received_at, flags)), _NOTED


def dynamic_pulled(state: StationState, report: DynamicUpdatePulled, context: Context) -> tuple[Effect, ...]:
    """The numbers of a dynamic profile as last agreed. Nothing is new, so nothing but an unknown id is recorded."""
    held = state.charging.find(report.profile_id)
    if held is not None and held.dynamic is not None:
        return (Reply(DynamicUpdateAnswer(held.dynamic)),)
    fact = DynamicScheduleUpdated(
        profile_id=report.profile_id,
        update=_NO_NUMBERS,
        at=context.received_at,
        pulled=True,
        flags=(ChargingFlag.UNKNOWN_PROFILE,),
    )
    return Record(fact), Reply(DynamicUpdateAnswer(None))


def with_transactions(state: StationState, effects: tuple[Effect, ...], context: Context) -> tuple[Effect, ...]:
    """The effects of a message about transactions, and what they mean for profiles."""
    if not state.charging.profiles:
        return effects
    facts = [effect.fact for effect in effects if isinstance(effect, Record)]
    more = tuple(Record(fact) for fact in _following(state, facts, context))
    if not more:
        return effects
    records = tuple(effect for effect in effects if isinstance(effect, Record))
    return *records, *more, *(effect for effect in effects if not isinstance(effect, Record))


def due_at(state: StationState) -> datetime | None:
    """When a report or a remote start's transaction is given up."""
    return state.charging.due_at


def ring(state: StationState, context: Context) -> tuple[Effect, ...]:
    """Gives up what did not come."""
    effects: list[Effect] = []
    for report in state.charging.reports:
        if not report.ended and report.heard_at + timedelta(seconds=REPORT_S) <= context.now:
            ended = ProfilesReportEnded(report.asked.request_id or 0, context.now, (ChargingFlag.INCOMPLETE,))
            effects.append(Record(ended))
    late = [
        held
        for held in state.charging.profiles
        if held.remote_start_id is not None and held.at + timedelta(seconds=START_S) <= context.now
    ]
    return *effects, *_removed(late, RemovalReason.NEVER_STARTED, context.now)


def transaction_at(state: StationState, evse: int) -> KnownTransaction | None:
    """The transaction that runs at an EVSE, the youngest if an older one was never stopped."""
    return next((known for known in reversed(state.ledger.open) if known.evse == evse), None)


def _following(state: StationState, facts: Iterable[Fact], context: Context) -> Iterator[Fact]:
    for fact in facts:
        match fact:
            case TransactionOpened() | TransactionUpdated():
                yield from _adopted(state, fact, context)
            case TransactionEnded():
                for held in state.charging.profiles:
                    if held.transaction_id == fact.transaction_id:
                        reason = RemovalReason.TRANSACTION_ENDED
                        yield ProfileRemoved(held.id, held.evse, reason, context.received_at)
            case _:
                pass


def _adopted(state: StationState, fact: TransactionOpened | TransactionUpdated, context: Context) -> Iterator[Fact]:
    """By remoteStartId; 1.6 has none, there the next transaction that starts at the place is meant."""
    unnamed = isinstance(fact, TransactionOpened) and fact.number is not None
    known = state.ledger.find(fact.transaction_id)
    place = fact.evse or (None if known is None else known.place)
    for held in state.charging.profiles:
        if held.remote_start_id is None:
            continue
        evse = held.evse if place is None else place.evse
        if held.remote_start_id == fact.remote_start_id or (unnamed and held.evse in (ANY_EVSE, evse)):
            yield ProfileAdopted(held.id, evse, fact.transaction_id, context.received_at)


def _asked_for(state: StationState, request_id: int) -> GetChargingProfiles | None:
    """The request, where its answer has not come yet."""
    sent = state.queue.sent
    command = None if sent is None else sent.request.command
    return command if isinstance(command, GetChargingProfiles) and command.request_id == request_id else None


def _missing(
    state: StationState, asked: GetChargingProfiles, seen: tuple[int, ...], began_at: datetime, at: datetime
) -> tuple[Effect, ...]:
    """What fits the request, was there before it, and was not reported."""
    if len(seen) >= REPORTED_IDS_MAX:
        return ()
    gone = [
        held
        for held in state.charging.profiles
        if _is_asked(asked, held) and held.id not in seen and held.at <= began_at
    ]
    return _removed(gone, RemovalReason.NOT_REPORTED, at)


def _is_asked(asked: GetChargingProfiles, held: HeldProfile) -> bool:
    """Whether the request is about this profile; what waits for its transaction is not reported yet."""
    if held.remote_start_id is not None:
        return False
    fits = [
        asked.evse is None or held.evse == asked.evse,
        not asked.profile_ids or held.id in asked.profile_ids,
        asked.purpose is None or held.purpose is asked.purpose,
        asked.stack_level is None or held.stack_level == asked.stack_level,
        not asked.sources or held.source in asked.sources,
    ]
    return all(fits)


def _is_cleared(command: ClearChargingProfile, held: HeldProfile) -> bool:
    if held.purpose in NOT_CLEARED:
        return False
    if command.profile_id is not None:
        return held.id == command.profile_id
    fits = [
        command.evse is None or held.evse == command.evse,
        command.purpose is None or held.purpose is command.purpose,
        command.stack_level is None or held.stack_level == command.stack_level,
    ]
    return all(fits)


def _removed(those: Iterable[HeldProfile], reason: RemovalReason, at: datetime) -> tuple[Effect, ...]:
    return tuple(Record(ProfileRemoved(held.id, held.evse, reason, at)) for held in those)


def _schedules_given(state: StationState, transaction_id: str) -> tuple[ChargingSchedule, ...]:
    held = [each for each in state.charging.profiles if each.transaction_id == transaction_id and each.schedules]
    highest = max(held, key=lambda each: each.stack_level, default=None)
    return () if highest is None or highest.purpose is not ProfilePurpose.TX else highest.schedules
