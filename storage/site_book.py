"""The operator's sites, caps, prices and drivers' requests, in Redis; every change is a fact on its way to PostgreSQL.

A change and its fact are written by one script. A change whose reply was lost may have been made, and making it again
does no harm. A station belongs to one site only: the script that saves a site sees to it. What the planner decided goes
into a stream of its own, whose oldest entries are dropped where PostgreSQL is behind: the planner never waits for it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from engine.model.authorization import Token
from engine.model.caps import CapHeard, CapReleased, CapSaved, CapSource, HeldCap
from engine.model.codec import decode_driver_asked, decode_held_cap, decode_held_site, decode_site_series, encode
from engine.model.facts import OperatorEntry, OperatorFact
from engine.model.plans import PlanFact
from engine.model.sites import (
    DriverAsked,
    DriverRequest,
    HeldSite,
    SeriesKind,
    SeriesSaved,
    Site,
    SiteRemoved,
    SiteSaved,
    SiteSeries,
)
from engine.ports import JournalUnavailable
from storage import keys
from storage.journal_metrics import PLAN_ENTRIES_DROPPED
from storage.journal_scripts import RECORDED, full
from storage.redis_client import redis_link
from storage.redis_link import Reply, unavailable
from storage.redis_settings import RedisSettings
from storage.site_scripts import ASK, HEAR_CAP, RELEASE_CAP, REMOVE_SITE, SAVE_CAP, SAVE_SERIES, SAVE_SITE, TELL

CAPS_MAX: Final = 1_000
"""Caps of one site."""
REQUESTS_MAX: Final = 50_000
"""Drivers' requests of two days; beyond it the oldest are forgotten."""
REQUESTS_KEPT: Final = timedelta(days=2)
FACTS_PER_ENTRY: Final = 200
"""Of the planner's, in one entry of its stream."""
_CHANGES_MAX: Final = 8
"""Times a site is saved anew because somebody else changed it in between."""
_SITES_AT_ONCE: Final = 16
"""Sites that are read in one round trip: large ones have more than a megabyte."""
_STREAM: Final = keys.stream_key(keys.OPERATOR)
_PLANS: Final = keys.stream_key(keys.PLANS)


def request_name(request: DriverRequest) -> str:
    """What a driver's request is kept by: its place, or its token."""
    if request.station is not None:
        return f"evse:{request.station}:{request.evse or 0}"
    return f"token:{Token(request.token or '').key}"


def station_taken(station: str, owner: str) -> ValueError:
    """The refusal of a station that hangs in two sites."""
    return ValueError(f"station {station} belongs to site {owner!r}: take it out of that site first")


def other_revision(site: str, wanted: int, found: int) -> ValueError:
    """The refusal of a change to a site that somebody else has changed."""
    now = f"is at revision {found}" if found else "is not there"
    return ValueError(f"site {site!r} {now}, not at {wanted}: look at it and change it anew")


def no_site(site: str) -> ValueError:
    """The refusal of what belongs to a site that is not there."""
    return ValueError(f"there is no site {site!r}: save it first")


def too_many_caps(site: str) -> ValueError:
    """The refusal of one cap too many."""
    return ValueError(f"site {site!r} has {CAPS_MAX} caps, the most: release some first")


def next_site(
    site: Site, held: HeldSite | None, last: int, wanted: int | None, said: tuple[str, datetime]
) -> HeldSite | None:
    """The site as it becomes; None: nothing changes. `last`: its last revision. `said`: by whom, and when.

    Raises:
        ValueError: It is at another revision than `wanted`.
    """
    found = 0 if held is None else held.revision
    if wanted is not None and wanted != found:
        raise other_revision(site.site, wanted, found)
    if held is not None and held.site == site:
        return None
    by, now = said
    return HeldSite(site=site, revision=last + 1, saved_by=by, saved_at=now)


def plan_entries(tenant: str, facts: Sequence[PlanFact], now: datetime) -> list[bytes]:
    """The planner's facts as entries of its stream."""
    return [
        encode(OperatorEntry(tenant=tenant, recorded_at=now, facts=tuple(facts[start : start + FACTS_PER_ENTRY])))
        for start in range(0, len(facts), FACTS_PER_ENTRY)
    ]


def recent(asked: list[DriverAsked], now: datetime | None) -> tuple[DriverAsked, ...]:
    """Those of two days before `now` (None: before the newest), the oldest first."""
    if not asked:
        return ()
    since = (now or max(one.at for one in asked)) - REQUESTS_KEPT
    return tuple(sorted((one for one in asked if one.at >= since), key=lambda one: one.at))


def heard(held: HeldCap, at: bytes | None) -> HeldCap:
    """A cap with the last word of its source."""
    if at is None:
        return held
    return msgspec.structs.replace(held, heard_at=datetime.fromisoformat(at.decode()))


class RedisSiteBook:
    """`engine.ports.SiteBook` in Redis."""

    def __init__(self, client: Redis, *, tenant: str, settings: RedisSettings) -> None:
        self._link: Final = redis_link(client, settings)
        self._tenant: Final = tenant
        self._entries_max: Final = settings.operator_stream_entries_max
        self._plan_entries_max: Final = settings.plan_stream_entries_max

    async def sites(self) -> Mapping[str, Site]:
        """See `engine.ports.SiteBook.sites`."""
        found: dict[str, Site] = {}
        names = sorted(await self._link.command(b"HKEYS", keys.SITES))
        for start in range(0, len(names), _SITES_AT_ONCE):
            values = await self._link.command(b"HMGET", keys.SITES, *names[start : start + _SITES_AT_ONCE])
            for value in values:
                if value is not None:
                    site = decode_held_site(value).site
                    found[site.site] = site
        return found

    async def site(self, site: str) -> Site | None:
        """See `engine.ports.SiteBook.site`."""
        held = await self.held_site(site)
        return None if held is None else held.site

    async def held_site(self, site: str) -> HeldSite | None:
        """See `engine.ports.SiteBook.held_site`."""
        value = await self._link.command(b"HGET", keys.SITES, site.encode())
        return None if value is None else decode_held_site(value)

    async def save_site(self, site: Site, by: str, now: datetime, *, revision: int | None = None) -> int:
        """See `engine.ports.SiteBook.save_site`."""
        for _ in range(_CHANGES_MAX):
            held, last = await self._held(site.site)
            becomes = next_site(site, held, last, revision, (by, now))
            if becomes is None:
                return last
            reply = await self._save(becomes, held, last)
            if isinstance(reply, list):
                raise station_taken(reply[0].decode(), reply[1].decode())
            if reply != 0:
                self._check(reply)
                return becomes.revision
        raise self._contested(site.site)

    async def restore(self, held: HeldSite) -> None:
        """Brings back a site that this Redis has lost, at its revision.

        Raises:
            ValueError, JournalUnavailable: As `save_site`.
        """
        if held.revision > 1:
            await self._link.command(
                b"HSETNX", keys.SITE_REVISIONS, held.site.site.encode(), b"%d" % (held.revision - 1)
            )
        await self.save_site(held.site, held.saved_by, held.saved_at)

    async def remove_site(self, site: str, by: str, now: datetime) -> bool:
        """See `engine.ports.SiteBook.remove_site`."""
        entry = self._entry((SiteRemoved(site=site, by=by, at=now),), now)
        with_it = (keys.site_caps_key(site), keys.site_heard_key(site), keys.site_series_key(site))
        for _ in range(_CHANGES_MAX):
            held, last = await self._held(site)
            if held is None:
                return False
            reply = await self._link.run_one(
                REMOVE_SITE,
                [_STREAM, keys.SITES, keys.SITE_REVISIONS, keys.SITE_STATIONS, *with_it],
                [b"%d" % self._entries_max, entry, site.encode(), b"%d" % last, *map(str.encode, held.site.stations)],
            )
            if reply != 0:
                self._check(reply)
                return True
        raise self._contested(site)

    async def caps(self) -> Mapping[tuple[str, str], HeldCap]:
        """See `engine.ports.SiteBook.caps`."""
        sites = sorted(name.decode() for name in await self._link.command(b"HKEYS", keys.SITES))
        found: dict[tuple[str, str], HeldCap] = {}
        for start in range(0, len(sites), _SITES_AT_ONCE):
            names = sites[start : start + _SITES_AT_ONCE]
            commands = [(b"HGETALL", key(name)) for name in names for key in (keys.site_caps_key, keys.site_heard_key)]
            replies = [_pairs(self._whole(reply)) for reply in await self._link.round_trip(commands)]
            for name, told, beats in zip(names, replies[::2], replies[1::2], strict=True):
                for source, value in told.items():
                    found[name, source.decode()] = heard(decode_held_cap(value), beats.get(source))
        return found

    async def save_cap(self, cap: CapSource, by: str, now: datetime) -> None:
        """See `engine.ports.SiteBook.save_cap`."""
        held = HeldCap(cap=cap, saved_at=now, heard_at=now)
        entry = self._entry((CapSaved(cap=cap, by=by, at=now),), now)
        reply = await self._link.run_one(
            SAVE_CAP,
            [_STREAM, keys.SITES, keys.site_caps_key(cap.site), keys.site_heard_key(cap.site)],
            [
                *(b"%d" % self._entries_max, entry, cap.site.encode(), cap.source.encode()),
                *(encode(held), now.isoformat().encode(), b"%d" % CAPS_MAX),
            ],
        )
        if reply == b"site":
            raise no_site(cap.site)
        if reply == b"many":
            raise too_many_caps(cap.site)
        self._check(reply)

    async def hear_cap(self, site: str, source: str, now: datetime) -> bool:
        """See `engine.ports.SiteBook.hear_cap`."""
        entry = self._entry((CapHeard(site=site, source=source, at=now),), now)
        reply = await self._link.run_one(
            HEAR_CAP,
            [_STREAM, keys.site_caps_key(site), keys.site_heard_key(site)],
            [b"%d" % self._entries_max, entry, source.encode(), now.isoformat().encode()],
        )
        return self._done(reply)

    async def release_cap(self, site: str, source: str, by: str, now: datetime) -> bool:
        """See `engine.ports.SiteBook.release_cap`."""
        entry = self._entry((CapReleased(site=site, source=source, by=by, at=now),), now)
        reply = await self._link.run_one(
            RELEASE_CAP,
            [_STREAM, keys.site_caps_key(site), keys.site_heard_key(site)],
            [b"%d" % self._entries_max, entry, source.encode()],
        )
        return self._done(reply)

    async def series(self) -> Mapping[tuple[str, SeriesKind], SiteSeries]:
        """See `engine.ports.SiteBook.series`."""
        sites = sorted(name.decode() for name in await self._link.command(b"HKEYS", keys.SITES))
        found: dict[tuple[str, SeriesKind], SiteSeries] = {}
        for start in range(0, len(sites), _SITES_AT_ONCE):
            commands = [(b"HVALS", keys.site_series_key(name)) for name in sites[start : start + _SITES_AT_ONCE]]
            for reply in await self._link.round_trip(commands):
                for series in map(decode_site_series, self._whole(reply)):
                    found[series.site, series.kind] = series
        return found

    async def save_series(self, series: SiteSeries, by: str, now: datetime) -> None:
        """See `engine.ports.SiteBook.save_series`."""
        entry = self._entry((SeriesSaved(series=series, by=by, at=now),), now)
        reply = await self._link.run_one(
            SAVE_SERIES,
            [_STREAM, keys.SITES, keys.site_series_key(series.site)],
            [b"%d" % self._entries_max, entry, series.site.encode(), series.kind.value.encode(), encode(series)],
        )
        if reply == b"site":
            raise no_site(series.site)
        self._check(reply)

    async def requests(self, now: datetime | None = None) -> Sequence[DriverAsked]:
        """See `engine.ports.SiteBook.requests`; two days before `now`, or (None) before the newest of them."""
        values = await self._link.command(b"HVALS", keys.DRIVER_REQUESTS)
        return recent([decode_driver_asked(value) for value in values], now)

    async def ask(self, request: DriverRequest, by: str, now: datetime) -> None:
        """See `engine.ports.SiteBook.ask`."""
        asked = DriverAsked(request=request, by=by, at=now)
        over = now - REQUESTS_KEPT
        reply = await self._link.run_one(
            ASK,
            [_STREAM, keys.DRIVER_REQUESTS, keys.DRIVER_REQUEST_TIMES],
            [
                *(b"%d" % self._entries_max, self._entry((asked,), now), request_name(request).encode(), encode(asked)),
                *(b"%.3f" % now.timestamp(), b"%.3f" % over.timestamp(), b"%d" % REQUESTS_MAX),
            ],
        )
        self._check(reply)

    async def tell(self, facts: Sequence[PlanFact], now: datetime) -> None:
        """See `engine.ports.SiteBook.tell`; where too many wait, the oldest are dropped and counted."""
        if not facts:
            return
        entries = plan_entries(self._tenant, facts, now)
        dropped = await self._link.run_one(TELL, [_PLANS], [b"%d" % self._plan_entries_max, *entries])
        if dropped:
            PLAN_ENTRIES_DROPPED.inc(dropped)

    async def _held(self, site: str) -> tuple[HeldSite | None, int]:
        """A site, and its last revision: 0 where it never had any."""
        name = site.encode()
        replies = await self._link.round_trip(
            ((b"HGET", keys.SITES, name), (b"HGET", keys.SITE_REVISIONS, name)),
        )
        value, last = map(self._whole, replies)
        held = None if value is None else decode_held_site(value)
        return held, int(last or 0)

    async def _save(self, becomes: HeldSite, held: HeldSite | None, last: int) -> Reply:
        site, now = becomes.site, becomes.saved_at
        fact = SiteSaved(site=site, revision=becomes.revision, by=becomes.saved_by, at=now)
        has = site.stations
        gone = () if held is None else tuple({*held.site.stations} - {*has})
        return await self._link.run_one(
            SAVE_SITE,
            [_STREAM, keys.SITES, keys.SITE_REVISIONS, keys.SITE_STATIONS],
            [
                *(b"%d" % self._entries_max, self._entry((fact,), now), site.site.encode()),
                *(b"%d" % last if last else b"", b"%d" % (held is not None), b"%d" % becomes.revision, encode(becomes)),
                *(b"%d" % len(gone), b"%d" % len(has)),
                *map(str.encode, gone),
                *map(str.encode, has),
            ],
        )

    def _entry(self, facts: tuple[OperatorFact, ...], now: datetime) -> bytes:
        return encode(OperatorEntry(tenant=self._tenant, recorded_at=now, facts=facts))

    def _whole(self, reply: Reply) -> Reply:
        """A reply of several. Raises JournalUnavailable where it is an error."""
        if isinstance(reply, ResponseError):
            raise unavailable(reply, self._link.place) from reply
        return reply

    def _done(self, reply: Reply) -> bool:
        """Whether it was there."""
        if reply == 0:
            return False
        self._check(reply)
        return True

    def _check(self, reply: Reply) -> None:
        if reply != RECORDED:
            raise full(keys.OPERATOR, int(reply.partition(b":")[2]), self._entries_max)

    def _contested(self, site: str) -> JournalUnavailable:
        return JournalUnavailable(
            f"site {site!r} was changed by others {_CHANGES_MAX} times meanwhile: look at it and try again"
        )


def _pairs(reply: Reply) -> dict[bytes, bytes]:
    """What HGETALL answered."""
    return dict(zip(reply[::2], reply[1::2], strict=True))
