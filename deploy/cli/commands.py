"""Commands to stations: any action, the everyday ones by name, and the record of what was commanded."""

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from deploy.cli.client import Api, path
from deploy.cli.command import AsJson, Connector, Deadline, Evse, Limit, Reach, Station, client_command
from deploy.cli.errors import CliError, ExitCode, usage
from deploy.cli.output import Column, Row, moment, print_fields, print_json, print_rows, styled, when
from deploy.cli.payloads import read_payload
from deploy.cli.stations import hint_of_limit
from deploy.cli.times import Since, Until, now, parse_time

_COMMANDS = (
    Column("ID", "command_id", whole=True),
    Column("REQUESTED", moment("requested_at")),
    Column("STATION", "station"),
    Column("COMMAND", lambda row: row["action"] or row["kind"]),
    Column("RESULT", lambda row: row["result"] or ("sent" if row["sent_at"] else "queued")),
    Column("STATUS", "status"),
)
_ENOUGH = 2


class ResultWord(StrEnum):
    """How a command ended."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    OFFLINE = "offline"
    LOST = "lost"
    NOT_EXPRESSIBLE = "not_expressible"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REPLACED = "replaced"


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for name, function in (
        ("send", send),
        ("start", start),
        ("stop", stop),
        ("reset", reset),
        ("unlock", unlock),
        ("trigger", trigger),
        ("availability", availability),
    ):
        client_command(app, name)(function)
    record = typer.Typer(help="What was commanded, and what came of it.", no_args_is_help=True)
    client_command(record, "list")(list_commands)
    client_command(record, "show")(show_command)
    client_command(record, "cancel")(cancel_command)
    app.add_typer(record, name="command")


def send(  # noqa: PLR0913 (each is an argument or option)
    reach: Reach,
    station: Station,
    action: Annotated[
        str,
        typer.Argument(
            help="OCPP action, e.g. GetLocalListVersion; or a command of Narke's, the same in all versions, "
            "e.g. reserve_now.",
            show_default=False,
        ),
    ],
    payload: Annotated[str, typer.Argument(help="Its payload or fields: JSON, @FILE, or - for standard input.")] = "{}",
    *,
    deadline: Deadline = None,
    wait_for_station: Annotated[
        bool, typer.Option("--wait-for-station", help="Where it is offline: send it when it is back.")
    ] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Say its id as soon as it is on record.")] = False,
    priority: Annotated[int, typer.Option(min=-100, max=100, help="The highest that waits goes first.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Send any OCPP action that a CSMS can send, checked by its official schema, or a command of Narke's."""
    fields = read_payload(payload)
    body: Row = {"action": action, "payload": fields} if action[:1].isupper() else {"command": action, **fields}
    body |= {
        "deadline_s": deadline,
        "priority": priority or None,
        "when_offline": "wait" if wait_for_station else None,
        "answer": "recorded" if no_wait else None,
    }
    _command(reach, station, "commands", body, as_json=as_json)


def start(  # noqa: PLR0913 (each is an argument or option)
    reach: Reach,
    station: Station,
    *,
    token: Annotated[str, typer.Option(help="Whose transaction it is: idTag or idToken.", show_default=False)],
    token_type: Annotated[str | None, typer.Option(help="2.x idToken type.", show_default="Central")] = None,
    evse: Evse = None,
    connector: Connector = None,
    deadline: Deadline = None,
    as_json: AsJson = False,
) -> None:
    """Start a transaction at a station."""
    body = {"token": token, "token_type": token_type, "evse": evse, "connector": connector, "deadline_s": deadline}
    _command(reach, station, "start", body, as_json=as_json)


def stop(
    reach: Reach,
    station: Station,
    transaction: Annotated[
        str | None, typer.Argument(help="Transaction id.", show_default="the station's only open one")
    ] = None,
    *,
    named: Annotated[
        str | None, typer.Option("--transaction", help="The same, as an option.", show_default=False)
    ] = None,
    deadline: Deadline = None,
    as_json: AsJson = False,
) -> None:
    """Stop a transaction."""
    if transaction is not None and named is not None:
        raise usage("the transaction is named twice", "name it as an argument or with --transaction")
    with reach.api() as api:
        transaction_id = transaction or named or _only_open(api, station)
        body = {"transaction_id": transaction_id, "deadline_s": deadline}
        answer = api.command(station, "stop", body)
    tell(answer, as_json=as_json)


def reset(  # noqa: PLR0913 (each is an argument or option)
    reach: Reach,
    station: Station,
    *,
    hard: Annotated[bool, typer.Option("--hard/--soft", help="At once; or when no transaction runs.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="OCPP 2.1: at once, and transactions go on after.")] = False,
    evse: Evse = None,
    deadline: Deadline = None,
    as_json: AsJson = False,
) -> None:
    """Restart a station, softly unless told otherwise."""
    kind = "ImmediateAndResume" if resume else "Immediate" if hard else "OnIdle"
    _command(reach, station, "reset", {"kind": kind, "evse": evse, "deadline_s": deadline}, as_json=as_json)


def unlock(
    reach: Reach,
    station: Station,
    evse: Annotated[int, typer.Argument(min=1, help="EVSE (OCPP 1.6: connectorId).")] = 1,
    connector: Annotated[int, typer.Argument(min=1, help="Connector of the EVSE.")] = 1,
    *,
    deadline: Deadline = None,
    as_json: AsJson = False,
) -> None:
    """Unlock a connector."""
    _command(reach, station, "unlock", {"evse": evse, "connector": connector, "deadline_s": deadline}, as_json=as_json)


def trigger(  # noqa: PLR0913 (each is an argument or option)
    reach: Reach,
    station: Station,
    message: Annotated[str, typer.Argument(help="Name of the message, e.g. StatusNotification.", show_default=False)],
    *,
    evse: Evse = None,
    connector: Connector = None,
    deadline: Deadline = None,
    as_json: AsJson = False,
) -> None:
    """Ask a station for a message."""
    body = {"message": message, "evse": evse, "connector": connector, "deadline_s": deadline}
    _command(reach, station, "trigger", body, as_json=as_json)


def availability(  # noqa: PLR0913 (each is an argument or option)
    reach: Reach,
    station: Station,
    *,
    operative: Annotated[
        bool, typer.Option("--operative/--inoperative", help="In or out of service.", show_default=False)
    ],
    evse: Evse = None,
    connector: Connector = None,
    deadline: Deadline = None,
    as_json: AsJson = False,
) -> None:
    """Take a station, an EVSE or a connector in or out of service."""
    body = {"operative": operative, "evse": evse or 0, "connector": connector, "deadline_s": deadline}
    _command(reach, station, "availability", body, as_json=as_json)


def list_commands(  # noqa: PLR0913 (each is an option)
    reach: Reach,
    *,
    station: Annotated[str | None, typer.Option(help="Only to this station.", show_default=False)] = None,
    result: Annotated[ResultWord | None, typer.Option(help="How they ended.", show_default=False)] = None,
    is_open: Annotated[
        bool | None, typer.Option("--open/--settled", help="Without an outcome yet, or with one.")
    ] = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List commands, newest first."""
    present = now()
    query = {
        "station": station,
        "result": result,
        "open": is_open,
        "since": parse_time(since, "--since", present),
        "until": parse_time(until, "--until", present),
    }
    with reach.api() as api:
        rows = list(api.rows("/api/v1/commands", query, limit))
    print_rows(_COMMANDS, rows, as_json=as_json, none="nothing was commanded, or nothing that matches")
    hint_of_limit(rows, limit, as_json=as_json)


def show_command(
    reach: Reach,
    command_id: Annotated[str, typer.Argument(help="Id of the command.", show_default=False)],
    *,
    as_json: AsJson = False,
) -> None:
    """Show a command and what came of it."""
    with reach.api() as api:
        row: Row = api.get(path("commands", command_id))
    if as_json:
        print_json(row)
        return
    print_fields(
        [
            ("command", row["command_id"]),
            ("station", row["station"]),
            ("what", row["action"] or row["kind"]),
            ("as asked", _json(row["command"])),
            ("by", row["requested_by"]),
            ("requested", when(row["requested_at"])),
            ("until", when(row["deadline_at"])),
            ("priority", row["priority"] or None),
            ("sent", when(row["sent_at"]) or ("no" if row["settled_at"] else "not yet")),
            ("settled", when(row["settled_at"]) or "open"),
            ("result", row["result"]),
            ("status", row["status"]),
            ("detail", row["detail"]),
            ("answer", _json(row["payload"])),
            ("variables", _json(row["variables"] or None)),
        ]
    )


def cancel_command(
    reach: Reach,
    command_id: Annotated[str, typer.Argument(help="Id of the command.", show_default=False)],
) -> None:
    """Take a command back while it waits for its station."""
    with reach.api() as api:
        api.send("DELETE", path("commands", command_id))
    typer.echo(f"{command_id}: taken back; nothing was sent")


def _command(reach: Reach, station: str, kind: str, body: Row, *, as_json: bool) -> None:
    with reach.api() as api:
        answer = api.command(station, kind, {name: value for name, value in body.items() if value is not None})
    tell(answer, as_json=as_json)


def tell(answer: Row, *, as_json: bool) -> None:
    """Says what the station answered; a no is exit status 5. A command that is only on record says its id."""
    if "result" not in answer:
        if as_json:
            print_json(answer)
        else:
            what = f"`narke command show {answer['command_id']}` tells what came of it"
            typer.echo(f"{answer['station']}: on record; {what}")
        return
    accepted = answer["result"] == "accepted"
    if as_json:
        print_json(answer)
    else:
        from deploy.cli.output import console  # noqa: PLC0415 (rich: not for --json)

        line = styled(f"{answer['station']}: ")
        line.append_text(styled(answer["result"]))
        line.append(f" {answer['status']}" if answer["status"] else "")
        line.append(f" ({answer['detail']})" if answer["detail"] else "")
        console().print(line, soft_wrap=True)
        for variable in answer["variables"]:
            typer.echo(_variable_line(variable))
        if not answer["variables"] and set(answer["payload"] or {}) - {"status"}:
            print_json(answer["payload"])
    if not accepted:
        raise typer.Exit(ExitCode.REFUSED)


def _variable_line(variable: Row) -> str:
    name = ".".join(filter(None, (variable["component"], variable["variable"])))
    value = "" if variable["value"] is None else f" = {variable['value']}"
    return f"  {name}{value} ({variable['status']}{', readonly' if variable['readonly'] else ''})"


def _only_open(api: Api, station: str) -> str:
    """The station's only open transaction.

    Raises:
        CliError: It has none, or several.
    """
    page = api.page("/api/v1/transactions", {"station": station, "open": True, "limit": _ENOUGH})
    found = [str(row["transaction_id"]) for row in page["items"]]
    if len(found) == 1:
        return found[0]
    if not found:
        api.get(path("stations", station))  # tells an unknown station from one without transactions
        what, todo = f"{station} has no open transaction", f"`narke transactions --station {station}` lists all of them"
        raise CliError(what, todo, ExitCode.NOT_FOUND)
    raise usage(f"{station} has several open transactions", f"name one; `narke station show {station}` lists them")


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)
