"""The blocks: which function decides which report, and what the blocks add to commands and to the passing of time.

A block adds its lines here and nothing else of the decider changes (docs/contributing-blocks.md).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from engine.model.authorization import TokenPresented
from engine.model.availability import ConnectorStatusReported
from engine.model.commands import CommandRequest, Outcome
from engine.model.data_transfer import DataReported
from engine.model.metering import ReadingsReported
from engine.model.notices import StationNotice
from engine.model.provisioning import BootReported, HeartbeatReported
from engine.model.transactions import TransactionReported
from engine.station import (
    authorization,
    availability,
    data_transfer,
    metering,
    notices,
    provisioning,
    transactions,
)
from engine.station.context import Context
from engine.station.effects import Effect
from engine.station.state import StationState

Handler = Callable[[StationState, Any, Context], tuple[Effect, ...]]
"""Decides a report. Never empty: records first, then the Reply."""
Consequence = Callable[[StationState, CommandRequest, Outcome, Context], tuple[Effect, ...]]
"""What a command's outcome means for its block: more records, follow-up commands (`commands.issue`).

The state is the one before the outcome; the outcome is any, also TIMED_OUT, OFFLINE, CANCELLED, ...; a late answer comes
only as long as the command is remembered.
"""
Objection = Callable[[StationState, Any, Context], str | None]
"""Why a command must not be sent now; None: it may. For people."""

REPORTED: dict[type, Handler] = {
    TransactionReported: transactions.reported,
    HeartbeatReported: provisioning.beaten,
    ConnectorStatusReported: availability.reported,
    ReadingsReported: metering.reported,
    TokenPresented: authorization.presented,
    BootReported: provisioning.booted,
    DataReported: data_transfer.reported,
    StationNotice: notices.reported,
}
"""Report -> who decides it."""

SETTLED: dict[type, Consequence] = {}
"""Command -> what its outcome means for its block."""

OBJECTED: dict[type, Objection] = {}
"""Command -> what its block has against it."""


class Alarm:
    """Something of a block's that happens when time has passed. `due_at` None: nothing to wait for."""

    def __init__(
        self,
        due_at: Callable[[StationState], datetime | None],
        ring: Callable[[StationState, Context], tuple[Effect, ...]],
    ) -> None:
        self.due_at = due_at
        self.ring = ring


ALARMS: tuple[Alarm, ...] = (Alarm(authorization.stop_due_at, authorization.stop_due),)
"""What the blocks wait for. `ring` is called when `due_at` is over; its facts must move `due_at`."""
TIMED_PARTS: tuple[str, ...] = ("planned_stops",)
"""Fields of `StationState` without which (at their default) no alarm is due: a quick look before the slow ones."""
