"""What the user of the swarm may say, and the checks of it. Knows Locust's parser only by `add_argument`."""

import ssl
from argparse import ArgumentTypeError
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from loadtests.swarm.greenlets import SSLContext

Taken = TypeVar("Taken")

IDENTITY_CHARACTERS_MAX = 48
"""OCPP 2.1 part 4 section 3.1.1; our numbers take up to 20 of them."""
PREFIX_CHARACTERS_MAX = IDENTITY_CHARACTERS_MAX - 20
TOKEN_CHARACTERS_MAX = 20
"""1.6 type IdToken."""
OCPP_URL = "ws://127.0.0.1:9000/ocpp"
REST_URL = "http://127.0.0.1:8080"
SHAPES = (
    "steady_day",
    "morning_peak",
    "reconnect_storm",
    "ingress_restart",
    "firmware_wave",
    "flapping_cell",
    "blackout",
    "slow_consumers",
)


class OptionError(Exception):
    """An option, or two together, make no sense; says which, and what to do."""


class Parser(Protocol):
    """Locust's argument parser."""

    def add_argument(self, *names: str, **settings: Any) -> Any:
        """As argparse's, with more keywords."""


@dataclass(frozen=True)
class Options:
    """All that stations and operators need to know; times in s.

    Attributes:
        ocpp_url: Where stations connect, without their identity.
        rest_url: Where REST is.
        api_key: For REST; None: there is none, and no operators.
        tokens: What drivers present.
        prefix: Identities begin with it.
        password: HTTP Basic of all stations; None: none.
        ca_file: Whom wss and https are checked against; None: the machine's authorities.
        insecure: Certificates are not checked at all.
        connectors: Of each station.
        meter_interval_s: Between meter values while charging.
        charge_s: A car stays for half to one and a half of it.
        pause_s: Between two things that a station or an operator does, half to one and a half of it.
        answer_s_max: A reply that takes longer is a failure.
    """

    ocpp_url: str = OCPP_URL
    rest_url: str = REST_URL
    api_key: str | None = None
    tokens: tuple[str, ...] = ("SWARM-TOKEN",)
    prefix: str = "SWARM"
    password: str | None = None
    ca_file: str | None = None
    insecure: bool = False
    connectors: int = 1
    meter_interval_s: float = 10.0
    charge_s: float = 60.0
    pause_s: float = 10.0
    answer_s_max: float = 30.0

    def tls(self) -> ssl.SSLContext:
        """How wss is checked; for greenlets.

        Raises:
            OptionError: The file holds no certificates.
        """
        context: ssl.SSLContext = SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            if self.ca_file is None:
                context.load_default_certs()
            else:
                context.load_verify_locations(self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise OptionError(f"--ca-file {self.ca_file}: holds no certificates that can be read ({error})") from None
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def add_arguments(parser: Parser) -> None:
    """The swarm's own options, beside Locust's."""
    add = parser.add_argument
    add("--shape", env_var="NARKE_SHAPE", default="", type=shape_name, help=f"Scenario: {', '.join(SHAPES)}")
    add("--ocpp-url", default=OCPP_URL, type=ocpp_url, help="Where stations connect, without identity")
    add("--api-key", env_var="NARKE_API_KEY", default="", type=api_key, is_secret=True, help="Key for REST users")
    add("--tokens", default="SWARM-TOKEN", type=tokens, help="What drivers present, comma between")
    add("--prefix", default="SWARM", type=prefix, help="Identities of stations begin with it")
    add("--station-password", default="", is_secret=True, help="HTTP Basic of all stations; empty: none")
    add("--ca-file", default="", type=ca_file, help="Certificates (PEM) that wss and https are checked against")
    add("--insecure", action="store_true", help="Do not check certificates")
    add("--connectors", default=1, type=whole_number(1, 64), help="Of each station")
    add("--meter-interval", default=10.0, type=seconds(0.05, 86_400), help="Between meter values while charging, s")
    add("--charge-time", default=60.0, type=seconds(0.1, 86_400), help="A car stays about so long, s")
    add("--pause", default=10.0, type=seconds(0.0, 86_400), help="Between two things that a user does, about, s")
    add("--answer-timeout", default=30.0, type=seconds(0.1, 600), help="A reply that takes longer has failed, s")


def options_of(parsed: Any, rest_url: str | None) -> Options:
    """The options as Locust parsed them, or as its web form changed them. `rest_url`: Locust's `--host`; None: default.

    Raises:
        OptionError: Something is wrong; names the option.
    """
    texts: dict[str, Callable[[str], str]] = {"ocpp_url": ocpp_url, "api_key": api_key, "tokens": tokens}
    texts |= {"prefix": prefix, "ca_file": ca_file, "shape": shape_name}
    numbers: dict[str, Callable[[str], float]] = {
        "connectors": whole_number(1, 64),
        "meter_interval": seconds(0.05, 86_400),
        "charge_time": seconds(0.1, 86_400),
        "pause": seconds(0.0, 86_400),
        "answer_timeout": seconds(0.1, 600),
    }
    try:
        text = {name: _checked(name, check, getattr(parsed, name) or "") for name, check in texts.items()}
        number = {name: _checked(name, check, str(getattr(parsed, name))) for name, check in numbers.items()}
        host = _checked("host", http_url, rest_url or REST_URL)
    except ArgumentTypeError as error:
        raise OptionError(str(error)) from None
    return Options(
        ocpp_url=text["ocpp_url"] or OCPP_URL,
        rest_url=host,
        api_key=text["api_key"] or None,
        tokens=tuple(text["tokens"].split(",")),
        prefix=text["prefix"],
        password=parsed.station_password or None,
        ca_file=text["ca_file"] or None,
        insecure=bool(parsed.insecure),
        connectors=int(number["connectors"]),
        meter_interval_s=number["meter_interval"],
        charge_s=number["charge_time"],
        pause_s=number["pause"],
        answer_s_max=number["answer_timeout"],
    )


def _checked(name: str, check: Callable[[str], Taken], given: str) -> Taken:
    try:
        return check(given)
    except ArgumentTypeError as error:
        raise ArgumentTypeError(f"--{name.replace('_', '-')}: {error}") from None


def ocpp_url(text: str) -> str:
    """A WebSocket's URL, without the slash at its end."""
    return _url(text, ("ws", "wss"), OCPP_URL)


def http_url(text: str) -> str:
    """REST's URL, without the slash at its end."""
    return _url(text, ("http", "https"), REST_URL)


def _url(text: str, schemes: tuple[str, str], example: str) -> str:
    wanted = f"expected {schemes[0]}:// or {schemes[1]}://, host and port, e.g. {example}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no URL ({error}); {wanted}") from None
    if parts.scheme not in schemes or not parts.hostname or port == 0 or parts.query or parts.fragment:
        raise ArgumentTypeError(f"{text!r} will not do; {wanted}")
    if parts.username is not None or parts.password is not None:
        raise ArgumentTypeError("no user and password in the URL: give --station-password or --api-key")
    return text.rstrip("/")


def shape_name(text: str) -> str:
    """A scenario; empty: none."""
    if text and text not in SHAPES:
        raise ArgumentTypeError(f"there is no shape {text!r}; there are {', '.join(SHAPES)}")
    return text


def api_key(text: str) -> str:
    """Something that fits into a header; empty: none."""
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ArgumentTypeError("has characters that no key has (is it the file instead of what it holds?)")
    return text


def tokens(text: str) -> str:
    """Tokens, comma between, without blanks around them."""
    named = [token.strip() for token in text.split(",") if token.strip()]
    if not named:
        raise ArgumentTypeError("names no token; give at least one, e.g. CARD-1,CARD-2")
    for token in named:
        if len(token) > TOKEN_CHARACTERS_MAX:
            raise ArgumentTypeError(f"{token!r} is longer than the {TOKEN_CHARACTERS_MAX} characters of OCPP 1.6")
    return ",".join(named)


def prefix(text: str) -> str:
    """The beginning of identities."""
    if not text or len(text) > PREFIX_CHARACTERS_MAX or not text.isascii() or not text.replace("-", "").isalnum():
        raise ArgumentTypeError(f"{text!r} will not do; expected 1 to {PREFIX_CHARACTERS_MAX} letters, digits, hyphens")
    return text


def ca_file(text: str) -> str:
    """A file that is there; empty: none."""
    if text and not Path(text).is_file():
        raise ArgumentTypeError(f"there is no file {text}")
    return text


def seconds(least: float, most: float) -> Callable[[str], float]:
    """A check of a time."""

    def check(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise ArgumentTypeError(f"{text!r} will not do; expected {least:g} to {most:g} seconds")
        return value

    return check


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """A check of a count."""

    def check(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise ArgumentTypeError(f"{text!r} will not do; expected a whole number, {least} to {most}")
        return int(text)

    return check
