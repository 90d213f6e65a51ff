"""Context: all that a decision may look at beside the station's state, gathered before it is made."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from engine.model.authorization import TokenRecord, TransactionUse
from engine.model.stations import StationRecord
from engine.model.tariff_and_cost import TariffBook
from engine.ports import Ids
from engine.station.policy import Policy


class Questions(msgspec.Struct, frozen=True, gc=False):
    """What must be looked up before deciding. `tokens`: by `Token.key`. `record`: whether the station's is needed."""

    tokens: tuple[str, ...] = ()
    record: bool = False


class Context(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The answers to the questions, the time and the names.

    `now`: the decider's clock. `received_at`: the ingress' clock when the frame was complete (`now` for what did not
    come from a station). `tokens`: by `Token.key`; absent: the operator does not know the token. `record` None: no
    record, or not asked. `uses`: open transactions over all stations, by `authorization.use_key`; a moment behind.
    `tariffs`: the operator's, a moment behind; None: there are none. `planned`: the station belongs to a site; asked
    only where that matters.
    """

    now: datetime
    received_at: datetime
    ids: Ids
    policy: Policy
    tokens: Mapping[str, TokenRecord] = {}
    record: StationRecord | None = None
    uses: Mapping[str, tuple[TransactionUse, ...]] = {}
    tariffs: TariffBook | None = None
    planned: bool = False
