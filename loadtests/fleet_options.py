"""What fleet to run, and whether it can be run: on this machine, with these names, at this address."""

import resource
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import chain
from urllib.parse import urlsplit

from loadtests.mix import Mix
from loadtests.parameters import ParameterError, changed
from loadtests.scenario import Scenario
from loadtests.station import Habits
from loadtests.wording import WORDING_OF_VERSION

FILES_SPARE = 200
"""Open files a process needs beside its sockets."""
PROCESSES_MAX = 64
TOKEN_CHARACTERS_MAX = {"1.6": 20, "2.0.1": 36, "2.1": 255}
IDENTITY_CHARACTERS_MAX = 48
STATIONS_PER_ADDRESS_MAX = 20_000
"""From one address to one port there are about 28,000 connections (net.ipv4.ip_local_port_range), dying ones too."""
LOOPBACK_ADDRESSES = 250


class FleetError(Exception):
    """The fleet cannot run as asked; the message says what to do."""


@dataclass(frozen=True)
class FleetOptions:
    """What fleet to run.

    Attributes:
        stations: How many.
        versions: Dealt out in turn: 1.6, 2.0.1, 2.1. A mix with versions of its own goes before.
        url: The CSMS' endpoint, e.g. ws://127.0.0.1:9000/ocpp.
        duration_s: After this the fleet leaves; None: when it is stopped.
        tokens: What drivers present; none: cars only come by remote start.
        seed: How stations and drivers behave. Names of transactions and messages differ in each run.
        prefix: Identities are prefix-0001 and so on.
        password: HTTP Basic of all; None: security profile 0.
        connect_s: The fleet connects spread over this time.
        connect_s_max: Gives up when not one station could connect within this time.
        habits: How the stations behave; the mix, the behaviour and the scenario change it, in this order.
        mix: Shares of versions, behaviours and habits.
        scenario: What happens; None: what the mix says.
        processes: How many share the stations.

    Raises:
        FleetError: Something of it cannot be met.
    """

    stations: int = 24
    versions: tuple[str, ...] = ("1.6", "2.0.1", "2.1")
    url: str = "ws://127.0.0.1:9000/ocpp"
    duration_s: float | None = None
    tokens: tuple[str, ...] = ()
    seed: int = 1
    prefix: str = "DEMO"
    password: str | None = None
    connect_s: float = 2.0
    connect_s_max: float = 30.0
    habits: Habits = field(default_factory=Habits)
    mix: Mix = field(default_factory=Mix)
    scenario: Scenario | None = None
    processes: int = 1

    def __post_init__(self) -> None:
        for problem in chain(  # the first one is told; later ones may rest on what it denies
            _wrong_fleet(self),
            _too_many(self),
            _wrong_names(self),
            _wrong_url(self.url),
            _wrong_play(self),
            _wrong_habits(self),
        ):
            raise FleetError(problem)

    @property
    def played(self) -> Scenario:
        """The scenario: its own, the mix's, or that of nothing special."""
        return self.scenario or self.mix.scenario or Scenario()

    @property
    def versions_spoken(self) -> tuple[str, ...]:
        """The mix's, or its own."""
        return tuple(version for _, version in self.mix.versions) or self.versions

    def source_of(self, number: int) -> str | None:
        """The address that a station comes from, counted from 0; None: the kernel's choice.

        Only on this machine: from one address to one port the ports would not suffice for many stations.
        """
        host = urlsplit(self.url).hostname or ""
        if self.stations <= STATIONS_PER_ADDRESS_MAX or not _is_loopback(host):
            return None
        return f"127.0.0.{2 + number // STATIONS_PER_ADDRESS_MAX % LOOPBACK_ADDRESSES}"


def _is_loopback(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.version == 4 and address.is_loopback  # ::1 is one address only


def _wrong_fleet(options: FleetOptions) -> Iterator[str]:
    if options.stations < 1:
        yield f"a fleet has at least one station, not {options.stations}"
    if options.duration_s is not None and options.duration_s <= 0:
        yield f"a fleet runs for more than 0 s, not {options.duration_s} (or leave the duration out)"
    if options.connect_s < 0 or options.connect_s_max <= 0:
        yield "the times to connect must not be negative, and connect_s_max not 0"
    if not 1 <= options.processes <= min(PROCESSES_MAX, max(1, options.stations)):
        yield (
            f"a fleet has 1 to {PROCESSES_MAX} processes and a station for each at least, "
            f"not {options.processes} for {options.stations} stations"
        )


def _too_many(options: FleetOptions) -> Iterator[str]:
    """More sockets than a process may open."""
    stations = -(-options.stations // options.processes)
    needed = stations + FILES_SPARE
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY or needed <= files:
        return
    most = files - FILES_SPARE
    if most < 1:
        yield f"this process may open {files} files, too few for any station: raise the hard limit (ulimit -Hn)"
        return
    processes = -(-options.stations // most)
    more = f", or share them out by --processes {processes}" if processes <= PROCESSES_MAX else ""
    each = "" if options.processes == 1 else f" in each of {options.processes} processes"
    yield (
        f"{stations} stations{each} need {needed} open files and a process may have {files}: "
        f"raise the hard limit (ulimit -Hn {needed}), run at most {most * options.processes}{more}"
    )


def _wrong_names(options: FleetOptions) -> Iterator[str]:
    known = ", ".join(WORDING_OF_VERSION)
    if not options.versions_spoken:
        yield f"a fleet speaks at least one OCPP version: use {known}"
    unknown = sorted(set(options.versions_spoken) - WORDING_OF_VERSION.keys())
    if unknown:
        yield f"unknown OCPP version {', '.join(unknown)}: use {known}"
        return
    characters = min((TOKEN_CHARACTERS_MAX[each] for each in options.versions_spoken), default=0)
    for token in options.tokens:
        if not 0 < len(token) <= characters:
            yield f"a token has 1 to {characters} characters in these OCPP versions, this one does not: {token!r}"
    identity = f"{options.prefix}-{options.stations:04}"
    if ":" in identity or not identity.isascii() or not identity.isprintable():
        yield f"a prefix has printable ASCII characters without a colon, this one does not: {options.prefix!r}"
    if len(identity) > IDENTITY_CHARACTERS_MAX:
        yield f"identities have at most {IDENTITY_CHARACTERS_MAX} characters, {identity} is too long: shorten it"


def _wrong_url(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        complete = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        yield f"the URL {url} cannot be read: {error}"
        return
    if parts.scheme not in ("ws", "wss"):
        yield f"the URL must begin with ws:// or wss://, this one does not: {url}"
    elif not complete:
        yield f"the URL names no host: {url}; it looks like ws://127.0.0.1:9000/ocpp"
    elif parts.query or parts.fragment or parts.username:
        yield f"the URL must end with its path, and the password has an option of its own: {url}"


def _wrong_play(options: FleetOptions) -> Iterator[str]:
    """What behaviours and scenarios need."""
    names = {name for _, (name, _) in options.mix.behaviours}
    if "wrong_password" in names and options.password is None:
        yield "the behaviour wrong_password tells something only where passwords are: give the right --password"
    needed_s = options.connect_s + options.played.needs_s
    if options.duration_s is not None and options.played.needs_s and options.duration_s < needed_s:
        yield (
            f"the scenario needs {needed_s:g} s with connecting and recovering, and the fleet runs for "
            f"{options.duration_s:g} s: give it --duration {needed_s:g}, or the scenario an earlier at_s"
        )
    if type(options.played).__name__ == "MorningPeak" and not options.tokens:
        yield "the scenario morning_peak sends drivers, who need tokens that the CSMS accepts: --tokens A,B"


def _wrong_habits(options: FleetOptions) -> Iterator[str]:
    habits = options.habits
    try:
        groups = [changed(habits, changes) for _, changes in options.mix.habits]
        for _, (_, behaviour) in options.mix.behaviours:
            changed(habits, behaviour.habits())
    except ParameterError as error:
        yield f"{'.'.join(error.path)}: {error}"
        return
    for each in groups:
        for name, (least, most) in (("charge_s", each.charge_s), ("idle_s", each.idle_s)):
            if not 0 <= least <= most:
                yield f"{name} must be two times, the lesser first, not {least} and {most}"
        if each.meter_interval_s <= 0 or each.speed <= 0:
            yield "meter_interval_s and speed must be more than 0"
        if each.connectors < 1:
            yield f"a station has at least one connector, not {each.connectors}"
