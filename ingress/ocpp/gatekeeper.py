"""The gatekeeper: whether a station may come in, with which security profile, and what its record learns from it.

Which profile a connection has is seen, not asked: plain or TLS, with a password or a certificate (2.1 A00). Answers to
those who may not come in:

    401  password missing or wrong (OCPP-J; with WWW-Authenticate)     404  unknown identity (OCPP-J 1.6 section 3.2)
    403  another security profile, or a certificate that does not do   429  too often; see `ingress.ocpp.admission`
    503  we cannot tell now

On a plain connection that should be TLS the password is not even looked at: it has been seen by others already.
"""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import structlog
from websockets.datastructures import Headers

from engine.model.stations import SECURITY_PROFILE_MAX, StationRecord
from engine.ports import Clock, OperatorBook, SeamError
from ingress.ocpp.admission import Buckets, Failures, network_of
from ingress.ocpp.authentication import Authenticator
from ingress.ocpp.certificates import BadCertificate, CertificateRules, certificate_from_der
from ingress.ocpp.forwarded import Caller
from ingress.ocpp.handshake import Credentials, Refusal, credentials_from
from ingress.ocpp.lookups import Lookups
from ingress.ocpp.passwords import is_quick
from ingress.settings import OcppSettings

log = structlog.get_logger()

_CHALLENGE: Mapping[str, str] = {"WWW-Authenticate": 'Basic realm="Narke", charset="UTF-8"'}
_WRONG_PASSWORD = "FailedToAuthenticateAtCsms"  # noqa: S105 (the name of an event)
_WRONG_CERTIFICATE = "InvalidChargingStationCertificate"
_WRONG_PROFILE = "SecurityProfileMismatch"
"""No name of OCPP's: it has none."""
_COUNTED = frozenset({401, 403, 404})
"""Answers that tell somebody who guesses something."""


class Admitted(NamedTuple):
    """A station that may come in. `profile`: the security profile that it has shown."""

    record: StationRecord
    profile: int


class Gatekeeper:
    """Decides who comes in.

    Args:
        book: What the operator knows of stations.
        authenticator: Checks passwords.
        rules: What certificates must fulfil, as it is now.
        settings: Limits.
        clock: Time.
    """

    def __init__(
        self,
        book: OperatorBook,
        authenticator: Authenticator,
        rules: Callable[[], CertificateRules],
        settings: OcppSettings,
        clock: Clock,
    ) -> None:
        self._book: Final = book
        self._lookups: Final = Lookups(book)
        self._authenticator: Final = authenticator
        self._rules: Final = rules
        self._settings: Final = settings
        self._clock: Final = clock
        known_max = settings.addresses_known_max
        self._of_stations: Final = Buckets(settings.attempts_per_station_per_min, known_max)
        self._of_addresses: Final = Buckets(settings.attempts_per_address_per_min, known_max)
        self._failures: Final = Failures(
            settings.failures_per_address_per_min, settings.failures_per_station_per_min, known_max
        )

    async def admit(self, station: str, headers: Headers, caller: Caller) -> Admitted:
        """The station's record and profile; of one that is not registered, but welcome, a blank record.

        Args:
            station: Identity as it says.
            headers: Of its handshake.
            caller: Its connection, as trusted proxies tell it.

        Raises:
            Refusal: It may not come in.
        """
        self._require_pace(station, caller)
        try:
            record = await self._record(station)
            if record is None:
                record = self._stranger(station)
            profile, used = await self._authenticate(record, station, headers, caller)
        except Refusal as refusal:
            if refusal.status in _COUNTED:
                self._count(station, headers, caller, refusal)
            raise
        return Admitted(await self._learned(record, profile, used), profile)

    @property
    def retry_after(self) -> Mapping[str, str]:
        """The header of a 503."""
        return {"Retry-After": str(self._settings.retry_after_s)}

    # How often

    def _require_pace(self, station: str, caller: Caller) -> None:
        now = asyncio.get_running_loop().time()
        wait_s = self._of_addresses.take(network_of(caller.host), now)
        wait_s = max(wait_s, self._of_stations.take((caller.host, station), now))
        if wait_s:
            raise _too_often("attempts", "too many connections in a short time", wait_s)

    def _require_clean(self, station: str, caller: Caller) -> None:
        """Raises a Refusal if this address has been wrong too often to be told whether it is right."""
        wait_s = self._failures.wait_s(caller.host, station, asyncio.get_running_loop().time())
        if wait_s:
            raise _too_often("failures", "too many failed attempts", wait_s)

    def _count(self, station: str, headers: Headers, caller: Caller, refusal: Refusal) -> None:
        """Counts a failure; raises a Refusal that says nothing if there were too many."""
        self._require_clean(station, caller)
        words = headers.get_all("Authorization")
        mistake = self._authenticator.name(refusal.reason, *words, caller.certificate or b"")
        self._failures.add(caller.host, station, mistake, asyncio.get_running_loop().time())

    # Who

    async def _record(self, station: str) -> StationRecord | None:
        try:
            record = await self._lookups.find(station)
        except (SeamError, OSError) as error:
            raise self._unavailable(station, error) from error
        if record is None or record.station == station or self._settings.identity_case == "same":
            return record
        if self._settings.identity_case == "refuse":
            raise wrong_case(station, record.station)
        return None

    def _stranger(self, station: str) -> StationRecord:
        if self._settings.unknown_stations == "refuse":
            text = f"station {station} is not registered; register it with the operator of this system"
            raise Refusal(404, "unknown_station", text)
        return StationRecord(station)

    def _unavailable(self, station: str, error: Exception) -> Refusal:
        log.warning("a station cannot be looked up", station=station, why=str(error))
        text = "the station cannot be looked up now; try again later"
        return Refusal(503, "book_unavailable", text, self.retry_after)

    # With which profile

    async def _authenticate(
        self, record: StationRecord, station: str, headers: Headers, caller: Caller
    ) -> tuple[int, str | None]:
        """The highest profile that the station proves, and the password hash that proved it, if one did."""
        wanted = profiles_wanted(record, self._settings)
        possible = sorted(wanted & _shown_by(caller), reverse=True)
        if not possible:
            raise _mismatch(record, wanted, caller)
        first: Refusal | None = None
        for profile in possible:
            try:
                if profile == SECURITY_PROFILE_MAX:
                    self._check_certificate(record, caller)
                elif profile > 0:
                    return profile, await self._check_password(record, station, headers, caller)
            except Refusal as refusal:
                if refusal.status not in _COUNTED:
                    raise
                first = first or refusal
            else:
                return profile, None
        assert first is not None, "each profile either returns or refuses"
        raise first

    def _check_certificate(self, record: StationRecord, caller: Caller) -> None:
        """Raises a Refusal unless the certificate is the station's (2.1 A00.FR.403 to 405)."""
        assert caller.certificate is not None, "profile 3 is possible only with a certificate"
        try:
            certificate = certificate_from_der(caller.certificate)
            self._rules().judge(certificate, record.certificate_name or record.station, self._clock.now())
        except BadCertificate as error:
            raise Refusal(403, error.reason, error.text, event=_WRONG_CERTIFICATE) from error

    async def _check_password(self, record: StationRecord, station: str, headers: Headers, caller: Caller) -> str:
        """The hash that the presented password fulfils (2.1 A00.FR.204 and 205).

        Raises:
            Refusal: 401.
        """
        hashes = _hashes(record)
        if not hashes:
            raise Refusal(401, "no_password_set", "no password is set for this station; have it set", _CHALLENGE)
        credentials = credentials_from(headers)
        if credentials is None:
            raise Refusal(401, "password_missing", "HTTP Basic credentials are required", _CHALLENGE)
        if credentials.user not in {record.station.encode(), station.encode()}:
            text = "the user name must be the station's identity"
            raise Refusal(401, "user_name_wrong", text, _CHALLENGE, event=_WRONG_PASSWORD)
        found = await self._right(record.station, hashes, credentials, lambda: self._require_clean(station, caller))
        if found is None:
            raise Refusal(401, "password_wrong", "the password is wrong", _CHALLENGE, event=_WRONG_PASSWORD)
        return found

    async def _right(
        self, station: str, hashes: Sequence[str], credentials: Credentials, permit: Callable[[], None]
    ) -> str | None:
        for one in hashes:
            if await self._authenticator.verify(station, one, credentials.password, permit=permit):
                return one
        return None

    # What the record learns

    async def _learned(self, record: StationRecord, profile: int, used: str | None) -> StationRecord:
        """The record after this success: what was next and has been shown is what counts now."""

        def learn(known: StationRecord) -> StationRecord:
            if used is not None and used == known.password_hash_next:
                known = known.with_password_taken()
            return known.with_profile_shown(profile)

        if learn(record) == record:
            return record
        try:
            changed = await self._book.change_station(record.station, learn, self._clock.now())
        except (SeamError, OSError) as error:
            raise self._unavailable(record.station, error) from error
        changed = changed or record
        log.info(
            "a station has shown its next credentials, the old ones are good no more",
            station=record.station,
            security_profile=changed.security_profile,
            new_password=record.password_hash_next is not None and changed.password_hash_next is None,
        )
        return changed


def profiles_wanted(record: StationRecord, settings: OcppSettings) -> frozenset[int]:
    """The profiles with which this station may come; those below the system's lowest never."""
    above = frozenset(range(settings.security_profile_min, SECURITY_PROFILE_MAX + 1))
    if record.security_profile == 0:  # nothing is demanded of it but what it could show
        can_show = {0, SECURITY_PROFILE_MAX} if not _hashes(record) else {1, 2, SECURITY_PROFILE_MAX}
        return above & can_show if settings.security_profile_min == 0 else above
    return record.profiles_accepted(upgrades=settings.security_profile_upgrades == "any") & above or above


def wrong_case(station: str, known: str) -> Refusal:
    """The refusal of an identity that another station has but for the case of letters."""
    text = f"station {station} is known as {known}: configure that identity, the case of letters counts"
    return Refusal(404, "identity_case", text)


def _shown_by(caller: Caller) -> frozenset[int]:
    """The profiles that a connection can have."""
    if not caller.tls:
        return frozenset({0, 1})
    return frozenset({0, 2} if caller.certificate is None else {0, 2, 3})


def _hashes(record: StationRecord) -> Sequence[str]:
    """Of the passwords that are right, those first that are verified quickly."""
    hashes = [one for one in (record.password_hash, record.password_hash_next) if one is not None]
    return sorted(hashes, key=is_quick, reverse=True)


def _mismatch(record: StationRecord, wanted: frozenset[int], caller: Caller) -> Refusal:
    """The refusal of a connection with another profile (2.1 A00.FR.002): what the station has to do instead."""
    profiles = " or ".join(map(str, sorted(wanted)))
    if not caller.tls:
        text = f"station {record.station} must use TLS (security profile {profiles}): connect to wss://"
        return Refusal(403, "tls_required", text, event=_WRONG_PROFILE)
    if SECURITY_PROFILE_MAX in wanted and caller.certificate is None:
        text = f"station {record.station} must present a certificate (security profile {profiles})"
        return Refusal(403, "certificate_missing", text, event=_WRONG_CERTIFICATE)
    text = (
        f"station {record.station} has security profile {profiles} and came with another: have its record changed "
        "(narke station register --profile), or its configuration"
    )
    return Refusal(403, "profile_mismatch", text, event=_WRONG_PROFILE)


def _too_often(reason: str, what: str, wait_s: float) -> Refusal:
    seconds = max(1, math.ceil(wait_s))
    text = f"{what}; try again in {seconds} s"
    return Refusal(429, f"too_many_{reason}", text, {"Retry-After": str(seconds)})
