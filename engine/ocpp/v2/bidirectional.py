"""Bidirectional power transfer: NotifyAllowedEnergyTransfer and AFRRSignal. OCPP 2.1 block Q.

Translates; never decides, never remembers.
"""

from engine.model.bidirectional import AllowEnergyTransfers, SendAfrrSignal
from engine.ocpp import outcomes, times
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload
from engine.ocpp.v2 import limits
from engine.ocpp.versions import Version

BLOCK = "bidirectional"


def notify_allowed_energy_transfer_from_command(command: AllowEnergyTransfers, version: Version) -> tuple[str, Payload]:
    """What a transaction may use.

    Raises:
        NotExpressible: 2.0.1 only charges, or the transaction's id is too long.
    """
    _require_21(version, "only charges")
    length_max = limits.TRANSACTION_ID_LENGTH_MAX
    return "NotifyAllowedEnergyTransfer", {
        "transactionId": limits.require_length(command.transaction_id, length_max, "a transactionId", version),
        "allowedEnergyTransfer": [transfer.value for transfer in command.transfers],
    }


def afrr_signal_from_command(command: SendAfrrSignal, version: Version) -> tuple[str, Payload]:
    """The signal and from when on it counts.

    Raises:
        NotExpressible: 2.0.1 has no signals.
    """
    _require_21(version, "has no aFRR signals")
    return "AFRRSignal", {"timestamp": times.format(command.at), "signal": command.signal}


def _require_21(version: Version, what: str) -> None:
    """Raises NotExpressible."""
    if version is Version.V201:
        raise NotExpressible(f"OCPP 2.0.1 {what}, 2.1 can: limit the station with a charging profile")


FROM_CSMS_21 = (
    CsmsCall(action="NotifyAllowedEnergyTransfer", block=BLOCK, outcome=outcomes.from_status_field),
    CsmsCall(action="AFRRSignal", block=BLOCK, outcome=outcomes.from_status_field),
)
COMMANDS = (
    CommandTranslator(command=AllowEnergyTransfers, call=notify_allowed_energy_transfer_from_command),
    CommandTranslator(command=SendAfrrSignal, call=afrr_signal_from_command),
)
