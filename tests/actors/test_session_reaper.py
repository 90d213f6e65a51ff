"""Sessions of dead ingress processes are closed, those of living ones are not."""

from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from actors.session_reaper import SessionReaper
from engine.model.codec import decode_batch, encode
from engine.model.envelopes import BatchReply, Done
from engine.model.ids import unit_of
from engine.model.sessions import SessionClosed
from engine.ports import ActorUnavailable, Placement

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


class Connected(NamedTuple):
    station: str
    session: str


class Clock:
    def now(self):
        return NOW


class Actors:
    """The way to the station actors; keeps what was delivered."""

    def __init__(self):
        self.delivered = []
        self.away = set()

    def unit_of(self, station):
        return unit_of(station, 8, literal=False)

    def placement(self, unit):
        return Placement(unit=unit, actor="a", epoch=3)

    async def deliver(self, _actor, batch):
        opened = decode_batch(batch)
        if opened.deliveries[0].station in self.away:
            raise ActorUnavailable("restarting")
        self.delivered.extend(opened.deliveries)
        return encode(BatchReply((Done(),) * len(opened.deliveries)))


def reaper(actors, connected, living):
    async def sessions():
        return connected

    async def incarnations():
        return living

    return SessionReaper(actors, sessions, incarnations, Clock())


CONNECTED = [Connected("CP-1", "ingress-0:old:7"), Connected("CP-2", "ingress-0:new:1"), Connected("CP-3", "gone:x:1")]


async def test_only_orphans_are_closed():
    actors = Actors()
    assert await reaper(actors, CONNECTED, frozenset({"ingress-0:new"})).reap() == 2
    assert [(each.station, each.event) for each in actors.delivered] == [
        ("CP-1", SessionClosed("ingress-0:old:7", 1006, "its ingress process ended", NOW)),
        ("CP-3", SessionClosed("gone:x:1", 1006, "its ingress process ended", NOW)),
    ]


async def test_nothing_is_closed_while_it_is_unknown_who_lives():
    actors = Actors()
    assert await reaper(actors, CONNECTED, None).reap() == 0
    assert actors.delivered == []


@pytest.mark.parametrize("away", ["CP-1", "CP-3"])
async def test_one_that_cannot_be_closed_does_not_keep_the_others_open(away):
    actors = Actors()
    actors.away = {away}
    await reaper(actors, CONNECTED, frozenset({"ingress-0:new"})).reap()
    assert {each.station for each in actors.delivered} == {"CP-1", "CP-3"} - {away}
