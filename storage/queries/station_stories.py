"""What PostgreSQL knows of stations, told again as facts: where the planner begins. Never writes.

One snapshot (a transaction of isolation REPEATABLE READ) holds the rows and the positions of the streams up to which
they are true, so that whoever reads the streams on from there hears everything once.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import structlog
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from engine.model.authorization import Token
from engine.model.charging_profiles import ChargingProfile, ScheduleUpdate
from engine.model.commands import (
    Command,
    CommandRequest,
    CommandRequested,
    CommandSent,
    CommandSettled,
    Outcome,
    Result,
)
from engine.model.device_model import VariableEntry, VariableSource, VariablesRecorded
from engine.model.facts import Fact
from engine.model.ids import EvseRef
from engine.model.metering import Reading, ReadingsRecorded
from engine.model.provisioning import BootReported, Registration, StationBooted, VariableRef
from engine.model.sessions import SessionOpened, SessionStarted
from engine.model.smart_charging import (
    ClearChargingProfile,
    DynamicScheduleUpdated,
    EvNeeds,
    LimitImposed,
    LimitReported,
    NeedsRecorded,
    NeedsReported,
    NeedsVerdict,
    ProfileInstalled,
    SetChargingProfile,
    UpdateDynamicSchedule,
)
from engine.model.transactions import ChargingState, TransactionFlag, TransactionOpened, TransactionUpdated

log = structlog.get_logger()

UNCERTAIN_FOR: Final = timedelta(days=2)
"""How far back commands are told of whose outcome is not known: the station may have obeyed them."""
METERED_FOR: Final = timedelta(minutes=10)
_KINDS: Final[Mapping[str, type]] = {
    kind.__name__: kind for kind in (SetChargingProfile, ClearChargingProfile, UpdateDynamicSchedule)
}
_CONTROLLERS: Final = ("SmartChargingCtrlr", "EVSE", "Connector", "V2XChargingCtrlr", "ISO15118Ctrlr", "")

Told = tuple[Fact, datetime]
"""A fact, and when it was recorded or became known, our clock."""


class Stories(msgspec.Struct, frozen=True):
    """`positions`: up to where in each stream they are true. `facts`: by station, oldest first within each table.

    A station that nothing is known of has no facts.
    """

    positions: Mapping[str, str]
    facts: Mapping[str, Sequence[Told]]


async def station_stories(
    pool: AsyncConnectionPool[Any], tenant: str, stations: Sequence[str], *, by: str, meters: Sequence[str] = ()
) -> Stories:
    """What is true of stations now: sessions, makes, variables, profiles, open transactions, commands on their way.

    Args:
        pool: PostgreSQL.
        tenant: Whose.
        stations: Their identities.
        by: Whose commands count (`CommandRequest.by`).
        meters: Of these, also what their meters said lately outside of transactions.

    Raises:
        psycopg.Error: PostgreSQL does not answer.
    """
    facts: dict[str, list[Told]] = {station: [] for station in stations}
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        reading = _Reading(connection, tenant, facts)
        positions = await reading.positions()
        await reading.stations()
        await reading.variables()
        await reading.transactions()
        await reading.needs()
        await reading.profiles()
        await reading.limits()
        await reading.commands(by)
        if meters:
            await reading.meters(meters)
    return Stories(positions, {station: told for station, told in facts.items() if told})


class _Reading:
    """One snapshot being read."""

    def __init__(self, connection: AsyncConnection[Any], tenant: str, facts: dict[str, list[Told]]) -> None:
        self._connection = connection
        self._tenant = tenant
        self._facts = facts

    async def _rows(self, query: str, *more: Any) -> list[dict[str, Any]]:
        """Rows of a query whose first parameters are the tenant and the stations."""
        async with self._connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query, [self._tenant, list(self._facts), *more])
            return await cursor.fetchall()

    def _tell(self, station: str, fact: Fact, at: datetime) -> None:
        self._facts[station].append((fact, at))

    async def positions(self) -> Mapping[str, str]:
        cursor = await self._connection.execute(
            "SELECT stream, last_id FROM journal_positions WHERE tenant = %s", [self._tenant]
        )
        return dict(await cursor.fetchall())

    async def stations(self) -> None:
        """Boots, and the sessions of those that are connected."""
        for row in await self._rows("SELECT * FROM stations WHERE tenant = %s AND station = ANY(%s)"):
            if row["booted_at"] is not None:
                boot = BootReported(
                    vendor=row["vendor"] or "",
                    model=row["model"] or "",
                    serial_number=row["serial_number"],
                    firmware_version=row["firmware_version"],
                )
                registration = Registration(row["boot_registration"] or Registration.ACCEPTED)
                self._tell(row["station"], StationBooted(boot, registration, 0, row["booted_at"]), row["booted_at"])
            if row["connected"] and row["session"] is not None:
                at = row["connected_at"]
                opened = SessionOpened(row["session"], row["ingress"] or "", row["version"] or "", "", at)
                self._tell(row["station"], SessionStarted(opened, at), at)

    async def variables(self) -> None:
        """What the device model says of smart charging."""
        query = (
            "SELECT station, component, evse, connector, variable, variable_instance, attribute, value, unit,"
            " limit_max, allowed, told_at FROM variables"
            " WHERE tenant = %s AND station = ANY(%s) AND component = ANY(%s)"
        )
        for row in await self._rows(query, list(_CONTROLLERS)):
            place = None if row["evse"] is None else EvseRef(row["evse"], row["connector"])
            ref = VariableRef(
                row["variable"],
                row["component"] or "",
                variable_instance=row["variable_instance"],
                evse=place,
                attribute=row["attribute"],
            )
            entry = VariableEntry(
                ref, row["value"], unit=row["unit"], limit_max=row["limit_max"], values=row["allowed"]
            )
            at = row["told_at"]
            if at is not None:
                self._tell(row["station"], VariablesRecorded(VariableSource.REPORT, at, (entry,)), at)

    async def transactions(self) -> None:
        """Those that are open, each as it began and as it was heard of last."""
        query = (
            "SELECT * FROM transactions WHERE tenant = %s AND station = ANY(%s) AND ended_at IS NULL"
            " ORDER BY started_at, transaction_id"
        )
        for row in await self._rows(query):
            place = None if row["evse"] is None else EvseRef(row["evse"], row["connector"])
            token = None
            if row["token"] is not None:
                token = Token(row["token"], row["token_type"]) if row["token_type"] else Token(row["token"])
            state = None if row["charging_state"] is None else ChargingState(row["charging_state"])
            opened = TransactionOpened(
                transaction_id=row["transaction_id"],
                started_at=row["started_at"],
                received_at=row["start_received_at"],
                number=row["number"],
                evse=place,
                token=token,
                meter_start_wh=row["meter_start_wh"],
                charging_state=state,
                remote_start_id=row["remote_start_id"],
                offline=row["offline"],
                flags=tuple(TransactionFlag(flag) for flag in row["flags"] if flag in set(TransactionFlag)),
                phases_used=row["phases_used"],
                cable_a_max=row["cable_a_max"],
            )
            self._tell(row["station"], opened, row["start_received_at"])
            updated = TransactionUpdated(
                transaction_id=row["transaction_id"],
                at=row["updated_at"],
                received_at=row["updated_at"],
                charging_state=state,
                meter_start_wh=row["meter_start_wh"],
                meter_last_wh=row["meter_last_wh"],
            )
            self._tell(row["station"], updated, row["updated_at"])

    async def needs(self) -> None:
        """What the cars of open transactions said they need, the newest of each."""
        query = (
            "SELECT DISTINCT ON (n.station, n.evse) n.* FROM charging_needs n JOIN transactions t"
            " ON t.tenant = n.tenant AND t.station = n.station AND t.transaction_id = n.transaction_id"
            " WHERE n.tenant = %s AND n.station = ANY(%s) AND t.ended_at IS NULL"
            " ORDER BY n.station, n.evse, n.received_at DESC"
        )
        for row in await self._rows(query):
            needs = _converted(row["needs"], EvNeeds, row["station"])
            if needs is not None:
                report = NeedsReported(row["evse"], needs, row["periods_max"], row["told_at"])
                verdict = NeedsVerdict(row["verdict"] or NeedsVerdict.NO_PROFILE)
                fact = NeedsRecorded(report, verdict, row["received_at"], row["transaction_id"])
                self._tell(row["station"], fact, row["received_at"])

    async def profiles(self) -> None:
        """What is installed."""
        query = (
            "SELECT * FROM charging_profiles WHERE tenant = %s AND station = ANY(%s) AND installed"
            " ORDER BY installed_at NULLS FIRST"
        )
        for row in await self._rows(query):
            profile = _converted(row["profile"], ChargingProfile, row["station"])
            at = row["installed_at"] or row["reported_at"]
            if profile is None or at is None:
                continue
            profile = msgspec.structs.replace(profile, transaction_id=row["transaction_id"])
            reported = row["installed_at"] is None
            self._tell(row["station"], ProfileInstalled(row["evse"], profile, at, row["source"], reported), at)
            numbers = None if row["numbers"] is None else _converted(row["numbers"], ScheduleUpdate, row["station"])
            if numbers is not None:
                fact = DynamicScheduleUpdated(row["profile_id"], numbers, row["numbers_at"] or at)
                self._tell(row["station"], fact, row["numbers_at"] or at)

    async def limits(self) -> None:
        """What others impose."""
        for row in await self._rows("SELECT * FROM charging_limits WHERE tenant = %s AND station = ANY(%s) AND active"):
            told = {
                "source": row["source"],
                "evse": row["evse"] or None,
                "grid_critical": row["grid_critical"],
                "local_generation": row["local_generation"],
                "schedules": row["schedules"] or [],
            }
            limit = _converted(told, LimitReported, row["station"])
            if limit is not None and row["imposed_at"] is not None:
                self._tell(row["station"], LimitImposed(limit, row["imposed_at"]), row["imposed_at"])

    async def commands(self, by: str) -> None:
        """Profiles on their way: commands that are open, and those of which nobody knows whether they were obeyed."""
        query = (
            "SELECT * FROM commands WHERE tenant = %s AND station = ANY(%s) AND kind = ANY(%s) AND requested_by = %s"
            " AND requested_at > now() - %s AND (settled_at IS NULL OR result = ANY(%s)) ORDER BY requested_at"
        )
        uncertain = [Result.TIMED_OUT.value, Result.LOST.value]
        for row in await self._rows(query, list(_KINDS), by, UNCERTAIN_FOR, uncertain):
            command: Command | None = _converted(row["command"], _KINDS[row["kind"]], row["station"])
            if command is None:
                continue
            station, name = row["station"], row["command_id"]
            deadline = row["deadline_at"] or row["requested_at"]
            request = CommandRequest(
                name, station, command, row["requested_at"], deadline, row["requested_by"], row["priority"]
            )
            self._tell(station, CommandRequested(request), row["requested_at"])
            if row["sent_at"] is not None:
                self._tell(
                    station, CommandSent(name, "", row["sent_at"], row["answer_by_at"] or deadline), row["sent_at"]
                )
            if row["settled_at"] is not None:
                settled = CommandSettled(name, Outcome(Result(row["result"]), row["status"]), row["settled_at"])
                self._tell(station, settled, row["settled_at"])

    async def meters(self, meters: Sequence[str]) -> None:
        """What the meters of loads said lately, as they said it."""
        query = (
            "SELECT station, received_at, sampled_at, evse, connector, value, measurand, unit, location, phase"
            " FROM meter_readings WHERE tenant = %s AND station = ANY(%s) AND station = ANY(%s)"
            " AND received_at > now() - %s AND transaction_id IS NULL ORDER BY received_at, id"
        )
        heard: dict[tuple[str, datetime, int | None, int | None], list[Reading]] = {}
        for row in await self._rows(query, list(meters), METERED_FOR):
            key = row["station"], row["received_at"], row["evse"], row["connector"]
            reading = Reading(
                row["sampled_at"],
                row["value"],
                row["measurand"],
                row["unit"],
                location=row["location"],
                phase=row["phase"],
            )
            heard.setdefault(key, []).append(reading)
        for (station, at, evse, connector), readings in heard.items():
            place = None if evse is None else EvseRef(evse, connector)
            self._tell(station, ReadingsRecorded(tuple(readings), at, evse=place), at)


def _converted(value: Any, kind: type, station: str) -> Any:
    """A word from its JSON; None: it cannot be read, e.g. it was written by a newer Narke."""
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        log.warning("a row cannot be told again", station=station, about=kind.__name__, why=str(error))
        return None
