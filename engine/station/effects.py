"""Effects: what must be done because of an event. Records come first: a reply never precedes its record."""

import msgspec

from engine.model.commands import Outcome
from engine.model.envelopes import Answer, Downlink
from engine.model.facts import Fact


class Record(msgspec.Struct, frozen=True, gc=False):
    """Write this down, and let the state evolve by it."""

    fact: Fact


class Reply(msgspec.Struct, frozen=True, gc=False):
    """Tell the station this, once all facts of the decision are on disk. A SEND of the station's gets none."""

    answer: Answer


class Deny(msgspec.Struct, frozen=True, gc=False):
    """The station may not say this now: tell it CALLERROR SecurityError. Nothing was recorded."""

    reason: str


class Supersede(msgspec.Struct, frozen=True, gc=False):
    """Tell the sender that its session is not the station's any more. Nothing was recorded; the station will retry."""


class Send(msgspec.Struct, frozen=True, gc=False):
    """Hand this to the ingress that holds the session."""

    ingress: str
    downlink: Downlink


class Settle(msgspec.Struct, frozen=True, gc=False):
    """Wake whoever waits for this command."""

    command_id: str
    outcome: Outcome


Effect = Record | Reply | Deny | Supersede | Send | Settle
