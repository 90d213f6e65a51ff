"""Firmware: what a station tells of updates and publications, and when it should have told more. OCPP 2.1 L01 to L04.

    asked -- Downloading .. Downloaded .. (SignatureVerified) .. Installing .. -- Installed ------- ended: installed
      |            '-- DownloadFailed, InvalidSignature, InstallationFailed, ... ------------------ ended: failed
      |-- refused (Rejected, InvalidCertificate, RevokedCertificate, CALLERROR) ------------------- ended: refused
      |-- a newer update accepted with AcceptedCanceled, or on 1.6, which has no word for it ------ ended: cancelled
      |-- the station boots with another firmware than before ------------------------------------- ended: installed
      '-- nothing heard for `DiagnosticsPolicy.firmware_silence_s` ----- stalled, told once; it may still go on

1.6 tells a failure after each attempt, so a failed update may begin anew. A status without a requestId is about the
youngest update that has not ended.
"""

from datetime import datetime

from engine.model.commands import CommandRequest, Outcome
from engine.model.firmware import (
    FirmwareResult,
    FirmwareStatus,
    FirmwareStatusRecorded,
    FirmwareStatusReported,
    FirmwareUnchanged,
    FirmwareUpdateAsked,
    FirmwareUpdateEnded,
    FirmwareUpdateStalled,
    FirmwareVersionSeen,
    PublicationAsked,
    PublicationEnded,
    PublicationReported,
    PublicationStatus,
    PublicationStatusRecorded,
    PublishFirmware,
    UnpublishFirmware,
    UpdateFirmware,
)
from engine.model.notices import NoticeAnswer
from engine.model.provisioning import BootReported
from engine.station import procedures
from engine.station.context import Context
from engine.station.effects import Effect, Record, Reply
from engine.station.firmware_memory import PUBLICATION_ENDS, Update
from engine.station.procedures import Said, Steps
from engine.station.state import StationState, evolve

PATIENCE = 12
"""How many times longer a station may be silent that waits on purpose, e.g. for a transaction to end."""

_TAKEN = Reply(NoticeAnswer())
_FAILURES = frozenset(
    {
        FirmwareStatus.DOWNLOAD_FAILED,
        FirmwareStatus.INVALID_SIGNATURE,
        FirmwareStatus.INSTALL_VERIFICATION_FAILED,
        FirmwareStatus.INSTALLATION_FAILED,
    }
)
_INSTALLING_FROM = 3
"""The rank from which on a boot can be one with the new firmware."""

UPDATE = Steps(
    rank={
        FirmwareStatus.DOWNLOAD_SCHEDULED: 1,
        FirmwareStatus.DOWNLOADING: 2,
        FirmwareStatus.DOWNLOAD_PAUSED: 2,
        FirmwareStatus.DOWNLOAD_FAILED: 2,
        FirmwareStatus.DOWNLOADED: 3,
        FirmwareStatus.SIGNATURE_VERIFIED: 4,
        FirmwareStatus.INVALID_SIGNATURE: 4,
        FirmwareStatus.INSTALL_SCHEDULED: 5,
        FirmwareStatus.INSTALLING: 6,
        FirmwareStatus.INSTALL_REBOOTING: 6,
        FirmwareStatus.INSTALL_VERIFICATION_FAILED: 7,
        FirmwareStatus.INSTALLATION_FAILED: 7,
        FirmwareStatus.INSTALLED: 7,
    },
    ends=_FAILURES | {FirmwareStatus.INSTALLED},
    failures=_FAILURES,
    again=frozenset({FirmwareStatus.DOWNLOAD_SCHEDULED, FirmwareStatus.DOWNLOADING}),
    patient=frozenset(
        {FirmwareStatus.DOWNLOAD_SCHEDULED, FirmwareStatus.DOWNLOAD_PAUSED, FirmwareStatus.INSTALL_SCHEDULED}
    ),
)
PUBLICATION = Steps(
    rank={
        PublicationStatus.DOWNLOAD_SCHEDULED: 1,
        PublicationStatus.DOWNLOADING: 2,
        PublicationStatus.DOWNLOAD_PAUSED: 2,
        PublicationStatus.DOWNLOAD_FAILED: 2,
        PublicationStatus.DOWNLOADED: 3,
        PublicationStatus.CHECKSUM_VERIFIED: 4,
        PublicationStatus.INVALID_CHECKSUM: 4,
        PublicationStatus.PUBLISHED: 5,
        PublicationStatus.PUBLISH_FAILED: 5,
    },
    ends=PUBLICATION_ENDS,
    failures=PUBLICATION_ENDS - {PublicationStatus.PUBLISHED},
    again=frozenset({PublicationStatus.DOWNLOAD_SCHEDULED, PublicationStatus.DOWNLOADING}),
    patient=frozenset({PublicationStatus.DOWNLOAD_SCHEDULED, PublicationStatus.DOWNLOAD_PAUSED}),
)


def reported(state: StationState, report: FirmwareStatusReported, context: Context) -> tuple[Effect, ...]:
    """Records how far an update is, and which one that is."""
    early = _asked_early(state, report.request_id, context)
    for effect in early:
        state = evolve(state, effect.fact)
    status = report.status
    update = _meant(state, report)
    idle = status is FirmwareStatus.IDLE
    flags = UPDATE.flags(update, status) if update is not None else _unknown(report.request_id, idle=idle)
    counts = update is not None and not idle and not update.cancelled
    fact = FirmwareStatusRecorded(
        status=status,
        number=state.firmware.statuses + 1,
        at=context.received_at,
        request_id=update.request_id if update is not None and counts else None,
        said_id=report.request_id,
        result=_result_of(status),
        expected_by=None if update is None else _expected_by(update, status, context),
        detail=report.detail,
        flags=flags,
    )
    return *early, Record(fact), _TAKEN


def published(state: StationState, report: PublicationReported, context: Context) -> tuple[Effect, ...]:
    """Records how far a publication is."""
    early = _publication_early(state, report.request_id, context)
    for effect in early:
        state = evolve(state, effect.fact)
    known = state.firmware.publication(report.request_id)
    idle = report.status is PublicationStatus.IDLE
    flags = PUBLICATION.flags(known, report.status) if known is not None else _unknown(report.request_id, idle=idle)
    silence_s = _silence_s(PUBLICATION, report.status, context)
    fact = PublicationStatusRecorded(
        status=report.status,
        number=state.firmware.statuses + 1,
        at=context.received_at,
        request_id=None if known is None or idle else known.request_id,
        said_id=report.request_id,
        locations=report.locations,
        expected_by=None if report.status in PUBLICATION.ends else procedures.expected_by(context.now, silence_s),
        detail=report.detail,
        flags=flags,
    )
    return *early, Record(fact), _TAKEN


def booted(state: StationState, report: BootReported, context: Context) -> tuple[Record, ...]:
    """What a boot tells of firmware: another one runs, or after an update still the same."""
    version, before = report.firmware_version, _version(state)
    if not version:
        return ()
    update = _being_installed(state)
    if version == before:
        if update is None or update.unchanged or version != update.from_version:
            return ()
        return (Record(FirmwareUnchanged(update.request_id, version, context.received_at)),)
    explained = None if update is None else update.request_id
    seen = () if before is None else (Record(FirmwareVersionSeen(version, context.received_at, before, explained)),)
    if update is None or (before is None and not update.ended):
        return seen
    return *seen, Record(FirmwareUpdateEnded(update.request_id, FirmwareResult.INSTALLED, context.now, version))


def update_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """An update was answered, or not answered: follows it, and ends those whose place it took."""
    said = procedures.said(outcome)
    if said is None:
        return ()
    fact = _update_asked(state, request, context, said)
    effects: tuple[Effect, ...] = (Record(fact),)
    if said.accepted and outcome.status in ("AcceptedCanceled", None):
        for known in procedures.others_under_way(state.firmware.updates, fact.request_id):
            ended = FirmwareUpdateEnded(known.request_id, FirmwareResult.CANCELLED, context.now)
            effects = (*effects, Record(ended))
    return effects


def publication_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """A publication was answered, or not answered."""
    del state
    said = procedures.said(outcome)
    if said is None:
        return ()
    return (Record(_publication_asked(request, context, said)),)


def unpublished(state: StationState, request: CommandRequest, outcome: Outcome, context: Context) -> tuple[Effect, ...]:
    """A file is offered no more: the publications with its checksum are over."""
    command = request.command
    assert isinstance(command, UnpublishFirmware)
    if outcome.status not in ("Unpublished", "NoFirmware"):
        return ()
    same = [known for known in state.firmware.publications if known.checksum == command.checksum.lower()]
    return tuple(Record(PublicationEnded(known.request_id, context.now)) for known in same)


def due_at(state: StationState) -> datetime | None:
    """When news of an update or a publication should have come."""
    return procedures.due_at((*state.firmware.updates, *state.firmware.publications))


def rung(state: StationState, context: Context) -> tuple[Effect, ...]:
    """Tells of updates and publications that nothing was heard of."""
    updates = procedures.overdue(state.firmware.updates, context.now)
    publications = procedures.overdue(state.firmware.publications, context.now)
    return (
        *(Record(FirmwareUpdateStalled(known.request_id, context.now, known.status)) for known in updates),
        *(Record(PublicationEnded(known.request_id, context.now, stalled=True)) for known in publications),
    )


def _version(state: StationState) -> str | None:
    """What runs, as the station said at its last boot; None: it never said."""
    return None if state.make is None else state.make.firmware or None


def _unknown(request_id: int | None, *, idle: bool) -> tuple[str, ...]:
    if request_id is not None:
        return (procedures.UNKNOWN_REQUEST,)
    return () if idle else (procedures.UNSOLICITED,)


def _meant(state: StationState, report: FirmwareStatusReported) -> Update | None:
    """The update that a status is about.

    Without a number: the youngest under way, or the last one where the station repeats itself or tries again.
    """
    update = state.firmware.update(report.request_id)
    if update is not None or report.request_id is not None or not state.firmware.updates:
        return update
    last = state.firmware.updates[-1]
    goes_on = last.status == report.status or (last.status in _FAILURES and report.status in UPDATE.again)
    return last if goes_on and not last.cancelled else None


def _result_of(status: FirmwareStatus) -> FirmwareResult | None:
    if status is FirmwareStatus.INSTALLED:
        return FirmwareResult.INSTALLED
    return FirmwareResult.FAILED if status in _FAILURES else None


def _being_installed(state: StationState) -> Update | None:
    """The youngest update that a boot can have to do with; None: there is none."""
    for update in reversed(state.firmware.updates):
        fetched = UPDATE.rank.get(update.status, 0) >= _INSTALLING_FROM and update.status not in _FAILURES
        done = update.cancelled or update.booted or (update.ended and update.unchanged)
        if fetched and not done:
            return update
    return None


def _expected_by(update: Update, status: FirmwareStatus, context: Context) -> datetime | None:
    """When more should be heard of it; an end is followed by nothing, and what is nothing changes nothing."""
    if status in UPDATE.ends:
        return None
    if status not in UPDATE.rank:
        return update.expected_by
    not_before = update.install_at if UPDATE.rank[status] >= _INSTALLING_FROM else update.retrieve_at
    return procedures.expected_by(context.now, _silence_s(UPDATE, status, context), not_before)


def _silence_s(steps: Steps, status: str, context: Context) -> float:
    return context.policy.diagnostics.firmware_silence_s * (PATIENCE if status in steps.patient else 1)


def _asked_early(state: StationState, request_id: int | None, context: Context) -> tuple[Record, ...]:
    """The update that a status is about which came before the answer to the command."""
    request = procedures.sent_request(state.queue, UpdateFirmware, request_id)
    if request is None or state.firmware.update(request_id) is not None:
        return ()
    return (Record(_update_asked(state, request, context, Said())),)


def _update_asked(state: StationState, request: CommandRequest, context: Context, said: Said) -> FirmwareUpdateAsked:
    command = request.command
    assert isinstance(command, UpdateFirmware)
    request_id = command.request_id or 0
    known = state.firmware.update(request_id)
    return FirmwareUpdateAsked(
        request_id=request_id,
        command_id=request.command_id,
        location=command.location,
        noted_at=context.now,
        accepted=said.accepted,
        answer=said.answer,
        signed=command.signature is not None,
        retrieve_at=command.retrieve_at,
        install_at=command.install_at,
        from_version=_version(state) if known is None else known.from_version,
        expected_by=procedures.expected_by(
            context.now, context.policy.diagnostics.firmware_silence_s, command.retrieve_at
        ),
    )


def _publication_early(state: StationState, request_id: int | None, context: Context) -> tuple[Record, ...]:
    request = procedures.sent_request(state.queue, PublishFirmware, request_id)
    if request is None or state.firmware.publication(request_id) is not None:
        return ()
    return (Record(_publication_asked(request, context, Said())),)


def _publication_asked(request: CommandRequest, context: Context, said: Said) -> PublicationAsked:
    command = request.command
    assert isinstance(command, PublishFirmware)
    return PublicationAsked(
        request_id=command.request_id or 0,
        command_id=request.command_id,
        location=command.location,
        checksum=command.checksum.lower(),
        noted_at=context.now,
        accepted=said.accepted,
        answer=said.answer,
        expected_by=procedures.expected_by(context.now, context.policy.diagnostics.firmware_silence_s),
    )
