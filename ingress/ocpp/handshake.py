"""The handshake: who wants in, in which version, and whether they may. OCPP-J 1.6 section 3, 2.x part 4 section 3.

Path, subprotocol and credentials are read by pure functions; `Gatekeeper` asks the operator's book and checks
passwords. The version is never taken from the URL (2.1 part 4 section 3.1.2).
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import structlog
from websockets.datastructures import Headers, MultipleValuesError
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from engine.model.stations import StationRecord
from engine.ocpp.versions import VERSION_OF_SUBPROTOCOL
from engine.ports import OperatorBook, SeamError
from ingress.ocpp.authentication import Authenticator
from ingress.settings import OcppSettings

log = structlog.get_logger()

IDENTITY_LENGTH_MAX = 48
"""2.1 part 4 section 3.1.1, identifierString(48)."""
_CHALLENGE: Mapping[str, str] = {"WWW-Authenticate": 'Basic realm="Narke", charset="UTF-8"'}


class Refusal(Exception):  # noqa: N818 (an answer, not a fault)
    """The station may not come in.

    Args:
        status: HTTP status.
        reason: A word for the metric.
        text: For people at the station: what is wrong and what to do.
        headers: To be sent with it.
    """

    def __init__(self, status: int, reason: str, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.reason = reason
        self.text = text
        self.headers = headers or {}


class Credentials(NamedTuple):
    """HTTP Basic. `password`: any bytes; 1.6 stations send raw keys (security whitepaper A00.FR.205)."""

    user: bytes
    password: bytes


class OcppProtocol(ServerProtocol):
    """`websockets`' server, which takes the client's first choice of subprotocol and goes on without any in common."""

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        """The first that we speak, in the client's order; None: see `ingress.ocpp.connection`."""
        return next((name for name in subprotocols if name in VERSION_OF_SUBPROTOCOL), None)


def identity_from_path(path: str) -> str:
    """The station's identity: the last segment of `/ocpp/<identity>` or `/<identity>`, decoded once, case kept.

    Args:
        path: As in the request line; a query is ignored, a trailing slash tolerated.

    Raises:
        Refusal: 404, the path names no identity.
    """
    segments = path.partition("?")[0].split("/")
    if segments[-1] == "" and len(segments) > 2:
        segments.pop()
    match segments:
        case ["", "ocpp"]:
            encoded = None
        case ["", encoded] | ["", "ocpp", encoded]:
            pass
        case _:
            encoded = None
    if encoded is None:
        raise _no_identity("the path must be /ocpp/<identity> or /<identity>")
    try:
        identity = unquote_to_bytes(encoded).decode()
    except UnicodeDecodeError:
        raise _no_identity("the identity is not percent-encoded UTF-8") from None
    if not 1 <= len(identity) <= IDENTITY_LENGTH_MAX:
        raise _no_identity(f"the identity must have 1 to {IDENTITY_LENGTH_MAX} characters, not {len(identity)}")
    if ":" in identity or "/" in identity or not identity.isprintable():
        raise _no_identity("the identity must not contain ':', '/' or control characters")
    return identity


def credentials_from(headers: Headers) -> Credentials | None:
    """HTTP Basic credentials; None: none, or unreadable ones."""
    try:
        header = headers.get("Authorization")
    except MultipleValuesError:
        return None
    scheme, _, encoded = (header or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        return None
    user, colon, password = decoded.partition(b":")
    return Credentials(user, password) if colon else None


class Gatekeeper:
    """Decides who comes in.

    Args:
        book: What the operator knows of stations.
        authenticator: Checks passwords.
        settings: Rules.
    """

    def __init__(self, book: OperatorBook, authenticator: Authenticator, settings: OcppSettings) -> None:
        self._book = book
        self._authenticator = authenticator
        self._settings = settings

    async def admit(self, station: str, headers: Headers) -> StationRecord:
        """The station's record; of one that is not registered, but welcome, a blank one.

        Raises:
            Refusal: 404 unknown, 401 password missing or wrong, 503 we cannot tell now.
        """
        record = await self._record(station)
        if record is None:
            if self._settings.unknown_stations == "refuse":
                text = f"station {station} is not registered; register it with the operator of this system"
                raise Refusal(404, "unknown_station", text)
            record = StationRecord(station)
        profile = max(record.security_profile, self._settings.security_profile_min)
        if profile > 0 or record.password_hash is not None:
            await self._authenticate(record, headers)
        return record

    async def _record(self, station: str) -> StationRecord | None:
        try:
            return await self._book.station(station)
        except (SeamError, OSError) as error:
            log.warning("a station cannot be looked up", station=station, why=str(error))
            text = "the station cannot be looked up now; try again later"
            raise Refusal(503, "book_unavailable", text, self.retry_after) from error

    async def _authenticate(self, record: StationRecord, headers: Headers) -> None:
        """Raises a Refusal unless the station presents its password (2.1 A00.FR.204 and 205)."""
        if record.password_hash is None:
            raise Refusal(401, "no_password_set", "no password is set for this station; have it set", _CHALLENGE)
        credentials = credentials_from(headers)
        if credentials is None:
            raise Refusal(401, "password_missing", "HTTP Basic credentials are required", _CHALLENGE)
        if credentials.user != record.station.encode():
            raise Refusal(401, "user_name_wrong", "the user name must be the station's identity", _CHALLENGE)
        if not await self._authenticator.verify(record.station, record.password_hash, credentials.password):
            raise Refusal(401, "password_wrong", "the password is wrong", _CHALLENGE)

    @property
    def retry_after(self) -> Mapping[str, str]:
        """The header of a 503."""
        return {"Retry-After": str(self._settings.retry_after_s)}


def _no_identity(text: str) -> Refusal:
    return Refusal(404, "bad_path", text)
