"""Notices: every action that the domain does not interpret (yet), both ways, kept verbatim.

Translates; never decides, never remembers. What stations report is answered with what commits us to least: taken note
of where the answer says nothing, a no where a yes would promise something that nobody here does.
"""

from collections.abc import Callable

from engine.model.commands import Outcome
from engine.model.envelopes import Answer
from engine.ocpp import outcomes
from engine.ocpp.notices import noted, report_verbatim
from engine.ocpp.translation import CsmsCall, Payload, StationCall
from engine.ocpp.v2 import entries
from engine.ocpp.versions import Version

_NOTHING: Payload = {}
_NO: Payload = {"status": "Rejected"}


def notify_ev_charging_needs_response(_answer: Answer, version: Version) -> Payload:
    """No profile will come (K15).

    2.1 has a word for it. Its Rejected would refuse the energy transfer that the EV asked for and so end the session
    (stoppedReason ReqEnergyTransferRejected); in 2.0.1 Rejected only says that nobody plans here.
    """
    return {"status": "NoChargingProfile" if version is Version.V21 else "Rejected"}


def _sent_raw(
    action: str, block: str, outcome: Callable[[Payload, Version], Outcome] = outcomes.from_status_field
) -> CsmsCall:
    """A row of an action that only a raw command says."""
    return CsmsCall(action=action, block=block, outcome=outcome)


FROM_STATION = (
)
"""Both versions."""

FROM_STATION_21 = (
)
"""New in 2.1."""

FROM_CSMS = (
)
"""Both versions. NotFound and Unknown answer a question here: there are no certificates, no messages."""

FROM_CSMS_21 = (
)
"""New in 2.1."""
