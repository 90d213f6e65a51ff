"""`narke station add/register/import/passwd`: what the operator decides about stations.

A password that Narke draws is shown once, here, and kept nowhere but as its hash.
"""

import csv
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import typer

from deploy.cli.client import Api, path
from deploy.cli.command import AsJson, Reach, Station, client_command
from deploy.cli.errors import CliError, ExitCode, usage
from deploy.cli.output import Row, print_json
from deploy.cli.station_files import read_stations

CHUNK = 200
"""Stations of one request: those with chosen passwords cost 20 ms each."""
_PROFILES_WITH_PASSWORD = frozenset({1, 2})


class RegistrationWord(StrEnum):
    """What a station's boots are answered."""

    ACCEPTED = "Accepted"
    PENDING = "Pending"
    REJECTED = "Rejected"


Registration = Annotated[RegistrationWord | None, typer.Option(help="What its boots are answered.", show_default=False)]
Profile = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=3,
        help="Security profile; 1: password, 2: password over TLS, 3: certificate over TLS.",
        show_default=False,
    ),
]
NextProfile = Annotated[
    int | None,
    typer.Option(
        min=0, max=3, help="The one it was told to come with; both are accepted till then.", show_default=False
    ),
]
AskPassword = Annotated[bool, typer.Option("--password", help="Ask for its password.")]
Generate = Annotated[
    bool, typer.Option("--generate-password", help="Draw its password at random and print it, this once.")
]
Note = Annotated[str | None, typer.Option(help="For people.", show_default=False)]
CertificateName = Annotated[
    str | None,
    typer.Option(help="Common name in its certificate; without: its identity.", show_default=False),
]
Downgrade = Annotated[
    bool | None,
    typer.Option("--allow-downgrade/--no-downgrade", help="From profile 3 it may come with 2.", show_default=False),
]
AssumeOcpp16 = Annotated[
    bool | None,
    typer.Option(
        "--assume-ocpp16/--no-assume-ocpp16", help="It names no subprotocol and means ocpp1.6.", show_default=False
    ),
]
LenientUpgrade = Annotated[
    bool | None,
    typer.Option(
        "--lenient-upgrade/--strict-upgrade", help="Its handshake lacks Connection: Upgrade.", show_default=False
    ),
]


def register(station: typer.Typer) -> None:
    """Adds the commands to `narke station`."""
    client_command(station, "add")(add_station)
    client_command(station, "register")(register_station)
    client_command(station, "import")(import_stations)
    client_command(station, "passwd")(set_password)


def add_station(  # noqa: PLR0913 (each is an option)
    reach: Reach,
    station: Station,
    *,
    registration: Registration = None,
    profile: Profile = None,
    password: AskPassword = False,
    generate_password: Generate = False,
    certificate_name: CertificateName = None,
    allow_downgrade: Downgrade = None,
    assume_ocpp16: AssumeOcpp16 = None,
    lenient_upgrade: LenientUpgrade = None,
    note: Note = None,
    as_json: AsJson = False,
) -> None:
    """Register a new station."""
    body = _said(
        registration=registration or RegistrationWord.ACCEPTED,
        security_profile=profile,
        certificate_name=certificate_name,
        downgrade_allowed=allow_downgrade,
        assume_ocpp16=assume_ocpp16,
        lenient_upgrade=lenient_upgrade,
        note=note,
    )
    body |= _password_of(station, ask=password, generate=generate_password)
    with reach.api() as api:
        if _known(api, station)["registered"]:
            todo = f"change it with narke station register {station}"
            raise CliError(f"station {station} is registered already", todo, ExitCode.REFUSED)
        _report(api.send("PUT", path("stations", station), body), "registered", as_json=as_json)


def register_station(  # noqa: PLR0913 (each is an option)
    reach: Reach,
    station: Station,
    *,
    registration: Registration = None,
    profile: Profile = None,
    next_profile: NextProfile = None,
    password: AskPassword = False,
    generate_password: Generate = False,
    certificate_name: CertificateName = None,
    allow_downgrade: Downgrade = None,
    assume_ocpp16: AssumeOcpp16 = None,
    lenient_upgrade: LenientUpgrade = None,
    note: Note = None,
    as_json: AsJson = False,
) -> None:
    """Register a station, or change its record: what is not given stays as it is."""
    changes = _said(
        registration=registration,
        security_profile=profile,
        security_profile_next=next_profile,
        certificate_name=certificate_name,
        downgrade_allowed=allow_downgrade,
        assume_ocpp16=assume_ocpp16,
        lenient_upgrade=lenient_upgrade,
        note=note,
    )
    changes |= _password_of(station, ask=password, generate=generate_password)
    with reach.api() as api:
        _report(_register(api, station, changes), "registered", as_json=as_json)


def set_password(  # noqa: PLR0913 (each is an option)
    reach: Reach,
    station: Station,
    *,
    stdin: Annotated[bool, typer.Option("--stdin", help="Read it from standard input, for scripts.")] = False,
    generate: Annotated[bool, typer.Option("--generate", help="Draw it at random and print it, this once.")] = False,
    is_next: Annotated[
        bool, typer.Option("--next", help="The old one is good too, until the station has shown the new one.")
    ] = False,
    drop_next: Annotated[bool, typer.Option("--drop-next", help="Give up the one that is on its way.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="The station needs none any more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Set a station's password for HTTP Basic authentication (security profiles 1 and 2).

    This changes what Narke accepts, not what the station uses: see `narke station rotate-password` for both.
    """
    if sum((stdin, generate, remove, drop_next)) > 1:
        raise usage("--stdin, --generate, --drop-next and --remove exclude each other", "give one of them")
    field = "password_next" if is_next else "password"
    with reach.api() as api:
        profile = int(_known(api, station)["security_profile"] or 0)
        if remove or drop_next:
            changes: Row = {"password_next": None}
            if remove:
                changes |= {"password": None, "security_profile": 0 if profile in _PROFILES_WITH_PASSWORD else profile}
            done = "password removed" if remove else "the next password is given up"
        else:
            done = "password set"
            changes = {"security_profile": max(profile, 1)}
            changes |= {"generate": field} if generate else {field: _read_password(station, stdin=stdin)}
        _report(api.send("PATCH", path("stations", station), changes), done, as_json=as_json)


def import_stations(
    reach: Reach,
    file: Annotated[Path, typer.Argument(help="CSV with a header line, or JSON.", show_default=False)],
    *,
    generate_passwords: Annotated[
        bool, typer.Option("--generate-passwords", help="Draw one for each station whose password is not in the file.")
    ] = False,
    random_passwords: Annotated[
        bool, typer.Option("--random-passwords", help="Those in the file were drawn by a machine: quick to verify.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="New file for generated passwords; else standard output.", show_default=False
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Register the stations of a file, or change what it says of those that are registered."""
    rows = read_stations(file)
    for _, row in rows:
        if generate_passwords and "password" not in row and row.get("security_profile") != 3:
            row["generate"] = "password"
        if random_passwords:
            row["passwords_are_random"] = True
    saved = 0
    generated: dict[str, str] = {}
    try:
        with reach.api() as api:
            for begin in range(0, len(rows), CHUNK):
                chunk = rows[begin : begin + CHUNK]
                answer = _import(api, chunk, saved)
                saved += answer["saved"]
                generated |= answer["generated_passwords"]
    finally:  # those that were saved can be told only now
        _tell_passwords(generated, output)
    if as_json and output is not None:
        print_json({"saved": saved})
    else:
        typer.echo(f"{saved} stations saved", err=output is None and bool(generated))


def _import(api: Api, chunk: list[tuple[str, Row]], saved: int) -> Row:
    try:
        answer: Row = api.send("POST", "/api/v1/stations", [row for _, row in chunk])
    except CliError as error:
        what = error.what
        for index in reversed(range(len(chunk))):
            what = what.replace(f"body[{index}].", f"{chunk[index][0]}: ")
        raise CliError(f"{what}\n{saved} stations before {chunk[0][0]} are saved", error.todo, error.code) from error
    return answer


def _tell_passwords(generated: dict[str, str], output: Path | None) -> None:
    """Writes station,password lines; a file is new and readable for its owner only."""
    if not generated:
        return
    if output is None:
        _write(generated, sys.stdout)
        return
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        typer.echo(f"{output} cannot be written ({error.strerror}); the passwords:", err=True)
        _write(generated, sys.stdout)
        return
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        _write(generated, file)


def _write(generated: dict[str, str], to: TextIO) -> None:
    writer = csv.writer(to, lineterminator="\n")
    writer.writerow(("station", "password"))
    writer.writerows(generated.items())


def _said(**values: object) -> Row:
    return {name: value for name, value in values.items() if value is not None}


def _password_of(station: str, *, ask: bool, generate: bool) -> Row:
    if ask and generate:
        raise usage("--password and --generate-password exclude each other", "give one of them")
    if generate:
        return {"generate": "password"}
    return {"password": _ask_password(station)} if ask else {}


def _read_password(station: str, *, stdin: bool) -> str:
    if stdin:
        return typer.get_text_stream("stdin").readline().rstrip("\r\n")
    return _ask_password(station)


def _ask_password(station: str) -> str:
    answer: str = typer.prompt(f"Password of {station}", hide_input=True, confirmation_prompt=True)
    return answer


def _known(api: Api, station: str) -> Row:
    """What is known of a station; one of which nothing is known is not registered."""
    try:
        row: Row = api.get(path("stations", station))["station"]
    except CliError as error:
        if error.code is not ExitCode.NOT_FOUND:
            raise
        return {"registered": False, "security_profile": None}
    return row


def _register(api: Api, station: str, changes: Row) -> Row:
    """Changes the record; a station that has none is accepted unless told otherwise."""
    try:
        changed: Row = api.send("PATCH", path("stations", station), changes)
    except CliError as error:
        if error.code is not ExitCode.NOT_FOUND:
            raise
        changed = api.send("PATCH", path("stations", station), {"registration": "Accepted", **changes})
    return changed


def _report(record: Row, done: str, *, as_json: bool) -> None:
    if as_json:
        print_json(record)
        return
    typer.echo(f"{record['station']}: {done}")
    if record.get("generated_password"):
        typer.echo(f"password: {record['generated_password']}")
        typer.echo("it is shown this once; Narke keeps only its hash", err=True)
