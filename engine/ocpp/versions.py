"""OCPP versions and the WebSocket subprotocols that name them."""

from enum import StrEnum


class Version(StrEnum):
    """A version of OCPP that Narke speaks."""

    V16 = "1.6"
    V201 = "2.0.1"
    V21 = "2.1"


VERSION_OF_SUBPROTOCOL = {"ocpp1.6": Version.V16, "ocpp2.0.1": Version.V201, "ocpp2.1": Version.V21}
"""Subprotocol names as registered with IANA; the order is ours, the client's order of preference decides."""
