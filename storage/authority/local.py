"""The local authority: roots, issuing CAs and all that they sign, in one folder. For development and small fleets.

Every method blocks (keys, files, SQLite): call it in a thread. Several processes may use one folder at once.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from engine.model.certificates import CertificateHash, SigningUse
from storage.authority import hierarchy, ocsp
from storage.authority.folder import PRIVATE, Places, key_of, write
from storage.authority.hash_data import issued_by
from storage.authority.hierarchy import ALGORITHMS, NAMES, NEW_KEY, ROOT_OF_ISSUING, Issuer
from storage.authority.pem import (
    CHAIN_LENGTH_MAX,
    PrivateKey,
    certificate_from,
    chain_text,
    key_bytes,
    key_from,
    serial_text,
)
from storage.authority.register import Issued, Register
from storage.authority.settings import CertificateSettings
from storage.authority.signing_requests import RequestRefused, checked, common_name_of, key_of_request

CRL_DAYS = 365
"""Our lists are renewed with every revocation and long before; OpenSSL takes no client at all once one is over."""
CRL_RENEWED_DAYS = 30

ORGANISATION = "Narke"

REASONS = (
    "unspecified",
    "keyCompromise",
    "cACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "privilegeWithdrawn",
)
"""Why a certificate is revoked (RFC 5280 section 5.3.1)."""


class AuthorityMissing(Exception):  # noqa: N818 (says what it is)
    """There is no authority in the folder, or not the part of it that is needed; the message says what to do."""


class AuthorityExists(Exception):  # noqa: N818 (says what it is)
    """There is an authority in the folder already; making another would orphan every certificate of the first."""


class Description(msgspec.Struct, frozen=True):
    """What an authority's folder says of itself. `algorithms`: of servers' and stations' certificates."""

    organisation: str
    made_at: datetime
    algorithms: tuple[str, ...]


class LocalAuthority:
    """The authority in a folder.

    Args:
        places: Its folder.
        settings: Names and lifetimes.

    Raises:
        AuthorityMissing: There is none: `create` makes one.
    """

    def __init__(self, places: Places, settings: CertificateSettings) -> None:
        if not places.made:
            raise AuthorityMissing(f"there is no certificate authority in {places.path}: `narke ca init` makes one")
        self.places = places
        self._settings = settings
        self._register = Register(places.register)
        self._issuers: dict[str, Issuer] = {}
        self.description = msgspec.json.decode(places.description.read_bytes(), type=Description)
        self._organisation = settings.organisation or self.description.organisation

    @classmethod
    def create(
        cls, places: Places, settings: CertificateSettings, now: datetime, algorithms: Sequence[str] = ALGORITHMS
    ) -> "LocalAuthority":
        """Makes an authority: keys, roots, issuing CAs, empty revocation lists.

        Raises:
            AuthorityExists: There is one.
            OSError: The folder cannot be written.
        """
        places.prepare()
        with places.locked():
            if places.made:
                raise AuthorityExists(f"{places.path} holds a certificate authority already: use it, or move it away")
            register = Register(places.register)
            organisation = settings.organisation or ORGANISATION
            for issuer in _made(organisation, settings.backdate_s, now, algorithms):
                write(key_of(places.authority(issuer.name)), key_bytes(issuer.key), PRIVATE)
                write(places.authority(issuer.name), chain_text(issuer.certificate).encode())
                kind = "root" if issuer.root is None else "issuing"
                signer = issuer.name if issuer.root is None else ROOT_OF_ISSUING[issuer.name]
                register.add(_issued(issuer.certificate, signer, kind, now))
            described = Description(organisation, now, tuple(algorithms))
            write(places.description, msgspec.json.encode(described))
        authority = cls(places, settings)
        authority.publish(now)
        return authority

    @property
    def issuers(self) -> list[Issuer]:
        """The roots and issuing CAs that there are."""
        return [self._issuer(name) for name in NAMES if self.places.authority(name).is_file()]

    def publish(self, now: datetime) -> None:
        """Writes what others read: trusted certificates, and the revocation lists. Raises OSError."""
        for algorithm in self.description.algorithms:
            root = self._issuer(f"root-{algorithm}").certificate
            write(self.places.roots / f"csms-{algorithm}.pem", chain_text(root).encode())
        trusted = [
            self._issuer(name).certificate
            for algorithm in self.description.algorithms
            for name in (f"root-{algorithm}", f"station-{algorithm}")
        ]
        write(self.places.clients, chain_text(*trusted).encode())
        lists = {issuer.name: self._crl(issuer, now) for issuer in self.issuers}
        for name, crl in lists.items():
            write(self.places.crl(name), crl.public_bytes(Encoding.DER))
        of_clients = [
            lists[name].public_bytes(Encoding.PEM)
            for algorithm in self.description.algorithms
            for name in (f"root-{algorithm}", f"station-{algorithm}")
        ]
        write(self.places.client_crls, b"".join(of_clients))

    def publish_if_stale(self, now: datetime) -> bool:
        """Renews the revocation lists when they have not been for `CRL_RENEWED_DAYS`. True: it was time."""
        file = self.places.client_crls
        if file.is_file():
            updated = x509.load_pem_x509_crl(file.read_bytes()).last_update_utc
            if now - updated < timedelta(days=CRL_RENEWED_DAYS):
                return False
        self.publish(now)
        return True

    def issue_server(
        self, names: Sequence[str], now: datetime, algorithms: Sequence[str] | None = None
    ) -> list[Issued]:
        """Makes keys and certificates for the TLS port; replaces the ones that there are.

        Args:
            names: DNS names and IP addresses by which stations reach it; the first is the common name (A00.FR.510).
            now: The time.
            algorithms: None: all that the authority has, as A00.FR.318 wants.
        """
        made = []
        valid = hierarchy.validity(now, self._settings.server_days, self._settings.backdate_s)
        for algorithm in algorithms or self.description.algorithms:
            issuer, key = self._issuer(f"server-{algorithm}"), NEW_KEY[algorithm]()
            certificate = hierarchy.make_server(issuer, key.public_key(), names, self._organisation, valid)
            made.append(self._register.add(_issued(certificate, issuer.name, "server", now)))
            self._save(self.places.server_chain(algorithm), certificate, issuer, key)
        return made

    def issue_station(self, station: str, now: datetime, algorithm: str = "ecdsa") -> Issued:
        """Makes a key and a client certificate for a station, to be installed in it by hand."""
        issuer, key = self._issuer(f"station-{algorithm}"), NEW_KEY[algorithm]()
        subject = hierarchy.station_subject(station, self._organisation, v2g=False)
        valid = hierarchy.validity(now, self._settings.station_days, self._settings.backdate_s)
        certificate = hierarchy.make_station(issuer, key.public_key(), subject, valid, self._settings.responder_url)
        issued = self._register.add(_issued(certificate, issuer.name, "station", now, station=station))
        self._save(self.places.station_chain(station, algorithm), certificate, issuer, key)
        return issued

    def sign(
        self, csr: str, station: str, use: SigningUse | None, now: datetime, root: CertificateHash | None = None
    ) -> Issued:
        """Signs a request; the same request again gets the same certificate, as long as that is good.

        Args:
            csr: PEM.
            station: Identity of who asks.
            use: What for.
            now: The time.
            root: Under which root, if the station says so (2.1 A02.FR.27).

        Raises:
            RequestRefused: Something about it is not right.
        """
        known = self.signed(csr, station, use, now, root)
        if known is not None:
            return known
        request, issuer, key = self._judged(csr, station, use, root)
        old = self._register.by_request(key)
        if old is not None:  # the old key again, after a whole life of its certificate
            self._register.revoke(old.serial_number, now, "superseded")
        common_name = common_name_of(request.subject)
        assert common_name is not None, "checked"
        settings = self._settings
        v2g = issuer.name.startswith("v2g")
        subject = hierarchy.station_subject(common_name, self._organisation, v2g=v2g)
        valid = hierarchy.validity(now, settings.station_days, settings.backdate_s)
        certificate = hierarchy.make_station(issuer, request.public_key(), subject, valid, settings.responder_url)
        kind = "v2g" if v2g else "station"
        self.publish_if_stale(now)
        return self._register.add(_issued(certificate, issuer.name, kind, now, station=station, request=key))

    def signed(
        self, csr: str, station: str, use: SigningUse | None, now: datetime, root: CertificateHash | None = None
    ) -> Issued | None:
        """What `sign` signed of this request before and is good still; None: nothing.

        Raises:
            RequestRefused: Something about it is not right, or the operator rejected it.
        """
        _, _, key = self._judged(csr, station, use, root)
        known = self._register.by_request(key)
        return known if known is not None and known.expires_at > now else None

    def reject(self, csr: str, station: str, use: SigningUse | None, now: datetime, reason: str) -> None:
        """From now on this request is refused. Raises RequestRefused: it would have been, anyway."""
        _, _, key = self._judged(csr, station, use, None, rejected_too=True)
        self._register.reject(key, now, reason)

    def permit(self, csr: str, station: str, use: SigningUse | None) -> None:
        """Takes a rejection back. Raises RequestRefused: something else is not right about it."""
        _, _, key = self._judged(csr, station, use, None, rejected_too=True)
        self._register.permit(key)

    def chain_of(self, issued: Issued) -> str:
        """The certificate, then its issuing CA; the root is not part of it (2.1 M03 remark)."""
        issuer = self._issuer(issued.issuer)
        chain = issued.certificate + ("" if issuer.root is None else chain_text(issuer.certificate))
        assert len(chain) <= CHAIN_LENGTH_MAX, "two certificates of ours are 4,000 characters at most"
        return chain

    def revoke(self, serial_numbers: Iterable[str], now: datetime, reason: str) -> list[str]:
        """Revokes certificates and renews the lists. Returns those that were good until now."""
        done = [serial for serial in serial_numbers if self._register.revoke(serial, now, reason)]
        if done:
            self.publish(now)
        return done

    def issued(self, *, expires_before: datetime | None = None, name: str | None = None) -> list[Issued]:
        """Certificates of ours, the next to expire first. `name`: CN, or the identity of who asked."""
        return self._register.listed(expires_before=expires_before, name=name)

    def by_serial(self, serial_number: str) -> Issued | None:
        """A certificate of ours."""
        return self._register.by_serial(serial_number)

    def answer(self, certificate: CertificateHash, now: datetime) -> bytes | None:
        """An OCSP answer, DER; None: the certificate is not of any issuer of ours."""
        issuer = next((each for each in self.issuers if issued_by(each.certificate, certificate)), None)
        if issuer is None:
            return None
        issued = self._register.by_serial(certificate.serial_number)
        mine = issued if issued is not None and issued.issuer == issuer.name else None
        return ocsp.answer_of(issuer, certificate, mine, now, self._settings.backdate_s)

    def _judged(
        self,
        csr: str,
        station: str,
        use: SigningUse | None,
        root: CertificateHash | None,
        *,
        rejected_too: bool = False,
    ) -> tuple[x509.CertificateSigningRequest, Issuer, str]:
        """A request that may be signed, by whom, and its key in the register. Raises RequestRefused."""
        any_name = self._settings.common_name == "any"
        request = checked(csr, station, use, self._organisation, any_name=any_name)
        issuer = self._issuer_for(request, use, root)
        key = key_of_request(request, issuer.name, station)
        rejection = None if rejected_too else self._register.rejection(key)
        if rejection is not None:
            raise RequestRefused(f"the operator rejected this request: {rejection}")
        return request, issuer, key

    def _issuer_for(
        self, request: x509.CertificateSigningRequest, use: SigningUse | None, root: CertificateHash | None
    ) -> Issuer:
        match use:
            case SigningUse.V2G:
                name = "v2g"
            case SigningUse.V2G20:
                name = "v2g20"
            case _:
                name = "station-rsa" if isinstance(request.public_key(), rsa.RSAPublicKey) else "station-ecdsa"
        if not self.places.authority(name).is_file():
            kind = "RSA" if name.endswith("rsa") else "ECDSA"
            raise RequestRefused(f"this authority signs no {kind} keys: send a CSR with another key")
        issuer = self._issuer(name)
        if root is not None and not self._is_root(root, issuer):
            raise RequestRefused("hashRootCertificate names a root that this authority is not under", "NotFound")
        return issuer

    @staticmethod
    def _is_root(named: CertificateHash, issuer: Issuer) -> bool:
        above = issuer.root
        assert above is not None, "leaves are issued below a root"
        serial = serial_text(above.serial_number)
        return issued_by(above, named) and named.key[3] == serial

    def _issuer(self, name: str) -> Issuer:
        """Raises AuthorityMissing: it was not made, or its files are damaged."""
        issuer = self._issuers.get(name)
        if issuer is None:
            issuer = self._issuers[name] = self._loaded(name)
        return issuer

    def _loaded(self, name: str) -> Issuer:
        file = self.places.authority(name)
        try:
            certificate = certificate_from(file.read_text(encoding="ascii"))
            key = key_from(key_of(file).read_bytes())
        except (OSError, ValueError) as error:
            raise AuthorityMissing(
                f"the authority {name} cannot be used: {file} or its key: {error}. Restore it from your backup, or be "
                "the user that Narke runs as"
            ) from error
        root = ROOT_OF_ISSUING.get(name)
        return Issuer(name, certificate, key, None if root is None else self._issuer(root).certificate)

    def _crl(self, issuer: Issuer, now: datetime) -> x509.CertificateRevocationList:
        updated = now.replace(microsecond=0)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer.certificate.subject)
            .last_update(updated - timedelta(seconds=self._settings.backdate_s))
            .next_update(updated + timedelta(days=CRL_DAYS))
            .add_extension(x509.CRLNumber(int(now.timestamp() * 1000)), critical=False)
        )
        for issued in self._register.revoked(issuer.name):
            builder = builder.add_revoked_certificate(_revoked(issued))
        return builder.sign(issuer.key, issuer.digest)

    @staticmethod
    def _save(file: Path, certificate: x509.Certificate, issuer: Issuer, key: PrivateKey) -> None:
        """The key first: a certificate without its key would stop the TLS port."""
        write(key_of(file), key_bytes(key), PRIVATE)
        write(file, chain_text(certificate, issuer.certificate).encode())


def _made(organisation: str, backdate_s: int, now: datetime, algorithms: Sequence[str]) -> Iterable[Issuer]:
    """Roots first."""
    wanted = {*algorithms, "v2g", "v2g20"}
    roots = {}
    for name in hierarchy.ROOTS:
        if name.rpartition("-")[2] in wanted:
            roots[name] = hierarchy.make_root(name, organisation, now, backdate_s)
            yield roots[name]
    for name, root in ROOT_OF_ISSUING.items():
        if root in roots:
            yield hierarchy.make_issuing(roots[root], name, organisation, now, backdate_s)


def _issued(
    certificate: x509.Certificate,
    issuer: str,
    kind: str,
    now: datetime,
    *,
    station: str | None = None,
    request: str | None = None,
) -> Issued:
    return Issued(
        serial_number=serial_text(certificate.serial_number),
        issuer=issuer,
        kind=kind,
        name=common_name_of(certificate.subject) or "",
        issued_at=now.replace(microsecond=0),
        begins_at=certificate.not_valid_before_utc,
        expires_at=certificate.not_valid_after_utc,
        certificate=chain_text(certificate),
        station=station,
        request=request,
    )


def _revoked(issued: Issued) -> x509.RevokedCertificate:
    assert issued.revoked_at is not None, "asked for as revoked"
    builder = (
        x509.RevokedCertificateBuilder().serial_number(int(issued.serial_number, 16)).revocation_date(issued.revoked_at)
    )
    if issued.reason not in (None, "unspecified"):
        builder = builder.add_extension(x509.CRLReason(x509.ReasonFlags(issued.reason)), critical=False)
    return builder.build()
