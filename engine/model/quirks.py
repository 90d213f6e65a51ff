"""Quirks: what stations of one make do otherwise than the specification, as switches that are data.

A *profile* names switches, the stations that they are for (patterns of vendor, model and firmware; none: only stations
whose record names the profile), the reason and its source. The *book* is all profiles, the built-in ones and the
operator's; it tells the switches of a station by its make and by what its record names. docs/quirks.md has them all.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from engine.model.word import Word

ALL_ACTIONS = "*"
EPOCH_S = "epoch_s"
EPOCH_MS = "epoch_ms"
_KNOWN_MAX = 4_096
"""Makes whose switches are remembered; a fleet has hundreds."""

Seconds = Annotated[float, Meta(ge=0, le=600)]


class Make(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a station said of itself at its last boot."""

    vendor: str
    model: str
    firmware: str = ""


class Quirks(Word, frozen=True):
    """The switches. The default of each is the specification.

    How it is read:
    `lenient_actions`: actions whose fields may be too long, unknown or no word of the version; `*`: all. (Messages of
    transactions and boots always are.)
    `utc_offset_min`: its times without a zone are local, so many minutes ahead of UTC. `zulu_is_local`: also those that
    it marks as UTC.
    `time_formats`: other forms of its times, as of `strptime`; `epoch_s`, `epoch_ms`: seconds, milliseconds since 1970.
    `unit_means`: a unit as it says it -> the unit that it means, e.g. Wh -> kWh. `multiplier_ignored`: its 2.x
    multipliers are wrong. `meter_factor`: of 1.6 meterStart and meterStop, 1000 where it says kWh.
    `sequence_ignored`: its seqNo says nothing (always 0).
    `meter_jitter_wh`: so much may its register go backwards within a transaction without a flag.

    How it is watched:
    `heartbeat_s`: it says something so often, whatever it is told; 0: no silence of it means anything.
    `ping`: it is sent WebSocket pings. `pong_timeout_s`: another time-out for their answers.

    How it is spoken to:
    `call_after_connect_s`, `call_after_boot_s`: commands wait so long after its connection, after its boot's answer.
    `boot_trigger_after_s`: if it has not booted by then, and never did, it is asked to.
    `answer_delay_ms`: by action, how long after a call its answer leaves at the earliest; `*`: any action.
    `message_ids`: of our calls; `digits`: digits only, at most 9.
    `unknown_actions_silent`: no error is answered to an action that its version does not have.
    `error_code`: told in place of every other code.

    (What is wrong with its handshake is in its record: `StationRecord.assume_ocpp16`, `lenient_upgrade`.)
    """

    lenient_actions: tuple[str, ...] = ()
    utc_offset_min: Annotated[int, Meta(ge=-900, le=900)] = 0
    zulu_is_local: bool = False
    time_formats: tuple[str, ...] = ()
    unit_means: Mapping[str, str] = {}
    multiplier_ignored: bool = False
    meter_factor: Annotated[float, Meta(gt=0, le=1e6)] = 1.0
    sequence_ignored: bool = False
    meter_jitter_wh: Annotated[float, Meta(ge=0, le=1000)] = 0.0
    heartbeat_s: Annotated[int, Meta(ge=0, le=604_800)] | None = None
    ping: bool = True
    pong_timeout_s: Annotated[float, Meta(gt=0, le=3600)] | None = None
    call_after_connect_s: Seconds = 0.0
    call_after_boot_s: Seconds = 0.0
    boot_trigger_after_s: Seconds = 0.0
    answer_delay_ms: Mapping[str, Annotated[int, Meta(ge=0, le=10_000)]] = {}
    message_ids: Literal["any", "digits"] = "any"
    unknown_actions_silent: bool = False
    error_code: Literal["GenericError", "InternalError", "NotSupported"] | None = None


PLAIN = Quirks()
"""A station as the specification wants it."""

SWITCHES: frozenset[str] = frozenset(Quirks.__struct_fields__)


class QuirkProfile(msgspec.Struct, frozen=True, kw_only=True):
    """Switches for some stations. Patterns are globs, in any case; empty: any.

    `switches`: those that are set, valid for `Quirks`. `origin`: `built-in`, or the file it stands in.
    """

    name: str
    reason: str
    source: str
    switches: Mapping[str, Any]
    vendor: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    firmware: tuple[str, ...] = ()
    origin: str = "built-in"

    def fits(self, make: Make | None) -> bool:
        """Whether it is for stations of this make. One without vendor and model is for named stations only."""
        if make is None or not (self.vendor or self.model):
            return False
        return _fits(self.vendor, make.vendor) and _fits(self.model, make.model) and _fits(self.firmware, make.firmware)


class AppliedQuirk(msgspec.Struct, frozen=True):
    """A switch of a station, and why it is set. `by`: `make`, or `station` where its record names it."""

    switch: str
    value: Any
    profile: str
    reason: str
    source: str
    by: str


class UnknownQuirk(ValueError):  # noqa: N818 (what it is)
    """A name that is no profile, or a setting that is none. The message says what there is."""


class QuirkBook:
    """All profiles. Later ones win over earlier ones, what a station's record names over all.

    What a record names is a profile's name, or `switch=value` with the value as in TOML's or Python's `true`, `120`,
    `"text"`.
    """

    def __init__(self, profiles: Iterable[QuirkProfile] = ()) -> None:
        self.profiles = {profile.name: profile for profile in profiles}
        self._known: dict[tuple[Make | None, tuple[str, ...]], Quirks] = {}

    def effective(self, make: Make | None, names: tuple[str, ...] = ()) -> Quirks:
        """The switches of a station. Names that are none (any more) count for nothing."""
        key = make, names
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            known = self._known[key] = self._merged(self.applied(make, names))
        return known

    def applied(self, make: Make | None, names: tuple[str, ...] = ()) -> tuple[AppliedQuirk, ...]:
        """Switch by switch, in the order in which they count, with the reason of each."""
        by_make = [(profile, "make") for profile in self.profiles.values() if profile.fits(make)]
        by_name = []
        for name in names:
            try:
                by_name.append((self.find(name), "station"))
            except UnknownQuirk:
                continue
        return tuple(
            AppliedQuirk(switch, value, profile.name, profile.reason, profile.source, by)
            for profile, by in (*by_make, *by_name)
            for switch, value in profile.switches.items()
        )

    def find(self, name: str) -> QuirkProfile:
        """The profile of that name; of `switch=value`, one made of it.

        Raises:
            UnknownQuirk: It is neither.
        """
        if name in self.profiles:
            return self.profiles[name]
        switch, equals, text = name.partition("=")
        if not equals:
            there = ", ".join(sorted(self.profiles)) or "none"
            raise UnknownQuirk(f"there is no quirk profile {name!r}: there are {there}; or write switch=value")
        if switch not in SWITCHES:
            raise UnknownQuirk(f"{switch!r} is no switch: there are {', '.join(sorted(SWITCHES))}")
        value = _value(text)
        checked({switch: value})
        return QuirkProfile(name=name, reason="set for this station", source="operator", switches={switch: value})

    @staticmethod
    def _merged(applied: Iterable[AppliedQuirk]) -> Quirks:
        switches: dict[str, Any] = {}
        for quirk in applied:
            before = switches.get(quirk.switch)
            value = quirk.value
            if isinstance(before, dict):
                value = {**before, **value}
            elif isinstance(before, list):
                value = [*before, *(each for each in value if each not in before)]
            switches[quirk.switch] = value
        return checked(switches) if switches else PLAIN


def checked(switches: Mapping[str, Any]) -> Quirks:
    """The switches as a word.

    Raises:
        UnknownQuirk: A switch is unknown, or its value is none of its.
    """
    unknown = switches.keys() - SWITCHES
    if unknown:
        raise UnknownQuirk(f"{min(unknown)!r} is no switch: there are {', '.join(sorted(SWITCHES))}")
    try:
        return msgspec.convert(dict(switches), Quirks)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at ")
        raise UnknownQuirk(f"{path.strip('`').removeprefix('$.') or 'a switch'}: {text}") from None


def _value(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _fits(patterns: tuple[str, ...], text: str) -> bool:
    return not patterns or any(fnmatchcase(text.lower(), pattern.lower()) for pattern in patterns)


class Oddity(StrEnum):
    """What is noticed of a station that a switch could be the answer to."""

    REPAIRED = "repaired"
    """A message had to be repaired."""
    TOO_LONG = "too_long"
    """A text was longer than allowed, and tolerated."""
    REFUSED = "refused"
    """A message broke its schema beyond repair and was answered with an error."""
    TIME_WITHOUT_ZONE = "time_without_zone"
    TIME_UNREADABLE = "time_unreadable"
    PONG_MISSING = "pong_missing"
    """It never answered a ping on a connection, which was given up for it."""
    ANSWER_LATE = "answer_late"
    """Its answer to a command came after the time for it."""
    UNKNOWN_ACTION = "unknown_action"
    STRAY_ANSWER = "stray_answer"
    """It answered what nobody asked."""
    SEQUENCE_ZERO = "sequence_zero"
    """A transaction ended with seqNo 0."""
    METER_BACKWARDS = "meter_backwards"
    """Its register went back by a few Wh within a transaction."""
    CLOCK_OFF_BY_ZONE = "clock_off_by_zone"
    """Its clock is off by hours and next to no minutes: local time that says it is UTC."""
    NEVER_BOOTED = "never_booted"
    """It connected, never booted, and said something else first."""


class OdditiesReported(Word, frozen=True):
    """What an ingress noticed of a station lately: how often each, and an example of some. Not a message of its."""

    counts: Mapping[str, int]
    examples: Mapping[str, str] = {}


class OdditiesCounted(Word, frozen=True):
    """Fact: how often each was noticed since the station is of this make. All counts, not the news alone."""

    counts: Mapping[str, int]
    noted_at: datetime
    make: Make | None = None
    examples: Mapping[str, str] = {}
    of_new_make: bool = False
    """What was counted before was of another make, and is over."""
