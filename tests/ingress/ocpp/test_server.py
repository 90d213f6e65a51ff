"""The ingress as stations meet it: real sockets, actors that are a double."""

from engine.model.envelopes import Reported
from engine.model.sessions import SessionClosed, SessionOpened


async def test_a_message_is_answered_and_the_session_is_told_first_and_last(ingress, ask, frames):
    async with ingress.connect() as station:
        reply = await ask(station, frames.heartbeat())
        assert reply == [3, "1", {"currentTime": "2025-05-01T12:00:00.000Z"}]
    await ingress.actors.until(lambda: ingress.actors.of(SessionClosed))
    opened, reported, closed = ingress.actors.events
    assert isinstance(opened, SessionOpened)
    assert isinstance(reported, Reported)
    assert isinstance(closed, SessionClosed)
    assert opened.session == reported.session == closed.session == "ingress-1:7:1"
    assert (opened.ingress, opened.version) == ("ingress-1", "1.6")
    assert opened.address.startswith("127.0.0.1:")
    assert closed.code == 1000
