"""Local lists: SendLocalList, GetLocalListVersion. OCPP 2.1 block D.

Translates; never decides, never remembers.
"""

from msgspec.structs import replace

from engine.model.commands import Outcome
from engine.model.local_list import GetLocalListVersion, ListEntry, ListVersion, SendLocalList
from engine.ocpp import outcomes
from engine.ocpp.translation import CommandTranslator, CsmsCall, Payload
from engine.ocpp.v2 import authorization
from engine.ocpp.versions import Version

BLOCK = "local_list"


def send_local_list_from_send_local_list(command: SendLocalList, version: Version) -> tuple[str, Payload]:
    """A list, or changes of it; an entry without idTokenInfo is taken out (D01.FR.17), no entries at all are not said.

    Raises:
        NotExpressible: A token does not fit.
    """
    payload: Payload = {
        "versionNumber": command.version,
        "updateType": "Full" if command.full else "Differential",
    }
    if command.entries:
        payload["localAuthorizationList"] = [_authorization_data(entry, version) for entry in command.entries]
    return "SendLocalList", payload


def _authorization_data(entry: ListEntry, version: Version) -> Payload:
    data: Payload = {"idToken": authorization.id_token_from_token(entry.token, version)}
    if entry.verdict is not None:
        data["idTokenInfo"] = authorization.id_token_info_from_verdict(entry.verdict, version)
    return data


def get_local_list_version_from_get_local_list_version(
    _command: GetLocalListVersion, _version: Version
) -> tuple[str, Payload]:
    """Nothing to say but the action."""
    return "GetLocalListVersion", {}


def version_found(payload: Payload, version: Version) -> Outcome:
    """The version; 0: there is no list (D02.FR.02)."""
    return replace(outcomes.from_status_field(payload, version), found=ListVersion(payload["versionNumber"]))


FROM_CSMS = (
    CsmsCall(action="SendLocalList", block=BLOCK, outcome=outcomes.from_status_field),
    CsmsCall(action="GetLocalListVersion", block=BLOCK, outcome=version_found),
)
COMMANDS = (
    CommandTranslator(command=SendLocalList, call=send_local_list_from_send_local_list),
    CommandTranslator(command=GetLocalListVersion, call=get_local_list_version_from_get_local_list_version),
)
