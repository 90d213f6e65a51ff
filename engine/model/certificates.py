"""Certificates: requests for them, what stations have installed, whether they are still good. OCPP 2.1 blocks A and M.

PEM is text with newlines, a chain is leaf first. Hashes and serial numbers are hexadecimal text as the other side wrote
it: compare them by `CertificateHash.key`.
"""

from datetime import datetime
from enum import StrEnum

from engine.model.word import Word


class HashAlgorithm(StrEnum):
    """Of issuer name and issuer key (2.1 HashAlgorithmEnumType)."""

    SHA256 = "SHA256"
    SHA384 = "SHA384"
    SHA512 = "SHA512"


class CertificateHash(Word, frozen=True):
    """Names a certificate without showing it (2.1 CertificateHashDataType, RFC 6960 CertID).

    `issuer_name_hash`: over the issuer's distinguished name in DER. `issuer_key_hash`: over the issuer's public key,
    the BIT STRING without tag, length and unused bits. `serial_number`: hexadecimal, without leading zeros.
    """

    algorithm: HashAlgorithm
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """The same for every way to write it: stations differ in case and leading zeros."""
        serial = self.serial_number.lower().removeprefix("0x").lstrip("0")
        return self.algorithm.value, self.issuer_name_hash.lower(), self.issuer_key_hash.lower(), serial


class SigningUse(StrEnum):
    """What a station wants a certificate for (2.1 CertificateSigningUseEnumType). 2.1 alone knows V2G20."""

    CHARGING_STATION = "ChargingStationCertificate"
    V2G = "V2GCertificate"
    V2G20 = "V2G20Certificate"


class CertificateUse(StrEnum):
    """What an installed certificate is for (2.1 GetCertificateIdUseEnumType).

    1.6 knows CSMS_ROOT (it says CentralSystemRootCertificate) and MANUFACTURER_ROOT, 2.0.1 all but OEM_ROOT. V2G_CHAIN
    is only reported, never installed (a station gets it by CertificateSigned).
    """

    CSMS_ROOT = "CSMSRootCertificate"
    MANUFACTURER_ROOT = "ManufacturerRootCertificate"
    V2G_ROOT = "V2GRootCertificate"
    MO_ROOT = "MORootCertificate"
    OEM_ROOT = "OEMRootCertificate"
    V2G_CHAIN = "V2GCertificateChain"


SIGNED_WAITS_S = 7 * 86_400.0
"""How long a signed certificate waits for its station to be there."""


class SigningDecision(StrEnum):
    """What came of a request for a certificate before the station was answered."""

    SIGNED = "signed"
    ASKED = "asked"
    """It waits for the operator's yes."""
    UNAVAILABLE = "unavailable"
    """The authority did not answer; it waits, too, and the station's next repeat asks the authority again."""
    REFUSED = "refused"


class SigningFinding(Word, frozen=True):
    """What the authority said of a request.

    `chain`, `serial_number` (hexadecimal), `expires_at`: of the certificate, only when SIGNED. `reason`: OCPP's reason
    code of a refusal (2.1 appendix 5), `detail`: why, for people.
    """

    decision: SigningDecision
    chain: str | None = None
    serial_number: str | None = None
    expires_at: datetime | None = None
    reason: str | None = None
    detail: str | None = None


class SigningAsked(Word, frozen=True):
    """Report: SignCertificate. `csr`: PEM. `use` None: not said, the station's own certificate.

    `number`: the station's requestId (2.1), to be repeated. `root`: under which root it wants the certificate (2.1).
    `finding`: put there by the ingress before anything is decided; None: nobody was asked.
    """

    csr: str
    use: SigningUse | None = None
    number: int | None = None
    root: CertificateHash | None = None
    finding: SigningFinding | None = None


class SigningAnswer(Word, frozen=True):
    """Whether a certificate may come (2.1 A02.FR.11, A02.FR.12)."""

    accepted: bool
    reason: str | None = None
    detail: str | None = None


class SigningRequested(Word, frozen=True):
    """Fact: a station asked for a certificate. `request`: our name of it; a repeat has the same. `finding`: so far."""

    request: str
    csr: str
    finding: SigningFinding
    at: datetime
    use: SigningUse | None = None
    number: int | None = None


class SigningDecided(Word, frozen=True):
    """Fact of the operator's: a yes or no to a request that was waiting. `by`: whose."""

    station: str
    request: str
    finding: SigningFinding
    at: datetime
    by: str = ""


class SendSignedCertificate(Word, frozen=True):
    """Command: the certificate that a station asked for. `use`, `number`: as in its request (A02.FR.14, A02.FR.25).

    `request`: our name of the request; '': nobody asked, the operator sends one.
    """

    chain: str
    use: SigningUse | None = None
    number: int | None = None
    request: str = ""


class SigningSettled(Word, frozen=True):
    """Fact: what became of a certificate on its way to the station.

    `status`: the station's word, None where it gave none. `detail`: for people. `again`: it is being sent once more.
    """

    request: str
    accepted: bool
    noted_at: datetime
    status: str | None = None
    detail: str | None = None
    again: bool = False


class InstallCertificate(Word, frozen=True):
    """Command: trust this root. `certificate`: PEM, one certificate."""

    use: CertificateUse
    certificate: str


class DeleteCertificate(Word, frozen=True):
    """Command: trust it no more. The hash must be of the algorithm that the station reported it by (M04.FR.07)."""

    certificate: CertificateHash


class GetInstalledCertificates(Word, frozen=True):
    """Command. No uses: all of them; 1.6 asks for one at a time."""

    uses: tuple[CertificateUse, ...] = ()


class InstalledCertificate(Word, frozen=True):
    """A certificate in a station. `children`: sub-CAs below a V2G leaf (M03.FR.05), at most four."""

    use: CertificateUse
    certificate: CertificateHash
    children: tuple[CertificateHash, ...] = ()


class InstalledListed(Word, frozen=True):
    """Fact: a station told which certificates it has. `uses`: which it was asked for; empty: all."""

    uses: tuple[CertificateUse, ...]
    certificates: tuple[InstalledCertificate, ...]
    at: datetime


class CertificateDeleted(Word, frozen=True):
    """Fact: a station deleted a certificate, or said that it has none such."""

    certificate: CertificateHash
    at: datetime


class CertificateInstalled(Word, frozen=True):
    """Fact: a station installed a certificate of ours. `certificate`: PEM; the rest is read from it."""

    use: CertificateUse
    certificate: str
    serial_number: str
    subject: str
    expires_at: datetime
    at: datetime


class StatusSource(StrEnum):
    """How a status is found (2.1 CertificateStatusSourceEnumType)."""

    OCSP = "OCSP"
    CRL = "CRL"


class StatusQuestion(Word, frozen=True):
    """Whose status, and where to ask: URLs as the certificate names them, at most five."""

    certificate: CertificateHash
    urls: tuple[str, ...]
    source: StatusSource = StatusSource.OCSP


class CertificateState(StrEnum):
    """2.1 CertificateStatusEnumType. FAILED: it could not be found out."""

    GOOD = "Good"
    REVOKED = "Revoked"
    UNKNOWN = "Unknown"
    FAILED = "Failed"


class StatusFinding(Word, frozen=True):
    """What was found out. `next_update`: until when it counts.

    `response`: the OCSP response, DER; with state FAILED one whose signature could not be judged here.
    """

    state: CertificateState
    next_update: datetime | None = None
    response: bytes | None = None
    detail: str | None = None


class CertificateStatusAsked(Word, frozen=True):
    """Report: GetCertificateStatus (M06). `finding`: put there by the ingress."""

    question: StatusQuestion
    finding: StatusFinding | None = None


class CertificateStatusAnswer(Word, frozen=True):
    """The OCSP response, DER, whatever it says of the certificate; None: there is none (M06.FR.02 to 04)."""

    response: bytes | None = None
    detail: str | None = None


class ChainStatusAsked(Word, frozen=True):
    """Report: GetCertificateChainStatus (2.1 M07). `findings`: one per question, put there by the ingress."""

    questions: tuple[StatusQuestion, ...]
    findings: tuple[StatusFinding, ...] = ()


class CertificateStatus(Word, frozen=True):
    """What is known of one certificate. `next_update` None: not to be kept."""

    certificate: CertificateHash
    source: StatusSource
    state: CertificateState
    next_update: datetime | None = None
    detail: str | None = None


class ChainStatusAnswer(Word, frozen=True):
    """One entry per question, in order (M07.FR.08)."""

    statuses: tuple[CertificateStatus, ...]


class CertificateStatusTold(Word, frozen=True):
    """Fact: a station asked whether certificates are good, and was told."""

    statuses: tuple[CertificateStatus, ...]
    at: datetime


class ContractAction(StrEnum):
    """2.x CertificateActionEnumType."""

    INSTALL = "Install"
    UPDATE = "Update"


class ContractFinding(Word, frozen=True):
    """What a pool of contract certificates said. `response`: EXI in base64, for the EV. `remaining`: contracts left."""

    accepted: bool
    response: str = ""
    remaining: int | None = None
    detail: str | None = None


class ContractCertificateAsked(Word, frozen=True):
    """Report: Get15118EVCertificate (M01, M02). `request`: EXI in base64, from the EV.

    `chains_max`, `emaids`: ISO 15118-20 only (2.1). `finding`: put there by the ingress.
    """

    action: ContractAction
    schema_version: str
    request: str
    chains_max: int | None = None
    emaids: tuple[str, ...] = ()
    finding: ContractFinding | None = None


class ContractCertificateAnswer(Word, frozen=True):
    """For the EV, through the station."""

    finding: ContractFinding


class ContractCertificateTold(Word, frozen=True):
    """Fact: an EV asked for contract certificates. What it got is not kept: there is a private key in it."""

    action: ContractAction
    schema_version: str
    accepted: bool
    at: datetime
    remaining: int | None = None
    detail: str | None = None


class ContractEvidence(Word, frozen=True):
    """What a driver's car showed with an Authorize (2.1 C07): hashes of its chain, or the chain itself (PEM)."""

    questions: tuple[StatusQuestion, ...] = ()
    chain: str | None = None


class ContractStatus(StrEnum):
    """What a contract certificate is worth (2.x AuthorizeCertificateStatusEnumType)."""

    ACCEPTED = "Accepted"
    SIGNATURE_ERROR = "SignatureError"
    CERTIFICATE_EXPIRED = "CertificateExpired"
    CERTIFICATE_REVOKED = "CertificateRevoked"
    NO_CERTIFICATE_AVAILABLE = "NoCertificateAvailable"
    CERT_CHAIN_ERROR = "CertChainError"
    CONTRACT_CANCELLED = "ContractCancelled"
