"""What an EVSE may have promised to keep, at one place of its profiles: held, on the way, or in doubt.

send -> on the way -- yes ------------------> held, what was there before is gone
                   |- no, nothing was sent -> gone
                   '- no answer ------------> in doubt: counted with the rest until a later yes
"""

from enum import StrEnum

import msgspec

from engine.model.charging_profiles import ChargingProfile
from smartcharging.wire.steps import NOTHING, UNKNOWN, Steps, highest_of

PROMISES_MAX = 6
"""Of one place; older ones beyond are taken together."""
PAST_MAX = 6


class Standing(StrEnum):
    """How certain a promise is."""

    HELD = "held"
    SENT = "sent"
    DOUBTED = "doubted"


class Promise(msgspec.Struct, kw_only=True):
    """One profile that may count. `steps`: import, A per phase at the worst; `gives`: export.

    `profile` None: nobody knows what the station has.
    """

    steps: Steps
    gives: Steps = NOTHING
    standing: Standing = Standing.HELD
    order_id: str | None = None
    profile: ChargingProfile | None = None
    lease_s: float = 0.0
    """Until when it is good, seconds since 1970; afterwards it is the fallback."""


class Place:
    """The promises of one EVSE for one purpose, the oldest first."""

    def __init__(self, *, known: bool) -> None:
        self.promises: list[Promise] = [] if known else [Promise(steps=UNKNOWN)]
        self.past: list[ChargingProfile] = []
        self.stale = False
        """It must be told (again), even if nothing changed."""
        self.sent_s = 0.0

    @property
    def unknown(self) -> bool:
        """Whether the station may have nothing at all, or anything."""
        return any(promise.profile is None for promise in self.promises)

    @property
    def held(self) -> Promise | None:
        """The last that the station said yes to."""
        return next((each for each in reversed(self.promises) if each.standing is Standing.HELD and each.profile), None)

    @property
    def worst(self) -> Steps:
        """The most that any of them allows."""
        return highest_of([promise.steps for promise in self.promises]) if self.promises else NOTHING

    @property
    def worst_gives(self) -> Steps:
        """The most that any of them gives back."""
        return highest_of([promise.gives for promise in self.promises]) if self.promises else NOTHING

    @property
    def lease_s(self) -> float:
        """When the first of the leases ends; 0: there is none."""
        return min((promise.lease_s for promise in self.promises), default=0.0)

    def send(self, promise: Promise) -> None:
        """One is on its way."""
        promise.standing = Standing.SENT
        self.promises.append(promise)
        self.stale = False
        if len(self.promises) > PROMISES_MAX:
            first, second = self.promises[:2]
            joined = Promise(
                steps=highest_of([first.steps, second.steps]),
                gives=highest_of([first.gives, second.gives]),
                standing=Standing.DOUBTED,
                profile=first.profile and second.profile,
            )
            self.promises[:2] = [joined]

    def find(self, order_id: str) -> Promise | None:
        """By its order."""
        return next((promise for promise in self.promises if promise.order_id == order_id), None)

    def accept(self, promise: Promise) -> None:
        """The station has it: what came before is gone; what came later may replace it yet."""
        index = self.promises.index(promise)
        self._forget(self.promises[:index])
        self.promises = self.promises[index:]
        promise.standing = Standing.HELD

    def refuse(self, promise: Promise) -> None:
        """The station does not have it."""
        self.promises = [each for each in self.promises if each is not promise]
        self._forget([promise])

    def doubt(self, promise: Promise) -> None:
        """Nobody knows whether the station has it."""
        promise.standing = Standing.DOUBTED
        self.stale = True

    def install(self, promise: Promise) -> None:
        """The station has this one, whoever set it."""
        self._forget([each for each in self.promises if each.standing is not Standing.SENT])
        self.promises = [promise, *(each for each in self.promises if each.standing is Standing.SENT)]

    def suspect(self) -> None:
        """The station may have lost what it had (a boot)."""
        if not self.unknown:
            self.promises.insert(0, Promise(steps=UNKNOWN, standing=Standing.DOUBTED))
        self.stale = True

    def lose(self, *, known: bool) -> None:
        """The station has it no more. `known`: nothing counts here then; else: anything may."""
        self._forget(self.promises)
        self.promises = [each for each in self.promises if each.standing is Standing.SENT]
        if not known:
            self.promises.insert(0, Promise(steps=UNKNOWN))
            self.stale = True

    def knows(self, profile: ChargingProfile) -> Promise | None:
        """The promise of exactly this profile."""
        return next((each for each in reversed(self.promises) if each.profile == profile), None)

    def was(self, profile: ChargingProfile) -> bool:
        """Whether it was one of the last ones here: news of it is old."""
        return profile in self.past

    def _forget(self, those: list[Promise]) -> None:
        self.past = [*self.past, *(each.profile for each in those if each.profile is not None)][-PAST_MAX:]
