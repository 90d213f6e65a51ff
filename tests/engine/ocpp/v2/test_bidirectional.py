"""Bidirectional power transfer in 2.1."""

from datetime import UTC, datetime

import pytest

from engine.model.bidirectional import AllowEnergyTransfers, EnergyTransfer, SendAfrrSignal
from engine.ocpp.catalogue import command_call
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

V201, V21 = Version.V201, Version.V21
AT = datetime(2026, 5, 1, 10, tzinfo=UTC)


def test_allowed_transfers_and_signals_are_said():
    assert command_call(V21, AllowEnergyTransfers("t", tuple(EnergyTransfer)))[1]["allowedEnergyTransfer"][-1] == "WPT"
    assert command_call(V21, SendAfrrSignal(-3, AT)) == (
        "AFRRSignal",
        {"timestamp": "2026-05-01T10:00:00.000Z", "signal": -3},
    )


@pytest.mark.parametrize("command", [AllowEnergyTransfers("t", (EnergyTransfer.DC,)), SendAfrrSignal(1, AT)])
def test_2_0_1_knows_neither(command):
    with pytest.raises(NotExpressible, match="charging profile"):
        command_call(V201, command)
