"""Tokens that stations asked about and nobody knows."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from engine.model.authorization import TokenChecked
from storage.blocks.table import Change, Put, Table


class UnknownTokenRow(msgspec.Struct, frozen=True):
    """A token without a record that a station asked about: where and when last, and what it was told."""

    token_key: str
    asked_at: datetime
    token: str = ""
    type: str | None = None
    station: str = ""
    status: str = ""


UNKNOWN_TOKENS = Table(
    name="unknown_tokens",
    row=UnknownTokenRow,
    key=("token_key",),
    newest_first="asked_at",
    ages_by="asked_at",
    filters=("station", "token_key", "status"),
    shown=("asked_at", "token", "type", "station", "status"),
    about="Tokens without a record that stations asked about.",
    tag="tokens",
)


def checked(station: str, fact: TokenChecked) -> Iterable[Change]:
    """A station asked about a token."""
    if not fact.unknown or not fact.token.value:
        return
    values = {
        "asked_at": fact.at,
        "token": fact.token.value,
        "type": fact.token.type,
        "station": station,
        "status": fact.verdict.status.value,
    }
    yield Put(UNKNOWN_TOKENS, (fact.token.key,), values)


TABLES = (UNKNOWN_TOKENS,)
CHANGES = {TokenChecked: checked}
EVENTS = ()
