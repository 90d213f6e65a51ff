"""Tokens and stations as the operator keeps them, in Redis; every change is also a fact on its way to PostgreSQL.

A record and its fact are written by one script: there is never one without the other.
A change whose reply was lost may have been made; making it again does no harm.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from redis.asyncio import Redis

from engine.model.authorization import Token, TokenRecord, TokenRemoved, TokenSaved
from engine.model.campaigns import CAMPAIGN_OVER, CampaignChanged, CampaignStarted
from engine.model.certificates import SigningDecided
from engine.model.codec import decode_campaign, decode_station_record, decode_token_record, encode
from engine.model.diagnostics import CustomerInformationForgotten
from engine.model.facts import OperatorEntry, OperatorFact
from engine.model.stations import StationRecord, StationRegistered
from engine.ports import JournalUnavailable
from storage import keys
from storage.journal_scripts import RECORD, RECORDED, REMOVE, REPLACE, full
from storage.redis_client import redis_link
from storage.redis_link import Reply
from storage.redis_settings import RedisSettings

_STREAM: Final = keys.stream_key(keys.OPERATOR)
_CHANGES_MAX: Final = 8
"""Times a change is made anew because somebody else changed the record in between."""


class RedisOperatorBook:
    """`engine.ports.OperatorBook` in Redis."""

    def __init__(self, client: Redis, *, tenant: str, settings: RedisSettings) -> None:
        self._link: Final = redis_link(client, settings)
        self._tenant: Final = tenant
        self._entries_max: Final = settings.operator_stream_entries_max
        self._chunk: Final = settings.token_chunk

    async def save_tokens(self, records: Sequence[TokenRecord], now: datetime) -> None:
        """Adds or replaces, in order, so many at once as `token_chunk` says: an import is not atomic as a whole.

        Raises:
            JournalUnavailable: The message says how many are certainly saved; save all of them again.
        """
        for start in range(0, len(records), self._chunk):
            chunk = records[start : start + self._chunk]
            facts = tuple(TokenSaved(record=record, at=now) for record in chunk)
            values = {keys.token_key(record.token.key): encode(record) for record in chunk}
            try:
                await self._record(facts, values, now)
            except JournalUnavailable as error:
                if len(records) == 1:
                    raise
                raise JournalUnavailable(
                    f"{start} of {len(records)} tokens are saved, of the next {len(chunk)} it is unknown: save all of "
                    f"them again later. {error}"
                ) from error

    async def remove_token(self, token: Token, now: datetime) -> bool:
        """Forgets a token; False: it was not known.

        Raises:
            JournalUnavailable: It is unknown whether it is removed.
        """
        entry = self._entry((TokenRemoved(token=token, at=now),), now)
        arguments = [b"%d" % self._entries_max, entry]
        reply = await self._link.run_one(REMOVE, [_STREAM, keys.token_key(token.key)], arguments)
        if reply == 0:
            return False
        self._check(reply)
        return True

    async def token(self, key: str) -> TokenRecord | None:
        """By `Token.key`.

        Raises:
            JournalUnavailable: It is unknown.
        """
        value = await self._link.command(b"GET", keys.token_key(key))
        return None if value is None else decode_token_record(value)

    async def save_station(self, record: StationRecord, now: datetime) -> None:
        """Adds or replaces.

        Raises:
            JournalUnavailable: It is unknown whether it is saved; save it again.
        """
        fact = StationRegistered(record=record, at=now)
        values = {
            keys.station_record_key(record.station): encode(record),
            keys.identity_key(record.station): record.station.encode(),
        }
        await self._record((fact,), values, now)

    async def station(self, station: str) -> StationRecord | None:
        """By identity.

        Raises:
            JournalUnavailable: It is unknown.
        """
        value = await self._link.command(b"GET", keys.station_record_key(station))
        return None if value is None else decode_station_record(value)

    async def change_station(
        self, station: str, change: Callable[[StationRecord], StationRecord], now: datetime
    ) -> StationRecord | None:
        """Changes a record in one step; returns it as it became. None: it is not registered.

        Raises:
            JournalUnavailable: It is unknown whether it is changed, or others change it all the time; try again.
        """
        key = keys.station_record_key(station)
        for _ in range(_CHANGES_MAX):
            value = await self._link.command(b"GET", key)
            if value is None:
                return None
            known = decode_station_record(value)
            record = change(known)
            if record == known:
                return record
            entry = self._entry((StationRegistered(record=record, at=now),), now)
            arguments = [b"%d" % self._entries_max, entry, value, encode(record)]
            reply = await self._link.run_one(REPLACE, [_STREAM, key], arguments)
            if reply != 0:
                self._check(reply)
                return record
        raise JournalUnavailable(
            f"the record of station {station} was changed by others {_CHANGES_MAX} times meanwhile: try again later"
        )

    async def look_up(self, stations: Sequence[str]) -> Mapping[str, StationRecord]:
        """By identity as asked for; of one not registered, the one of `station_like`. Three round trips at most.

        Raises:
            JournalUnavailable: They are unknown.
        """
        found = await self._records(stations)
        missing = [station for station in stations if station not in found]
        if not missing:
            return found
        values = await self._link.command(b"MGET", *map(keys.identity_key, missing))
        others = {
            station: value.decode()
            for station, value in zip(missing, values, strict=True)
            if value is not None and value != station.encode()
        }
        records = await self._records([*set(others.values())]) if others else {}
        return found | {station: records[other] for station, other in others.items() if other in records}

    async def _records(self, stations: Sequence[str]) -> dict[str, StationRecord]:
        values = await self._link.command(b"MGET", *map(keys.station_record_key, stations))
        return {
            station: decode_station_record(value)
            for station, value in zip(stations, values, strict=True)
            if value is not None
        }

    async def station_like(self, station: str) -> StationRecord | None:
        """The registered station whose identity is this but for the case of letters; not the one spelled the same.

        Raises:
            JournalUnavailable: It is unknown.
        """
        value = await self._link.command(b"GET", keys.identity_key(station))
        if value is None or value == station.encode():
            return None
        return await self.station(value.decode())

    async def start_campaign(self, campaign: CampaignStarted, now: datetime) -> None:
        """Keeps a campaign until it is over.

        Raises:
            JournalUnavailable: It is unknown whether it is kept; start it again under the same id.
        """
        await self._record((campaign,), {keys.campaign_key(campaign.campaign_id): encode(campaign)}, now)

    async def change_campaign(self, change: CampaignChanged, now: datetime) -> None:
        """Pauses, continues or ends a campaign; one that is over is forgotten here.

        Raises:
            JournalUnavailable: It is unknown whether it is changed; change it again.
        """
        await self._record((change,), {}, now)
        if change.state in CAMPAIGN_OVER:
            await self._link.command(b"DEL", keys.campaign_key(change.campaign_id))

    async def campaign(self, campaign_id: str) -> CampaignStarted | None:
        """One that is not over.

        Raises:
            JournalUnavailable: It is unknown.
        """
        value = await self._link.command(b"GET", keys.campaign_key(campaign_id))
        return None if value is None else decode_campaign(value)

    async def decide_signing(self, decided: SigningDecided) -> None:
        """Writes down the operator's yes or no to a station's request for a certificate.

        Raises:
            JournalUnavailable: It is unknown whether it is written; decide again.
        """
        await self._record((decided,), {}, decided.at)

    async def forget_customer(self, forgotten: CustomerInformationForgotten) -> None:
        """Has what a station told of a customer deleted.

        Raises:
            JournalUnavailable: It is unknown whether it will be; ask again.
        """
        await self._record((forgotten,), {}, forgotten.at)

    async def _record(self, facts: tuple[OperatorFact, ...], values: dict[bytes, bytes], now: datetime) -> None:
        arguments = [b"%d" % self._entries_max, self._entry(facts, now), *values.values()]
        self._check(await self._link.run_one(RECORD, [_STREAM, *values], arguments))

    def _entry(self, facts: tuple[OperatorFact, ...], now: datetime) -> bytes:
        return encode(OperatorEntry(tenant=self._tenant, recorded_at=now, facts=facts))

    def _check(self, reply: Reply) -> None:
        if reply != RECORDED:
            raise full(keys.OPERATOR, int(reply.partition(b":")[2]), self._entries_max)
