"""The handshake as it is read: identity, subprotocol, credentials. OCPP-J 1.6 section 3, 2.x part 4 section 3.

Who may come in is decided in `ingress.ocpp.gatekeeper`. The version is never taken from the URL (2.1 part 4 section
3.1.2).
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from websockets.datastructures import Headers, MultipleValuesError
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from engine.ocpp.versions import VERSION_OF_SUBPROTOCOL

IDENTITY_LENGTH_MAX = 48
"""2.1 part 4 section 3.1.1, identifierString(48)."""


class Refusal(Exception):  # noqa: N818 (an answer, not a fault)
    """The station may not come in.

    Args:
        status: HTTP status.
        reason: A word for the metric.
        text: For people at the station: what is wrong and what to do.
        headers: To be sent with it.
        event: OCPP 2.1 name of a security event that this is; None: it is none.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        text: str,
        headers: Mapping[str, str] | None = None,
        *,
        event: str | None = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.reason = reason
        self.text = text
        self.headers = headers or {}
        self.event = event


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


def lacks_only_upgrade(request: Request) -> bool:
    """Whether it is a handshake but for `Connection: Upgrade` or `Upgrade: websocket`, as some stations send it."""
    return "Sec-WebSocket-Key" in request.headers and "Sec-WebSocket-Version" in request.headers


def with_upgrade(request: Request) -> Request:
    """The request with the headers that it lacks."""
    replaced = {"connection": "Upgrade", "upgrade": "websocket"}
    headers = Headers([item for item in request.headers.raw_items() if item[0].lower() not in replaced])
    headers.update(replaced)
    return Request(request.path, headers, request.method, request.protocol)


def names_no_subprotocol(headers: Headers) -> bool:
    """Whether the station leaves it to us which version it speaks."""
    return not headers.get_all("Sec-WebSocket-Protocol")


def _no_identity(text: str) -> Refusal:
    return Refusal(404, "bad_path", text)
