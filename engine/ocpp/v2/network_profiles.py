"""Network profiles: SetNetworkProfile. OCPP 2.1 B09.

Translates; never decides, never remembers.
"""

from engine.model.provisioning import Apn, NetworkProfile, SetNetworkProfile, Vpn
from engine.ocpp import outcomes
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload
from engine.ocpp.versions import Version

_VERSION_OF = {Version.V201: "OCPP20", Version.V21: "OCPP21"}
"""What a profile of the station's own version says; 2.0.1 has no word of its own (OCPP20, 2.0.1 part 2)."""


def set_network_profile_from_set_network_profile(command: SetNetworkProfile, version: Version) -> tuple[str, Payload]:
    """A profile for a configuration slot.

    Raises:
        NotExpressible: It says what this version cannot.
    """
    profile = command.profile
    payload: Payload = {
        "ocppTransport": "JSON",
        "ocppCsmsUrl": profile.url,
        "messageTimeout": profile.message_timeout_s,
        "securityProfile": profile.security_profile,
        "ocppInterface": profile.interface,
    }
    ocpp_version = profile.version or (_VERSION_OF[version] if version is Version.V201 else None)
    if ocpp_version is not None:
        payload["ocppVersion"] = ocpp_version
    payload |= _credentials(profile, version)
    if profile.apn is not None:
        payload["apn"] = _apn(profile.apn)
    if profile.vpn is not None:
        payload["vpn"] = _vpn(profile.vpn)
    return "SetNetworkProfile", {"configurationSlot": command.configuration_slot, "connectionData": payload}


def _credentials(profile: NetworkProfile, version: Version) -> Payload:
    """2.1 only. Raises NotExpressible."""
    said = {"identity": profile.identity, "basicAuthPassword": profile.password}
    said = {name: value for name, value in said.items() if value is not None}
    if said and version is Version.V201:
        raise NotExpressible(
            f"OCPP 2.0.1 has no {' and no '.join(said)} in a network profile: leave it out, or change the password by "
            "change_password"
        )
    return dict(said)


def _apn(apn: Apn) -> Payload:
    said = {
        "apn": apn.apn,
        "apnAuthentication": apn.authentication,
        "apnUserName": apn.user,
        "apnPassword": apn.password,
        "simPin": apn.sim_pin,
        "preferredNetwork": apn.preferred_network,
        "useOnlyPreferredNetwork": apn.only_preferred_network,
    }
    return {name: value for name, value in said.items() if value is not None}


def _vpn(vpn: Vpn) -> Payload:
    said = {
        "server": vpn.server,
        "user": vpn.user,
        "group": vpn.group,
        "password": vpn.password,
        "key": vpn.vpn_key,
        "type": vpn.type,
    }
    return {name: value for name, value in said.items() if value is not None}


FROM_CSMS = (CsmsCall(action="SetNetworkProfile", block="provisioning", outcome=outcomes.from_status_field),)
COMMANDS = (CommandTranslator(command=SetNetworkProfile, call=set_network_profile_from_set_network_profile),)
