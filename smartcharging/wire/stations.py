"""What the wire knows of stations and their EVSEs: connection, abilities, promises, orders on their way."""

from collections import Counter
from datetime import datetime
from enum import StrEnum

import msgspec

from engine.model.charging_profiles import ChargingProfile, ProfilePurpose, RateUnit
from engine.model.quirks import Make
from engine.model.sites import Outlet
from smartcharging.wire.capabilities import Ability, Refusal, Rung
from smartcharging.wire.profiles import Socket
from smartcharging.wire.promises import Place
from smartcharging.wire.steps import Steps
from smartcharging.words import Target


class PlaceName(StrEnum):
    """Where a profile of ours stands at an EVSE."""

    DEFAULT = "default"
    OWN = "own"
    """Of the transaction."""
    TOP = "top"
    """Of the station as a whole, where it has one EVSE."""


PURPOSE_OF_PLACE = {
    PlaceName.DEFAULT: ProfilePurpose.TX_DEFAULT,
    PlaceName.OWN: ProfilePurpose.TX,
    PlaceName.TOP: ProfilePurpose.STATION_MAX,
}
PLACE_OF_PURPOSE = {purpose: place for place, purpose in PURPOSE_OF_PLACE.items()}


class OrderKind(StrEnum):
    """What an order is for."""

    PROFILE = "profile"
    UPDATE = "update"
    """The numbers of a dynamic profile."""
    CLEAR = "clear"
    """Somebody else's profile above ours."""
    PROBE = "probe"
    LISTING = "listing"
    """What profiles a station has, also those that Narke never heard of (2.x)."""
    AUDIT = "audit"


class OpenOrder(msgspec.Struct, kw_only=True):
    """An order on its way, or lately. `place` None: it changes no promise. `raises`: it allows more somewhere."""

    order_id: str
    station: str
    kind: OrderKind
    sent_at: datetime
    deadline_s: float
    node: str | None = None
    place: PlaceName | None = None
    unit: RateUnit = RateUnit.A
    raises: bool = False
    transaction_id: str | None = None
    settled: bool = False


BEFORE_MAX = 16


class Watch(msgspec.Struct, kw_only=True):
    """Whether an EVSE keeps to its limit, as its meter shows (`verification`).

    `before`: what it might draw until it was told less, and when that was. `over_at`: since when it is measured above.
    `warned_at`: it was told again. `quiet_since`: of one in quarantine, since when it kept to its share. `paused`,
    `allowed_at`: its transaction was, and since when it need not be. `asleep`: it does not draw since.
    """

    before: list[tuple[datetime, float]] = []
    over_at: datetime | None = None
    warned_at: datetime | None = None
    quiet_since: datetime | None = None
    paused: bool = False
    allowed_at: datetime | None = None
    asleep: bool = False
    measured_a: float | None = None
    detail: str = ""

    def told(self, now: datetime, before_a: float) -> None:
        """Its station said yes to something new; until then it might draw so much."""
        self.before = [*self.before, (now, before_a)][-BEFORE_MAX:]

    def ended(self) -> None:
        """The transaction is over."""
        self.over_at = self.warned_at = self.allowed_at = None
        self.paused = self.asleep = False


class Evse:
    """An EVSE of the site, and all that its station may hold for it.

    `held_back`: not before that may it be sent anything (after a failure).
    """

    def __init__(self, node: str, index: int, outlet: Outlet, socket: Socket, ceiling_a: float) -> None:
        self.node = node
        self.index = index
        self.outlet = outlet
        self.station = outlet.station
        self.socket = socket
        self.ceiling_a = ceiling_a
        self.places = {
            PlaceName.DEFAULT: Place(known=False),
            PlaceName.OWN: Place(known=True),
            PlaceName.TOP: Place(known=False),
        }
        self.foreign: dict[int, tuple[ChargingProfile, Steps]] = {}
        self.target: Target | None = None
        self.transaction_id: str | None = None
        """That our own profile there is for."""
        self.order: OpenOrder | None = None
        self.failures = 0
        self.held_back: datetime | None = None
        self.audited_at: datetime | None = None
        self.cleared_at: datetime | None = None
        self.watch = Watch()

    @property
    def outlet_floor_a(self) -> float:
        """Less than this is a pause; DC takes any."""
        return 0.0 if self.outlet.dc else self.outlet.current_a_min

    def reset_failures(self) -> None:
        """It does what it is told."""
        self.failures = 0
        self.held_back = None


class Station:
    """A station of the site. `alone`: it has one EVSE. `online` False: nothing is sent to it."""

    def __init__(self, name: str, *, dc: bool, alone: bool) -> None:
        self.name = name
        self.dc = dc
        self.alone = alone
        self.online = False
        self.session: str | None = None
        self.offline_since: datetime | None = None
        self.make: Make | None = None
        self.told = Ability()
        """As its device model says."""
        self.ability = Ability()
        """With quirks of its make and what it refused."""
        self.refused: set[Refusal] = set()
        self.refusals: Counter[Refusal] = Counter()
        self.probed: Make | None = None
        self.listed: Make | None = None
        self.probe: OpenOrder | None = None
        self.probe_back: datetime | None = None
        self.probe_failures = 0

        self.way = self.ability.way(dc=dc, alone=alone)
        """How it is told its limits."""

    def set_ability(self, ability: Ability, refused: frozenset[Refusal]) -> None:
        """What it can was learned anew."""
        self.ability = msgspec.structs.replace(ability, refused=refused)
        self.way = self.ability.way(dc=self.dc, alone=self.alone)

    @property
    def supported(self) -> bool:
        """Whether there is any way."""
        return self.way.rung is not Rung.NONE
