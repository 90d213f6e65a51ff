"""Remote control: start, stop, unlock, trigger. OCPP 2.1 block F."""

from engine.model.authorization import Token
from engine.model.ids import EvseRef
from engine.model.word import Word


class RequestStart(Word, frozen=True):
    """Command. `evse` None: the station chooses (1.6; 2.x without evse). `remote_start_id`: 2.x only, given by us."""

    token: Token
    evse: EvseRef | None = None
    remote_start_id: int | None = None


class RequestStop(Word, frozen=True):
    """Command. On 1.6 the id must be the number that we gave, as text."""

    transaction_id: str


class UnlockConnector(Word, frozen=True):
    """Command."""

    evse: EvseRef


class TriggerMessage(Word, frozen=True):
    """Command. `message`: OCPP's name of it; for StatusNotification 2.x demands evse and connector."""

    message: str
    evse: EvseRef | None = None
