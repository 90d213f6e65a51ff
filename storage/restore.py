"""What the operator decided, read back from PostgreSQL: to fill a Redis that has lost it."""

from typing import Any, NamedTuple

import msgspec
from psycopg import sql
from psycopg_pool import AsyncConnectionPool

from engine.model.authorization import Token, TokenRecord
from engine.model.caps import CapSource, HeldCap
from engine.model.sites import HeldSite, Site, SiteSeries
from engine.model.stations import StationRecord

_STATION_FIELDS = (
    "station",
    "registration",
    "security_profile",
    "password_hash",
    "message_log",
    "note",
    "password_hash_next",
    "security_profile_next",
    "downgrade_allowed",
    "certificate_name",
    "assume_ocpp16",
    "lenient_upgrade",
)
"""Fields of a record that are columns of the same name."""


class OperatorRecords(NamedTuple):
    """All tokens (by key) and all registered stations (by identity) of a tenant."""

    tokens: list[TokenRecord]
    stations: list[StationRecord]


async def operator_records(pool: AsyncConnectionPool[Any], tenant: str) -> OperatorRecords:
    """Everything the operator keeps, as far as it was projected.

    Raises:
        psycopg.Error: PostgreSQL does not answer.
    """
    async with pool.connection() as connection:
        tokens = await connection.execute(
            "SELECT token, type, blocked, expires_at, token_group, note FROM tokens"
            " WHERE tenant = %s ORDER BY token_key",
            [tenant],
        )
        token_records = [
            TokenRecord(token=Token(value, kind), blocked=blocked, expires_at=expires_at, group=group, note=note)
            for value, kind, blocked, expires_at, group, note in await tokens.fetchall()
        ]
        stations = await connection.execute(
            sql.SQL("SELECT {} FROM stations WHERE tenant = %s AND registered ORDER BY station").format(
                sql.SQL(", ").join(map(sql.Identifier, _STATION_FIELDS))
            ),
            [tenant],
        )
        chosen = await connection.execute("SELECT station, quirks FROM station_quirks WHERE tenant = %s", [tenant])
        quirks = dict(await chosen.fetchall())
        station_records = [
            msgspec.convert(
                {**dict(zip(_STATION_FIELDS, values, strict=True)), "quirks": quirks.get(values[0]) or []},
                StationRecord,
            )
            for values in await stations.fetchall()
        ]
    return OperatorRecords(token_records, station_records)


class SiteRecords(NamedTuple):
    """All sites of a tenant, their caps that were not released, and prices; each with who told it."""

    sites: list[HeldSite]
    caps: list[tuple[HeldCap, str]]
    series: list[tuple[SiteSeries, str]]


async def site_records(pool: AsyncConnectionPool[Any], tenant: str) -> SiteRecords:
    """Everything the operator keeps of sites, as far as it was projected. Drivers' requests are not brought back.

    Raises:
        psycopg.Error: PostgreSQL does not answer.
    """
    async with pool.connection() as connection:
        sites = await connection.execute(
            "SELECT document, revision, saved_by, saved_at FROM sites WHERE tenant = %s AND active ORDER BY site",
            [tenant],
        )
        held_sites = [
            HeldSite(msgspec.convert(document, Site), revision, by, at)
            for document, revision, by, at in await sites.fetchall()
        ]
        caps = await connection.execute(
            "SELECT saved_at, heard_at, saved_by, jsonb_build_object('is', 'CapSource', 'site', site, 'source', source,"
            " 'node', node, 'direction', direction, 'priority', priority, 'emergency', emergency, 'valid_until',"
            " valid_until, 'fallback_kw', fallback_kw, 'heartbeat_s', heartbeat_s, 'steps', steps)"
            " FROM site_caps WHERE tenant = %s AND active AND steps IS NOT NULL ORDER BY site, source",
            [tenant],
        )
        held_caps = [
            (HeldCap(msgspec.convert(cap, CapSource), saved_at, heard_at), by)
            for saved_at, heard_at, by, cap in await caps.fetchall()
        ]
        series = await connection.execute(
            "SELECT saved_by, jsonb_build_object('is', 'SiteSeries', 'site', site, 'kind', kind, 'start_at', start_at,"
            " 'step_s', step_s, 'values', numbers) FROM site_series WHERE tenant = %s AND numbers IS NOT NULL",
            [tenant],
        )
        held_series = [(msgspec.convert(one, SiteSeries), by) for by, one in await series.fetchall()]
    return SiteRecords(held_sites, held_caps, held_series)
