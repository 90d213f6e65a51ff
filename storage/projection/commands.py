"""Commands: their requests and outcomes as rows. Bytes of JSON within them are shown as JSON, secrets are not."""

import msgspec

from engine.model.commands import Command, CommandRequested, CommandSent, CommandSettled
from engine.model.data_transfer import SendData
from engine.model.notices import RawCommand
from engine.redaction import redacted
from storage.projection.changes import RequestedCommand, SentCommand, SettledCommand
from storage.projection.clean import json_of, json_text, text, text_or_none


def requested_command(station: str, fact: CommandRequested) -> RequestedCommand:
    """The request's part of the row."""
    request = fact.request
    command = request.command
    return RequestedCommand(
        station=station,
        kind=type(command).__name__,
        requested_at=request.requested_at,
        action=text(command.action) if isinstance(command, RawCommand) else None,
        command=redacted(_json_of(command)),
        requested_by=text(request.by),
        deadline_at=request.deadline_at,
        priority=request.priority,
    )


def sent_command(station: str, fact: CommandSent) -> SentCommand:
    """When it went out."""
    return SentCommand(station, fact.at, fact.answer_by)


def settled_command(station: str, fact: CommandSettled) -> SettledCommand:
    """The outcome's part of the row."""
    outcome = fact.outcome
    return SettledCommand(
        station=station,
        settled_at=fact.at,
        result=outcome.result.value,
        status=text_or_none(outcome.status),
        detail=text_or_none(outcome.detail),
        payload=json_text(outcome.payload),
        variables=json_of(outcome.variables) if outcome.variables else None,
    )


def _json_of(command: Command) -> str:
    fields = {name: getattr(command, name) for name in command.__struct_fields__}
    match command:
        case RawCommand():
            fields["payload"] = _raw(command.payload)
        case SendData():
            fields["data"] = _raw(command.data)
        case _:
            pass
    return json_of(fields)


def _raw(payload: bytes | None) -> msgspec.Raw | None:
    written = json_text(payload)
    return None if written is None else msgspec.Raw(written.encode())
