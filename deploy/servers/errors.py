"""What can go wrong with embedded servers and the data directory.

    ServerError
    |- DataDirError         the data directory cannot be used: permissions, disk, damage
    |  `- DataDirInUse      another Narke lives on it
    |- BinariesMissing      no suitable PostgreSQL or Redis on this machine
    |- StartFailed          the server did not start; carries the end of its log
    `- OutsideServerUnfit   the operator's own server, given by URL, cannot serve Narke

Every message says what is wrong, where, and what to do.
"""


class ServerError(Exception):
    """Base of what `deploy.servers` raises."""


class DataDirError(ServerError):
    """The data directory cannot be used."""


class DataDirInUse(DataDirError):  # noqa: N818 (a state, not a fault)
    """Another Narke lives on the data directory. `pid`: who; None: not known."""

    def __init__(self, message: str, pid: int | None) -> None:
        super().__init__(message)
        self.pid = pid


class BinariesMissing(ServerError):  # noqa: N818 (a state)
    """No suitable server is installed."""


class StartFailed(ServerError):  # noqa: N818 (what happened)
    """The server ended or did not answer in time."""


class OutsideServerUnfit(ServerError):  # noqa: N818 (a state)
    """A server given by URL is away, too old, or set up so that it could lose data. One line a problem."""
