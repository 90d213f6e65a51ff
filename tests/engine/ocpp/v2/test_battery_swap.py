"""Battery swap in 2.1."""

import pytest

from engine.model.authorization import Token
from engine.model.battery_swap import BatterySwapAnswer, RequestBatterySwap, SwapEvent
from engine.ocpp.catalogue import answer_payload, command_call, understand
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

V201, V21 = Version.V201, Version.V21


def test_batteries_are_understood_whole_and_bare(sample):
    for whole in (False, True):
        payload = sample(V21, "BatterySwap", "Request", whole=whole)
        told = understand(V21, "BatterySwap", payload).report
        assert told.event is SwapEvent(payload["eventType"])
        assert [battery.serial_number for battery in told.batteries] == ["x"]
        assert (told.batteries[0].produced_at is not None) is whole
    assert answer_payload(V21, "BatterySwap", BatterySwapAnswer()) == {}


def test_a_swap_is_asked_for_under_a_request_id():
    command = RequestBatterySwap(Token("04AB", "ISO14443"), request_id=5)
    assert command_call(V21, command)[1] == {"idToken": {"idToken": "04AB", "type": "ISO14443"}, "requestId": 5}
    with pytest.raises(NotExpressible, match="swaps no batteries"):
        command_call(V201, command)
