"""Events: which facts stand in a station's history, and what is kept of them."""

from enum import StrEnum

import msgspec

from engine.model.authorization import TokenChecked
from engine.model.availability import ConnectorStatusChanged
from engine.model.data_transfer import DataReceived
from engine.model.facts import Fact
from engine.model.notices import NoticeRecorded
from engine.model.provisioning import StationBooted
from engine.model.sessions import SessionEnded, SessionStarted
from engine.model.stations import StationRegistered
from storage.projection.changes import NewEvent
from storage.projection.clean import json_of, json_text, text


class EventKind(StrEnum):
    """The words of the column `kind`."""

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
            return None


def registered_event(fact: StationRegistered) -> NewEvent:
    """The operator's decision about a station; the password's hash stays out of it."""
    record = msgspec.structs.replace(fact.record, password_hash=None)
    data = json_of({"record": record, "has_password": fact.record.password_hash is not None})
    return NewEvent(text(record.station), fact.at, EventKind.REGISTERED.value, None, data)


def _data_transfer(station: str, fact: DataReceived) -> NewEvent:
    report = fact.report
    data = {
        "message_id": report.message_id,
        "status": fact.status,
        "data": None if report.data is None else msgspec.Raw((json_text(report.data) or "").encode()),
    }
    return NewEvent(station, fact.at, EventKind.DATA_TRANSFER.value, text(report.vendor_id), json_of(data))
