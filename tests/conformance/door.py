"""An OCPP door with a real actor behind it, all in this process: sockets are real, the journal checks and forgets."""

from actors.turn import Item
from engine.model.codec import decode_batch, encode
from engine.model.envelopes import BatchReply, Downlinks
from engine.station.policy import Policy
from tests.conformance.deciding import UNIT, Hosted
from tests.ingress.ocpp.conftest import Ingress

UNHURRIED = {"attempts_per_station_per_min": 0, "messages_per_s": 100_000, "messages_burst": 1_000_000}
"""Settings under which nobody is slowed down."""


class Door(Ingress):
    """`narke`'s ingress; its stations are decided by real turns in `hosted`."""

    def __init__(self, **settings):
        super().__init__({**UNHURRIED, **settings})
        self.hosted = Hosted(policy=Policy(connect_pause_s=0))
        self.actors.deliver = self._deliver

    async def _deliver(self, _actor, batch):
        decoded = decode_batch(batch)
        items = [Item(each.station, UNIT, 1, each.event, each.received_at) for each in decoded.deliveries]
        await self._take(items, max(each.received_at for each in decoded.deliveries))
        return encode(BatchReply(tuple(item.verdict for item in items)))

    async def command(self, request):
        """Somebody commands a station."""
        await self._take([Item(request.station, UNIT, 1, request, request.requested_at)], request.requested_at)

    async def _take(self, items, now):
        """One turn; what it has for the door is handed over."""
        result = await self.hosted.turns.take(items, now)
        downlinks = tuple(downlink for _, downlink in result.downlinks)
        await self.server.receive_downlinks(encode(Downlinks(downlinks)))

    async def __aenter__(self):
        await self.server.start()
        return self

    async def __aexit__(self, *_):
        await self.server.drain(0.5)
