"""Is the CSMS there? Asked once, before the first user, so that a wrong URL is one clear sentence, not ten thousand."""

import socket
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from loadtests.swarm.options import Options

ANSWER_S_MAX = 10.0


class Unready(Exception):  # noqa: N818 (what is out there, not a fault of ours)
    """The CSMS cannot be used as it was named; says where, why, and what to do."""


def check_stations_door(options: Options) -> None:
    """Something listens where stations connect.

    Raises:
        Unready: Nothing does, or not with TLS as named.
    """
    parts = urlsplit(options.ocpp_url)
    port = parts.port or (443 if parts.scheme == "wss" else 80)
    host = parts.hostname or ""
    try:
        with socket.create_connection((host, port), ANSWER_S_MAX) as connection:
            if parts.scheme == "wss":
                with options.tls().wrap_socket(connection, server_hostname=host):
                    pass
    except ssl.SSLError as error:
        raise Unready(f"stations cannot connect to {options.ocpp_url}: TLS: {error.reason or error}") from None
    except OSError as error:
        said = f"stations cannot connect to {options.ocpp_url}: {error.strerror or error}"
        raise Unready(f"{said}; does the CSMS run, and is --ocpp-url right?") from None


def check_rest(options: Options) -> None:
    """REST answers, is ready, and takes the key.

    Raises:
        Unready: Something of that is not so.
    """
    url = options.rest_url
    for path, refused in (
        ("/readyz", "the CSMS is not ready"),
        ("/api/v1/status", "the API key is not taken: give the right one with --api-key or NARKE_API_KEY"),
    ):
        try:
            status = _status(options, path)
        except (OSError, HTTPException) as error:
            said = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Unready(f"REST does not answer at {url}: {said}; is --host right?") from None
        if status == 200:
            continue
        if status in {401, 403, 503}:
            raise Unready(f"REST at {url}: {refused} (HTTP {status})")
        raise Unready(f"REST at {url}: HTTP {status} for {path}; is --host a CSMS of this kind?")


def _status(options: Options, path: str) -> int:
    parts = urlsplit(options.rest_url)
    host = parts.hostname or ""
    connection = (
        HTTPSConnection(host, parts.port, timeout=ANSWER_S_MAX, context=options.tls())
        if parts.scheme == "https"
        else HTTPConnection(host, parts.port, timeout=ANSWER_S_MAX)
    )
    try:
        connection.request("GET", parts.path + path, headers={"Authorization": f"Bearer {options.api_key or ''}"})
        return connection.getresponse().status
    finally:
        connection.close()
