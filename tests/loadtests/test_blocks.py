"""The smaller functional blocks of a station: lists, reservations, files, certificates, words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from loadtests.certificates import CSR, read_certificate
from loadtests.information import VENDOR
from loadtests.local_list import CACHE_MAX, PART_MAX, Known, LocalList
from tests.loadtests.scripted import NOW, Csms
from tests.loadtests.test_station import (
    ACCEPTED,
    LONG,
    LONG_CHARGE,
    newer,
    remote_start,
    remote_stop,
    started,
    station_at,
    statuses,
    transaction_id,
    versions,
)

REJECTED = {"status": "Rejected"}
QUICKLY = replace(LONG_CHARGE, firmware_s=0.01, upload_s=0.01)
PEM = """-----BEGIN CERTIFICATE-----
MIIBojCCAUmgAwIBAgIUQPBfjSTLZIizUpBpn0wIakAjIgEwCgYIKoZIzj0EAwIw
JzEOMAwGA1UECgwFTmFya2UxFTATBgNVBAMMDHZpcnR1YWwgcm9vdDAeFw0yNjEx
MjExMzU2MTZaFw0zNjExMTgxMzU2MTZaMCcxDjAMBgNVBAoMBU5hcmtlMRUwEwYD
VQQDDAx2aXJ0dWFsIHJvb3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQu8lX6
r7iAx/CJ2HqgESTIpXhHANu94KNnGTYO4l8vbQTGSvbNmMKsb4hPScts+pxjpaBn
Jvs1F7qSHrR5Lluro1MwUTAdBgNVHQ4EFgQUkW1nzYXnY1fAWN/p8hUfHsp/mFEw
HwYDVR0jBBgwFoAUkW1nzYXnY1fAWN/p8hUfHsp/mFEwDwYDVR0TAQH/BAUwAwEB
/zAKBggqhkjOPQQDAgNHADBEAiABhO1IFYtY1xSPFYEZLimDh7fcURd1MMXlts+H
WjCbHQIgbotZ0NWs7yqAZ+UoJnwsPJnu2Y5tzf7TdR+1pgATojY=
-----END CERTIFICATE-----
"""
SERIAL = "40f05f8d24cb6488b35290699f4c086a40232201"  # as openssl x509 -serial says


def later(seconds):
    at = datetime.fromisoformat(NOW) + timedelta(seconds=seconds)
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# Local list


def entries(version, *tokens, status="Accepted", **info):
    if version == "1.6":
        return [
            {"idTag": each} | ({} if status is None else {"idTagInfo": {"status": status} | info}) for each in tokens
        ]
    return [
        {"idToken": {"idToken": each, "type": "ISO14443"}}
        | ({} if status is None else {"idTokenInfo": {"status": status} | info})
        for each in tokens
    ]


async def send_list(csms, version, number, kind, given):
    name = "listVersion" if version == "1.6" else "versionNumber"
    payload = {name: number, "updateType": kind} | ({"localAuthorizationList": given} if given else {})
    return (await csms.call("SendLocalList", payload))["status"]


async def list_version(csms, version):
    return (await csms.call("GetLocalListVersion", {}))["listVersion" if version == "1.6" else "versionNumber"]


@versions
async def test_a_list_is_sent_in_full_and_changed_in_steps(version):
    async with Csms() as csms, station_at(csms, version, tokens=()) as station:
        await csms.until_heard("StatusNotification")
        assert await list_version(csms, version) == 0
        assert await send_list(csms, version, 3, "Full", entries(version, "A", "B")) == "Accepted"
        assert await send_list(csms, version, 3, "Differential", entries(version, "C")) == "VersionMismatch"
        assert await send_list(csms, version, 4, "Differential", entries(version, "a", status=None)) == "Accepted"
        assert await send_list(csms, version, 5, "Full", entries(version, "D", status=None)) == "Failed"
        assert await send_list(csms, version, 0, "Full", entries(version, "D")) == "Failed"
        assert await send_list(csms, version, 5, "Full", entries(version, "D", "d")) == "Failed"
        many = [f"T{number}" for number in range(PART_MAX + 1)]
        assert await send_list(csms, version, 5, "Full", entries(version, *many)) == "Failed"
        assert await list_version(csms, version) == 4
        tokens = station.block(LocalList)
        assert [tokens.find(each) is not None for each in "AB"] == [False, True]
        assert await send_list(csms, version, 6, "Full", None) == "Accepted"
        assert tokens.find("B") is None


async def test_a_list_that_is_switched_off_has_no_version():
    async with Csms() as csms, station_at(csms, "1.6", tokens=()):
        await csms.until_heard("StatusNotification")
        await csms.call("ChangeConfiguration", {"key": "LocalAuthListEnabled", "value": "false"})
        assert await list_version(csms, "1.6") == -1
        assert await send_list(csms, "1.6", 3, "Full", entries("1.6", "A")) == "NotSupported"


@versions
async def test_a_listed_driver_needs_no_csms_where_that_is_allowed(version):
    habits = replace(LONG_CHARGE, first_charge_s_max=0.0, idle_s=(0.0, 0.0))
    async with Csms() as csms:
        csms.bad_tokens.add("TOKEN")
        async with station_at(csms, version, habits):
            await csms.until_heard("Authorize")
            await send_list(csms, version, 1, "Full", entries(version, "token"))
            if version == "1.6":
                await csms.call("ChangeConfiguration", {"key": "LocalPreAuthorize", "value": "true"})
            else:
                data = {
                    "component": {"name": "AuthCtrlr"}, "variable": {"name": "LocalPreAuthorize"},
                    "attributeValue": "true",
                }  # fmt: skip
                await csms.call("SetVariables", {"setVariableData": [data]})
            await started(csms, version)


async def test_offline_only_those_whom_the_station_knows_charge():
    async with Csms() as csms, station_at(csms, "1.6", replace(LONG_CHARGE, first_charge_s_max=1e3)) as station:
        await csms.until_heard("StatusNotification")
        await send_list(csms, "1.6", 1, "Full", entries("1.6", "TOKEN"))
        visits = station._visits
        csms.answers["Authorize"] = []
        station.link.stay_away(1e3)
        assert (await visits._ask_for("TOKEN")).accepted
        assert not (await visits._ask_for("STRANGER")).accepted
        station.variables.put("offline_unknown", "true")
        assert (await visits._ask_for("STRANGER")).accepted


async def test_whom_the_csms_accepted_charges_offline_too():
    async with Csms() as csms, station_at(csms, "1.6", replace(LONG_CHARGE, first_charge_s_max=1e3)) as station:
        await csms.until_heard("StatusNotification")
        csms.bad_tokens.add("BAD")
        assert (await station._visits._ask_for("TOKEN")).accepted
        assert not (await station._visits._ask_for("BAD")).accepted
        station.link.stay_away(1e3)
        assert (await station._visits._ask_for("token")).accepted
        assert not (await station._visits._ask_for("BAD")).accepted


async def test_the_cache_forgets_the_oldest_and_all_when_cleared():
    async with Csms() as csms, station_at(csms, "1.6", tokens=()) as station:
        await csms.until_heard("StatusNotification")
        tokens = station.block(LocalList)
        for number in range(CACHE_MAX + 1):
            tokens.remember(f"T{number}", Known(accepted=True, group=None))
        assert tokens.find("t0") is None
        assert tokens.find(f"T{CACHE_MAX}").accepted
        assert await csms.call("ClearCache", {}) == ACCEPTED
        assert tokens.find(f"T{CACHE_MAX}") is None


# Reservations


def reservation(version, number=7, token="REMOTE", place=1, seconds=100, group=None):
    if version == "1.6":
        more = {"parentIdTag": group} if group else {}
        return {"connectorId": place, "expiryDate": later(seconds), "idTag": token, "reservationId": number} | more
    more = {"groupIdToken": {"idToken": group, "type": "Central"}} if group else {}
    return {
        "id": number, "expiryDateTime": later(seconds), "idToken": {"idToken": token, "type": "ISO14443"},
    } | ({"evseId": place} if place else {}) | more  # fmt: skip


@versions
async def test_a_reserved_connector_is_for_its_token_alone(version):
    habits = replace(LONG_CHARGE, first_charge_s_max=1e3)
    async with Csms() as csms, station_at(csms, version, habits) as station:
        await csms.until_heard("StatusNotification")
        assert await csms.call("ReserveNow", reservation(version)) == ACCEPTED
        await csms.until(lambda: statuses(csms)[-1] == "Reserved")
        assert await csms.call("ReserveNow", reservation(version, number=8)) == {"status": "Occupied"}
        station.connectors[0].remote.put_nowait(driver("TOKEN"))
        await csms.until(lambda: station.statistics.events["drivers sent away"] == 1)
        await csms.until(lambda: statuses(csms)[-1] == "Reserved")
        await csms.call(*remote_start(version))
        start = await started(csms, version)
        assert start["reservationId"] == 7
        assert await csms.call("CancelReservation", {"reservationId": 7}) == REJECTED


def driver(token):
    from loadtests.connector import Driver  # noqa: PLC0415 (for this helper only)

    return Driver(token)


@versions
async def test_a_group_may_use_a_reservation(version):
    async with Csms() as csms, station_at(csms, version, replace(LONG_CHARGE, first_charge_s_max=1e3)) as station:
        await csms.until_heard("StatusNotification")
        await csms.call("ReserveNow", reservation(version, group="FAMILY"))
        group = (
            {"parentIdTag": "family"}
            if version == "1.6"
            else {"groupIdToken": {"idToken": "family", "type": "Central"}}
        )
        info = "idTagInfo" if version == "1.6" else "idTokenInfo"
        csms.answers["Authorize"] = [{info: {"status": "Accepted"} | group}]
        station.connectors[0].remote.put_nowait(driver("SISTER"))
        assert (await started(csms, version))["reservationId"] == 7


@versions
async def test_a_reservation_can_be_replaced_cancelled_and_expires(version):
    async with Csms() as csms, station_at(csms, version, tokens=()):
        await csms.until_heard("StatusNotification")
        assert await csms.call("ReserveNow", reservation(version)) == ACCEPTED
        assert await csms.call("ReserveNow", reservation(version, token="OTHER")) == ACCEPTED
        assert await csms.call("CancelReservation", {"reservationId": 7}) == ACCEPTED
        await csms.until(lambda: statuses(csms)[-1] == "Available")
        assert await csms.call("CancelReservation", {"reservationId": 7}) == REJECTED
        assert await csms.call("ReserveNow", reservation(version, seconds=-1)) == REJECTED
        assert await csms.call("ReserveNow", reservation(version, place=9)) == REJECTED
        assert await csms.call("ReserveNow", reservation(version, seconds=0.5)) == ACCEPTED
        await csms.until(lambda: statuses(csms)[-1] == "Reserved")
        await csms.until(lambda: statuses(csms)[-1] == "Available")
        if version != "1.6":
            update = (await csms.until_heard("ReservationStatusUpdate"))[0]
            assert update == {"reservationId": 7, "reservationUpdateStatus": "Expired"}


@versions
async def test_what_cannot_be_used_cannot_be_reserved(version):
    async with Csms() as csms, station_at(csms, version, LONG_CHARGE):
        await started(csms, version)
        assert await csms.call("ReserveNow", reservation(version)) == {"status": "Occupied"}
        assert await csms.call("ReserveNow", reservation(version, place=0)) == {"status": "Occupied"}
    async with Csms() as csms, station_at(csms, version, tokens=()):
        await csms.until_heard("StatusNotification")
        down = {"connectorId": 1, "type": "Inoperative"} if version == "1.6" else {"operationalStatus": "Inoperative"}
        await csms.call("ChangeAvailability", down)
        assert await csms.call("ReserveNow", reservation(version)) == {"status": "Unavailable"}


async def test_a_reservation_of_any_connector_leaves_one_free():
    habits = replace(LONG_CHARGE, connectors=2, first_charge_s_max=1e3)
    async with Csms() as csms, station_at(csms, "1.6", habits) as station:
        await csms.until_heard("StatusNotification", 2)
        assert await csms.call("ReserveNow", reservation("1.6", place=0)) == ACCEPTED
        station.connectors[0].remote.put_nowait(driver("A"))
        await started(csms, "1.6")
        station.connectors[1].remote.put_nowait(driver("B"))
        await csms.until(lambda: station.statistics.events["drivers sent away"] == 1)
        await csms.call(*remote_start("1.6", connectorId=2))
        assert (await csms.until_heard("StartTransaction", 2))[1]["reservationId"] == 7


# Firmware and logs


def update(version, location="https://files.example/v2.bin", **more):
    if version == "1.6":
        return "UpdateFirmware", {"location": location, "retrieveDate": NOW}
    return "UpdateFirmware", {"requestId": 5, "firmware": {"location": location, "retrieveDateTime": NOW} | more}


def said(csms, action="FirmwareStatusNotification"):
    return [each["status"] for each in csms.all_of(action)]


@versions
async def test_new_firmware_is_fetched_installed_and_boots(version):
    async with Csms() as csms, station_at(csms, version, QUICKLY, tokens=()) as station:
        await csms.until_heard("StatusNotification")
        answer = await csms.call(*update(version))
        assert answer == ({} if version == "1.6" else ACCEPTED)
        await csms.until(lambda: "Installed" in said(csms))
        rebooting = [] if version == "1.6" else ["InstallRebooting"]
        assert said(csms) == ["Downloading", "Downloaded", "Installing", *rebooting, "Installed"]
        boot = csms.all_of("BootNotification")[1]
        assert boot.get("firmwareVersion") or boot["chargingStation"]["firmwareVersion"] == "1.0.1"
        assert station.firmware == "1.0.1"
        if version != "1.6":
            assert {each["requestId"] for each in csms.all_of("FirmwareStatusNotification")} == {5}


@versions
@pytest.mark.parametrize(
    ("location", "last"),
    [
        ("https://files.invalid/x", "DownloadFailed"),
        ("gopher://files.example/x", "DownloadFailed"),
        ("https://files.example/corrupt.bin", "InstallationFailed"),
    ],
)
async def test_the_location_decides_what_fails(version, location, last):
    async with Csms() as csms, station_at(csms, version, QUICKLY, tokens=()):
        await csms.until_heard("StatusNotification")
        await csms.call(*update(version, location))
        await csms.until(lambda: last in said(csms))
        assert len(csms.all_of("BootNotification")) == 1


def signed(version, name="v2", certificate=PEM):
    firmware = {
        "location": f"https://files.example/{name}.bin", "signingCertificate": certificate, "signature": "c2lnbmF0dXJl",
        ("retrieveDateTime"): NOW,
    }  # fmt: skip
    action = "SignedUpdateFirmware" if version == "1.6" else "UpdateFirmware"
    return action, {"requestId": 6, "firmware": firmware}


@versions
async def test_signed_firmware_is_verified_first(version):
    told = "SignedFirmwareStatusNotification" if version == "1.6" else "FirmwareStatusNotification"
    async with Csms() as csms, station_at(csms, version, QUICKLY, tokens=()):
        await csms.until_heard("StatusNotification")
        assert await csms.call(*signed(version, certificate="nonsense")) == {"status": "InvalidCertificate"}
        await csms.until_heard("SecurityEventNotification", type="InvalidFirmwareSigningCertificate")
        assert await csms.call(*signed(version, "bad-signature")) == ACCEPTED
        await csms.until(lambda: said(csms, told)[-1:] == ["InvalidSignature"])
        await csms.until_heard("SecurityEventNotification", type="InvalidFirmwareSignature")
        assert await csms.call(*signed(version)) == ACCEPTED
        await csms.until(lambda: said(csms, told)[-1] == "Installed")
        assert said(csms, told)[-6:] == [
            "Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting", "Installed",
        ]  # fmt: skip


@newer
async def test_installing_waits_for_the_car_and_a_later_update_cancels(version):
    async with Csms() as csms, station_at(csms, version, QUICKLY) as station:
        name = await transaction_id(csms, station, version)
        await csms.call(*update(version))
        await csms.until(lambda: said(csms)[-1:] == ["InstallScheduled"])
        assert await csms.call(*update(version)) == {"status": "AcceptedCanceled"}
        await csms.until(lambda: said(csms)[-1:] == ["InstallScheduled"] and len(said(csms)) >= 6)
        await csms.call(*remote_stop(version, name))
        await csms.until(lambda: said(csms)[-1] == "Installed")


async def test_diagnostics_are_uploaded_or_not():
    async with Csms() as csms, station_at(csms, "1.6", QUICKLY, tokens=()):
        await csms.until_heard("StatusNotification")
        answer = await csms.call("GetDiagnostics", {"location": "ftp://files.example/"})
        assert answer["fileName"].startswith("diagnostics-ST-")
        await csms.until(lambda: said(csms, "DiagnosticsStatusNotification") == ["Uploading", "Uploaded"])
        await csms.call("GetDiagnostics", {"location": "ftp://files.invalid/"})
        await csms.until(lambda: said(csms, "DiagnosticsStatusNotification")[-1] == "UploadFailed")
        await csms.call("TriggerMessage", {"requestedMessage": "DiagnosticsStatusNotification"})
        await csms.until(lambda: said(csms, "DiagnosticsStatusNotification")[-1] == "Idle")


@versions
async def test_logs_are_uploaded_and_a_second_request_cancels_the_first(version):
    slow = replace(QUICKLY, upload_s=0.3)
    async with Csms() as csms, station_at(csms, version, slow, tokens=()):
        await csms.until_heard("StatusNotification")

        def log(number, host="example"):
            where = {"remoteLocation": f"https://files.{host}/"}
            return "GetLog", {"requestId": number, "logType": "SecurityLog", "log": where}

        assert (await csms.call(*log(1)))["status"] == "Accepted"
        assert (await csms.call(*log(2)))["status"] == "AcceptedCanceled"
        await csms.until(lambda: "Uploaded" in said(csms, "LogStatusNotification"))
        told = [(each["requestId"], each["status"]) for each in csms.all_of("LogStatusNotification")]
        canceled = [] if version == "1.6" else [(1, "AcceptedCanceled")]
        assert told == [(1, "Uploading"), *canceled, (2, "Uploading"), (2, "Uploaded")]
        await csms.call(*log(3, "invalid"))
        await csms.until(lambda: said(csms, "LogStatusNotification")[-1] == "UploadFailure")
        action = "ExtendedTriggerMessage" if version == "1.6" else "TriggerMessage"
        await csms.call(action, {"requestedMessage": "LogStatusNotification"})
        await csms.until(lambda: csms.all_of("LogStatusNotification")[-1] == {"status": "Idle"})


# Certificates


def test_a_certificate_is_read_as_openssl_reads_it():
    certificate = read_certificate(PEM)
    assert certificate.serial == SERIAL
    data = certificate.hash_data("SHA256")
    assert (len(data["issuerNameHash"]), len(data["issuerKeyHash"])) == (64, 64)
    assert read_certificate(PEM.replace("\n", "\r\n")) == certificate


@pytest.mark.parametrize("text", ["", "x", CSR, PEM[:200], PEM.replace("MIIB", "////"), PEM.replace("MII", "M!I")])
def test_what_is_no_certificate_is_not_read(text):
    assert read_certificate(text) is None


@versions
async def test_certificates_are_installed_listed_and_deleted_by_hash(version):
    kind = "CentralSystemRootCertificate" if version == "1.6" else "CSMSRootCertificate"
    other = "ManufacturerRootCertificate"
    async with Csms() as csms, station_at(csms, version, tokens=()):
        await csms.until_heard("StatusNotification")

        async def ids(wanted):
            asked = wanted if version == "1.6" else [wanted]
            return await csms.call("GetInstalledCertificateIds", {"certificateType": asked})

        assert await ids(kind) == {"status": "NotFound"}
        for _ in range(2):
            assert await csms.call("InstallCertificate", {"certificateType": kind, "certificate": PEM}) == ACCEPTED
        bad = {"certificateType": kind, "certificate": "nonsense"}
        assert await csms.call("InstallCertificate", bad) == REJECTED
        found = await ids(kind)
        chain = found.get("certificateHashDataChain") or [{"certificateHashData": found["certificateHashData"][0]}]
        assert len(chain) == 1
        data = chain[0]["certificateHashData"]
        assert data["serialNumber"] == SERIAL
        if version != "1.6":
            assert await ids("MORootCertificate") == {"status": "NotFound"}
        else:
            assert await ids(other) == {"status": "NotFound"}
        strange = {"certificateHashData": data | {"serialNumber": "1"}}
        assert await csms.call("DeleteCertificate", strange) == {"status": "NotFound"}
        assert await csms.call("DeleteCertificate", {"certificateHashData": data}) == ACCEPTED
        assert await ids(kind) == {"status": "NotFound"}


@versions
async def test_a_station_asks_for_its_certificate_until_it_has_one(version):
    async with Csms() as csms, station_at(csms, version, tokens=()) as station:
        await csms.until_heard("StatusNotification")
        csms.answers["SignCertificate"] = [ACCEPTED] * 3
        station.variables.put("csr_wait", "0.01")
        station.variables.put("csr_repeats", "2")
        if version == "1.6":
            asked = {"requestedMessage": "SignChargePointCertificate"}
            assert await csms.call("ExtendedTriggerMessage", asked) == ACCEPTED
        else:
            asked = {"requestedMessage": "SignChargingStationCertificate"}
            assert await csms.call("TriggerMessage", asked) == ACCEPTED
        requests = await csms.until_heard("SignCertificate", 3)
        assert requests[0]["csr"] == CSR
        assert requests[0].get("certificateType") == (None if version == "1.6" else "ChargingStationCertificate")
        assert await csms.call("CertificateSigned", {"certificateChain": "nonsense"}) == REJECTED
        assert await csms.call("CertificateSigned", {"certificateChain": PEM}) == ACCEPTED


# Words


def message(number, **more):
    text = {"format": "UTF8", "content": "Bitte laden"}
    return {"message": {"id": number, "priority": "NormalCycle", "message": text} | more}


@newer
async def test_messages_are_shown_told_and_cleared(version):
    async with Csms() as csms, station_at(csms, version, LONG_CHARGE) as station:
        name = await transaction_id(csms, station, version)
        assert await csms.call("SetDisplayMessage", message(1)) == ACCEPTED
        assert await csms.call("SetDisplayMessage", message(2, transactionId=name)) == ACCEPTED
        unknown = message(3, transactionId="strange")
        assert await csms.call("SetDisplayMessage", unknown) == {"status": "UnknownTransaction"}
        assert await csms.call("GetDisplayMessages", {"requestId": 4, "id": [1]}) == ACCEPTED
        told = (await csms.until_heard("NotifyDisplayMessages"))[0]
        assert [each["id"] for each in told["messageInfo"]] == [1]
        assert await csms.call("GetDisplayMessages", {"requestId": 5, "priority": "AlwaysFront"}) == {
            "status": "Unknown"
        }
        await csms.call(*remote_stop(version, name))
        await csms.until(lambda: station.connectors[0].idle)
        assert await csms.call("ClearDisplayMessage", {"id": 2}) == {"status": "Unknown"}
        assert await csms.call("ClearDisplayMessage", {"id": 1}) == ACCEPTED
        assert await csms.call("SetDisplayMessage", message(6, endDateTime=later(-1))) == ACCEPTED
        await csms.call("GetTransactionStatus", {})
        assert await csms.call("GetDisplayMessages", {"requestId": 7}) == {"status": "Unknown"}


@newer
async def test_costs_customers_and_the_state_of_a_transaction(version):
    async with Csms() as csms, station_at(csms, version, LONG_CHARGE) as station:
        name = await transaction_id(csms, station, version)
        assert await csms.call("CostUpdated", {"totalCost": 3.5, "transactionId": name}) == {}
        assert station.connectors[0].charge.cost == 3.5
        assert (await csms.call("GetTransactionStatus", {"transactionId": name}))["ongoingIndicator"] is True
        assert (await csms.call("GetTransactionStatus", {"transactionId": "x"}))["ongoingIndicator"] is False
        assert "ongoingIndicator" not in await csms.call("GetTransactionStatus", {})
        asked = {"requestId": 8, "report": True, "clear": False, "customerIdentifier": "TOKEN"}
        assert await csms.call("CustomerInformation", asked) == ACCEPTED
        told = (await csms.until_heard("NotifyCustomerInformation"))[0]
        assert name in told["data"]
        assert await csms.call("CustomerInformation", asked | {"report": False}) == REJECTED


@versions
async def test_data_of_its_vendor_comes_back(version):
    async with Csms() as csms, station_at(csms, version, tokens=()):
        await csms.until_heard("StatusNotification")

        async def transfer(**payload):
            return await csms.call("DataTransfer", payload)

        assert await transfer(vendorId="other") == {"status": "UnknownVendorId"}
        assert await transfer(vendorId=VENDOR, messageId="dance") == {"status": "UnknownMessageId"}
        echoed = await transfer(vendorId=VENDOR, messageId="echo", data="hello")
        assert echoed == {"status": "Accepted", "data": "hello"}


@versions
async def test_an_idle_station_has_no_blocks(version):
    async with Csms() as csms, station_at(csms, version, replace(LONG_CHARGE, idle_s=LONG), tokens=()) as station:
        await csms.until_heard("StatusNotification")
        assert station._blocks == {}
