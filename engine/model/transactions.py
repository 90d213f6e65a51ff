"""Transactions: reported by stations, kept as facts. OCPP 2.1 block E, 1.6 sections 4.8 and 4.10."""

from datetime import datetime
from enum import StrEnum

from engine.model.authorization import Token, TokenVerdict
from engine.model.ids import EvseRef
from engine.model.metering import Reading
from engine.model.word import Word

Gaps = tuple[tuple[int, int], ...]
"""Sequence numbers that were not heard, as ranges (first, last), ascending; of many only the first few."""


class Stage(StrEnum):
    """Where in its life a transaction is, as the station reports it."""

    STARTED = "Started"
    UPDATED = "Updated"
    ENDED = "Ended"


class ChargingState(StrEnum):
    """2.x chargingState; on 1.6 the decider derives it from the connector's status."""

    EV_CONNECTED = "EVConnected"
    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    IDLE = "Idle"


class TransactionLimit(Word, frozen=True):
    """Up to where a transaction may go (2.1 E16). None: no limit. `cost_max`: in the transaction's currency."""

    cost_max: float | None = None
    energy_wh_max: float | None = None
    time_s_max: int | None = None
    soc_percent_max: int | None = None


class TransactionExtras(Word, frozen=True):
    """What only 2.x, mostly 2.1, says of a transaction, here and there. None: not said in this message.

    `charging_s`: time spent charging so far. `cost`: costDetails as JSON, verbatim. `limit`: as the station took it.
    """

    charging_s: int | None = None
    operation_mode: str | None = None
    tariff_id: str | None = None
    limit: TransactionLimit | None = None
    preconditioning: str | None = None
    evse_sleep: bool | None = None
    cost: bytes | None = None


class TransactionReported(Word, frozen=True):
    """One message about a transaction. What a version or a station does not say stays None.

    `transaction_id`: the station's own (2.x) or the number we gave it, as text (1.6); None on a 1.6 start: we name it.
    `meter_wh`: 1.6 meterStart or meterStop. `readings`: in the order of the message. `at`: the station's clock.
    """

    stage: Stage
    transaction_id: str | None = None
    at: datetime | None = None
    evse: EvseRef | None = None
    token: Token | None = None
    meter_wh: float | None = None
    readings: tuple[Reading, ...] = ()
    sequence: int | None = None
    trigger: str | None = None
    charging_state: ChargingState | None = None
    stop_reason: str | None = None
    reservation_id: int | None = None
    remote_start_id: int | None = None
    offline: bool | None = None
    phases_used: int | None = None
    cable_a_max: float | None = None
    extras: TransactionExtras | None = None


class TransactionAnswer(Word, frozen=True):
    """`number`: the name we gave a 1.6 transaction. `verdict`: only where the report carried a token.

    `stage` repeats the report's, because 1.6 answers with another message for each.
    """

    stage: Stage
    number: int | None = None
    verdict: TokenVerdict | None = None
    total_cost: float | None = None
    limit: TransactionLimit | None = None
    """2.1: up to where it may go, told once (E16.FR.02)."""


class TransactionFlag(StrEnum):
    """What was odd about a transaction; it was stored all the same."""

    STARTED_UNSEEN = "started_unseen"
    """An update or end came before any start."""
    UNKNOWN_TOKEN = "unknown_token"  # noqa: S105 (a flag, not a password)
    NO_TRANSACTION_ID = "no_transaction_id"
    """A 1.6 station used an id that it cannot have from us (-1, 0)."""
    METER_BACKWARDS = "meter_backwards"
    CLOCK_SKEW = "clock_skew"
    AFTER_END = "after_end"
    WRONG_CONNECTOR = "wrong_connector"
    """A message named another place than the transaction's, or none that can charge (0, negative); the first counts."""
    SUPERSEDED = "superseded"
    """A younger transaction began at its connector before its end was heard."""
    ABANDONED = "abandoned"
    """Ended by us, for it was superseded or its station knows it no more; a stop that comes after all corrects it."""


class TransactionOpened(Word, frozen=True):
    """Fact: a transaction exists. `started_at`: the station's clock, ours (`received_at`) where it said nothing."""

    transaction_id: str
    started_at: datetime
    received_at: datetime
    number: int | None = None
    evse: EvseRef | None = None
    token: Token | None = None
    verdict: TokenVerdict | None = None
    meter_start_wh: float | None = None
    sequence: int | None = None
    trigger: str | None = None
    charging_state: ChargingState | None = None
    reservation_id: int | None = None
    remote_start_id: int | None = None
    offline: bool = False
    flags: tuple[TransactionFlag, ...] = ()
    meter_location: str | None = None
    """Where the register of `meter_start_wh` sits when it was a reading (Outlet, Inlet)."""
    phases_used: int | None = None
    cable_a_max: float | None = None
    extras: TransactionExtras | None = None


class TransactionUpdated(Word, frozen=True):
    """Fact: something about a transaction became known. None: unchanged.

    `stage`: of the message that told it. STARTED: a late start, `at` is when the transaction started. With the flag
    AFTER_END the transaction has ended and stays so; a `meter_start_wh` or `meter_last_wh` told then completes it.
    """

    transaction_id: str
    at: datetime
    received_at: datetime
    sequence: int | None = None
    trigger: str | None = None
    charging_state: ChargingState | None = None
    evse: EvseRef | None = None
    token: Token | None = None
    verdict: TokenVerdict | None = None
    meter_start_wh: float | None = None
    """Set when the first register reading makes the start known (2.x has no meterStart)."""
    meter_last_wh: float | None = None
    offline: bool = False
    flags: tuple[TransactionFlag, ...] = ()
    stage: Stage = Stage.UPDATED
    meter_location: str | None = None
    reservation_id: int | None = None
    remote_start_id: int | None = None
    phases_used: int | None = None
    cable_a_max: float | None = None
    extras: TransactionExtras | None = None
    gaps: Gaps | None = None
    """Set when it changed."""


class TransactionEnded(Word, frozen=True):
    """Fact: the transaction is over. `energy_wh`: stop minus start; None when either is unknown."""

    transaction_id: str
    ended_at: datetime
    received_at: datetime
    reason: str = "Local"
    sequence: int | None = None
    trigger: str | None = None
    token: Token | None = None
    meter_stop_wh: float | None = None
    energy_wh: float | None = None
    offline: bool = False
    flags: tuple[TransactionFlag, ...] = ()
    verdict: TokenVerdict | None = None
    """What the station was told of `token`."""
    extras: TransactionExtras | None = None
    gaps: Gaps | None = None
    """Set when it changed."""


class GetTransactionStatus(Word, frozen=True):
    """Command: whether a transaction goes on and has messages to come (2.x E14). None: messages of any transaction."""

    transaction_id: str | None = None


class TransactionStatusTold(Word, frozen=True):
    """Fact: what a station said to that. `ongoing` None: it was not asked about one transaction (E14.FR.06)."""

    messages_in_queue: bool
    at: datetime
    transaction_id: str | None = None
    ongoing: bool | None = None
