"""Battery swap: batteries that go into and out of a swap station. OCPP 2.1 block S."""

from datetime import datetime
from enum import StrEnum

from engine.model.authorization import Token
from engine.model.word import Word


class SwapEvent(StrEnum):
    """What happened (2.1 BatterySwapEventEnumType)."""

    IN = "BatteryIn"
    OUT = "BatteryOut"
    OUT_TIMEOUT = "BatteryOutTimeout"
    """The new batteries were not taken in time (S03.FR.06)."""


class Battery(Word, frozen=True, tag=False):
    """A battery in slot `evse`."""

    evse: int
    serial_number: str
    soc_percent: float
    soh_percent: float
    produced_at: datetime | None = None
    vendor_info: str | None = None


class RequestBatterySwap(Word, frozen=True):
    """Command: let this driver swap (S02). The token must be authorized (S02.FR.03)."""

    token: Token
    request_id: int | None = None


class BatterySwapReported(Word, frozen=True):
    """Report: batteries went in or out. The request id is ours (S02.FR.02) or, of a swap begun there, the station's."""

    request_id: int
    event: SwapEvent
    token: Token
    batteries: tuple[Battery, ...] = ()


class BatterySwapAnswer(Word, frozen=True):
    """Answer: taken note of."""


class SwapFlag(StrEnum):
    """What was odd; it was recorded and answered all the same."""

    OUT_WITHOUT_IN = "out_without_in"
    REPEATED = "repeated"
    """The same event of the same swap once more."""
    OTHER_TOKEN = "other_token"  # noqa: S105 (a flag, not a password)
    """Not the token that the swap began with."""
    AFTER_END = "after_end"


class SwapRequested(Word, frozen=True):
    """Fact: the station accepted a swap that we asked for. `began_at` names it together with its request id."""

    request_id: int
    token: Token
    began_at: datetime
    at: datetime


class SwapMoved(Word, frozen=True):
    """Fact: batteries went in or out."""

    began_at: datetime
    report: BatterySwapReported
    at: datetime
    flags: tuple[SwapFlag, ...] = ()


class SwapLapsed(Word, frozen=True):
    """Fact: no battery came in after we had asked for a swap (S02.FR.05)."""

    request_id: int
    began_at: datetime
    noted_at: datetime
