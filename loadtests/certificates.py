"""Certificates on a virtual station: installed, listed by their hashes, deleted, asked for, and signed.

Keys are not real here: the request to sign is one and the same for all stations. Hashes are, for the CSMS deletes by
them. Sources: the security whitepaper A02 and M03 to M05; 2.1 A02, A03, M03 to M06.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from loadtests.host import ACCEPTED, REJECTED, Host
from loadtests.wording import Payload

CERTIFICATES_MAX = 8
CSR = """-----BEGIN CERTIFICATE REQUEST-----
MIHcMIGEAgEAMCIxDjAMBgNVBAoMBU5hcmtlMRAwDgYDVQQDDAd2aXJ0dWFsMFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAELvJV+q+4gMfwidh6oBEkyKV4RwDbveCj
Zxk2DuJfL20Exkr2zZjCrG+IT0nLbPqcY6WgZyb7NRe6kh60eS5bq6AAMAoGCCqG
SM49BAMCA0cAMEQCIAgTLKnpCxy3sL+kAQC3yN9WjrmW/j3jMV44AqhqGshQAiBG
mrRyL90lLeW/y+6hZO+2RbzHFBVOBnGjSZsxlO8R/w==
-----END CERTIFICATE REQUEST-----
"""
"""Of an elliptic key whose private half nobody has; O=Narke, CN=virtual."""
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_HASHES = {"SHA256": hashlib.sha256, "SHA384": hashlib.sha384, "SHA512": hashlib.sha512}
_SEQUENCE, _INTEGER, _BIT_STRING, _VERSION = 0x30, 0x02, 0x03, 0xA0


@dataclass(frozen=True)
class Certificate:
    """What the hashes are made of: issuer and public key as DER, the number as hexadecimal digits."""

    issuer: bytes
    public_key: bytes
    serial: str

    def hash_data(self, algorithm: str) -> Payload:
        """CertificateHashData. The issuer's key is the certificate's own, as in roots, which get installed."""
        hash_of = _HASHES[algorithm]
        return {
            "hashAlgorithm": algorithm,
            "issuerNameHash": hash_of(self.issuer).hexdigest(),
            "issuerKeyHash": hash_of(self.public_key).hexdigest(),
            "serialNumber": self.serial,
        }


class Certificates:
    """What is installed (install, list, delete), and the station's own (SignCertificate, CertificateSigned)."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._installed: list[tuple[str, Certificate]] = []
        self._asking: Callable[[], None] | None = None

    def install(self, payload: Payload) -> Payload:
        """2.1 M05; what is installed already stays once."""
        certificate = read_certificate(payload["certificate"])
        if certificate is None:
            return dict(REJECTED)
        entry = (payload["certificateType"], certificate)
        if entry not in self._installed:
            if len(self._installed) >= CERTIFICATES_MAX:
                return {"status": "Failed"}
            self._installed.append(entry)
        return dict(ACCEPTED)

    def installed_ids(self, payload: Payload) -> Payload:
        """2.1 M03; in 1.6 of one type."""
        wanted = payload.get("certificateType")
        types = [wanted] if isinstance(wanted, str) else wanted
        found = [(kind, each.hash_data("SHA256")) for kind, each in self._installed if not types or kind in types]
        if not found:
            return {"status": "NotFound"}
        if self._host.version == "1.6":
            return {"status": "Accepted", "certificateHashData": [data for _, data in found]}
        chain = [{"certificateType": kind, "certificateHashData": data} for kind, data in found]
        return {"status": "Accepted", "certificateHashDataChain": chain}

    def delete(self, payload: Payload) -> Payload:
        """2.1 M04, by the algorithm that the CSMS names (M04.FR.07)."""
        wanted = payload["certificateHashData"]
        names = ("issuerNameHash", "issuerKeyHash", "serialNumber")
        for entry in self._installed:
            data = entry[1].hash_data(wanted["hashAlgorithm"])
            if all(data[name].lower() == wanted[name].lower() for name in names):
                self._installed.remove(entry)
                return dict(ACCEPTED)
        return {"status": "NotFound"}

    # Its own certificate

    def ask_to_sign(self, kind: str | None = None) -> None:
        """SignCertificate; again with doubled waits until CertificateSigned comes (2.1 A02.FR.17 to 19)."""
        self._ask(kind, 0)

    def _ask(self, kind: str | None, repeats: int) -> None:
        if self._asking is not None:
            self._asking()
        payload: Payload = {"csr": CSR}
        if kind is not None and self._host.version != "1.6":
            payload["certificateType"] = kind
        variables = self._host.variables
        self._host.tell("SignCertificate", payload)
        if repeats < variables.number("csr_repeats"):
            wait_s = variables.number("csr_wait") * 2.0**repeats
            self._asking = self._host.later(wait_s, lambda: self._ask(kind, repeats + 1))

    def signed(self, payload: Payload) -> Payload:
        """CertificateSigned (2.1 A02.FR.05 to 07): the chain's first certificate is the station's."""
        if read_certificate(payload["certificateChain"]) is None:
            return dict(REJECTED)
        if self._asking is not None:
            self._asking()
            self._asking = None
        return dict(ACCEPTED)


def read_certificate(pem: str) -> Certificate | None:
    """The first certificate of a PEM text; None: there is none that can be read."""
    start = pem.find(_BEGIN)
    end = pem.find(_END, start)
    if start < 0 or end < 0:
        return None
    try:
        return _read(base64.b64decode("".join(pem[start + len(_BEGIN) : end].split()), validate=True))
    except (binascii.Error, IndexError, ValueError):
        return None


def _read(der: bytes) -> Certificate:
    """RFC 5280 section 4.1: version, number, algorithm, issuer, validity, subject, key."""
    _, whole, _ = _element(der, _SEQUENCE)
    _, inner, _ = _element(whole, _SEQUENCE)
    if inner[0] == _VERSION:
        _, _, inner = _element(inner)
    _, number, rest = _element(inner, _INTEGER)
    _, _, rest = _element(rest, _SEQUENCE)
    issuer, _, rest = _element(rest, _SEQUENCE)
    for _ in range(2):
        _, _, rest = _element(rest, _SEQUENCE)
    _, key_info, _ = _element(rest, _SEQUENCE)
    _, _, key_info = _element(key_info, _SEQUENCE)
    _, key, _ = _element(key_info, _BIT_STRING)
    # RFC 6960 hashes the key without tag, length and unused bits; serial numbers are told without leading zeros.
    return Certificate(issuer, key[1:], f"{int.from_bytes(number, 'big'):x}")


def _element(der: bytes, tag: int | None = None) -> tuple[bytes, bytes, bytes]:
    """The first element as a whole, its content, and what follows.

    Raises:
        IndexError, ValueError: It is no such element.
    """
    if tag is not None and der[0] != tag:
        raise ValueError(f"expected tag {tag:#x}, not {der[0]:#x}")
    length, header = der[1], 2
    if length & 0x80:
        header += length & 0x7F
        length = int.from_bytes(der[2:header], "big")
    end = header + length
    if end > len(der):
        raise ValueError(f"{end} bytes expected, {len(der)} there")
    return der[:end], der[header:end], der[end:]
