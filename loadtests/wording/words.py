"""What a station talks of, whatever the version: its meter, a charge, a moment; and what a version's words must say."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol

Payload = dict[str, Any]
Call = tuple[str, Payload]

ENERGY = "Energy.Active.Import.Register"
POWER = "Power.Active.Import"
CURRENT = "Current.Import"
VOLTAGE = "Voltage"
SOC = "SoC"
MEASURANDS = (ENERGY, POWER, SOC, CURRENT, VOLTAGE)
"""What a meter can show; the energy comes first."""


def stamp(at: datetime) -> str:
    """A time as OCPP writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Meter:
    """What the meter shows: register in Wh, power in W, current per phase in A, voltage to neutral in V.

    `soc_percent` is None when no car is there. `measurands`: those that are told.
    """

    register_wh: int
    power_w: float = 0.0
    current_a: float = 0.0
    phases: int = 3
    soc_percent: float | None = None
    voltage_v: float = 230.0
    measurands: tuple[str, ...] = MEASURANDS

    def at_rest(self) -> "Meter":
        """The same with the contactor open."""
        return replace(self, power_w=0.0, current_a=0.0)


@dataclass(slots=True)
class Charge:
    """One charge from plug to unplug.

    Attributes:
        connector: Number of the outlet; 2.x: of the EVSE.
        token: Who pays.
        id: The transaction's name, the station's own or (1.6) the CSMS' number; None: not known yet.
        state: Charging, SuspendedEV or SuspendedEVSE; EVConnected before.
        sequence: Of the next message (2.x).
        remote: Whether the CSMS started it; `remote_start_id` (2.x) is how.
        stop_reason: In the version's own words; None: not stopped.
        began: By the station's clock, s since 1970.
        reservation: That it fulfils; None: none.
        prioritized: Whether priority charging is on (2.1).
        cost: What the CSMS says that it costs so far (2.x); None: it did not.
    """

    connector: int
    token: str
    meter_start_wh: int
    id: str | None = None
    state: str = "EVConnected"
    sequence: int = 0
    remote: bool = False
    remote_start_id: int | None = None
    stop_reason: str | None = None
    began: float = 0.0
    reservation: int | None = None
    prioritized: bool = False
    cost: float | None = None


@dataclass(frozen=True)
class Moment:
    """When something happened, by the station's clock, and whether the station was offline then."""

    at: datetime
    offline: bool = False


class Wording(Protocol):
    """The words of one OCPP version."""

    subprotocol: str
    names_transactions: bool
    keeps_ids: bool
    """Whether a repeated message has the message id of the first attempt."""
    key_of_interval: ClassVar[dict[str, str]]
    """What the version calls `heartbeat` and `meter`, the two intervals that can be changed."""

    def boot(self, identity: str, reason: str, firmware: str = "1.0.0") -> Call:
        """BootNotification."""

    def status_word(self, status: str) -> str:
        """What the version calls a status of 1.6."""

    def status(self, connector: int, status: str, at: datetime) -> Call:
        """StatusNotification; `status` in 1.6's words."""

    def authorize(self, token: str) -> Call:
        """Authorize."""

    def meter_values(
        self, charge: Charge | None, connector: int, meter: Meter, at: datetime, context: str = "Trigger"
    ) -> Call:
        """MeterValues outside of the periodic ones: `context` Trigger or Sample.Clock."""

    def start(self, charge: Charge, meter: Meter, moment: Moment) -> Call:
        """The transaction begins."""

    def update(self, charge: Charge, meter: Meter, moment: Moment, trigger: str = "MeterValuePeriodic") -> Call:
        """Meter values in the transaction; `trigger` as 2.x says it."""

    def stop(self, charge: Charge, meter: Meter, moment: Moment) -> Call:
        """The transaction ends."""

    def accepts(self, reply: Payload) -> bool:
        """Whether an Authorize was accepted."""

    def group(self, reply: Payload) -> str | None:
        """The group of a token, from the reply to an Authorize; None: it has none."""

    def deauthorizes(self, reply: Payload) -> bool:
        """Whether the reply to a transaction message says that the token is not good; silence does not."""


def says_no(info: object) -> bool:
    """Whether an idTagInfo or idTokenInfo is there and is not Accepted."""
    return isinstance(info, dict) and info.get("status") != "Accepted"
