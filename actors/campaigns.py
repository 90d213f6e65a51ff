"""Campaigns: sends one command to many stations at a bounded rate, and goes on where it was after any crash.

PostgreSQL tells which campaigns run and which of their commands are on record; the operator's book has the command and
the stations. Every command has an id of its own in the campaign, so sending one twice does no harm: what the projection
does not show yet, and what a killed forerunner sent last, is the same command again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol

import structlog

from engine.model.campaigns import CampaignChanged, CampaignStarted, CampaignState, command_id
from engine.model.commands import CommandRequest
from engine.ports import ActorUnavailable, Clock, CommandGateway, JournalUnavailable, OperatorBook

log = structlog.get_logger()

LOOK_S = 1.0
AT_ONCE_MAX = 64
"""Commands on their way into the record at once."""
RESTING_S = 3.0
"""How long the projection is given to show what was recorded, before a campaign is believed to be done."""


class Progress(Protocol):
    """How far the commands of a campaign are."""

    @property
    def recorded(self) -> int:
        """Commands on record."""

    @property
    def settled(self) -> Mapping[str, int]:
        """Commands that are over, by result."""


class Reads(Protocol):
    """What PostgreSQL tells. Every method raises `ReadsFailed`."""

    async def running(self) -> tuple[str, ...]:
        """Ids of the campaigns that run, the oldest first."""

    async def progress(self, campaign_id: str) -> Progress:
        """How far one is."""

    async def on_record(self, campaign_id: str) -> frozenset[str]:
        """The ids of its commands that are on record."""


class ReadsFailed(Exception):  # noqa: N818 (what happened)
    """PostgreSQL does not answer now."""


class _Campaign:
    """A campaign under way. `left`: numbers of the stations that were not sent theirs."""

    def __init__(self, campaign: CampaignStarted, on_record: frozenset[str], now_s: float) -> None:
        self.campaign = campaign
        self.left = [
            number
            for number in reversed(range(len(campaign.stations)))
            if command_id(campaign.campaign_id, number) not in on_record
        ]
        self.tokens = 1.0
        self.filled_s = now_s
        self.sent_all_s: float | None = None

    def take(self, now_s: float) -> list[int]:
        """The numbers that may be sent now."""
        rate = self.campaign.rate_per_s
        self.tokens = min(max(1.0, rate * 2 * LOOK_S), self.tokens + (now_s - self.filled_s) * rate)
        self.filled_s = now_s
        count = min(int(self.tokens), len(self.left))
        self.tokens -= count
        return [self.left.pop() for _ in range(count)]


class CampaignRunner:
    """Runs all campaigns, for ever.

    Args:
        reads: PostgreSQL.
        book: The operator's book.
        gateway: The way to the stations.
        clock: Time.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        reads: Reads,
        book: OperatorBook,
        gateway: CommandGateway,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._reads = reads
        self._book = book
        self._gateway = gateway
        self._clock = clock
        self._sleep = sleep
        self._under_way: dict[str, _Campaign] = {}
        self._places = asyncio.Semaphore(AT_ONCE_MAX)
        self._failure = ""
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins."""
        self._task = asyncio.create_task(self._run())

    async def health(self) -> dict[str, Any]:
        """`failure` is empty while it can look and send."""
        return {"failure": self._failure, "running": len(self._under_way)}

    async def _run(self) -> None:
        while True:
            try:
                await self.step()
                self._failure = ""
            except (ReadsFailed, JournalUnavailable) as error:
                if str(error) != self._failure:
                    log.warning("campaigns wait", why=str(error))
                self._failure = str(error)
            except Exception:  # one campaign's bug must not end them all
                log.exception("campaigns failed")
                self._under_way.clear()
            await self._sleep(LOOK_S / 4 if self._under_way else LOOK_S)

    async def step(self) -> None:
        """Looks which campaigns run, and sends what their rates allow now.

        Raises:
            ReadsFailed: PostgreSQL does not answer.
            JournalUnavailable: Redis does not answer.
        """
        running = await self._reads.running()
        for gone in self._under_way.keys() - set(running):
            del self._under_way[gone]
        for campaign_id in running:
            under_way = self._under_way.get(campaign_id) or await self._begin(campaign_id)
            if under_way is not None:
                await self._go_on(under_way)

    async def _begin(self, campaign_id: str) -> _Campaign | None:
        campaign = await self._book.campaign(campaign_id)
        if campaign is None:  # it is over; its row will say so in a moment
            return None
        on_record = await self._reads.on_record(campaign_id)
        under_way = self._under_way[campaign_id] = _Campaign(campaign, on_record, self._now_s())
        log.info("a campaign runs", campaign=campaign_id, stations=len(campaign.stations), left=len(under_way.left))
        return under_way

    async def _go_on(self, under_way: _Campaign) -> None:
        numbers = under_way.take(self._now_s())
        failed = await asyncio.gather(*(self._send(under_way.campaign, number) for number in numbers))
        under_way.left += [number for number in failed if number is not None]
        if under_way.left:
            under_way.sent_all_s = None
            return
        if under_way.sent_all_s is None:
            under_way.sent_all_s = self._now_s()
        await self._end_if_done(under_way)

    async def _send(self, campaign: CampaignStarted, number: int) -> int | None:
        """Puts one command on record; the number if that failed, to be tried again."""
        now = self._clock.now()
        request = CommandRequest(
            command_id=command_id(campaign.campaign_id, number),
            station=campaign.stations[number],
            command=campaign.command,
            requested_at=now,
            deadline_at=now + timedelta(seconds=campaign.deadline_s),
            by=f"campaign {campaign.campaign_id}",
            priority=campaign.priority,
            waits=campaign.waits,
        )
        async with self._places:
            try:
                await self._gateway.submit(request)
            except (ActorUnavailable, JournalUnavailable) as error:
                log.warning("a campaign's command was not taken", station=request.station, why=str(error))
                return number
        return None

    async def _end_if_done(self, under_way: _Campaign) -> None:
        """Every command is settled: the campaign is done. Commands that were lost on the way are sent again."""
        campaign = under_way.campaign
        progress = await self._reads.progress(campaign.campaign_id)
        whole = len(campaign.stations)
        if sum(progress.settled.values()) >= whole:
            now = self._clock.now()
            changed = CampaignChanged(campaign.campaign_id, CampaignState.DONE, now, "narke")
            await self._book.change_campaign(changed, now)
            del self._under_way[campaign.campaign_id]
            log.info("a campaign is done", campaign=campaign.campaign_id, **progress.settled)
        elif progress.recorded < whole and self._now_s() - (under_way.sent_all_s or 0.0) > RESTING_S:
            del self._under_way[campaign.campaign_id]  # to begin again with what is on record

    def _now_s(self) -> float:
        return self._clock.now().timestamp()
