"""Local lists kept as the operator's book says: worked out here, where all tokens can be read, and sent as commands.

A sync is no state of its own. What a station has stands in the tables, message by message as it was accepted; what it
should have follows from the tokens. So a sync that breaks off anywhere is gone on with by working out the rest anew,
and two that meet do no harm: the second one's version is refused, and it sends the whole list.

    difference refused (Failed, VersionMismatch)    the version is asked for, the whole list is sent (2.1 D01.FR.03)
    whole list refused                              told; tried again when it is asked for, or by `keep`
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import msgspec
import psycopg
import structlog

from engine.local_lists import BOUNDS_OF_VERSION, List, applied, messages, wanted_list
from engine.model.authorization import Token, TokenRecord, TokenVerdict
from engine.model.commands import Command, CommandRequest, Outcome, Result
from engine.model.local_list import GetLocalListVersion, ListEntry, ListState, ListVersion
from engine.ports import SeamError
from ingress.http.services import Services
from storage.blocks.device_model import VARIABLES
from storage.blocks.local_list import LOCAL_LIST_ENTRIES, LOCAL_LISTS, LocalListEntryRow, LocalListRow
from storage.queries.filters import TokenFilter
from storage.queries.paging import LIMIT_MAX, Page
from storage.queries.rows import TokenRow

log = structlog.get_logger()

TOKENS_MAX = 100_000
"""Tokens that a list is worked out from at most."""
_REFUSED_CHANGE = frozenset({"Failed", "VersionMismatch"})
_CONTROLLER = "LocalAuthListCtrlr"
_KEPT = (ListState.STALE, ListState.SYNCING)


class TooManyTokens(Exception):  # noqa: N818 (a fact, not a fault)
    """The list does not fit: into the station, or into our bound. The message says which and what to do."""


class Synced(msgspec.Struct, frozen=True):
    """What came of a sync. `result`: accepted, or how its last command ended. `entries`: the list has now.

    `version`: of the list now. `messages`: sent and accepted; 0: it was right before. `whole`: it was sent anew.
    """

    station: str
    result: str
    version: int
    entries: int | None
    messages: int
    whole: bool
    detail: str | None = None


class _Station(msgspec.Struct):
    """What is known of a station's list. `has` None: not what is in it."""

    station: str
    version: int
    has: List | None
    ocpp: str
    entries_max: int
    length_max: int | None


class LocalLists:
    """Syncs lists, one station at a time each."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._settings = services.local_lists
        self._busy: dict[str, asyncio.Lock] = {}

    async def sync(self, station: str, *, whole: bool = False, by: str = "narke", version: int = 0) -> Synced | None:
        """Makes the list of a station the wanted one; `whole`: sends all of it. None: the station was never connected.

        `version`: one that the station is known to have besides, which the next must be above.

        Raises:
            TooManyTokens: It does not fit.
            ActorUnavailable: The station cannot be reached within Narke.
            psycopg.OperationalError: PostgreSQL does not answer.
        """
        return await self._sync_with(station, await self._records(), whole=whole, by=by, version=version)

    async def version_of(self, station: str, by: str) -> Outcome:
        """Asks a station for its version. Raises ActorUnavailable."""
        return await self._command(station, GetLocalListVersion(), by)

    async def row(self, station: str) -> LocalListRow | None:
        """What is known of its list; None: nothing."""
        found = await self._services.queries.block(LOCAL_LISTS, {"station": station}, Page(limit=1))
        return found.rows[0] if found.rows else None

    async def keep(self) -> None:
        """Goes on for ever: finishes what was begun, sends anew what is stale and, by setting, follows the tokens."""
        book: object = None
        while True:
            await asyncio.sleep(self._settings.interval_s)
            if self._settings.keep == "off":
                continue
            try:
                records = await self._records()
                changed = self._settings.keep == "follow" and book not in (None, records)
                await self._keep_once(records, everybody=changed)
                book = records
            except (psycopg.Error, SeamError, TooManyTokens) as error:
                log.warning("local lists are not kept now", error=str(error))

    async def _keep_once(self, records: Sequence[TokenRecord], *, everybody: bool) -> None:
        """Syncs the lists that need it, a few at once."""
        states = (*_KEPT, ListState.IN_SYNC) if everybody else _KEPT
        for state in states:
            cursor = None
            while True:
                where = {"state": state.value}
                found = await self._services.queries.block(LOCAL_LISTS, where, Page(limit=LIMIT_MAX, cursor=cursor))
                rows: Sequence[LocalListRow] = found.rows
                for begin in range(0, len(rows), self._settings.parallel):
                    part = rows[begin : begin + self._settings.parallel]
                    await asyncio.gather(*[self._keep_one(row.station, records) for row in part])
                cursor = found.next
                if cursor is None:
                    break

    async def _keep_one(self, station: str, records: Sequence[TokenRecord]) -> None:
        try:
            detail = await self._services.queries.station(station)
            if detail is None or not detail.station.connected:
                return
            synced = await self._sync_with(station, records, whole=False, by="narke")
        except (psycopg.Error, SeamError, TooManyTokens) as error:
            log.warning("a local list was not synced", station=station, error=str(error))
            return
        if synced is not None and synced.result != Result.ACCEPTED:
            log.info("a local list was not synced", station=station, result=synced.result, detail=synced.detail)

    async def _sync_with(
        self, station: str, records: Sequence[TokenRecord], *, whole: bool, by: str, version: int = 0
    ) -> Synced | None:
        lock = self._busy.setdefault(station, asyncio.Lock())
        try:
            async with lock:
                known = await self._known(station)
                if known is None:
                    return None
                known.version = max(known.version, version)
                return await self._send(known, self._wanted(known, records), whole=whole, by=by)
        finally:
            if not lock.locked():
                self._busy.pop(station, None)

    def _wanted(self, known: _Station, records: Sequence[TokenRecord]) -> List:
        now = self._services.clock.now()
        bounds = BOUNDS_OF_VERSION[known.ocpp]
        wanted = wanted_list(records, known.station, now, bounds, all_tokens=self._settings.all_tokens)
        if known.length_max is not None and len(wanted) > known.length_max:
            raise TooManyTokens(
                f"{known.station} holds {known.length_max} tokens in its list and should have {len(wanted)}: mark "
                "fewer for local lists (`in_local_list`), or say by `places` which of them it needs"
            )
        return wanted

    async def _send(self, known: _Station, wanted: List, *, whole: bool, by: str) -> Synced:
        has = None if whole else known.has
        version, count, all_of_it = known.version, 0, has is None
        queue = list(messages(has, wanted, version, known.entries_max))
        now: List = has or {}
        while queue:
            message = queue.pop(0)
            outcome = await self._command(known.station, message, by)
            if outcome.result is Result.ACCEPTED:
                now, version, count = applied(now, message), message.version, count + 1
            elif outcome.status in _REFUSED_CHANGE and not all_of_it:
                version = max(version, message.version, await self._version_now(known.station, by))
                all_of_it = True
                queue = list(messages(None, wanted, version, known.entries_max))
            else:
                detail = outcome.detail or outcome.status
                return Synced(known.station, outcome.result, version, None, count, all_of_it, detail)
        return Synced(known.station, Result.ACCEPTED, version, len(wanted), count, all_of_it)

    async def _version_now(self, station: str, by: str) -> int:
        outcome = await self.version_of(station, by)
        return outcome.found.version if isinstance(outcome.found, ListVersion) else 0

    async def _command(self, station: str, command: Command, by: str) -> Outcome:
        services = self._services
        now = services.clock.now()
        request = CommandRequest(
            command_id=str(services.ids()),
            station=station,
            command=command,
            requested_at=now,
            deadline_at=now + timedelta(seconds=services.command_deadline_s),
            by=by,
        )
        return await services.gateway.command(request)

    async def _known(self, station: str) -> _Station | None:
        detail = await self._services.queries.station(station)
        if detail is None or detail.station.version not in BOUNDS_OF_VERSION:
            return None
        row = await self.row(station)
        has = None if row is None or row.entries is None else await self._entries(station)
        if has is not None and row is not None and len(has) != row.entries:
            has = None  # the tables are a moment behind, or a row was lost: the whole list settles it
        per_message, length_max = await self._limits(station)
        return _Station(
            station=station,
            version=0 if row is None else row.version,
            has=has,
            ocpp=detail.station.version,
            entries_max=per_message,
            length_max=length_max,
        )

    async def _limits(self, station: str) -> tuple[int, int | None]:
        """How many entries a message and the list may have, as far as the station told."""
        per_message, length_max = self._settings.entries_per_message, None
        for component in (_CONTROLLER, ""):
            where = {"station": station, "component": component}
            found = await self._services.queries.block(VARIABLES, where, Page(limit=LIMIT_MAX))
            for row in found.rows:
                if row.variable == "ItemsPerMessage" and (row.value or "").isdecimal():
                    per_message = min(per_message, max(1, int(row.value)))
                elif row.variable == "LocalAuthListMaxLength" and (row.value or "").isdecimal():
                    length_max = int(row.value)
                elif row.variable == "Entries" and component and row.limit_max is not None:
                    length_max = int(row.limit_max)
        return per_message, length_max

    async def _entries(self, station: str) -> dict[str, ListEntry]:
        entries: dict[str, ListEntry] = {}
        cursor = None
        while True:
            page = Page(limit=LIMIT_MAX, cursor=cursor)
            found = await self._services.queries.block(LOCAL_LIST_ENTRIES, {"station": station}, page)
            entries.update((row.token_key, _entry_of(row)) for row in found.rows)
            cursor = found.next
            if cursor is None or len(entries) > TOKENS_MAX:
                return entries

    async def _records(self) -> Sequence[TokenRecord]:
        """All tokens of the operator's.

        Raises:
            TooManyTokens: There are more than TOKENS_MAX.
        """
        records: list[TokenRecord] = []
        cursor = None
        while True:
            found = await self._services.queries.tokens(TokenFilter(), Page(limit=LIMIT_MAX, cursor=cursor))
            records += map(_record_of, found.rows)
            cursor = found.next
            if cursor is None:
                return records
            if len(records) > TOKENS_MAX:
                raise TooManyTokens(f"local lists are worked out from {TOKENS_MAX} tokens at most; there are more")


def _entry_of(row: LocalListEntryRow) -> ListEntry:
    """The entry as it was sent; one that cannot be read any more is sent anew."""
    try:
        verdict = msgspec.convert(row.verdict, TokenVerdict)
    except msgspec.ValidationError:
        verdict = None
    return ListEntry(Token(row.token, row.type), verdict)


def _record_of(row: TokenRow) -> TokenRecord:
    said = {name: getattr(row, name) for name in TokenRecord.__struct_fields__ if name != "token"}
    return TokenRecord(token=Token(row.token, row.type), **said)
