"""Security events: what stations tell of attempts on them. OCPP 2.1 A04, 1.6 security whitepaper section 8."""

from datetime import datetime

from engine.model.word import Word

CRITICAL_OF_EVENT: dict[str, bool] = {
    "FirmwareUpdated": True,
    "FailedToAuthenticateAtCsms": False,
    "CsmsFailedToAuthenticate": False,
    "SettingSystemTime": True,
    "StartupOfTheDevice": True,
    "ResetOrReboot": True,
    "SecurityLogWasCleared": True,
    "ReconfigurationOfSecurityParameters": False,
    "MemoryExhaustion": True,
    "InvalidMessages": False,
    "AttemptedReplayAttacks": False,
    "TamperDetectionActivated": True,
    "InvalidFirmwareSignature": True,
    "InvalidFirmwareSigningCertificate": True,
    "InvalidCsmsCertificate": True,
    "InvalidChargingStationCertificate": True,
    "DiscardedRenewedClientCertificate": True,
    "InvalidTLSVersion": True,
    "InvalidTLSCipherSuite": True,
    "MaintenanceLoginAccepted": True,
    "MaintenanceLoginFailed": True,
    # 1.6 names the same things otherwise. It calls the two certificates and the signatures not critical; 2.x, the later
    # judgement, does, and an operator wants one rule for the fleet.
    "FailedToAuthenticateAtCentralSystem": False,
    "FailedToAuthenticationAtCentralSystem": False,
    "CentralSystemFailedToAuthenticate": False,
    "CentralSystemFailedToAuthentication": False,
    "InvalidCentralSystemCertificate": True,
    "InvalidChargePointCertificate": True,
}
"""The events of 2.1 appendix 1 (security_events.csv) and of the whitepaper's list, and whether each is critical."""


class SecurityEventReported(Word, frozen=True):
    """Report. `type`: a name of the list or a vendor's own. `at`: the station's clock; None: it said no time."""

    type: str
    at: datetime | None = None
    detail: str | None = None
    """techInfo."""


class SecurityEventAnswer(Word, frozen=True):
    """Taken note of (A04.FR.03)."""


class SecurityEventRecorded(Word, frozen=True):
    """Fact. `critical` None: a vendor's own event, on which the specification has no word. `at`: our clock."""

    report: SecurityEventReported
    at: datetime
    critical: bool | None = None
