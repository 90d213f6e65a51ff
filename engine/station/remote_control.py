"""Remote control: which commands a station may be sent in which state. OCPP 2.1 block F.

No command goes out before the answer to a boot (ocpp.md 23): commands come from people and programs, who see a station
only after its first report; nothing here sends one by itself.
"""

from engine.model.commands import Command
from engine.model.notices import RawCommand
from engine.model.provisioning import Registration
from engine.model.remote_control import RequestStart, RequestStop, TriggerMessage
from engine.station.context import Context
from engine.station.provisioning import registration
from engine.station.state import StationState

STARTS_AND_STOPS = frozenset(
    {"RemoteStartTransaction", "RemoteStopTransaction", "RequestStartTransaction", "RequestStopTransaction"}
)


def refusal(state: StationState, command: Command, context: Context) -> str | None:
    """Why the station must not be sent this now; None: it may (1.6 section 4.2, 2.1 B02.FR.01/05, B03.FR.03)."""
    now = registration(state, context)
    if now is Registration.REJECTED:
        return "The station is Rejected: nothing may be sent to it. Accept it and let it boot."
    if now is Registration.PENDING and _starts_or_stops(command):
        return "The station is Pending: transactions cannot be started or stopped. Accept it and let it boot."
    booted = state.registration is Registration.ACCEPTED
    if booted and isinstance(command, TriggerMessage) and command.message == "BootNotification":
        return (
            "The station has booted and is Accepted: it must not be asked to boot again (2.1 F06.FR.17). Use a reset."
        )
    return None


def _starts_or_stops(command: Command) -> bool:
    if isinstance(command, RawCommand):
        return command.action in STARTS_AND_STOPS
    return isinstance(command, RequestStart | RequestStop)
