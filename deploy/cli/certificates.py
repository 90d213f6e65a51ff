"""`narke certificate ...`, `narke security ...`: certificates of stations, what they tell of attempts on them."""

import re
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.client import Api, path
from deploy.cli.command import AsJson, Deadline, Limit, Reach, Station, client_command
from deploy.cli.errors import CliError, ExitCode, usage
from deploy.cli.output import Column, Row, moment, print_fields, print_json, print_rows, when
from deploy.cli.stations import hint_of_limit
from deploy.cli.times import Since, Until, now, parse_time

_AHEAD = re.compile(r"(\d{1,5})([hdw])")
_HOURS_OF_UNIT = {"h": 1, "d": 24, "w": 168}

_CERTIFICATES = (
    Column("WHERE", "where"),
    Column("KIND", "kind"),
    Column("NAME", "name"),
    Column("SERIAL", "serial_number", whole=True),
    Column("EXPIRES", moment("expires_at")),
)
_REQUESTS = (
    Column("REQUEST", "request", whole=True),
    Column("STATION", "station"),
    Column("ASKED", moment("asked_at")),
    Column("FOR", lambda row: row["certificate_type"] or "ChargingStationCertificate"),
    Column("STATE", "state"),
    Column("DETAIL", "detail", wrap=True),
)
_INSTALLED = (
    Column("USE", "use"),
    Column("SERIAL", "serial_number", whole=True),
    Column("ALGORITHM", "hash_algorithm"),
    Column("BELOW", "parent"),
    Column("SEEN", moment("listed_at")),
)
_EVENTS = (
    Column("RECEIVED", moment("received_at")),
    Column("STATION", "station"),
    Column("EVENT", "type"),
    Column("CRITICAL", lambda row: {True: "critical", False: "no", None: "-"}[row["critical"]]),
    Column("DETAIL", "detail", wrap=True),
)
_RENEWALS = {False: "SignChargingStationCertificate", True: "SignV2GCertificate"}
_RENEWAL_V16 = "SignChargePointCertificate"
_USES_V16 = ("CSMSRootCertificate", "ManufacturerRootCertificate")

RequestName = Annotated[str, typer.Argument(help="The request, as `requests` shows it.", show_default=False)]
Serial = Annotated[str, typer.Argument(help="Serial number, hexadecimal.", show_default=False)]


class Use(StrEnum):
    """What an installed certificate is for."""

    CSMS = "CSMSRootCertificate"
    MANUFACTURER = "ManufacturerRootCertificate"
    V2G = "V2GRootCertificate"
    MO = "MORootCertificate"
    OEM = "OEMRootCertificate"


class State(StrEnum):
    """How far a request is."""

    ASKED = "asked"
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"
    SIGNED = "signed"
    SENT = "sent"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FAILED = "failed"


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    certificate = typer.Typer(help="Certificates of stations.", no_args_is_help=True)
    for name, function in (
        ("list", list_certificates),
        ("show", show_certificate),
        ("revoke", revoke_certificate),
        ("requests", list_requests),
        ("approve", approve),
        ("reject", reject),
        ("renew", renew),
        ("install", install),
        ("installed", installed),
        ("delete", delete),
    ):
        client_command(certificate, name)(function)
    app.add_typer(certificate, name="certificate")
    security = typer.Typer(help="Security of stations.", no_args_is_help=True)
    client_command(security, "events")(security_events)
    app.add_typer(security, name="security")


def list_certificates(
    reach: Reach,
    *,
    expiring: Annotated[
        str | None, typer.Option(help="Only what is over within this time: 12h, 30d, 8w.", show_default=False)
    ] = None,
    name: Annotated[str | None, typer.Option(help="Only of this common name or station.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """List certificates that Narke issued and roots that it installed, the next to expire first."""
    until = None if expiring is None else _ahead(expiring)
    with reach.api() as api:
        issued = _issued(api, until, name)
        roots = list(api.rows("/api/v1/installed-roots", {"station": name}, 0))
    rows = [{"where": "issued", **row} for row in issued]
    rows += [
        {
            "where": row["station"],
            "kind": row["use"],
            "name": row["subject"],
            "serial_number": row["serial_number"],
            "expires_at": row["expires_at"],
        }
        for row in roots
        if until is None or row["expires_at"] < until
    ]
    rows.sort(key=lambda row: str(row["expires_at"]))
    none = "no certificate is known" if until is None else "no certificate expires within that time"
    print_rows(_CERTIFICATES, rows, as_json=as_json, none=none)


def show_certificate(reach: Reach, serial: Serial, *, as_json: AsJson = False) -> None:
    """Show a certificate that Narke issued, with its chain in PEM."""
    with reach.api() as api:
        found: Row = api.get(path("certificates", serial))
    if as_json:
        print_json(found)
        return
    row = found["certificate"]
    print_fields(
        [
            ("serial", row["serial_number"]),
            ("kind", row["kind"]),
            ("name", row["name"]),
            ("issuer", row["issuer"]),
            ("asked for by", row["station"]),
            ("issued", when(row["issued_at"])),
            ("from", when(row["begins_at"])),
            ("until", when(row["expires_at"])),
            ("revoked", when(row["revoked_at"])),
            ("why", row["reason"]),
        ]
    )
    typer.echo(found["chain"], nl=False)


def revoke_certificate(
    reach: Reach,
    serial: Serial,
    *,
    reason: Annotated[str, typer.Option(help="Why, as RFC 5280 words it.")] = "unspecified",
    as_json: AsJson = False,
) -> None:
    """Revoke a certificate; the TLS port and OCSP know at once."""
    with reach.api() as api:
        row: Row = api.send("POST", path("certificates", serial, "revoke"), {"reason": reason})
    if as_json:
        print_json(row)
    else:
        typer.echo(f"{row['serial_number']} ({row['name']}): revoked {when(row['revoked_at'])}")


def list_requests(
    reach: Reach,
    *,
    station: Annotated[str | None, typer.Option(help="Only of this station.", show_default=False)] = None,
    state: Annotated[State | None, typer.Option(help="Only those that are so far.", show_default=False)] = None,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List what stations ask for and what became of it, newest first."""
    query = {"station": station, "state": None if state is None else state.value}
    with reach.api() as api:
        rows = list(api.rows("/api/v1/certificate-requests", query, limit))
    print_rows(_REQUESTS, rows, as_json=as_json, none="no station asked for a certificate, or none that matches")
    hint_of_limit(rows, limit, as_json=as_json)


def approve(reach: Reach, request: RequestName, *, as_json: AsJson = False) -> None:
    """Sign a station's request; the certificate goes to the station, now or when it is back."""
    with reach.api() as api:
        where = path("certificate-requests", _station_of(api, request), request, "approve")
        answer: Row = api.send("POST", where, {})
    if as_json:
        print_json(answer)
    else:
        until = when(answer["expires_at"])
        typer.echo(f"{answer['station']}: signed until {until}, serial number {answer['serial_number']}")


def reject(
    reach: Reach,
    request: RequestName,
    *,
    reason: Annotated[str, typer.Option(help="Why; the station is told when it asks again.")] = "no reason given",
    as_json: AsJson = False,
) -> None:
    """Say no to a station's request."""
    with reach.api() as api:
        where = path("certificate-requests", _station_of(api, request), request, "reject")
        answer: Row = api.send("POST", where, {"reason": reason})
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"{answer['station']}: rejected")


def renew(
    reach: Reach,
    station: Station,
    *,
    v2g: Annotated[bool, typer.Option("--v2g", help="The certificate for cars instead of its own.")] = False,
    deadline: Deadline = None,
    as_json: AsJson = False,
) -> None:
    """Ask a station for a new key; it then asks for a certificate, which Narke signs (A02)."""
    with reach.api() as api:
        is_v16 = _version_of(api, station) == "1.6"
        if is_v16 and v2g:
            raise usage(f"{station} speaks OCPP 1.6, which has no certificates for cars", "leave --v2g out")
        message = _RENEWAL_V16 if is_v16 else _RENEWALS[v2g]
        answer = api.command(station, "trigger", _body({"message": message, "deadline_s": deadline}))
    _tell(answer, as_json=as_json)


def install(
    reach: Reach,
    station: Station,
    use: Annotated[Use, typer.Argument(help="What for.", show_default=False)],
    file: Annotated[Path, typer.Argument(help="The root in PEM.", show_default=False)],
    *,
    deadline: Deadline = None,
    as_json: AsJson = False,
) -> None:
    """Install a root in a station (M05)."""
    try:
        certificate = file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no PEM"
        raise usage(f"{file} cannot be read: {reason}", "give a certificate in PEM") from error
    body = {
        "command": "install_certificate",
        "use": use.value,
        "certificate": certificate,
        "deadline_s": deadline,
    }
    with reach.api() as api:
        answer = api.command(station, "commands", _body(body))
    _tell(answer, as_json=as_json)


def installed(
    reach: Reach,
    station: Station,
    *,
    ask: Annotated[bool, typer.Option("--ask", help="Ask the station first.")] = False,
    deadline: Deadline = None,
    as_json: AsJson = False,
) -> None:
    """Show which certificates a station has, as of when it was last asked."""
    with reach.api() as api:
        if ask:
            uses = [[use] for use in _USES_V16] if _version_of(api, station) == "1.6" else [[]]
            for each in uses:
                body = {"command": "get_installed_certificates", "uses": each, "deadline_s": deadline}
                _require_answer(api.command(station, "commands", _body(body)))
        rows = list(api.rows("/api/v1/installed-certificates", {"station": station}, 0))
    print_rows(_INSTALLED, rows, as_json=as_json, none="no certificate is known; --ask asks the station")


def delete(
    reach: Reach,
    station: Station,
    serial: Serial,
    *,
    deadline: Deadline = None,
    as_json: AsJson = False,
) -> None:
    """Delete a certificate of a station, named as the station named it (M04)."""
    wanted = _plain(serial)
    with reach.api() as api:
        rows = api.rows("/api/v1/installed-certificates", {"station": station}, 0)
        found = [row for row in rows if _plain(row["serial_number"]) == wanted]
        if not found:
            what = f"{station} is not known to have a certificate {serial}"
            raise CliError(what, f"`narke certificate installed {station} --ask` asks the station", ExitCode.NOT_FOUND)
        row = found[0]
        certificate = {
            "algorithm": row["hash_algorithm"],
            "issuer_name_hash": row["issuer_name_hash"],
            "issuer_key_hash": row["issuer_key_hash"],
            "serial_number": row["serial_number"],
        }
        body = {"command": "delete_certificate", "certificate": certificate, "deadline_s": deadline}
        answer = api.command(station, "commands", _body(body))
    _tell(answer, as_json=as_json)


def security_events(  # noqa: PLR0913 (each is an option)
    reach: Reach,
    *,
    station: Annotated[str | None, typer.Option(help="Only of this station.", show_default=False)] = None,
    event: Annotated[
        str | None, typer.Option("--type", help="Only of this type, e.g. TamperDetectionActivated.", show_default=False)
    ] = None,
    critical: Annotated[
        bool | None, typer.Option("--critical/--not-critical", help="Only critical ones, or only others.")
    ] = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List security events, newest first."""
    present = now()
    query = {
        "station": station,
        "type": event,
        "critical": critical,
        "since": parse_time(since, "--since", present),
        "until": parse_time(until, "--until", present),
    }
    with reach.api() as api:
        rows = list(api.rows("/api/v1/security-events", query, limit))
    print_rows(_EVENTS, rows, as_json=as_json, none="there are no security events, or none that match")
    hint_of_limit(rows, limit, as_json=as_json)


def _issued(api: Api, until: str | None, name: str | None) -> list[Row]:
    """What our authority issued; nothing where there is none."""
    try:
        found: list[Row] = api.get("/api/v1/certificates", {"expires_before": until, "name": name})["items"]
    except CliError as error:
        if error.code is ExitCode.NOT_FOUND:
            return []
        raise
    return found


def _station_of(api: Api, request: str) -> str:
    """Whose request it is. Raises CliError."""
    rows = api.page("/api/v1/certificate-requests", {"request": request, "limit": 1})["items"]
    if not rows:
        todo = "`narke certificate requests` lists all; a new one takes a moment to appear"
        raise CliError(f"there is no request {request}", todo, ExitCode.NOT_FOUND)
    return str(rows[0]["station"])


def _version_of(api: Api, station: str) -> str | None:
    found: Row = api.get(path("stations", station))
    version: str | None = found.get("station", found).get("version")
    return version


def _body(values: dict[str, Any]) -> Row:
    return {name: value for name, value in values.items() if value is not None}


def _tell(answer: Row, *, as_json: bool) -> None:
    """Says what the station answered; a no is exit status 5."""
    if as_json:
        print_json(answer)
    else:
        detail = f" ({answer['detail']})" if answer["detail"] else ""
        typer.echo(f"{answer['station']}: {answer['result']} {answer['status'] or ''}{detail}".rstrip())
    if answer["result"] != "accepted":
        raise typer.Exit(ExitCode.REFUSED)


def _require_answer(answer: Row) -> None:
    if answer["result"] != "accepted":
        what = f"{answer['station']} did not tell: {answer['result']} {answer['detail'] or answer['status'] or ''}"
        raise CliError(what.rstrip(), "see `narke messages` for what it said", ExitCode.REFUSED)


def _plain(serial: str) -> str:
    return serial.lower().removeprefix("0x").lstrip("0")


def _ahead(text: str) -> str:
    """A moment in the future as the API takes it. Raises CliError."""
    found = _AHEAD.fullmatch(text.strip())
    if found is None:
        raise usage(f"--expiring: {text!r} is no time", "write it as 12h, 30d or 8w")
    at = now() + timedelta(hours=int(found[1]) * _HOURS_OF_UNIT[found[2]])
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
