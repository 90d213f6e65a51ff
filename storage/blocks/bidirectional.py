"""Bidirectional power transfer: what transactions may use, and signals of the grid operator."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from engine.model.bidirectional import AfrrSignalSent, EnergyTransfersAllowed
from storage.blocks.table import Change, Json, Put, Table


class AllowedTransfersRow(msgspec.Struct, frozen=True):
    """The kinds of energy transfer that a transaction may use, as its station was told last."""

    station: str
    transaction_id: str
    transfers: Json = None
    told_at: datetime | None = None


ALLOWED = Table(
    name="allowed_energy_transfers",
    row=AllowedTransfersRow,
    key=("station", "transaction_id"),
    ages_by="told_at",
    filters=("station", "transaction_id"),
    about="Kinds of energy transfer that transactions may use.",
    tag="grid",
)


def allowed(station: str, fact: EnergyTransfersAllowed) -> Iterable[Change]:
    """The station was told."""
    yield Put(ALLOWED, (station, fact.transaction_id), {"transfers": fact.transfers, "told_at": fact.at})


TABLES = (ALLOWED,)
CHANGES = {EnergyTransfersAllowed: allowed}
EVENTS = (AfrrSignalSent, EnergyTransfersAllowed)
