"""The operator's book in memory, for tests and simulated time: twin of `storage.operator_book` over a `MemoryStore`."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from engine.model.authorization import Token, TokenRecord, TokenRemoved, TokenSaved
from engine.model.campaigns import CAMPAIGN_OVER, CampaignChanged, CampaignStarted
from engine.model.certificates import SigningDecided
from engine.model.codec import decode_campaign, decode_station_record, decode_token_record, encode
from engine.model.diagnostics import CustomerInformationForgotten
from engine.model.facts import OperatorEntry, OperatorFact
from engine.model.stations import StationRecord, StationRegistered
from storage import keys
from storage.journal_memory import MemoryStore
from storage.redis_settings import RedisSettings


class MemoryOperatorBook:
    """`engine.ports.OperatorBook` over a store that a `MemoryJournal` may share."""

    def __init__(self, store: MemoryStore, *, tenant: str, settings: RedisSettings | None = None) -> None:
        self._store: Final = store
        self._tenant: Final = tenant
        self._settings: Final = settings or RedisSettings()

    async def save_tokens(self, records: Sequence[TokenRecord], now: datetime) -> None:
        """See `RedisOperatorBook.save_tokens`."""
        for start in range(0, len(records), self._settings.token_chunk):
            chunk = records[start : start + self._settings.token_chunk]
            facts = tuple(TokenSaved(record=record, at=now) for record in chunk)
            self._record(facts, {keys.token_key(record.token.key): encode(record) for record in chunk}, now)

    async def remove_token(self, token: Token, now: datetime) -> bool:
        """See `RedisOperatorBook.remove_token`."""
        self._store.check_available()
        key = keys.token_key(token.key)
        if key not in self._store.values:
            return False
        self._add((TokenRemoved(token=token, at=now),), now)
        del self._store.values[key]
        self._store.check_reply()
        return True

    async def token(self, key: str) -> TokenRecord | None:
        """By `Token.key`."""
        self._store.check_available()
        value = self._store.values.get(keys.token_key(key))
        return None if value is None else decode_token_record(value)

    async def save_station(self, record: StationRecord, now: datetime) -> None:
        """See `RedisOperatorBook.save_station`."""
        fact = StationRegistered(record=record, at=now)
        values = {
            keys.station_record_key(record.station): encode(record),
            keys.identity_key(record.station): record.station.encode(),
        }
        self._record((fact,), values, now)

    async def station(self, station: str) -> StationRecord | None:
        """By identity."""
        self._store.check_available()
        value = self._store.values.get(keys.station_record_key(station))
        return None if value is None else decode_station_record(value)

    async def change_station(
        self, station: str, change: Callable[[StationRecord], StationRecord], now: datetime
    ) -> StationRecord | None:
        """See `RedisOperatorBook.change_station`; nobody comes in between here."""
        known = await self.station(station)
        if known is None:
            return None
        record = change(known)
        if record != known:
            await self.save_station(record, now)
        return record

    async def look_up(self, stations: Sequence[str]) -> Mapping[str, StationRecord]:
        """See `RedisOperatorBook.look_up`."""
        found = {station: await self.station(station) or await self.station_like(station) for station in stations}
        return {station: record for station, record in found.items() if record is not None}

    async def station_like(self, station: str) -> StationRecord | None:
        """See `RedisOperatorBook.station_like`."""
        self._store.check_available()
        value = self._store.values.get(keys.identity_key(station))
        if value is None or value == station.encode():
            return None
        return await self.station(value.decode())

    async def start_campaign(self, campaign: CampaignStarted, now: datetime) -> None:
        """See `RedisOperatorBook.start_campaign`."""
        self._record((campaign,), {keys.campaign_key(campaign.campaign_id): encode(campaign)}, now)

    async def change_campaign(self, change: CampaignChanged, now: datetime) -> None:
        """See `RedisOperatorBook.change_campaign`."""
        self._record((change,), {}, now)
        if change.state in CAMPAIGN_OVER:
            self._store.values.pop(keys.campaign_key(change.campaign_id), None)

    async def campaign(self, campaign_id: str) -> CampaignStarted | None:
        """See `RedisOperatorBook.campaign`."""
        self._store.check_available()
        value = self._store.values.get(keys.campaign_key(campaign_id))
        return None if value is None else decode_campaign(value)

    async def decide_signing(self, decided: SigningDecided) -> None:
        """See `RedisOperatorBook.decide_signing`."""
        self._record((decided,), {}, decided.at)

    async def forget_customer(self, forgotten: CustomerInformationForgotten) -> None:
        """See `RedisOperatorBook.forget_customer`."""
        self._record((forgotten,), {}, forgotten.at)

    def _record(self, facts: tuple[OperatorFact, ...], values: Mapping[bytes, bytes], now: datetime) -> None:
        self._store.check_available()
        self._add(facts, now)
        self._store.values.update(values)
        self._store.check_reply()

    def _add(self, facts: tuple[OperatorFact, ...], now: datetime) -> None:
        entry = encode(OperatorEntry(tenant=self._tenant, recorded_at=now, facts=facts))
        self._store.add(keys.OPERATOR, entry, self._settings.operator_stream_entries_max)
