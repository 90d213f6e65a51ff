"""Network profiles on the wire. 2.1 B09."""

import pytest

from engine.model.provisioning import Apn, NetworkProfile, SetNetworkProfile, Vpn
from engine.ocpp.catalogue import command_call, outcome_of
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])
PLAIN = NetworkProfile(url="wss://csms.example/ocpp", security_profile=2)


def said(profile, version, slot=1):
    action, payload = command_call(version, SetNetworkProfile(slot, profile))
    assert (action, payload["configurationSlot"]) == ("SetNetworkProfile", slot)
    return payload["connectionData"]


@BOTH
def test_B09_a_profile_says_where_and_how(version):
    data = said(PLAIN, version)
    assert data.pop("ocppVersion", None) == ("OCPP20" if version is Version.V201 else None)
    assert data == {
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "wss://csms.example/ocpp",
        "messageTimeout": 30,
        "securityProfile": 2,
        "ocppInterface": "Wired0",
    }


@BOTH
def test_B09_modem_and_vpn_are_said_where_they_are_given(version):
    apn = Apn("internet", "PAP", user="u", password="p", sim_pin=1234)
    vpn = Vpn(server="vpn", user="u", password="p", vpn_key="k", type="IKEv2")
    data = said(NetworkProfile(url="ws://x", security_profile=1, apn=apn, vpn=vpn), version)
    expected = {"apn": "internet", "apnAuthentication": "PAP", "apnUserName": "u", "apnPassword": "p", "simPin": 1234}
    assert data["apn"] == expected
    assert data["vpn"] == {"server": "vpn", "user": "u", "password": "p", "key": "k", "type": "IKEv2"}


def test_2_1_may_change_identity_and_password_2_0_1_cannot():
    profile = NetworkProfile(url="ws://x", security_profile=1, identity="CP-2", password="0123456789abcdef")
    data = said(profile, Version.V21)
    assert (data["identity"], data["basicAuthPassword"]) == ("CP-2", "0123456789abcdef")
    with pytest.raises(NotExpressible, match="change_password"):
        said(profile, Version.V201)


def test_an_interface_that_the_version_does_not_know_is_told():
    profile = NetworkProfile(url="ws://x", security_profile=1, interface="Any")
    assert said(profile, Version.V21)["ocppInterface"] == "Any"
    with pytest.raises(NotExpressible, match="ocppInterface"):
        said(profile, Version.V201)


@BOTH
@pytest.mark.parametrize(("status", "accepted"), [("Accepted", True), ("Rejected", False), ("Failed", False)])
def test_B09_FR_02_the_station_may_refuse(version, status, accepted):
    outcome = outcome_of(version, "SetNetworkProfile", {"status": status})
    assert (outcome.status, outcome.result == "accepted") == (status, accepted)


def test_two_profiles_of_one_slot_wait_in_one_slot():
    assert SetNetworkProfile(1, PLAIN).slot == SetNetworkProfile(1, PLAIN).slot != SetNetworkProfile(2, PLAIN).slot
