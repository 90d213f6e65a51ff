"""Which facts make a site be planned anew: a word for the record, or nothing.

Most of what stations say changes no plan at once: meter values are looked at when the site's turn comes, and what
became of commands only lets the wire send what waited. Knows no site.
"""

from engine.model.facts import Fact
from engine.model.provisioning import StationBooted
from engine.model.sessions import SessionEnded, SessionStarted
from engine.model.smart_charging import LimitImposed, LimitReleased, NeedsRecorded, PriorityChanged
from engine.model.transactions import TransactionEnded, TransactionFlag, TransactionOpened, TransactionUpdated

TRANSACTION = "transaction"
CAP = "cap"
LOAD = "load"
DRIVER = "driver"
PRICES = "prices"
TIME = "time"
START = "start"
CONNECTION = "connection"
_LATE = frozenset({TransactionFlag.AFTER_END})


def trigger_of(fact: Fact) -> str | None:
    """Why the site should be planned because of a fact; None: it need not be."""
    match fact:
        case TransactionOpened() | TransactionEnded():
            return TRANSACTION
        case TransactionUpdated():
            tells = fact.charging_state is not None or fact.evse is not None or fact.cable_a_max is not None
            return TRANSACTION if tells and not _LATE.intersection(fact.flags) else None
        case NeedsRecorded():
            return "needs"
        case PriorityChanged():
            return "priority"
        case LimitImposed() | LimitReleased():
            return "limit of the station"
        case SessionStarted() | SessionEnded() | StationBooted():
            return CONNECTION
        case _:
            return None
