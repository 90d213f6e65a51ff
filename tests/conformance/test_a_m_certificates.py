"""Blocks A and M through a real socket: a station and its certificates, with a real authority and a real responder.

TC_074 to TC_078 of 1.6, A02, A03, A04 and M01 to M07 of 2.x.
"""

import asyncio
import base64
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509 import ocsp

from engine.model.certificates import (
    CertificateDeleted,
    CertificateInstalled,
    CertificateUse,
    DeleteCertificate,
    GetInstalledCertificates,
    InstallCertificate,
    InstalledListed,
    SigningDecision,
    SigningRequested,
    SigningSettled,
)
from engine.model.commands import CommandRequest, CommandSettled
from engine.model.security import SecurityEventRecorded
from ingress.ocpp.consultation import Consultation
from ingress.ocpp.server import IngressServer
from storage.authority.desk import Desk
from storage.authority.folder import Places
from storage.authority.hash_data import hash_data
from storage.authority.local import LocalAuthority
from storage.authority.pem import certificates_from, chain_text
from storage.authority.settings import CertificateSettings
from tests.conformance.door import Door
from tests.conformance.samples.every import BOOT
from tests.ingress.ocpp.conftest import SystemClock
from tests.storage.authority.certificates import Foreign, authority_in, request
from tests.storage.authority.responder import responding
from tests.storage.authority.test_ocsp import answered

pytestmark = pytest.mark.integration

VERSIONS = pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
TWO = pytest.mark.parametrize("version", ["2.0.1", "2.1"])
NAME = "CP-1"


def now():
    return datetime.now(UTC)


class Office(Door):
    """A door with a certificate desk behind it."""

    def __init__(self, places, **certificates):
        super().__init__()
        self.desk = Desk(places, CertificateSettings(**certificates), SystemClock())
        self.consultation = Consultation(self.desk, wait_s_max=5, under_way_max=8)
        self.server = IngressServer(
            self.settings,
            "ingress-1",
            7,
            self.actors,
            self.book,
            self.log,
            SystemClock(),
            consultation=self.consultation,
        )

    def of(self, kind):
        return self.hosted.of(kind)

    async def __aexit__(self, *error):
        await super().__aexit__(*error)
        await self.consultation.close()
        await self.desk.close()


class Charger:
    """A station that speaks frames."""

    def __init__(self, socket, version):
        self.socket = socket
        self.version = version
        self.last = 0
        self.calls = []

    async def say(self, action, payload):
        """The payload of the answer; a call of ours that comes first is kept."""
        self.last += 1
        await self.socket.send(json.dumps([2, f"m{self.last}", action, payload]))
        while True:
            frame = json.loads(await self.socket.recv())
            if frame[0] == 2:
                self.calls.append(frame)
                continue
            assert frame[:2] == [3, f"m{self.last}"], frame
            return frame[2]

    async def called(self):
        """(action, payload) of the next call of ours; `reply` answers it."""
        frame = self.calls.pop(0) if self.calls else json.loads(await self.socket.recv())
        assert frame[0] == 2, frame
        self.call = frame[1]
        return frame[2], frame[3]

    async def reply(self, payload):
        await self.socket.send(json.dumps([3, self.call, payload]))

    async def settle(self):
        """Whatever the station said before is decided when this is answered."""
        await self.say("Heartbeat", {})


@pytest.fixture
def places(tmp_path):
    return authority_in(tmp_path)


@asynccontextmanager
async def charging(office, version):
    async with office.connect(f"/ocpp/{NAME}", version=version) as socket:
        charger = Charger(socket, version)
        boot = next(sample for known, sample in BOOT.items() if known.value == version)
        assert (await charger.say("BootNotification", boot))["status"] == "Accepted"
        yield charger


async def command(office, word, name="c-1"):
    at = now()
    await office.command(CommandRequest(name, NAME, word, at, at + timedelta(minutes=1)))


@VERSIONS
async def test_TC_074_A02_FR_11_14_a_station_asks_and_gets_its_certificate(places, version):
    async with Office(places) as office, charging(office, version) as charger:
        more = {} if version == "1.6" else {"certificateType": "ChargingStationCertificate"}
        more |= {"requestId": 42} if version == "2.1" else {}
        csr = request(NAME, "Narke")
        assert await charger.say("SignCertificate", {"csr": csr, **more}) == {"status": "Accepted"}
        action, payload = await charger.called()
        assert action == "CertificateSigned"
        chain = certificates_from(payload.pop("certificateChain"))
        assert payload == more
        root = certificates_from((places.roots / "csms-ecdsa.pem").read_text())[0]
        chain[0].verify_directly_issued_by(chain[1])
        chain[1].verify_directly_issued_by(root)
        assert chain[0].public_key() == x509.load_pem_x509_csr(csr.encode()).public_key()
        await charger.reply({"status": "Accepted"})
        await charger.settle()
        [settled] = office.of(SigningSettled)
        assert (settled.accepted, settled.status) == (True, "Accepted")
        assert settled.request == office.of(SigningRequested)[0].request


@VERSIONS
async def test_TC_077_A02_FR_07_a_certificate_that_the_station_refuses_is_told_of_twice(places, version):
    async with Office(places) as office, charging(office, version) as charger:
        await charger.say("SignCertificate", {"csr": request(NAME, "Narke")})
        await charger.called()
        await charger.reply({"status": "Rejected"})
        name = "InvalidChargePointCertificate" if version == "1.6" else "InvalidChargingStationCertificate"
        event = {"type": name, "timestamp": "2026-05-01T10:00:00Z"}
        assert await charger.say("SecurityEventNotification", event) == {}
        assert office.of(SigningSettled)[0].accepted is False
        assert [(fact.report.type, fact.critical) for fact in office.of(SecurityEventRecorded)] == [(name, True)]


@VERSIONS
async def test_TC_078_A04_an_invalid_certificate_of_ours_is_told_of(places, version):
    async with Office(places) as office, charging(office, version) as charger:
        name = "InvalidCentralSystemCertificate" if version == "1.6" else "InvalidCsmsCertificate"
        event = {"type": name, "timestamp": "2026-05-01T10:00:00Z", "techInfo": "expired"}
        assert await charger.say("SecurityEventNotification", event) == {}
        assert office.of(SecurityEventRecorded)[0].report.detail == "expired"


@VERSIONS
async def test_A02_FR_12_a_request_in_anothers_name_is_rejected(places, version):
    async with Office(places) as office, charging(office, version) as charger:
        answer = await charger.say("SignCertificate", {"csr": request("CP-2", "Narke")})
        assert answer["status"] == "Rejected"
        if version != "1.6":
            assert answer["statusInfo"]["reasonCode"] == "InvalidCSR"
            assert "CP-2" in answer["statusInfo"]["additionalInfo"]
        assert office.of(SigningRequested)[0].finding.decision is SigningDecision.REFUSED


async def test_A02_FR_17_a_repeat_is_not_signed_twice(places):
    async with Office(places) as office, charging(office, "2.0.1") as charger:
        csr = request(NAME, "Narke")
        await charger.say("SignCertificate", {"csr": csr})
        first = (await charger.called())[1]
        await charger.say("SignCertificate", {"csr": csr})
        await charger.reply({"status": "Rejected"})
        await charger.say("SignCertificate", {"csr": csr})
        assert (await charger.called())[1] == first
        signed = LocalAuthority(places, CertificateSettings()).issued(name=NAME)
        assert len(signed) == 1


async def test_a_certificate_is_signed_when_the_authority_is_there_at_last(tmp_path):
    places = Places(tmp_path / "ca")
    async with Office(places) as office, charging(office, "2.1") as charger:
        csr = request(NAME, "Narke")
        assert await charger.say("SignCertificate", {"csr": csr}) == {"status": "Accepted"}
        assert office.of(SigningRequested)[0].finding.decision is SigningDecision.UNAVAILABLE
        LocalAuthority.create(places, CertificateSettings(), now(), ("ecdsa",))
        assert await charger.say("SignCertificate", {"csr": csr}) == {"status": "Accepted"}
        assert (await charger.called())[0] == "CertificateSigned"


async def test_by_hand_a_request_waits_and_what_the_operator_rejects_is_rejected(places):
    async with Office(places, signing="manual") as office, charging(office, "2.1") as charger:
        csr = request(NAME, "Narke")
        assert await charger.say("SignCertificate", {"csr": csr}) == {"status": "Accepted"}
        assert office.of(SigningRequested)[0].finding.decision is SigningDecision.ASKED
        LocalAuthority(places, CertificateSettings()).reject(csr, NAME, None, now(), "taken down")
        told = await charger.say("SignCertificate", {"csr": csr})
        assert (told["status"], "taken down" in told["statusInfo"]["additionalInfo"]) == ("Rejected", True)
        assert charger.calls == []


async def test_where_nothing_is_signed_a_request_is_rejected(places):
    async with Office(places, signing="off") as office, charging(office, "2.1") as charger:
        told = await charger.say("SignCertificate", {"csr": request(NAME, "Narke")})
        assert (told["status"], told["statusInfo"]["reasonCode"]) == ("Rejected", "NotEnabled")


@VERSIONS
async def test_TC_075_M05_a_root_is_installed_and_TC_076_M04_deleted_as_the_station_named_it(places, version):
    root = Foreign(now(), "New Root").certificate
    kind = "CentralSystemRootCertificate" if version == "1.6" else "CSMSRootCertificate"
    named = hash_data(root, root)
    entry = {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": named.issuer_name_hash.upper(),
        "issuerKeyHash": named.issuer_key_hash,
        "serialNumber": named.serial_number,
    }
    async with Office(places) as office, charging(office, version) as charger:
        await command(office, InstallCertificate(use=CertificateUse.CSMS_ROOT, certificate=chain_text(root)))
        assert await charger.called() == (
            "InstallCertificate",
            {"certificateType": kind, "certificate": chain_text(root)},
        )
        await charger.reply({"status": "Accepted"})
        action, payload = await charger.called()
        wanted = kind if version == "1.6" else [kind]
        assert (action, payload) == ("GetInstalledCertificateIds", {"certificateType": wanted})
        if version == "1.6":
            await charger.reply({"status": "Accepted", "certificateHashData": [entry]})
        else:
            chain = [{"certificateType": kind, "certificateHashData": entry}]
            await charger.reply({"status": "Accepted", "certificateHashDataChain": chain})
        await charger.settle()
        assert office.of(CertificateInstalled)[0].subject == "O=Mobility,CN=New Root"
        [found] = office.of(InstalledListed)[0].certificates
        assert found.use is CertificateUse.CSMS_ROOT
        await command(office, DeleteCertificate(found.certificate), "c-2")
        assert await charger.called() == ("DeleteCertificate", {"certificateHashData": entry})
        await charger.reply({"status": "Accepted"})
        await charger.settle()
        assert office.of(CertificateDeleted)[0].certificate == found.certificate


@TWO
async def test_M03_FR_02_a_station_without_certificates_says_so(places, version):
    async with Office(places) as office, charging(office, version) as charger:
        await command(office, GetInstalledCertificates())
        assert await charger.called() == ("GetInstalledCertificateIds", {})
        await charger.reply({"status": "NotFound"})
        await charger.settle()
        assert office.of(InstalledListed)[0].certificates == ()


async def test_M05_what_is_no_certificate_never_leaves(places):
    async with Office(places) as office, charging(office, "2.1") as charger:
        await command(office, InstallCertificate(use=CertificateUse.V2G_ROOT, certificate="no certificate"))
        assert "BEGIN CERTIFICATE" in office.of(CommandSettled)[0].outcome.detail
        await charger.settle()
        assert charger.calls == []


def question(certificate, issuer, url):
    named = hash_data(certificate, issuer)
    return {
        "hashAlgorithm": named.algorithm.value,
        "issuerNameHash": named.issuer_name_hash,
        "issuerKeyHash": named.issuer_key_hash,
        "serialNumber": named.serial_number,
    } | ({} if url is None else {"responderURL": url})


@TWO
async def test_M06_FR_02_03_08_09_the_status_of_our_own_sub_ca_is_answered_from_the_register(places, version):
    authority = LocalAuthority(places, CertificateSettings())
    root, sub = (each.certificate for each in authority.issuers if each.name in ("root-v2g", "v2g"))
    async with Office(places) as office, charging(office, version) as charger:
        asked = {"ocspRequestData": question(sub, root, "http://ocsp.invalid/")}
        answer = await charger.say("GetCertificateStatus", asked)
        assert answer["status"] == "Accepted"
        response = ocsp.load_der_ocsp_response(base64.b64decode(answer["ocspResult"]))
        assert response.certificate_status is ocsp.OCSPCertStatus.GOOD
        assert response.serial_number == sub.serial_number


@TWO
async def test_M06_others_certificates_are_asked_of_their_responder_and_FR_04_failure_is_told(places, version):
    issuer = Foreign(now().replace(microsecond=0), "V2G Root")
    sub = issuer.issue("Sub", ca=True)
    async with (
        responding() as responder,
        Office(places, outside_private=True) as office,
        charging(office, version) as charger,
    ):
        responder.answers["/ocsp"] = answered(issuer, sub, begins=issuer.now)
        good = {"ocspRequestData": question(sub, issuer.certificate, responder.url("/ocsp"))}
        answer = await charger.say("GetCertificateStatus", good)
        assert base64.b64decode(answer["ocspResult"]) == responder.answers["/ocsp"]
        gone = {"ocspRequestData": question(sub, issuer.certificate, responder.url("/gone"))}
        answer = await charger.say("GetCertificateStatus", gone)
        assert (answer["status"], "HTTP 404" in answer["statusInfo"]["additionalInfo"]) == ("Failed", True)


async def test_a_station_cannot_make_us_ask_our_own_network(places):
    issuer = Foreign(now())
    leaf = issuer.issue("leaf")
    async with responding() as responder, Office(places) as office, charging(office, "2.1") as charger:
        asked = {"ocspRequestData": question(leaf, issuer.certificate, responder.url())}
        answer = await charger.say("GetCertificateStatus", asked)
        assert "not a public address" in answer["statusInfo"]["additionalInfo"]
        assert responder.asked == []


async def test_M07_FR_02_03_08_each_certificate_of_a_vehicles_chain_has_its_status(places):
    issuer = Foreign(now().replace(microsecond=0), "OEM Root")
    leaf = issuer.issue("vehicle")
    (places.trust / "oem.pem").write_text(chain_text(issuer.certificate))
    async with (
        responding() as responder,
        Office(places, outside_private=True) as office,
        charging(office, "2.1") as charger,
    ):
        responder.answers["/ocsp"] = answered(issuer, leaf, begins=issuer.now)
        named = question(leaf, issuer.certificate, None)
        requests = [
            {"certificateHashData": named, "source": "OCSP", "urls": [responder.url("/ocsp")]},
            {"certificateHashData": named, "source": "CRL", "urls": [responder.url("/gone")]},
        ]
        answer = await charger.say("GetCertificateChainStatus", {"certificateStatusRequests": requests})
        found = [(each["source"], each["status"]) for each in answer["certificateStatus"]]
        assert found == [("OCSP", "Good"), ("CRL", "Failed")]
        assert answer["certificateStatus"][0]["certificateHashData"] == named


EV = {"iso15118SchemaVersion": "urn:iso:std:iso:15118:-20:CommonMessages", "action": "Install", "exiRequest": "gA=="}


@TWO
async def test_M01_without_a_pool_the_car_is_told_failed(places, version):
    async with Office(places) as office, charging(office, version) as charger:
        answer = await charger.say("Get15118EVCertificate", EV)
        assert (answer["status"], answer["exiResponse"]) == ("Failed", "")
        assert "contract_pool_url" in answer["statusInfo"]["additionalInfo"]


async def test_M01_FR_04_06_07_contracts_come_one_by_one_until_none_remains(places):
    async with responding() as responder:
        url = responder.url("/pool")
        offer = {"status": "Accepted", "exiResponses": ["gB==", "gC==", "gD=="]}
        responder.answers["/pool"] = json.dumps(offer).encode()
        async with Office(places, contract_pool_url=url, contract_pool_key="k") as office:
            async with charging(office, "2.1") as charger:
                asked = EV | {"maximumContractCertificateChains": 2, "prioritizedEMAIDs": ["DEABC1"]}
                first = await charger.say("Get15118EVCertificate", asked)
                assert first == {"status": "Accepted", "exiResponse": "gB==", "remainingContracts": 1}
                second = await charger.say("Get15118EVCertificate", asked)
                assert second == {"status": "Accepted", "exiResponse": "gC==", "remainingContracts": 0}
            assert len(responder.asked) == 1
            assert json.loads(responder.asked[0][2]) | {"station": NAME} == {
                "station": NAME,
                "action": "Install",
                "iso15118SchemaVersion": EV["iso15118SchemaVersion"],
                "exiRequest": "gA==",
                "maximumContractCertificateChains": 2,
                "prioritizedEMAIDs": ["DEABC1"],
            }
            assert responder.headers[0]["authorization"] == "Bearer k"


async def test_other_messages_do_not_wait_for_a_question_to_the_world(places):
    async with responding() as responder:
        held = responder.answers["/pool"] = asyncio.Event()
        async with (
            Office(places, contract_pool_url=responder.url("/pool")) as office,
            charging(office, "2.1") as charger,
            office.connect("/ocpp/CP-2", version="2.1") as other,
        ):
            await charger.socket.send(json.dumps([2, "slow", "Get15118EVCertificate", EV]))
            boot = next(sample for known, sample in BOOT.items() if known.value == "2.1")
            await other.send(json.dumps([2, "b", "BootNotification", boot]))
            assert json.loads(await other.recv())[1] == "b"
            assert office.consultation.under_way == 1
            held.set()
            frame = json.loads(await charger.socket.recv())
            assert (frame[1], frame[2]["status"]) == ("slow", "Failed")


async def test_a_question_of_a_station_that_is_gone_is_forgotten(places):
    async with responding() as responder:
        held = responder.answers["/pool"] = asyncio.Event()
        async with Office(places, contract_pool_url=responder.url("/pool")) as office:
            async with charging(office, "2.1") as charger:
                await charger.socket.send(json.dumps([2, "slow", "Get15118EVCertificate", EV]))
                while not responder.asked:
                    await asyncio.sleep(0.01)
            held.set()
            while office.consultation.under_way:
                await asyncio.sleep(0.01)
            assert not any(type(fact).__name__ == "ContractCertificateTold" for fact in office.hosted.facts)


@TWO
async def test_C07_FR_13_16_17_a_contract_certificate_is_judged_before_the_token(places, version):
    root = Foreign(now().replace(microsecond=0), "MO Root")
    good, revoked = root.issue("DEABCC12345678"), root.issue("DEABCC12345678")
    (places.trust / "mo.pem").write_text(chain_text(root.certificate))
    async with (
        responding() as responder,
        Office(places, outside_private=True) as office,
        charging(office, version) as charger,
    ):
        responder.answers |= {
            "/good": answered(root, good, begins=root.now),
            "/revoked": answered(root, revoked, begins=root.now, status=ocsp.OCSPCertStatus.REVOKED),
        }

        async def told(certificate, path):
            shown = [question(certificate, root.certificate, responder.url(path))]
            token = {"idToken": "DEABCC12345678", "type": "eMAID"}
            answer = await charger.say("Authorize", {"idToken": token, "iso15118CertificateHashData": shown})
            return answer["idTokenInfo"]["status"], answer["certificateStatus"]

        assert (await told(good, "/good"))[1] == "ContractCancelled"  # the certificate is good, nobody knows the token
        assert await told(revoked, "/revoked") == ("Invalid", "CertificateRevoked")
        assert await told(good, "/gone") == ("Invalid", "CertChainError")
        plain = await charger.say("Authorize", {"idToken": {"idToken": "X", "type": "Central"}})
        assert "certificateStatus" not in plain
