"""Presence: what is remembered of how a station comes, goes and behaves.

It tells two devices of one identity, a connection that lives while its OCPP stack is dead, and what a quirk could help.
Costs nothing for a station of which there is nothing to tell.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from engine.model.facts import Fact
from engine.model.provisioning import BootReported
from engine.model.quirks import Make, OdditiesCounted
from engine.model.sessions import (
    IdentityContested,
    StationResponsive,
    StationUnresponsive,
)

TEXT_MAX = 100
TAKEOVERS_MAX = 10
"""Remembered; so many from one host are a contest, too."""
CONTEST_S = 600.0
CONTEST_TAKEOVERS = 4
"""Within CONTEST_S, from more than one host: a station whose connections break comes from one, and less often."""


class Takeover(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A connection that pushed out a living one: when (the actor's clock), from which host."""

    at: datetime
    host: str


class Presence(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`takeovers`: the last ones, until they are told. `silent_since`: it is unresponsive on its connection."""

    takeovers: tuple[Takeover, ...] = ()
    silent_since: datetime | None = None

    def after(self, fact: Fact) -> "Presence":
        """Follows a fact."""
        match fact:
            case IdentityContested():
                return msgspec.structs.replace(self, takeovers=())
            case StationUnresponsive():
                return msgspec.structs.replace(self, silent_since=fact.at)
            case StationResponsive():
                return msgspec.structs.replace(self, silent_since=None)
            case _:
                return self

    def taken_over(self, at: datetime, address: str) -> "Presence":
        """A connection from that address pushed out a living one."""
        takeover = Takeover(at, host_of(address))
        return msgspec.structs.replace(self, takeovers=(*self.takeovers[1 - TAKEOVERS_MAX :], takeover))

    def contest(self, now: datetime) -> tuple[Takeover, ...]:
        """The takeovers that show that the identity is contested; empty: it is not."""
        since = now - timedelta(seconds=CONTEST_S)
        recent = tuple(each for each in self.takeovers if each.at > since)
        hosts = {each.host for each in recent}
        needed = CONTEST_TAKEOVERS if len(hosts) > 1 else TAKEOVERS_MAX
        return recent if len(recent) >= needed else ()


class Noticed(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was noticed of a station of this make: how often, by `engine.model.quirks.Oddity` (so it is bounded)."""

    make: Make | None = None
    counts: Mapping[str, int] = {}

    def after(self, fact: Fact) -> "Noticed":
        """Follows a fact."""
        return Noticed(fact.make, fact.counts) if isinstance(fact, OdditiesCounted) else self


def make_of(boot: BootReported) -> Make:
    """Who a station is by its boot, shortened where it says too much."""
    return Make(boot.vendor[:TEXT_MAX], boot.model[:TEXT_MAX], (boot.firmware_version or "")[:TEXT_MAX])


def host_of(address: str) -> str:
    """The host of `host:port`, brackets of an IPv6 address left as they are."""
    host, colon, port = address.rpartition(":")
    return host if colon and port.isdigit() else address
