"""Caps from outside: what operators, grid operators and stations impose on a node of a site.

The cap of a node is the least over all live sources. A source that falls silent is not forgotten: its fallback counts
(`smartcharging.caps` has the states). OpenADR's IMPORT_CAPACITY_LIMIT, EEBUS LPC and OCPI are meant to become these.
"""

from datetime import datetime
from enum import StrEnum

from engine.model.word import Word

STEPS_MAX = 1024
HEARTBEAT_S_MIN = 1.0


class CapDirection(StrEnum):
    """Of the energy: from the grid to the cars, or back."""

    IMPORT = "import"
    EXPORT = "export"


class CapStep(Word, frozen=True, tag=False):
    """From `at` on. `kw` None: no cap from this source until the next step; never negative."""

    at: datetime
    kw: float | None


class CapSource(Word, frozen=True, kw_only=True):
    """What one source says about one node. A newer one of the same site and source replaces it whole.

    `source`: who: "operator", "grid:<name>", "station:<identity>:<chargingLimitSource>"; one per site, node and
    direction: the key of a cap is (site, source). `node`: of the tree; empty: the root. `steps`: strictly ascending;
    before the first nothing is capped. `valid_until`: then the fallback counts; None: the last step counts for ever.
    `heartbeat_s`: without a word (a new cap, or a heartbeat) for so long the source is silent; None: it need not say
    anything. `fallback_kw`: what counts then; None: the source is gone and caps nothing. `priority`: shown; the least
    counts whatever it is. `emergency`: stations are told before anything else, whatever the message budget says.
    """

    site: str
    source: str
    steps: tuple[CapStep, ...]
    node: str = ""
    direction: CapDirection = CapDirection.IMPORT
    valid_until: datetime | None = None
    priority: int = 0
    fallback_kw: float | None = None
    heartbeat_s: float | None = None
    emergency: bool = False


class HeldCap(Word, frozen=True, tag=False):
    """A cap as the book holds it. `saved_at`: when it was told; `heard_at`: the last word of its source."""

    cap: CapSource
    saved_at: datetime
    heard_at: datetime


class CapSaved(Word, frozen=True):
    """Fact of the operator's: a source told a cap."""

    cap: CapSource
    by: str
    at: datetime


class CapHeard(Word, frozen=True):
    """Fact of the operator's: a source lives."""

    site: str
    source: str
    at: datetime


class CapReleased(Word, frozen=True):
    """Fact of the operator's: a source caps nothing any more, by its own word."""

    site: str
    source: str
    by: str
    at: datetime
