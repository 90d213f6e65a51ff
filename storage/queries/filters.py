"""Filters of the listings. None: any. Several set fields must all hold.

`since` is inclusive, `until` exclusive; both aware.
"""

from datetime import datetime

import msgspec


class StationFilter(msgspec.Struct, frozen=True, kw_only=True):
    """`search`: text within identity, vendor, model, serial number or note; case does not matter.

    `changing`: it has a next password or security profile that it has not shown yet.
    """

    connected: bool | None = None
    registered: bool | None = None
    registration: str | None = None
    security_profile: int | None = None
    changing: bool | None = None
    version: str | None = None
    vendor: str | None = None
    search: str | None = None


class TransactionFilter(msgspec.Struct, frozen=True, kw_only=True):
    """`since`, `until`: by `started_at`. `token`: case does not matter. `open` False: ended ones.

    `changed_since`: open ones heard of since and ended ones that ended since (our clock); what a follower asks with.
    """

    station: str | None = None
    evse: int | None = None
    open: bool | None = None
    token: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    changed_since: datetime | None = None


class MeterValueFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Of one station. `since`, `until`: by `received_at`."""

    station: str
    transaction_id: str | None = None
    evse: int | None = None
    measurand: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class MessageFilter(msgspec.Struct, frozen=True, kw_only=True):
    """`station` None: all. `since`, `until`: by `at`. `direction`: in or out. `outcome`: ok or an error code."""

    station: str | None = None
    action: str | None = None
    direction: str | None = None
    kind: str | None = None
    outcome: str | None = None
    message_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class EventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """`station` None: of all stations. `since`, `until`: by `at`."""

    station: str | None = None
    kind: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class CommandFilter(msgspec.Struct, frozen=True, kw_only=True):
    """`since`, `until`: by `requested_at`. `open` True: no outcome yet."""

    station: str | None = None
    open: bool | None = None
    kind: str | None = None
    result: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class TokenFilter(msgspec.Struct, frozen=True, kw_only=True):
    """`search`: text within token, group or note; case does not matter."""

    blocked: bool | None = None
    group: str | None = None
    search: str | None = None
