"""Requests for certificates (PKCS #10): what must be right before one is signed. 2.1 A02, A00.FR.5xx.

What a request asks for beyond key and name (extensions, alternative names) is not looked at and not signed: the
authority alone decides what a certificate may do.
"""

import hashlib
import ipaddress
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.x509.oid import NameOID

from engine.model.certificates import SigningUse
from storage.authority.pem import NotPem, request_from

REQUEST_LENGTH_MAX = 5_500
"""Of a csr in SignCertificate, in every version (characters)."""
RSA_BITS_MIN = 2_048
RSA_BITS_MAX = 8_192
EC_BITS_MIN = 224
COMMON_NAME_LENGTH_MAX = 64
"""X.520's upper bound; a longer identity cannot be in a certificate."""

INVALID = "InvalidCSR"
"""OCPP's reason code (2.1 appendix 5, 'Security')."""
_WEAK = (hashes.MD5, hashes.SHA1)
_CURVE_OF_V2G = {SigningUse.V2G: ("secp256r1", "P-256"), SigningUse.V2G20: ("secp521r1", "P-521")}


class RequestRefused(Exception):  # noqa: N818 (a no, not a fault)
    """This will not be signed. `reason`: OCPP's code; the message says why and what the station must do."""

    def __init__(self, detail: str, reason: str = INVALID) -> None:
        super().__init__(detail)
        self.reason = reason


def checked(
    csr: str, identity: str, use: SigningUse | None, organisation: str, *, any_name: bool = False
) -> x509.CertificateSigningRequest:
    """The request, when everything about it is right.

    Args:
        csr: PEM.
        identity: OCPP identity of the station that asks.
        use: What for; None: the station's own certificate.
        organisation: What O must be (A00.FR.509).
        any_name: CN need not be the identity.

    Raises:
        RequestRefused: It is not.
    """
    if len(csr) > REQUEST_LENGTH_MAX:
        raise RequestRefused(f"the CSR has {len(csr)} characters, OCPP allows {REQUEST_LENGTH_MAX}", "TooLargeElement")
    try:
        request = request_from(csr)
    except NotPem as error:
        raise RequestRefused(f"the CSR cannot be read: {error}") from None
    _require_key(request, use)
    _require_signature(request)
    try:
        _require_subject(request, identity, use, organisation, any_name=any_name)
    except ValueError as error:
        raise RequestRefused(f"the CSR's subject cannot be read: {error}") from None
    return request


def key_of_request(request: x509.CertificateSigningRequest, issuer: str, station: str) -> str:
    """Names a request in the register: the same request of a station to an authority gets the same certificate.

    A station that shows another's request has a request of its own, or it could have the other's certificate revoked.
    """
    der = request.public_bytes(serialization.Encoding.DER)
    return hashlib.sha256(b"\0".join((issuer.encode(), station.encode(), der))).hexdigest()


def common_name_of(name: x509.Name) -> str | None:
    """CN; None: there is none, or several."""
    return _only(name, NameOID.COMMON_NAME)


def _require_key(request: x509.CertificateSigningRequest, use: SigningUse | None) -> None:
    """A00.FR.501 to 503; V2G as ISO 15118 has it."""
    try:
        key = request.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise RequestRefused(f"the CSR's key cannot be used: {error}") from None
    if use in _CURVE_OF_V2G:
        curve, name = _CURVE_OF_V2G[use]
        fits = isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == curve
        if not (fits or (use is SigningUse.V2G20 and isinstance(key, ed448.Ed448PublicKey))):
            other = " or Ed448" if use is SigningUse.V2G20 else ""
            raise RequestRefused(f"the CSR's key is {_described(key)}; {use.value} wants ECDSA on {name}{other}")
        return
    match key:
        case rsa.RSAPublicKey() if RSA_BITS_MIN <= key.key_size <= RSA_BITS_MAX:
            return
        case ec.EllipticCurvePublicKey() if key.key_size >= EC_BITS_MIN:
            return
        case _:
            wanted = (
                f"RSA of {RSA_BITS_MIN} to {RSA_BITS_MAX} bits or ECDSA of at least {EC_BITS_MIN} (A00.FR.502, 503)"
            )
            raise RequestRefused(f"the CSR's key is {_described(key)}; wanted is {wanted}")


def _described(key: object) -> str:
    match key:
        case rsa.RSAPublicKey():
            return f"RSA of {key.key_size} bits"
        case ec.EllipticCurvePublicKey():
            return f"ECDSA on {key.curve.name}"
        case _:
            return type(key).__name__.removesuffix("PublicKey")


def _require_signature(request: x509.CertificateSigningRequest) -> None:
    """The station has the private key (RFC 2986 section 3)."""
    try:
        digest = request.signature_hash_algorithm
        valid = request.is_signature_valid
    except (ValueError, UnsupportedAlgorithm) as error:
        raise RequestRefused(f"the CSR's signature cannot be checked: {error}") from None
    if isinstance(digest, _WEAK):
        raise RequestRefused(
            f"the CSR is signed by {digest.name.upper()}, which is broken: sign it by SHA256 (A00.FR.506)"
        )
    if not valid:
        raise RequestRefused("the CSR's signature is not by the key in it")


def _require_subject(
    request: x509.CertificateSigningRequest, identity: str, use: SigningUse | None, organisation: str, *, any_name: bool
) -> None:
    """A00.FR.509 and A00.FR.511."""
    subject = request.subject
    common_name = common_name_of(subject)
    if not common_name or len(common_name) > COMMON_NAME_LENGTH_MAX:
        raise RequestRefused("the CSR's subject has no single common name (CN) of 1 to 64 characters")
    for_us = use not in _CURVE_OF_V2G
    if for_us and not any_name and common_name != identity:
        raise RequestRefused(f"the CSR's common name is {common_name!r}, the station is {identity!r} (A00.FR.511)")
    if for_us and _is_address(common_name):
        raise RequestRefused(f"the CSR's common name {common_name!r} is a URL or an IP address (A00.FR.511)")
    found = _only(subject, NameOID.ORGANIZATION_NAME)
    if found != organisation:
        raise RequestRefused(
            f"the CSR's organisation (O) is {found!r}, this operator's is {organisation!r}: set OrganizationName "
            "(1.6: CpoName) of the station (A00.FR.509)"
        )


def _only(name: x509.Name, oid: x509.ObjectIdentifier) -> str | None:
    found = name.get_attributes_for_oid(oid)
    return found[0].value if len(found) == 1 and isinstance(found[0].value, str) else None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return bool(urlsplit(name).scheme and "://" in name)
    return True
