"""A station's state: what must be remembered to understand its next message, and how facts change it.

`evolve` is the only door for change; the same facts give the same state on every machine. The state is written to Redis
with every message of the station, so what no decision looks at is not in it. Everything is bounded (see also `ledger`,
`queue`). A field may be added with a default, never renamed or removed.
"""

from datetime import datetime
from typing import Any, assert_never, get_args

import msgspec
from msgspec.structs import replace

from engine.model.authorization import StopDropped, StopPlanned, TokenChecked
from engine.model.availability import (
    AvailabilityReached,
    AvailabilityWanted,
    ConnectorStatus,
    ConnectorStatusChanged,
)
from engine.model.battery_swap import SwapLapsed, SwapMoved, SwapRequested
from engine.model.commands import CommandRequested, CommandSent, CommandSettled
from engine.model.data_transfer import DataReceived
from engine.model.der_control import (
    DerAlarmEnded,
    DerAlarmRaised,
    DerControlInstalled,
    DerControlRemoved,
    DerReportBegun,
    DerReportEnded,
    DerReportHeard,
)
from engine.model.device_model import InventoryAsked, InventoryPlanned, ReportFollowed, VariablesRecorded
from engine.model.facts import Fact
from engine.model.local_list import (
    LocalListAsked,
    LocalListChecked,
    LocalListDoubted,
    LocalListRefused,
    LocalListUpdated,
)
from engine.model.metering import ReadingsRecorded
from engine.model.notices import NoticeRecorded
from engine.model.provisioning import Registration, StationBooted, StationSeen
from engine.model.quirks import Make, OdditiesCounted
from engine.model.remote_control import FollowUpAwaited, FollowUpCame, FollowUpMissing, TriggerMessage
from engine.model.reservation import ReservationEnded, ReservationLapsed, ReservationMade
from engine.model.sessions import (
    IdentityContested,
    SessionEnded,
    SessionStarted,
    StationResponsive,
    StationUnresponsive,
)
from engine.model.smart_charging import (
    DynamicScheduleUpdated,
    LimitImposed,
    LimitReleased,
    NeedsRecorded,
    ProfileAdopted,
    ProfileInstalled,
    ProfileRemoved,
    ProfilesReportBegun,
    ProfilesReportEnded,
    ProfilesReportHeard,
)
from engine.model.tariff_and_cost import CostBegun, CostCounted, CostSettled, CostUpdatesUnsupported
from engine.model.transactions import TransactionEnded, TransactionOpened, TransactionUpdated
from engine.model.word import Word
from engine.station.awaited import Awaited, Service
from engine.station.charging_memory import ChargingMemory
from engine.station.clocks import instant
from engine.station.der_memory import DerMemory
from engine.station.diagnostics_memory import Diagnostics, DiagnosticsFact
from engine.station.display_memory import Display, DisplayFact
from engine.station.firmware_memory import Firmware, FirmwareFact
from engine.station.inventory import Inventory
from engine.station.known_costs import KnownCosts
from engine.station.known_list import KnownList
from engine.station.known_swaps import KnownSwaps
from engine.station.ledger import Ledger
from engine.station.monitoring_memory import Monitoring, MonitoringFact
from engine.station.planned_stops import PlannedStops
from engine.station.presence import Noticed, Presence, make_of
from engine.station.queue import Queue
from engine.station.reserved import Reserved

CONNECTORS_MAX = 512
TRIGGERED_MAX = 8
SUPERSEDED = 4000
"""Code with which an ingress closes a connection when a newer one of the same identity came to it."""


class Session(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A connection of the station: its name, the ingress that holds it, since when it is current (the actor's clock).

    `order`, `version`: see `engine.model.sessions.SessionOpened`. `superseded`: of one that ended, by a newer one.
    """

    session: str
    ingress: str
    at: datetime
    order: int = 0
    version: str = ""
    superseded: bool = False


class Connector(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The last status heard of a connector. `at`: the station's clock, ours where it said nothing."""

    evse: int
    connector: int | None
    status: ConnectorStatus
    at: datetime


class StationState(Word, frozen=True):
    """All that is remembered of one station.

    `session`: the current one; None: not connected. `session_ended`: the newest of those that ended, until the next
    starts, so that an older opening that arrives late does not take over. `registration`: as answered at the last boot;
    None: never booted here. `triggered`: messages asked for by TriggerMessage while not accepted, which the station may
    therefore send. `seen_at`: when a fact last showed that it lives. `make`: as of its last boot. `quirks`: names in
    its record, as of its last connection or boot.
    """

    station: str
    session: Session | None = None
    session_ended: Session | None = None
    registration: Registration | None = None
    triggered: tuple[str, ...] = ()
    seen_at: datetime | None = None
    connectors: tuple[Connector, ...] = ()
    ledger: Ledger = Ledger()
    queue: Queue = Queue()
    inventory: Inventory = Inventory()
    awaited: Awaited = Awaited()
    service: Service = Service()
    planned_stops: PlannedStops = PlannedStops()
    known_list: KnownList = KnownList()
    reserved: Reserved = Reserved()
    make: Make | None = None
    quirks: tuple[str, ...] = ()
    presence: Presence = Presence()
    noticed: Noticed = Noticed()
    charging: ChargingMemory = ChargingMemory()
    der: DerMemory = DerMemory()
    swaps: KnownSwaps = KnownSwaps()
    costs: KnownCosts = KnownCosts()
    firmware: Firmware = Firmware()
    diagnostics: Diagnostics = Diagnostics()
    monitoring: Monitoring = Monitoring()
    display: Display = Display()


PARTS_OF_FACT: dict[type, tuple[str, ...]] = {
    VariablesRecorded: ("inventory", "charging", "display"),
    **dict.fromkeys(get_args(FirmwareFact), ("firmware",)),
    **dict.fromkeys(get_args(DiagnosticsFact), ("diagnostics",)),
    **dict.fromkeys(get_args(MonitoringFact), ("monitoring",)),
    **dict.fromkeys(get_args(DisplayFact), ("display",)),
    ProfileInstalled: ("charging",),
    ProfileRemoved: ("charging",),
    ProfileAdopted: ("charging",),
    DynamicScheduleUpdated: ("charging",),
    ProfilesReportBegun: ("charging",),
    ProfilesReportHeard: ("charging",),
    ProfilesReportEnded: ("charging",),
    LimitImposed: ("charging",),
    LimitReleased: ("charging",),
    NeedsRecorded: ("charging",),
    DerControlInstalled: ("der",),
    DerControlRemoved: ("der",),
    DerReportBegun: ("der",),
    DerReportHeard: ("der",),
    DerReportEnded: ("der",),
    DerAlarmRaised: ("der",),
    DerAlarmEnded: ("der",),
    CostBegun: ("costs",),
    CostCounted: ("costs",),
    CostSettled: ("costs",),
    CostUpdatesUnsupported: ("costs",),
    SwapRequested: ("swaps",),
    SwapMoved: ("swaps",),
    SwapLapsed: ("swaps",),
    ReportFollowed: ("inventory",),
    InventoryPlanned: ("inventory",),
    InventoryAsked: ("inventory",),
    FollowUpAwaited: ("awaited",),
    FollowUpCame: ("awaited",),
    FollowUpMissing: ("awaited",),
    AvailabilityWanted: ("service",),
    AvailabilityReached: ("service",),
    StopPlanned: ("planned_stops",),
    StopDropped: ("planned_stops",),
    LocalListUpdated: ("known_list",),
    LocalListRefused: ("known_list",),
    LocalListChecked: ("known_list",),
    LocalListDoubted: ("known_list",),
    LocalListAsked: ("known_list",),
    ReservationMade: ("reserved",),
    ReservationEnded: ("reserved",),
    ReservationLapsed: ("reserved",),
    IdentityContested: ("presence",),
    StationUnresponsive: ("presence",),
    StationResponsive: ("presence",),
    OdditiesCounted: ("noticed",),
}
"""Facts of the blocks -> the fields of `StationState` that follow them. A fact that is not here changes no field."""

encode_state = msgspec.msgpack.Encoder().encode
decode_state = msgspec.msgpack.Decoder(StationState).decode


def fresh(station: str) -> StationState:
    """Of a station that was never heard of."""
    return StationState(station)


def evolve(state: StationState, fact: Fact) -> StationState:
    """The state after the fact."""
    match fact:
        case TransactionUpdated() | TransactionOpened() | TransactionEnded():
            return _heard(state, fact.received_at, ledger=_ledger(state.ledger, fact))
        case ReadingsRecorded():
            return _heard(state, fact.received_at)
        case ConnectorStatusChanged():
            return _heard(state, fact.received_at, connectors=_connectors(state.connectors, fact))
        case StationSeen() | TokenChecked() | DataReceived() | NoticeRecorded():
            return _heard(state, fact.at)
        case CommandSent():
            return replace(state, queue=state.queue.left(fact))
        case StationBooted():
            make = make_of(fact.boot)
            return _heard(state, fact.at, registration=fact.registration, triggered=(), make=make, quirks=fact.quirks)
        case SessionStarted() | SessionEnded():
            return _session(state, fact)
        case CommandRequested():
            return _requested(state, fact)
        case CommandSettled():
            return replace(state, queue=state.queue.closed(fact))
        case _:
            return _after_block(state, fact)


def _after_block(state: StationState, fact: Fact) -> StationState:
    """The state after a fact of a block: the parts that `PARTS_OF_FACT` names follow it by their own `after`."""
    parts = {name: getattr(state, name).after(fact) for name in PARTS_OF_FACT.get(type(fact), ())}
    at: datetime | None = getattr(fact, "at", None)
    return replace(state, **parts) if at is None else _heard(state, at, **parts)


def _heard(state: StationState, at: datetime, **changes: Any) -> StationState:
    """Changed by something the station said at that time (our clock)."""
    if state.queue.settled:
        changes["queue"] = state.queue.pruned(at)
    if not changes and state.seen_at == at:
        return state
    return replace(state, seen_at=at, **changes)


def _ledger(ledger: Ledger, fact: TransactionOpened | TransactionUpdated | TransactionEnded) -> Ledger:
    match fact:
        case TransactionUpdated():
            return ledger.updated(fact)
        case TransactionOpened():
            return ledger.opened(fact)
        case TransactionEnded():
            return ledger.closed(fact)
        case _:
            assert_never(fact)


def _connectors(connectors: tuple[Connector, ...], fact: ConnectorStatusChanged) -> tuple[Connector, ...]:
    """The last to arrive counts, whatever its clock says; the oldest beyond CONNECTORS_MAX is forgotten."""
    report = fact.report
    evse = report.evse
    heard = Connector(evse.evse, evse.connector, report.status, instant(report.at, fact.received_at))
    for index, known in enumerate(connectors):
        if known.evse == heard.evse and known.connector == heard.connector:
            return (*connectors[:index], heard, *connectors[index + 1 :])
    return (*connectors[1 - CONNECTORS_MAX :], heard)


def _session(state: StationState, fact: SessionStarted | SessionEnded) -> StationState:
    if isinstance(fact, SessionStarted):
        opened = fact.opened
        at = fact.at or opened.at
        session = Session(opened.session, opened.ingress, at, opened.order, opened.version)
        presence = state.presence
        older = state.session or state.session_ended
        if older is not None and (state.session is not None or older.superseded):
            presence = presence.taken_over(at, opened.address)
        changes = {"session": session, "session_ended": None, "presence": presence, "quirks": opened.quirks}
        return _heard(state, at, **changes)
    ended = state.session
    if ended is not None and fact.closed.code == SUPERSEDED:
        ended = replace(ended, superseded=True)
    return replace(state, session=None, session_ended=ended)


def _requested(state: StationState, fact: CommandRequested) -> StationState:
    queue = state.queue.requested(fact)
    command = fact.request.command
    if not isinstance(command, TriggerMessage) or state.registration is Registration.ACCEPTED:
        return replace(state, queue=queue)
    others = tuple(name for name in state.triggered if name != command.message)
    return replace(state, queue=queue, triggered=(*others, command.message)[-TRIGGERED_MAX:])
