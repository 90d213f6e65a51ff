"""Stations for tests of the wire: they hold profiles as OCPP says, by a clock that is off, and tell what they may draw.

What they may draw is read by `engine.station.effective_limit`, which knows nothing of the wire.
"""

from datetime import UTC, datetime, timedelta

import msgspec

from engine.model.charging_profiles import ProfileKind, ProfilePurpose
from engine.model.commands import Command, Outcome, Result
from engine.model.provisioning import BootReported, GetVariables, Registration, StationBooted
from engine.model.sessions import SessionClosed, SessionEnded, SessionOpened, SessionStarted
from engine.model.sites import NodeKind, Outlet, Site, SiteNode
from engine.model.smart_charging import (
    ClearChargingProfile,
    GetChargingProfiles,
    GetCompositeSchedule,
    SetChargingProfile,
    UpdateDynamicSchedule,
)
from engine.ocpp.catalogue import command_call
from engine.ocpp.versions import Version
from engine.station.effective_limit import Circumstances, Installed, effective_limit
from engine.station.profile_rules import fault_of
from smartcharging.network import Network
from smartcharging.wire import SiteWire, WireSettings
from smartcharging.wire.telling import updated
from smartcharging.words import Step, Target

START = datetime(2026, 5, 1, 10, 7, tzinfo=UTC)
ACCEPTED = Outcome(Result.ACCEPTED, "Accepted")
REJECTED = Outcome(Result.REFUSED, "Rejected")


def site_of(count: int, limit_a: float = 60.0, **more) -> Site:
    nodes = [SiteNode(node="grid", kind=NodeKind.GRID, limit_a=(limit_a,) * 3)]
    outlet = more.pop("outlet", {})
    for number in range(count):
        nodes.append(SiteNode(node=f"s{number}", kind=NodeKind.STATION, parent="grid", station=f"CP{number}"))
        nodes.append(
            SiteNode(
                node=f"e{number}",
                kind=NodeKind.EVSE,
                parent=f"s{number}",
                outlet=Outlet(station=f"CP{number}", evse=1, **outlet),
            )
        )
    return Site(site="site", nodes=tuple(nodes), **more)


class VirtualStation:
    """One EVSE. `clock_off_s`: how far its clock is ahead."""

    def __init__(self, name: str, version: str = "1.6", clock_off_s: float = 0.0) -> None:
        self.name = name
        self.version = version
        self.clock_off_s = clock_off_s
        self.profiles: dict[int, Installed] = {}
        self.transaction: str | None = None
        self.refuses: set[ProfilePurpose] = set()
        self.refuses_unit: str | None = None
        self.refuses_dynamic = False
        self.received: list[Command] = []

    def do(self, command: Command) -> Outcome:  # noqa: C901 (one case a command)
        """Does what it is told, as far as it understands it."""
        self.received.append(command)
        said = command
        if isinstance(command, GetChargingProfiles):
            said = copied(command, request_id=1)  # the station's queue numbers it
        command_call(Version(self.version), said)  # its version can say it, and the official schema takes it
        match command:
            case SetChargingProfile():
                profile = command.profile
                assert fault_of(profile, command.evse) is None, fault_of(profile, command.evse)
                if profile.purpose in self.refuses or profile.schedules[0].unit == self.refuses_unit:
                    return REJECTED
                if self.refuses_dynamic and profile.kind is ProfileKind.DYNAMIC:
                    return REJECTED
                if profile.purpose is ProfilePurpose.TX and profile.transaction_id != self.transaction:
                    return REJECTED
                same = [
                    key
                    for key, held in self.profiles.items()
                    if (held.profile.purpose, held.profile.stack_level) == (profile.purpose, profile.stack_level)
                ]
                for key in same:
                    del self.profiles[key]
                self.profiles[profile.id] = Installed(command.evse, profile)
            case UpdateDynamicSchedule():
                held = self.profiles.get(command.profile_id)
                if held is None or held.profile.kind is not ProfileKind.DYNAMIC:
                    return REJECTED
                self.profiles[command.profile_id] = Installed(held.evse, updated(held.profile, command.update))
            case ClearChargingProfile():
                if self.profiles.pop(command.profile_id, None) is None:
                    return Outcome(Result.REFUSED, "Unknown")
            case GetVariables() | GetCompositeSchedule() | GetChargingProfiles():
                pass
            case _:
                raise AssertionError(command)
        return ACCEPTED

    def plugs_in(self, transaction: str) -> None:
        self.transaction = transaction

    def leaves(self) -> None:
        gone = [key for key, held in self.profiles.items() if held.profile.purpose is ProfilePurpose.TX]
        for key in gone:
            del self.profiles[key]
        self.transaction = None

    def may_draw_a(self, now: datetime, most_a: float = 32.0) -> float:
        """At the most: as it stands, or when another car came in this moment."""
        here = now + timedelta(seconds=self.clock_off_s)
        held = list(self.profiles.values())
        amounts = []
        for transaction in {self.transaction, None}:
            limit = effective_limit(held, Circumstances(evse=1, now=here, transaction_id=transaction)).limit_a
            amounts.append(most_a if limit is None else min(limit, most_a))
        return max(amounts)


def connected(wire: SiteWire, name: str, now: datetime, version: str = "1.6", session: str = "s") -> None:
    opened = SessionOpened(session=session, ingress="i", version=version, address="a", at=now)
    wire.hear(name, SessionStarted(opened), now)


def gone(wire: SiteWire, name: str, now: datetime, session: str = "s") -> None:
    wire.hear(name, SessionEnded(SessionClosed(session=session, code=1006, reason="", at=now)), now)


def booted(wire: SiteWire, name: str, now: datetime, vendor: str = "V", firmware: str = "1") -> None:
    boot = BootReported(vendor=vendor, model="M", firmware_version=firmware)
    wire.hear(name, StationBooted(boot, Registration.ACCEPTED, 300, now), now)


def target(number: int, current_a: float, now: datetime, transaction: str | None = "", **more) -> Target:
    """`transaction` "": one of its number."""
    fields = {"steps": (Step(now, current_a),), **more}
    return Target(
        node=f"e{number}",
        station=f"CP{number}",
        evse=1,
        transaction_id=str(100 + number) if transaction == "" else transaction,
        **fields,
    )


class Bench:
    """A site, its stations, and the wire between; what it sends is done at once unless a test does it itself."""

    def __init__(self, count: int = 3, limit_a: float = 60.0, version: str = "1.6", **more) -> None:
        settings = {"probe": False, **more.pop("settings", {})}
        self.now = START
        site = more.pop("site", None)
        self.site = site or site_of(count, limit_a, **more)
        self.network = Network(self.site)
        self.settings = WireSettings(**settings)
        self.wire = SiteWire(self.site, self.network, self.settings, name="t")
        self.stations = {f"CP{number}": VirtualStation(f"CP{number}", version) for number in range(count)}
        self.sent: list = []
        for name in self.stations:
            connected(self.wire, name, self.now, version)
            booted(self.wire, name, self.now)

    def plug_in(self, *numbers: int) -> None:
        for number in numbers:
            self.stations[f"CP{number}"].plugs_in(str(100 + number))

    def want(self, *targets: Target) -> None:
        self.wire.want(targets, self.now)

    def orders(self) -> list:
        found = self.wire.orders(self.now)
        self.sent += found
        return found

    def run(self, rounds: int = 6) -> list:
        """Sends and does all that goes out, a second a round; returns what went out."""
        before = len(self.sent)
        for _ in range(rounds):
            for order in self.orders():
                outcome = self.stations[order.station].do(order.command)
                self.wire.settled(order.order_id, outcome, self.now)
            self.wait(1)
        return self.sent[before:]

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def pass_time(self, seconds: float) -> list:
        """Lets time pass, and does what goes out whenever the wire says that it is due."""
        end, before = self.now + timedelta(seconds=seconds), len(self.sent)
        while self.now < end:
            self.run(3)
            due = self.wire.due_at(self.now)
            self.now = min(end, max(self.now + timedelta(seconds=1), due or end))
        return self.sent[before:]

    def may_draw_a(self, number: int, later_s: float = 0.0) -> float:
        return self.stations[f"CP{number}"].may_draw_a(self.now + timedelta(seconds=later_s))

    def draws_a(self, later_s: float = 0.0) -> list[float]:
        return [station.may_draw_a(self.now + timedelta(seconds=later_s)) for station in self.stations.values()]


def limits_of(order) -> list[tuple[int, float]]:
    """(start, limit) of the periods that an order tells."""
    return [(period.start_s, period.limit) for period in order.command.profile.schedules[0].periods]


def copied(word, **changes):
    return msgspec.structs.replace(word, **changes)
