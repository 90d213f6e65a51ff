"""Security in 1.6: requests for certificates, certificates to stations, security events."""

from datetime import UTC, datetime

import pytest

from engine.model.certificates import SendSignedCertificate, SigningAnswer, SigningAsked, SigningUse
from engine.model.commands import Result
from engine.model.security import SecurityEventAnswer, SecurityEventReported
from engine.ocpp import catalogue
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

V16 = Version.V16


def understood(action, payload):
    return catalogue.understand(V16, action, payload).report


def test_TC_074_a_station_asks_for_a_certificate_and_is_told_yes_or_no():
    assert understood("SignCertificate", {"csr": "PEM"}) == SigningAsked(csr="PEM")
    yes, no = SigningAnswer(accepted=True), SigningAnswer(accepted=False, reason="InvalidCSR", detail="why")
    assert catalogue.answer_payload(V16, "SignCertificate", yes) == {"status": "Accepted"}
    assert catalogue.answer_payload(V16, "SignCertificate", no) == {"status": "Rejected"}


@pytest.mark.parametrize("use", [None, SigningUse.CHARGING_STATION])
def test_TC_074_a_certificate_is_sent(use):
    command = SendSignedCertificate(chain="PEM", use=use, number=7, request="r")
    assert catalogue.command_call(V16, command) == ("CertificateSigned", {"certificateChain": "PEM"})


def test_1_6_has_no_certificates_for_cars_and_no_endless_chains():
    with pytest.raises(NotExpressible, match="no V2GCertificate"):
        catalogue.command_call(V16, SendSignedCertificate(chain="PEM", use=SigningUse.V2G))
    with pytest.raises(NotExpressible, match="10001"):
        catalogue.command_call(V16, SendSignedCertificate(chain="x" * 10_001))


@pytest.mark.parametrize(("status", "result"), [("Accepted", Result.ACCEPTED), ("Rejected", Result.REFUSED)])
def test_TC_074_TC_077_the_station_takes_its_certificate_or_not(status, result):
    outcome = catalogue.outcome_of(V16, "CertificateSigned", {"status": status})
    assert (outcome.result, outcome.status) == (result, status)


@pytest.mark.parametrize("name", ["InvalidChargePointCertificate", "InvalidCentralSystemCertificate"])
def test_TC_077_TC_078_a_security_event_is_understood_and_confirmed(name):
    payload = {"type": name, "timestamp": "2026-05-01T10:00:00Z", "techInfo": "slot 2"}
    report = understood("SecurityEventNotification", payload)
    assert report == SecurityEventReported(name, datetime(2026, 5, 1, 10, tzinfo=UTC), "slot 2")
    assert catalogue.answer_payload(V16, "SecurityEventNotification", SecurityEventAnswer()) == {}


def test_an_event_with_a_time_that_is_none_is_kept():
    report = understood("SecurityEventNotification", {"type": "X", "timestamp": "yesterday", "techInfo": ""})
    assert report == SecurityEventReported("X")
