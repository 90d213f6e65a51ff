"""Narke ends, in good order or by kill -9, and starts again on the same data: open transactions go on and end right."""

import asyncio
import signal

import pytest

from tests.running import Narke
from tests.stations import SUBPROTOCOLS, Teller, assert_kept

pytestmark = [pytest.mark.crash, pytest.mark.timeout(240)]

STOP_S_MAX = 10
"""What the product promises for Ctrl-C."""
ENDS_BY_ITSELF_S_MAX = 15
"""For all that `narke up` leaves behind when it is killed."""

RAY_AGENTS = ("ray::DashboardAgent", "ray::RuntimeEnvAgent")


@pytest.fixture(scope="module")
def resting(tmp_path_factory):
    """A Narke that does not run yet."""
    narke = Narke(tmp_path_factory.mktemp("narke"))
    yield narke
    narke.stop()


async def _on(tellers, *steps):
    await asyncio.gather(*(teller.tell(*steps) for teller in tellers))


async def _part(tellers):
    """Their sockets are gone with the process."""
    await asyncio.gather(*(teller.lose_connection() for teller in tellers))


def _left_behind(narke, family):
    """Without Ray's two agents: they notice at once, then ask the dead GCS for a minute before they go."""
    return [each for each in narke.survivors(family) if not any(agent in each for agent in RAY_AGENTS)]


async def test_open_transactions_outlive_a_clean_stop_and_a_kill_of_everything(resting):
    narke = resting
    narke.start()
    narke.cli("tokens", "add", "DRIVER")
    tellers = [Teller(narke, f"LASTS-{version}", version) for version in SUBPROTOCOLS]
    ended = Teller(narke, "ENDED", "1.6")
    await _on(tellers, "boot", "authorize", "start", "meter")
    await _on([ended], "boot", "start", "meter", "stop")
    numbers = [teller.transaction_id for teller in tellers]

    family = narke.family()
    narke.process.send_signal(signal.SIGINT)
    assert narke.process.wait(STOP_S_MAX) == 0, narke.said()
    assert narke.survivors(family) == []
    await _part([*tellers, ended])

    narke.start()
    await _on(tellers, "meter", "meter")
    family = narke.family()
    narke.kill_all()
    narke.wait_until(lambda: not _left_behind(narke, family), ENDS_BY_ITSELF_S_MAX)
    await _part(tellers)

    assert narke.cli("status", check=False).returncode == 6
    narke.start()
    await _on(tellers, "meter", "stop")
    assert [teller.transaction_id for teller in tellers] == numbers
    after = Teller(narke, "AFTER", "1.6")
    await _on([after], "boot", "start", "stop")
    assert after.number not in {teller.number for teller in (*tellers, ended)}
    await asyncio.to_thread(assert_kept, narke, [*tellers, ended, after])
    assert "Traceback" not in narke.said()
    family = narke.family()
    assert narke.cli("down").returncode == 0
    assert narke.process.wait(STOP_S_MAX) == 0
    assert narke.survivors(family) == []
    for teller in (*tellers, ended, after):
        await teller.lose_connection()
