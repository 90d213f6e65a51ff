"""Events: which facts stand in a station's history, and what is kept of them."""

import re
from enum import StrEnum
from typing import Any

import msgspec

from engine.model.authorization import TokenChecked
from engine.model.availability import ConnectorStatusChanged
from engine.model.data_transfer import DataReceived
from engine.model.facts import Fact
from engine.model.notices import NoticeRecorded
from engine.model.provisioning import StationBooted
from engine.model.sessions import SessionEnded, SessionStarted
from engine.model.stations import StationRegistered
from engine.redaction import redacted
from storage.blocks.registry import EVENTS
from storage.projection.changes import NewEvent
from storage.projection.clean import json_of, json_text, text

NEW_WORD = re.compile("(?<!^)(?=[A-Z])")


class EventKind(StrEnum):
    """The words of the column `kind`; facts of blocks have their own names (`_block_event`)."""

    BOOT = "boot"
    SESSION_STARTED = "session_started"
    SESSION_ENDED = "session_ended"
    CONNECTOR_STATUS = "connector_status"
    TOKEN_CHECKED = "token_checked"  # noqa: S105 (a kind, not a password)
    DATA_TRANSFER = "data_transfer"
    NOTICE = "notice"
    REGISTERED = "registered"


def event_of(station: str, fact: Fact) -> NewEvent | None:
    """The event that a fact is; None: it stands elsewhere (transactions, meter values, commands) or nowhere."""
    match fact:
        case ConnectorStatusChanged():
            data = json_of(fact.report)
            return NewEvent(station, fact.received_at, EventKind.CONNECTOR_STATUS.value, None, data)
        case TokenChecked():
            data = json_of({"token": fact.token, "verdict": fact.verdict})
            return NewEvent(station, fact.at, EventKind.TOKEN_CHECKED.value, None, data)
        case StationBooted():
            data = json_of({"boot": fact.boot, "registration": fact.registration, "interval_s": fact.interval_s})
            return NewEvent(station, fact.at, EventKind.BOOT.value, None, data)
        case SessionStarted():
            return NewEvent(station, fact.opened.at, EventKind.SESSION_STARTED.value, None, json_of(fact.opened))
        case SessionEnded():
            return NewEvent(station, fact.closed.at, EventKind.SESSION_ENDED.value, None, json_of(fact.closed))
        case DataReceived():
            return _data_transfer(station, fact)
        case NoticeRecorded():
            notice = fact.notice
            return NewEvent(station, fact.at, EventKind.NOTICE.value, text(notice.action), json_text(notice.payload))
        case _:
            return _block_event(station, fact) if type(fact) in EVENTS else None


def _block_event(station: str, fact: Any) -> NewEvent:
    """A block's fact as it is; its kind is the fact's name, e.g. `reservation_made`."""
    kind = NEW_WORD.sub("_", type(fact).__name__).lower()
    return NewEvent(station, fact.at, kind, None, redacted(json_of(fact)))


def registered_event(fact: StationRegistered) -> NewEvent:
    """The operator's decision about a station; the hashes of its passwords stay out of it."""
    record = msgspec.structs.replace(fact.record, password_hash=None, password_hash_next=None)
    data = json_of(
        {
            "record": record,
            "has_password": fact.record.password_hash is not None,
            "has_password_next": fact.record.password_hash_next is not None,
        }
    )
    return NewEvent(text(record.station), fact.at, EventKind.REGISTERED.value, None, data)


def _data_transfer(station: str, fact: DataReceived) -> NewEvent:
    report = fact.report
    data = {
        "message_id": report.message_id,
        "status": fact.status,
        "data": None if report.data is None else msgspec.Raw((json_text(report.data) or "").encode()),
    }
    if fact.answer is not None:
        data["answer"] = msgspec.Raw((json_text(fact.answer) or "").encode())
    return NewEvent(station, fact.at, EventKind.DATA_TRANSFER.value, text(report.vendor_id), json_of(data))
