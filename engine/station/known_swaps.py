"""Battery swaps that a station's state remembers, and how facts change them. Part of the state; bounded."""

from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from engine.model.battery_swap import SwapEvent, SwapLapsed, SwapMoved, SwapRequested

SWAPS_MAX = 32
"""The oldest beyond is forgotten: its batteries that go out would be taken for a swap without an in."""
IN_S = 900.0
"""How long the first battery is waited for after we asked for a swap (S02.FR.05)."""


class KnownSwap(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A swap. `asked`: by us, and nothing came in yet. `events`: what happened, each once."""

    request_id: int
    began_at: datetime
    token_key: str
    asked: bool = False
    events: tuple[SwapEvent, ...] = ()

    @property
    def over(self) -> bool:
        """Whether the batteries are out, or were not taken."""
        return SwapEvent.OUT in self.events or SwapEvent.OUT_TIMEOUT in self.events


class KnownSwaps(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The last swaps of one station, oldest first."""

    swaps: tuple[KnownSwap, ...] = ()

    def find(self, request_id: int) -> KnownSwap | None:
        """The youngest of that request id."""
        return next((swap for swap in reversed(self.swaps) if swap.request_id == request_id), None)

    @property
    def due_at(self) -> datetime | None:
        """When a swap that we asked for is given up; None: none is waited for."""
        return min((swap.began_at + timedelta(seconds=IN_S) for swap in self.swaps if swap.asked), default=None)

    def after(self, fact: SwapRequested | SwapMoved | SwapLapsed) -> "KnownSwaps":
        """With what the fact tells."""
        match fact:
            case SwapRequested():
                return self._with(KnownSwap(fact.request_id, fact.began_at, fact.token.key, asked=True))
            case SwapMoved():
                report = fact.report
                known = self._of(report.request_id, fact.began_at)
                if known is None:
                    known = KnownSwap(report.request_id, fact.began_at, report.token.key)
                events = known.events if report.event in known.events else (*known.events, report.event)
                return self._with(replace(known, asked=False, events=events))
            case SwapLapsed():
                known = self._of(fact.request_id, fact.began_at)
                return self if known is None else self._with(replace(known, asked=False))

    def _of(self, request_id: int, began_at: datetime) -> KnownSwap | None:
        known = self.find(request_id)
        return known if known is not None and known.began_at == began_at else None

    def _with(self, swap: KnownSwap) -> "KnownSwaps":
        same = (swap.request_id, swap.began_at)
        others = tuple(other for other in self.swaps if (other.request_id, other.began_at) != same)
        return replace(self, swaps=(*others, swap)[-SWAPS_MAX:])
