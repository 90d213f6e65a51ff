"""Bidirectional power transfer: which kinds a transaction may use, and the grid operator's signal. OCPP 2.1 block Q.

Setpoints, discharge limits and operation modes are part of charging profiles (`engine.model.charging_profiles`).
"""

from datetime import datetime
from enum import StrEnum

from engine.model.word import Word


class EnergyTransfer(StrEnum):
    """A kind of energy transfer (2.1 EnergyTransferModeEnumType); BPT: both ways."""

    AC_SINGLE_PHASE = "AC_single_phase"
    AC_TWO_PHASE = "AC_two_phase"
    AC_THREE_PHASE = "AC_three_phase"
    DC = "DC"
    AC_BPT = "AC_BPT"
    AC_BPT_DER = "AC_BPT_DER"
    AC_DER = "AC_DER"
    DC_BPT = "DC_BPT"
    DC_ACDP = "DC_ACDP"
    DC_ACDP_BPT = "DC_ACDP_BPT"
    WPT = "WPT"


class AllowEnergyTransfers(Word, frozen=True):
    """Command: which kinds of transfer a transaction may use from now on (Q02.FR.05, NotifyAllowedEnergyTransfer)."""

    transaction_id: str
    transfers: tuple[EnergyTransfer, ...]

    @property
    def slot(self) -> str:
        """Only the last word about a transaction counts."""
        return f"transfers:{self.transaction_id}"


class SendAfrrSignal(Word, frozen=True):
    """Command: the grid operator's signal for automatic frequency restoration, in force from `at` on (Q08.FR.10)."""

    signal: int
    at: datetime


class EnergyTransfersAllowed(Word, frozen=True):
    """Fact: the station took note of what a transaction may use."""

    transaction_id: str
    transfers: tuple[EnergyTransfer, ...]
    at: datetime


class AfrrSignalSent(Word, frozen=True):
    """Fact: what a station said to a signal. Not accepted: it follows no signal now (Q08.FR.11)."""

    signal: int
    signal_at: datetime
    accepted: bool
    at: datetime
