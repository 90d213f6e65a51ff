"""The authority's folder: its places, and files written whole or not at all. Private keys are 0600, the folder 0700.

ca/
  authority.json        organisation and when it was made
  authorities/<name>.pem, .key   roots and issuing CAs (see `hierarchy`)
  register.db           all certificates ever issued, and which are revoked (SQLite)
  clients.pem           roots and issuing CAs of stations: what the TLS port trusts
  roots/csms-<algorithm>.pem     what stations must trust (InstallCertificate CSMSRootCertificate)
  crl/clients.pem, crl/<name>.crl   revocation lists
  server/<algorithm>.pem, .key   of the TLS port, leaf first
  stations/<identity>/<algorithm>.pem, .key   made by `narke ca issue station`
  trust/*.pem           roots of others (mobility operators, V2G) for Plug and Charge
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_UN, flock
from pathlib import Path
from urllib.parse import quote

PRIVATE = 0o600
PUBLIC = 0o644


class Places:
    """The paths of an authority's folder. Makes nothing until `prepare`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.description = path / "authority.json"
        self.authorities = path / "authorities"
        self.register = path / "register.db"
        self.clients = path / "clients.pem"
        self.roots = path / "roots"
        self.crls = path / "crl"
        self.client_crls = self.crls / "clients.pem"
        self.server = path / "server"
        self.stations = path / "stations"
        self.trust = path / "trust"
        self._lock = path / "lock"

    @property
    def made(self) -> bool:
        """Whether there is an authority in it."""
        return self.description.is_file()

    def authority(self, name: str) -> Path:
        """The certificate of a root or an issuing CA; its key is beside it (`.key`)."""
        return self.authorities / f"{name}.pem"

    def crl(self, name: str) -> Path:
        """The revocation list of a root or an issuing CA, DER."""
        return self.crls / f"{name}.crl"

    def server_chain(self, algorithm: str) -> Path:
        """Certificate and issuing CA of the TLS port; the key is beside it."""
        return self.server / f"{algorithm}.pem"

    def station_chain(self, station: str, algorithm: str) -> Path:
        """Certificate and issuing CA made for a station; the key is beside it."""
        return self.stations / quote(station, safe="") / f"{algorithm}.pem"

    def prepare(self) -> None:
        """Makes the folders, closed to others. Raises OSError."""
        for folder in (
            self.path,
            self.authorities,
            self.roots,
            self.crls,
            self.server,
            self.stations,
            self.trust,
        ):
            _make(folder)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone among all processes that change the folder's files. Raises OSError."""
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, PRIVATE)
        try:
            to_owner(self._lock)
            flock(descriptor, LOCK_EX)
            yield
            flock(descriptor, LOCK_UN)
        finally:
            os.close(descriptor)


def write(path: Path, content: bytes, mode: int = PUBLIC) -> None:
    """Replaces a file: whoever reads it sees the old or the new one, also after a power cut.

    The file belongs to the owner of its folder, so that root does not lock Narke out. Raises OSError.
    """
    _make(path.parent)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        to_owner(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _make(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        to_owner(folder)


def to_owner(path: Path) -> None:
    """Gives what root made to whom its folder belongs. Raises OSError."""
    owner = path.parent.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.chown(path, owner.st_uid, owner.st_gid)


def key_of(chain: Path) -> Path:
    """Where the private key of a certificate's file is."""
    return chain.with_suffix(".key")
