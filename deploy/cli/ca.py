"""`narke ca ...`: the certificate authority of a Narke on this machine. For development and small fleets.

Works on the files of the data directory, whether Narke runs or not; what runs sees changes at once.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from deploy.cli.command import AsJson, Reach, client_command
from deploy.cli.errors import CliError, ExitCode, usage
from deploy.cli.output import Column, Row, moment, print_fields, print_json, print_rows, when
from deploy.cli.times import now

if TYPE_CHECKING:
    from storage.authority.folder import Places
    from storage.authority.local import LocalAuthority
    from storage.authority.register import Issued
    from storage.authority.settings import CertificateSettings

_ISSUED = (
    Column("SERIAL", "serial_number", whole=True),
    Column("KIND", "kind"),
    Column("NAME", "name"),
    Column("EXPIRES", moment("expires_at")),
    Column("REVOKED", moment("revoked_at")),
)
T = TypeVar("T")
Organisation = Annotated[
    str | None,
    typer.Option(help="Organisation (O) of all certificates.", show_default="certificates.organisation, else Narke"),
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    ca = typer.Typer(help="The certificate authority of the Narke on this machine.", no_args_is_help=True)
    client_command(ca, "init")(init)
    client_command(ca, "show")(show)
    client_command(ca, "list")(list_issued)
    client_command(ca, "revoke")(revoke)
    client_command(ca, "crl")(renew_lists)
    client_command(ca, "trust")(trust)
    issue = typer.Typer(help="Make keys and certificates.", no_args_is_help=True)
    client_command(issue, "server")(issue_server)
    client_command(issue, "station")(issue_station)
    ca.add_typer(issue, name="issue")
    app.add_typer(ca, name="ca")


def init(
    reach: Reach,
    *,
    organisation: Organisation = None,
    rsa: Annotated[bool, typer.Option("--rsa/--no-rsa", help="Authorities for RSA keys, too; OCPP wants both.")] = True,
    as_json: AsJson = False,
) -> None:
    """Make a certificate authority: roots and issuing authorities for servers, stations and cars."""
    from storage.authority.local import AuthorityExists, LocalAuthority  # noqa: PLC0415 (cryptography: not for --help)

    places, settings = _settled(reach, organisation)
    try:
        authority = LocalAuthority.create(places, settings, now(), ("ecdsa", "rsa") if rsa else ("ecdsa",))
    except AuthorityExists as error:
        raise usage(str(error), "`narke ca show` tells what it is") from error
    except OSError as error:
        raise _unwritable(places, error) from error
    _described(authority, as_json=as_json)
    if not as_json:
        typer.echo("next: `narke ca issue server HOST` for the TLS port; stations must trust the roots/", err=True)


def show(reach: Reach, *, as_json: AsJson = False) -> None:
    """Show the authority: its roots, where its files are, until when they count."""
    _described(_opened(reach), as_json=as_json)


def list_issued(
    reach: Reach,
    *,
    revoked: Annotated[bool, typer.Option("--revoked", help="Revoked ones, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List all certificates that the authority issued, the next to expire first."""
    rows = [_row(each) for each in _opened(reach).issued() if revoked or each.revoked_at is None]
    print_rows(_ISSUED, rows, as_json=as_json, none="nothing was issued")


def issue_server(
    reach: Reach,
    names: Annotated[
        list[str],
        typer.Argument(help="DNS names and addresses of the TLS port; the first is its name.", show_default=False),
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Make the certificates of the TLS port, one for ECDSA and one for RSA; replaces those that there are."""
    authority = _opened(reach)
    issued = _written(authority, lambda: authority.issue_server(names, now()))
    chains = [authority.places.server_chain(algorithm) for algorithm in authority.description.algorithms]
    _told(issued, chains, as_json=as_json)
    if not as_json:
        listed = ", ".join(f'"{chain}"' for chain in chains)
        keys = ", ".join(f'"{chain.with_suffix(".key")}"' for chain in chains)
        typer.echo("in narke.toml, to open the TLS port:", err=True)
        typer.echo(f"[ocpp]\ntls_certificates = [{listed}]\ntls_keys = [{keys}]", err=True)
        typer.echo(f'tls_client_ca = "{authority.places.clients}"', err=True)
        typer.echo(f'tls_crls = ["{authority.places.client_crls}"]', err=True)


def issue_station(
    reach: Reach,
    names: Annotated[list[str], typer.Argument(help="OCPP identities; case matters.", show_default=False)],
    *,
    rsa: Annotated[bool, typer.Option("--rsa", help="An RSA key instead of ECDSA.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make keys and client certificates for stations, to be put into them by hand."""
    authority = _opened(reach)
    algorithm = "rsa" if rsa else "ecdsa"
    _require_algorithm(authority, algorithm)
    _require_names(names)
    issued = _written(authority, lambda: [authority.issue_station(name, now(), algorithm) for name in names])
    _told(issued, [authority.places.station_chain(name, algorithm) for name in names], as_json=as_json)


def revoke(
    reach: Reach,
    serials: Annotated[
        list[str] | None, typer.Argument(help="Serial numbers, hexadecimal.", show_default=False)
    ] = None,
    *,
    station: Annotated[str | None, typer.Option(help="All certificates of this station.", show_default=False)] = None,
    reason: Annotated[str, typer.Option(help="Why, as RFC 5280 words it.")] = "unspecified",
) -> None:
    """Revoke certificates; the TLS port and OCSP know at once."""
    from storage.authority.local import REASONS  # noqa: PLC0415 (cryptography: not for --help)

    if reason not in REASONS:
        raise usage(f"--reason: {reason!r} is no reason", f"use one of {', '.join(REASONS)}")
    if bool(serials) == (station is not None):
        raise usage("nothing, or two things, to revoke", "give serial numbers, or --station")
    authority = _opened(reach)
    wanted = serials or [
        each.serial_number
        for each in authority.issued(name=station)
        if each.revoked_at is None and each.kind in ("station", "v2g")
    ]
    done = _written(authority, lambda: authority.revoke(wanted, now(), reason))
    for serial in done:
        typer.echo(f"{serial}: revoked")
    if not done:
        what = "no certificate was revoked: there is none such, or it was revoked before"
        raise CliError(what, "`narke ca list --revoked` shows all", ExitCode.NOT_FOUND)


def renew_lists(reach: Reach) -> None:
    """Write the revocation lists anew; Narke does it by itself once a month."""
    authority = _opened(reach)
    _written(authority, lambda: authority.publish(now()))
    typer.echo(f"{authority.places.crls}: written")


def trust(
    reach: Reach,
    files: Annotated[list[Path], typer.Argument(help="PEM files of others' roots and CAs.", show_default=False)],
) -> None:
    """Trust others' roots (mobility operators, V2G) in what they say of their certificates."""
    from storage.authority.folder import write  # noqa: PLC0415 (cryptography: not for --help)
    from storage.authority.pem import NotPem, certificates_from, chain_text  # noqa: PLC0415 (likewise)

    places, _ = _settled(reach, None)
    for file in files:
        try:
            certificates = certificates_from(file.read_text(encoding="utf-8"))
            write(places.trust / f"{file.stem}.pem", chain_text(*certificates).encode())
        except (NotPem, UnicodeDecodeError) as error:
            raise usage(f"{file}: {error}", "give certificates in PEM") from error
        except OSError as error:
            raise _unwritable(places, error) from error
        for certificate in certificates:
            typer.echo(f"{certificate.subject.rfc4514_string()}: trusted")


def _settled(reach: Reach, organisation: str | None) -> tuple["Places", "CertificateSettings"]:
    """The folder and its settings, as a Narke on this data directory would have them. Raises CliError."""
    from deploy.settings import Flag, SettingsError, load  # noqa: PLC0415 (pydantic: not for --help)
    from storage.authority.folder import Places  # noqa: PLC0415 (likewise)

    try:
        settings = load({"data_dir": Flag("--data-dir", str(reach.named.directory))}).settings
    except SettingsError as error:
        raise usage(str(error), "`narke config check` judges the settings") from error
    certificates = settings.certificates
    if organisation is not None:
        certificates = certificates.model_copy(update={"organisation": organisation})
    return Places(certificates.folder or settings.data_dir / "ca"), certificates


def _opened(reach: Reach) -> "LocalAuthority":
    from storage.authority.local import AuthorityMissing, LocalAuthority  # noqa: PLC0415 (cryptography: not for --help)

    places, settings = _settled(reach, None)
    try:
        return LocalAuthority(places, settings)
    except (AuthorityMissing, OSError) as error:
        raise CliError(
            str(error), "make one, or name its data directory with --data-dir", ExitCode.NOT_FOUND
        ) from error


def _written(authority: "LocalAuthority", change: Callable[[], T]) -> T:
    """What a change of the folder returns. Raises CliError."""
    import sqlite3  # noqa: PLC0415 (not for --help)

    try:
        return change()
    except sqlite3.Error as error:
        what = f"{authority.places.register} cannot be used: {error}"
        raise CliError(what, "be the user that Narke runs as", ExitCode.USAGE) from error
    except OSError as error:
        raise _unwritable(authority.places, error) from error
    except ValueError as error:
        raise usage(f"that cannot be in a certificate: {error}", "give other names") from error


def _described(authority: "LocalAuthority", *, as_json: bool) -> None:
    described = authority.description
    row: Row = {
        "folder": str(authority.places.path),
        "organisation": described.organisation,
        "made_at": _text(described.made_at),
        "authorities": [
            {"name": each.name, "expires_at": _text(each.certificate.not_valid_after_utc)} for each in authority.issuers
        ],
    }
    if as_json:
        print_json(row)
        return
    fields = [("folder", row["folder"]), ("organisation", row["organisation"]), ("made", when(row["made_at"]))]
    print_fields(fields + [(each["name"], f"until {when(each['expires_at'])}") for each in row["authorities"]])


def _told(issued: Sequence["Issued"], files: Sequence[Path], *, as_json: bool) -> None:
    rows = [_row(each) | {"file": str(file)} for each, file in zip(issued, files, strict=True)]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        typer.echo(f"{row['name']}: {row['file']} (until {when(row['expires_at'])})")


def _row(issued: "Issued") -> Row:
    return {
        "serial_number": issued.serial_number,
        "kind": issued.kind,
        "name": issued.name,
        "issuer": issued.issuer,
        "station": issued.station,
        "expires_at": _text(issued.expires_at),
        "revoked_at": None if issued.revoked_at is None else _text(issued.revoked_at),
        "reason": issued.reason,
    }


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _require_algorithm(authority: "LocalAuthority", algorithm: str) -> None:
    if algorithm not in authority.description.algorithms:
        raise usage(f"{authority.places.path} has no authority for {algorithm.upper()} keys", "leave --rsa out")


def _require_names(names: Sequence[str]) -> None:
    from storage.authority.signing_requests import COMMON_NAME_LENGTH_MAX  # noqa: PLC0415 (cryptography)

    for name in names:
        if not 0 < len(name) <= COMMON_NAME_LENGTH_MAX or ":" in name or not name.isprintable():
            raise usage(f"{name!r} is no OCPP identity", f"give 1 to {COMMON_NAME_LENGTH_MAX} characters without ':'")


def _unwritable(places: "Places", error: OSError) -> CliError:
    what = f"{places.path} cannot be written: {error.strerror or error}"
    return CliError(what, "be the user that Narke runs as", ExitCode.USAGE)
