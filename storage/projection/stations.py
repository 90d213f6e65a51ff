"""Stations: what each fact does to the half of a station's row that it reports, and when it was heard of."""

from datetime import datetime

import msgspec

from engine.model.authorization import TokenChecked
from engine.model.availability import ConnectorStatusChanged
from engine.model.commands import CommandRequested, CommandSent, CommandSettled, Result
from engine.model.data_transfer import DataReceived
from engine.model.facts import Fact
from engine.model.metering import ReadingsRecorded
from engine.model.notices import NoticeRecorded
from engine.model.provisioning import StationBooted, StationSeen
from engine.model.sessions import SessionEnded, SessionStarted
from engine.model.transactions import TransactionEnded, TransactionOpened, TransactionUpdated
from storage.projection.changes import StationReport
from storage.projection.clean import text, text_or_none

OURS = (CommandRequested, CommandSent, CommandSettled, SessionEnded)
"""Facts that are no sign of life."""
ANSWERED = {Result.ACCEPTED, Result.REFUSED, Result.FAILED}
"""Results of commands that the station itself gave."""


StationFact = SessionStarted | SessionEnded | StationBooted
"""Facts that change what a station reported about itself."""


def report_after(report: StationReport, fact: StationFact) -> StationReport:
    """The report after the fact."""
    match fact:
        case SessionStarted():
            return _connected(report, fact)
        case SessionEnded():
            return _disconnected(report, fact)
        case StationBooted():
            return _booted(report, fact)


def heard_of_at(fact: Fact) -> datetime | None:
    """When the station itself was heard of (our clock); None: the fact is not of its making."""
    match fact:
        case TransactionOpened() | TransactionUpdated() | TransactionEnded() | ReadingsRecorded():
            return fact.received_at
        case ConnectorStatusChanged():
            return fact.received_at
        case StationBooted() | StationSeen() | TokenChecked() | DataReceived() | NoticeRecorded():
            return fact.at
        case SessionStarted():
            return fact.opened.at
        case CommandSettled() if fact.outcome.result in ANSWERED:
            return fact.at
        case _:
            return None if isinstance(fact, OURS) else getattr(fact, "at", None)


def _connected(report: StationReport, fact: SessionStarted) -> StationReport:
    opened = fact.opened
    return msgspec.structs.replace(
        report,
        version=text(opened.version),
        session=text(opened.session),
        ingress=text(opened.ingress),
        address=text(opened.address),
        connected=True,
        connected_at=opened.at,
    )


def _disconnected(report: StationReport, fact: SessionEnded) -> StationReport:
    """An older session's end says nothing about the present one."""
    closed = fact.closed
    if report.session is not None and text(closed.session) != report.session:
        return report
    return msgspec.structs.replace(
        report,
        session=text(closed.session),
        connected=False,
        disconnected_at=closed.at,
        close_code=closed.code,
        close_reason=text(closed.reason),
    )


def _booted(report: StationReport, fact: StationBooted) -> StationReport:
    boot = fact.boot
    return msgspec.structs.replace(
        report,
        vendor=text(boot.vendor),
        model=text(boot.model),
        serial_number=text_or_none(boot.serial_number),
        firmware_version=text_or_none(boot.firmware_version),
        iccid=text_or_none(boot.iccid),
        imsi=text_or_none(boot.imsi),
        meter_type=text_or_none(boot.meter_type),
        meter_serial_number=text_or_none(boot.meter_serial_number),
        booted_at=fact.at,
        boot_reason=text_or_none(boot.reason),
        boot_registration=fact.registration.value,
        heartbeat_interval_s=fact.interval_s,
    )
