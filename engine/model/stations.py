"""Stations as the operator registers them, before and beside what they report themselves.

Two things of a record change in two steps, because the station must learn of them first: its password and its security
profile. Between the steps the record holds the old and the next one, and the door takes either; the first connection
that shows the next one makes it the only one.
"""

from datetime import datetime
from typing import Self

import msgspec

from engine.model.provisioning import Registration
from engine.model.word import Word

SECURITY_PROFILE_MAX = 3
"""2.1 A00: 0 none, 1 HTTP Basic, 2 HTTP Basic over TLS, 3 TLS with a client certificate."""
_DOWNGRADE = (3, 2)
"""The one way down that 2.1 knows (A00.FR.005, A05.FR.08)."""


class StationRecord(Word, frozen=True):
    """What the operator decided about a station.

    `password_hash`: of the Basic authentication password, see `ingress.ocpp.passwords`; None: none set.
    `password_hash_next`: of the password that the station is being told; None: none.
    `security_profile`: 0 to 3 (2.1 A00); 0: none is demanded. `security_profile_next`: what it was told to come with.
    `downgrade_allowed`: a station of profile 3 may come with 2 (2.1 AllowSecurityProfileDowngrade).
    `certificate_name`: the common name that its certificate must carry, its serial number; None: its identity.
    `assume_ocpp16`: it names no subprotocol and means ocpp1.6. `lenient_upgrade`: its handshake lacks
    `Connection: Upgrade` or `Upgrade: websocket`.
    `quirks`: names of quirk profiles, or `switch=value`, beside those of its make (`engine.model.quirks`).
    `message_log`: True or False for this station, None: as the system's setting says.
    """

    station: str
    registration: Registration = Registration.ACCEPTED
    security_profile: int = 0
    password_hash: str | None = None
    message_log: bool | None = None
    note: str | None = None
    password_hash_next: str | None = None
    security_profile_next: int | None = None
    downgrade_allowed: bool = False
    certificate_name: str | None = None
    assume_ocpp16: bool = False
    lenient_upgrade: bool = False
    quirks: tuple[str, ...] = ()

    def with_password_next(self, password_hash: str) -> Self:
        """The station is about to be told a new password: both are good until it has shown the new one."""
        return msgspec.structs.replace(self, password_hash_next=password_hash)

    def without_password_next(self) -> Self:
        """The station refused the new password (2.1 A01.FR.04), or an operator gave it up: only the old one is good."""
        return msgspec.structs.replace(self, password_hash_next=None)

    def with_password_taken(self) -> Self:
        """The station uses the new password: only that one is good (2.1 A01.FR.03). As it is where none is next."""
        if self.password_hash_next is None:
            return self
        return msgspec.structs.replace(self, password_hash=self.password_hash_next, password_hash_next=None)

    def with_profile_next(self, profile: int) -> Self:
        """The station is about to be told to come with another security profile: both are good until it has.

        Raises:
            ValueError: No profile of OCPP, or a lower one, which OCPP does not allow (2.1 A00.FR.005).
        """
        if not 0 <= profile <= SECURITY_PROFILE_MAX:
            raise ValueError(f"security profile {profile} does not exist: OCPP has 0 to {SECURITY_PROFILE_MAX}")
        step = (self.security_profile, profile)
        if profile <= self.security_profile and not (self.downgrade_allowed and step == _DOWNGRADE):
            raise ValueError(
                f"security profile {profile} is not above {self.security_profile}, the one of {self.station}: "
                "OCPP does not lower it (A00.FR.005); only 3 to 2 can be allowed for a station"
            )
        return msgspec.structs.replace(self, security_profile_next=profile)

    def without_profile_next(self) -> Self:
        """The station refused the new security profile, or an operator gave it up."""
        return msgspec.structs.replace(self, security_profile_next=None)

    def with_profile_shown(self, profile: int) -> Self:
        """The station came in with this profile. A higher one is the record's from now on (2.1 A05.FR.07).

        What it was told to come with is settled by it, downwards too where that is allowed. A record of profile 0
        demands none, so it stays unless the station was told another.
        """
        if profile == self.security_profile_next or profile > self.security_profile > 0:
            told = self.security_profile_next
            following = None if told is None or told <= profile else told
            return msgspec.structs.replace(self, security_profile=profile, security_profile_next=following)
        return self

    def profiles_accepted(self, *, upgrades: bool) -> frozenset[int]:
        """The profiles that the station may come with; of a record of profile 0: any.

        Args:
            upgrades: Any higher one is welcome, told or not.
        """
        if self.security_profile == 0:
            return frozenset(range(SECURITY_PROFILE_MAX + 1))
        accepted = {self.security_profile}
        if self.security_profile_next is not None:
            accepted.add(self.security_profile_next)
        if upgrades:
            accepted.update(range(self.security_profile, SECURITY_PROFILE_MAX + 1))
        if self.downgrade_allowed and self.security_profile == _DOWNGRADE[0]:
            accepted.add(_DOWNGRADE[1])
        return frozenset(accepted)


class StationRegistered(Word, frozen=True):
    """Fact of the operator's: a station was registered or its record changed."""

    record: StationRecord
    at: datetime
