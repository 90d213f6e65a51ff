"""Local lists in 1.6: SendLocalList, GetLocalListVersion. Sections 5.10, 5.15, 6.21 and 7.1.

Translates; never decides, never remembers.
"""

from msgspec.structs import replace

from engine.model.commands import Outcome
from engine.model.local_list import GetLocalListVersion, ListEntry, ListVersion, SendLocalList
from engine.ocpp import outcomes
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload
from engine.ocpp.v16.authorization import id_tag, id_tag_info
from engine.ocpp.versions import Version

BLOCK = "local_list"


def send_local_list_from_send_local_list(command: SendLocalList, _version: Version) -> tuple[str, Payload]:
    """A list, or changes of it; an entry without idTagInfo is taken out.

    Raises:
        NotExpressible: A token is too long, or allowed at some connectors only.
    """
    return "SendLocalList", {
        "listVersion": command.version,
        "updateType": "Full" if command.full else "Differential",
        "localAuthorizationList": [_authorization_data(entry) for entry in command.entries],
    }


def _authorization_data(entry: ListEntry) -> Payload:
    data: Payload = {"idTag": id_tag(entry.token)}
    if entry.verdict is None:
        return data
    if entry.verdict.evses:
        raise NotExpressible(
            f"OCPP 1.6 lists know no connectors, and {entry.token.value} may charge at some only: leave it out, the "
            "station asks then"
        )
    return {**data, "idTagInfo": id_tag_info(entry.verdict)}


def get_local_list_version_from_get_local_list_version(
    _command: GetLocalListVersion, _version: Version
) -> tuple[str, Payload]:
    """Nothing to say but the action."""
    return "GetLocalListVersion", {}


def version_found(payload: Payload, version: Version) -> Outcome:
    """The version; -1: the station has no local lists (section 5.10)."""
    return replace(outcomes.from_status_field(payload, version), found=ListVersion(payload["listVersion"]))


FROM_CSMS = (
    CsmsCall(action="SendLocalList", block=BLOCK, outcome=outcomes.from_status_field),
    CsmsCall(action="GetLocalListVersion", block=BLOCK, outcome=version_found),
)
COMMANDS = (
    CommandTranslator(command=SendLocalList, call=send_local_list_from_send_local_list),
    CommandTranslator(command=GetLocalListVersion, call=get_local_list_version_from_get_local_list_version),
)
