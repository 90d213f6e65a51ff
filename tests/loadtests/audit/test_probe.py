"""What stations feel."""

import asyncio
from time import monotonic
from types import SimpleNamespace

from loadtests.audit import probe as probe_module
from loadtests.audit.probe import Probe


class Link:
    def __init__(self):
        self.up = True

    async def ask(self, action, payload):
        assert (action, payload) == ("Heartbeat", {})
        if not self.up:
            raise ConnectionResetError("not connected")
        await asyncio.sleep(0)
        return {}


async def test_latencies_failures_and_silence_of_a_time(monkeypatch):
    monkeypatch.setattr(probe_module, "EVERY_S", 0.005)
    link = Link()
    answers = 0
    began = monotonic()
    probe = Probe([SimpleNamespace(link=link)], lambda: answers, began)
    running = asyncio.create_task(probe.run())

    async def asked(count):
        goal = len(probe._asked) + count
        while len(probe._asked) < goal:
            await asyncio.sleep(0.001)

    await asked(3)
    answers += 1
    await asked(2)
    down_s = monotonic() - began
    link.up = False
    await asked(4)
    back_s = monotonic() - began
    link.up = True
    answers += 1
    await asked(3)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    whole = probe.felt(0.0, monotonic() - began)
    assert whole.failed >= 3
    assert 0 <= whole.p50_ms <= whole.max_ms
    away = probe.felt(down_s + 0.006, back_s - 0.001)
    assert away.p50_ms is None
    assert away.max_ms is None
    assert away.failed >= 2
    assert away.silence_s == back_s - 0.001 - (down_s + 0.006), "not one answer in all that time"
    assert probe.felt(1000.0, 1001.0).silence_s == 1.0
