"""What is odd about a connection is gathered and told now and then."""

import asyncio

from engine.model.quirks import OdditiesReported, Oddity
from ingress.ocpp import observing
from ingress.ocpp.observing import Observer


async def test_what_was_noticed_is_told_together_when_asked():
    told = []
    observer = Observer(told.append)
    observer.note(Oddity.REPAIRED, "first")
    observer.note(Oddity.REPAIRED, "second")
    observer.note(Oddity.ANSWER_LATE)
    observer.flush()
    observer.flush()
    assert told == [OdditiesReported(counts={"repaired": 2, "answer_late": 1}, examples={"repaired": "first"})]


async def test_it_is_told_some_time_after_the_first_of_it(monkeypatch):
    monkeypatch.setattr(observing, "FLUSH_S", 0.01)
    told = asyncio.Queue()
    observer = Observer(told.put_nowait)
    observer.note(Oddity.REFUSED, "x" * 1_000)
    assert await told.get() == OdditiesReported(counts={"refused": 1}, examples={"refused": "x" * 200})
    observer.note(Oddity.REFUSED)
    assert await told.get() == OdditiesReported(counts={"refused": 1})
