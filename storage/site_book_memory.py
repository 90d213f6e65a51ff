"""The sites' book in memory, for tests and simulated time: twin of `storage.site_book` over a `MemoryStore`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

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
from storage import keys
from storage.journal_memory import MemoryStore
from storage.journal_metrics import PLAN_ENTRIES_DROPPED
from storage.redis_settings import RedisSettings
from storage.site_book import (
    CAPS_MAX,
    REQUESTS_KEPT,
    REQUESTS_MAX,
    heard,
    next_site,
    no_site,
    plan_entries,
    recent,
    request_name,
    station_taken,
    too_many_caps,
)


class MemorySiteBook:
    """`engine.ports.SiteBook` over a store that a `MemoryJournal` may share. A hash is keys with a common beginning."""

    def __init__(self, store: MemoryStore, *, tenant: str, settings: RedisSettings | None = None) -> None:
        self._store: Final = store
        self._tenant: Final = tenant
        self._settings: Final = settings or RedisSettings()

    async def sites(self) -> Mapping[str, Site]:
        """See `engine.ports.SiteBook.sites`."""
        self._store.check_available()
        held = map(decode_held_site, self._all(keys.SITES).values())
        return {one.site.site: one.site for one in sorted(held, key=lambda one: one.site.site)}

    async def site(self, site: str) -> Site | None:
        """See `engine.ports.SiteBook.site`."""
        held = await self.held_site(site)
        return None if held is None else held.site

    async def held_site(self, site: str) -> HeldSite | None:
        """See `engine.ports.SiteBook.held_site`."""
        self._store.check_available()
        value = self._get(keys.SITES, site)
        return None if value is None else decode_held_site(value)

    async def save_site(self, site: Site, by: str, now: datetime, *, revision: int | None = None) -> int:
        """See `engine.ports.SiteBook.save_site`."""
        held = await self.held_site(site.site)
        last = int(self._get(keys.SITE_REVISIONS, site.site) or 0)
        becomes = next_site(site, held, last, revision, (by, now))
        if becomes is None:
            return last
        for station in site.stations:
            owner = self._get(keys.SITE_STATIONS, station)
            if owner is not None and owner.decode() != site.site:
                raise station_taken(station, owner.decode())
        self._add((SiteSaved(site=site, revision=becomes.revision, by=by, at=now),), now)
        self._set(keys.SITES, site.site, encode(becomes))
        self._set(keys.SITE_REVISIONS, site.site, b"%d" % becomes.revision)
        for station in () if held is None else held.site.stations:
            self._drop(keys.SITE_STATIONS, station)
        for station in site.stations:
            self._set(keys.SITE_STATIONS, station, site.site.encode())
        self._store.check_reply()
        return becomes.revision

    async def remove_site(self, site: str, by: str, now: datetime) -> bool:
        """See `engine.ports.SiteBook.remove_site`."""
        held = await self.held_site(site)
        if held is None:
            return False
        self._add((SiteRemoved(site=site, by=by, at=now),), now)
        self._drop(keys.SITES, site)
        for station in held.site.stations:
            self._drop(keys.SITE_STATIONS, station)
        for of_site in (keys.site_caps_key(site), keys.site_heard_key(site), keys.site_series_key(site)):
            for name in self._all(of_site):
                self._drop(of_site, name)
        self._store.check_reply()
        return True

    async def caps(self) -> Mapping[tuple[str, str], HeldCap]:
        """See `engine.ports.SiteBook.caps`."""
        found: dict[tuple[str, str], HeldCap] = {}
        for site in await self.sites():
            for source, value in self._all(keys.site_caps_key(site)).items():
                held = decode_held_cap(value)
                found[site, source] = heard(held, self._get(keys.site_heard_key(site), source))
        return found

    async def save_cap(self, cap: CapSource, by: str, now: datetime) -> None:
        """See `engine.ports.SiteBook.save_cap`."""
        if await self.held_site(cap.site) is None:
            raise no_site(cap.site)
        caps = self._all(keys.site_caps_key(cap.site))
        if cap.source not in caps and len(caps) >= CAPS_MAX:
            raise too_many_caps(cap.site)
        self._add((CapSaved(cap=cap, by=by, at=now),), now)
        self._set(keys.site_caps_key(cap.site), cap.source, encode(HeldCap(cap=cap, saved_at=now, heard_at=now)))
        self._set(keys.site_heard_key(cap.site), cap.source, now.isoformat().encode())
        self._store.check_reply()

    async def hear_cap(self, site: str, source: str, now: datetime) -> bool:
        """See `engine.ports.SiteBook.hear_cap`."""
        self._store.check_available()
        if self._get(keys.site_caps_key(site), source) is None:
            return False
        self._add((CapHeard(site=site, source=source, at=now),), now)
        self._set(keys.site_heard_key(site), source, now.isoformat().encode())
        self._store.check_reply()
        return True

    async def release_cap(self, site: str, source: str, by: str, now: datetime) -> bool:
        """See `engine.ports.SiteBook.release_cap`."""
        self._store.check_available()
        if self._get(keys.site_caps_key(site), source) is None:
            return False
        self._add((CapReleased(site=site, source=source, by=by, at=now),), now)
        self._drop(keys.site_caps_key(site), source)
        self._drop(keys.site_heard_key(site), source)
        self._store.check_reply()
        return True

    async def series(self) -> Mapping[tuple[str, SeriesKind], SiteSeries]:
        """See `engine.ports.SiteBook.series`."""
        found: dict[tuple[str, SeriesKind], SiteSeries] = {}
        for site in await self.sites():
            for series in map(decode_site_series, self._all(keys.site_series_key(site)).values()):
                found[site, series.kind] = series
        return found

    async def save_series(self, series: SiteSeries, by: str, now: datetime) -> None:
        """See `engine.ports.SiteBook.save_series`."""
        if await self.held_site(series.site) is None:
            raise no_site(series.site)
        self._add((SeriesSaved(series=series, by=by, at=now),), now)
        self._set(keys.site_series_key(series.site), series.kind.value, encode(series))
        self._store.check_reply()

    async def requests(self, now: datetime | None = None) -> Sequence[DriverAsked]:
        """See `engine.ports.SiteBook.requests`."""
        self._store.check_available()
        return recent([*map(decode_driver_asked, self._all(keys.DRIVER_REQUESTS).values())], now)

    async def ask(self, request: DriverRequest, by: str, now: datetime) -> None:
        """See `engine.ports.SiteBook.ask`."""
        self._store.check_available()
        asked = DriverAsked(request=request, by=by, at=now)
        self._add((asked,), now)
        self._set(keys.DRIVER_REQUESTS, request_name(request), encode(asked))
        kept = {name: decode_driver_asked(value).at for name, value in self._all(keys.DRIVER_REQUESTS).items()}
        oldest_first = sorted(kept, key=kept.__getitem__)
        over = [name for name in oldest_first if kept[name] < now - REQUESTS_KEPT]
        for name in over or oldest_first[: max(0, len(kept) - REQUESTS_MAX)]:
            self._drop(keys.DRIVER_REQUESTS, name)
        self._store.check_reply()

    async def tell(self, facts: Sequence[PlanFact], now: datetime) -> None:
        """See `engine.ports.SiteBook.tell`."""
        if not facts:
            return
        self._store.check_available()
        for entry in plan_entries(self._tenant, facts, now):
            waiting = self._store.streams.get(keys.PLANS, [])
            too_many = len(waiting) + 1 - self._settings.plan_stream_entries_max
            if too_many > 0:
                del waiting[:too_many]
                PLAN_ENTRIES_DROPPED.inc(too_many)
            self._store.add(keys.PLANS, entry, self._settings.plan_stream_entries_max)
        self._store.check_reply()

    def _add(self, facts: tuple[OperatorFact, ...], now: datetime) -> None:
        entry = encode(OperatorEntry(tenant=self._tenant, recorded_at=now, facts=facts))
        self._store.add(keys.OPERATOR, entry, self._settings.operator_stream_entries_max)

    def _get(self, of: bytes, name: str) -> bytes | None:
        return self._store.values.get(_field(of, name))

    def _set(self, of: bytes, name: str, value: bytes) -> None:
        self._store.values[_field(of, name)] = value

    def _drop(self, of: bytes, name: str) -> None:
        self._store.values.pop(_field(of, name), None)

    def _all(self, of: bytes) -> dict[str, bytes]:
        beginning = _field(of, "")
        return {
            key.removeprefix(beginning).decode(): value
            for key, value in self._store.values.items()
            if key.startswith(beginning)
        }


def _field(of: bytes, name: str) -> bytes:
    return of + b"\0" + name.encode()
