"""Anything at all through a real socket: it is answered, the socket stays open, and the next Heartbeat is answered."""

import pytest
import structlog

from engine.ocpp.catalogue import actions
from engine.ocpp.versions import Version
from loadtests.fuzz.talking import Refused, talk
from tests.conformance.door import Door
from tests.running import free_port

FRAMES = 8_000


def starts(version):
    return [row.name for row in actions(version).values() if row.from_station is not None]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("version", Version)
async def test_whatever_a_station_says_the_socket_stays_open_and_the_next_heartbeat_is_answered(version):
    async with Door() as door:
        with structlog.testing.capture_logs() as logs:
            told = await talk(f"{door.url}/FUZZ", version.value, starts(version), frames=FRAMES, seed=version.value)
        errors = [line for line in logs if line["log_level"] in ("error", "critical")]
    assert (told.failures, errors) == ([], [])
    assert (told.frames, told.beats) == (FRAMES, FRAMES // 25)
    assert set(told.closes) <= {1007}, "only what is no UTF-8 closes"
    assert told.answers["CALLRESULT"] > FRAMES / 5
    kinds = {message.kind for message in door.log.messages}
    assert kinds >= {"call", "result", "error", "invalid"}, "all of it is in the message log"


async def test_nobody_there_is_told():
    with pytest.raises(Refused, match="no connection to ws:"):
        await talk(f"ws://127.0.0.1:{free_port()}/X", "1.6", ["Heartbeat"], frames=1, seed=1)
