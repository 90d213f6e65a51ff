"""Whatever fails, every call is answered in order and every session is told from its first word to its last.

Actors die, move and are away, the directory too; stations pipeline, hang up in the middle and come back. From a seed.
"""

import asyncio
import contextlib
import random

import orjson
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from engine.model.envelopes import Retry, RetryReason
from engine.model.sessions import SessionClosed, SessionOpened
from engine.ports import ActorGone, ActorUnavailable, Placement

STATIONS = 12
MESSAGES = 60
BOUNDS = {
    "queue_deliveries_max": 20,
    "calls_open_max": 4,
    "messages_per_s": 5_000,
    "messages_burst": 20,
    "takeovers_per_min": 6_000,
    "redelivery_wait_s_min": 0.001,
    "redelivery_wait_s_max": 0.01,
    "batch_deliveries_max": 7,
}


def make_unreliable(actors, answering, chance):
    """Gives the doubles every fault that the port allows, drawn from the seed."""
    deliver = actors.deliver

    def some_retry(batch):
        shard, reason = chance.randrange(actors.shards), chance.choice([*RetryReason])
        for delivery, verdict in zip(batch.deliveries, answering(batch), strict=True):
            yield Retry(reason) if actors.unit_of(delivery.station).shard == shard else verdict

    async def unreliable(actor, batch):
        fault = chance.choices([None, ActorUnavailable("away"), ActorGone("dead"), some_retry], [75, 10, 5, 10])[0]
        actors.script.append(fault or answering)
        return await deliver(actor, batch)

    async def locate(unit, *, suspect=None):
        if chance.random() < 0.3:
            raise ActorUnavailable("the directory is away")
        if suspect is not None and chance.random() < 0.3:
            epoch = actors.placements[unit].epoch + 1
            actors.placements[unit] = Placement(unit=unit, actor=f"stations-{chance.randrange(3)}", epoch=epoch)
        return actors.placements[unit]

    actors.deliver, actors.locate = unreliable, locate


async def live(ingress, name, chance):
    """A station that says all it has to say, over as many connections as that takes."""
    said = 0
    while said < MESSAGES:
        # closed: too much at once, the station comes back; 503: the door is shut
        with contextlib.suppress(ConnectionClosed, InvalidStatus):
            async with ingress.connect(f"/{name}") as station:
                count = chance.randrange(1, 40)
                texts = [f'[2,"{number}","Heartbeat",{{}}]' for number in range(said, said + count)]
                sending = asyncio.create_task(send_all(station, texts))
                for number in range(said, said + count):
                    assert orjson.loads(await station.recv())[:2] == [3, str(number)]
                await sending
                said += count
                if chance.random() < 0.4:
                    station.transport.abort()


async def send_all(station, texts):
    for text in texts:
        await station.send(text)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_every_call_is_answered_in_order_and_every_session_is_told_whole(make_ingress, answering, seed):
    chance = random.Random(seed)
    ingress = await make_ingress(**BOUNDS)
    make_unreliable(ingress.actors, answering, chance)
    await asyncio.gather(*(live(ingress, f"S{number}", chance) for number in range(STATIONS)))
    await ingress.actors.until(lambda: len(ingress.actors.of(SessionClosed)) == len(ingress.actors.of(SessionOpened)))
    await ingress.server._courier.wait_idle()
    current = {}
    for delivery in ingress.actors.decided:
        event, station = delivery.event, delivery.station
        if isinstance(event, SessionOpened):
            assert current.get(station) is None
            current[station] = event.session
        else:
            assert current[station] == event.session
            if isinstance(event, SessionClosed):
                current[station] = None
    assert ingress.server.health()["connections_paused"] == 0
