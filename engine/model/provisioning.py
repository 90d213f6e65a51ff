"""Provisioning: boot, heartbeat, variables (1.6: configuration keys) and reset. OCPP 2.1 block B."""

from datetime import datetime
from enum import StrEnum

from engine.model.ids import EvseRef
from engine.model.quirks import Quirks
from engine.model.word import Word


class Registration(StrEnum):
    """What the CSMS thinks of a station (1.6 section 4.2, 2.1 B01 to B03)."""

    ACCEPTED = "Accepted"
    PENDING = "Pending"
    REJECTED = "Rejected"


class BootReported(Word, frozen=True):
    """The station (re)started and tells who it is. None: not said."""

    vendor: str
    model: str
    serial_number: str | None = None
    firmware_version: str | None = None
    iccid: str | None = None
    imsi: str | None = None
    meter_type: str | None = None
    meter_serial_number: str | None = None
    reason: str | None = None
    """2.x bootReason, e.g. PowerUp; 1.6 has none."""


class BootAnswer(Word, frozen=True):
    """`interval_s`: between heartbeats when accepted, else least wait before the next boot; 0: the station chooses.

    `quirks`: for its ingress, not for the station; None: none.
    """

    registration: Registration
    interval_s: int
    now: datetime
    quirks: Quirks | None = None


class HeartbeatReported(Word, frozen=True):
    """The station lives."""


class HeartbeatAnswer(Word, frozen=True):
    """The time, which the station takes as its clock."""

    now: datetime


class StationBooted(Word, frozen=True):
    """Fact: a boot was answered."""

    boot: BootReported
    registration: Registration
    interval_s: int
    at: datetime
    quirks: tuple[str, ...] = ()
    """Names in the station's record then."""


class StationSeen(Word, frozen=True):
    """Fact, written sparsely: the station was heard of at this time though nothing else was to be recorded."""

    at: datetime


class VariableRef(Word, frozen=True):
    """A variable of the 2.x device model. A 1.6 key without a counterpart has component ''."""

    variable: str
    component: str = ""
    component_instance: str | None = None
    variable_instance: str | None = None
    evse: EvseRef | None = None
    attribute: str | None = None
    """Actual, Target, MinSet or MaxSet; None means Actual."""

    @property
    def address(self) -> str:
        """Its one name, e.g. `connector@1.2.available#operational/actual`; names know no case (2.1 part 1, 4.1)."""
        place = "" if self.evse is None or self.evse.evse == 0 else f"@{self.evse.evse}"
        if place and self.evse is not None and self.evse.connector:
            place += f".{self.evse.connector}"
        component = self.component + (f"#{self.component_instance}" if self.component_instance else "")
        variable = self.variable + (f"#{self.variable_instance}" if self.variable_instance else "")
        return f"{component}{place}.{variable}/{self.attribute or 'Actual'}".lower()


class VariableSetting(Word, frozen=True):
    """A value to be written."""

    ref: VariableRef
    value: str


class VariableResult(Word, frozen=True):
    """What the station said of one variable; `status` is its own word, e.g. Accepted or RebootRequired."""

    ref: VariableRef
    status: str
    value: str | None = None
    readonly: bool | None = None


class GetVariables(Word, frozen=True):
    """Command. No variables: all of them (1.6 only; a 2.x station cannot express it)."""

    variables: tuple[VariableRef, ...] = ()


class SetVariables(Word, frozen=True):
    """Command. 1.6 sets one key per message: more than one setting is not expressible there."""

    settings: tuple[VariableSetting, ...]


class ResetKind(StrEnum):
    """1.6: Hard is IMMEDIATE, Soft is ON_IDLE. IMMEDIATE_AND_RESUME is 2.1 only (B13)."""

    IMMEDIATE = "Immediate"
    ON_IDLE = "OnIdle"
    IMMEDIATE_AND_RESUME = "ImmediateAndResume"


class ResetStation(Word, frozen=True):
    """Command. `evse` None: the whole station; 1.6 cannot reset a single EVSE."""

    kind: ResetKind
    evse: int | None = None


class ChangePassword(Word, frozen=True):
    """Command: the station is to log in with this password from now on (1.6 AuthorizationKey, 2.x BasicAuthPassword).

    `password`: as the operator writes it; 1.6 is told its hexadecimal form. Before it is sent, its hash must be the
    station record's `password_hash_next`, or the station is locked out: REST and `narke station rotate-password` see to
    that.
    """

    password: str

    @property
    def slot(self) -> str:
        """Only the last counts."""
        return "password"


class PasswordChangeAnswered(Word, frozen=True):
    """Fact: what a station said to a new password. `accepted` False: it keeps the old one (2.1 A01.FR.04)."""

    accepted: bool
    at: datetime
    status: str | None = None


class Apn(Word, frozen=True):
    """How a modem connects. `authentication`: PAP, CHAP, NONE or AUTO."""

    apn: str
    authentication: str = "NONE"
    user: str | None = None
    password: str | None = None
    sim_pin: int | None = None
    preferred_network: str | None = None
    only_preferred_network: bool | None = None


class Vpn(Word, frozen=True):
    """How a station reaches us through a VPN. `type`: IKEv2, IPSec, L2TP or PPTP."""

    server: str
    user: str
    password: str
    vpn_key: str
    type: str
    group: str | None = None


class NetworkProfile(Word, frozen=True):
    """How a station connects to a CSMS (2.x NetworkConnectionProfileType).

    `url`: of the OCPP endpoint, without the identity. `interface`: Wired0 to 3, Wireless0 to 3, 2.1 also Any.
    `version`: OCPP16, OCPP20, OCPP201, OCPP21, ...; None: the station's present one (2.1 leaves it to the handshake).
    `identity`, `password`: 2.1 only, where they differ from those in use.
    """

    url: str
    security_profile: int
    interface: str = "Wired0"
    message_timeout_s: int = 30
    version: str | None = None
    identity: str | None = None
    password: str | None = None
    apn: Apn | None = None
    vpn: Vpn | None = None


class SetNetworkProfile(Word, frozen=True):
    """Command. 2.x only (B09). It is used once OCPPCommCtrlr.NetworkConfigurationPriority names its slot (B10)."""

    configuration_slot: int
    profile: NetworkProfile

    @property
    def slot(self) -> str:
        """Only the last of a configuration slot counts."""
        return f"network-profile:{self.configuration_slot}"


class NetworkProfileAnswered(Word, frozen=True):
    """Fact: what a station said to a network profile. Without its secrets."""

    configuration_slot: int
    url: str
    security_profile: int
    interface: str
    status: str
    at: datetime
