"""Suggestions: which quirk could help a station, from what was noticed of it. docs/quirks.md.

A suggestion is never applied by itself: what was noticed has other explanations too, and they are said with it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from engine.model.quirks import Make, Oddity, QuirkBook, Quirks

OFFSET = "utc_offset_min"


class Observation(msgspec.Struct, frozen=True):
    """So often was this noticed of a station. `example`: one of them."""

    station: str
    oddity: str
    count: int
    make: Make
    example: str | None = None


class Suggestion(msgspec.Struct, frozen=True):
    """A quirk that could help.

    `quirk`: as a station's record names it: a profile, or `switch=value`. `stations`: those of this make that it was
    noticed of. `count`: how often in all. `why`: what was noticed. `caution`: what else it could be.
    """

    quirk: str
    vendor: str
    model: str
    firmware: str
    stations: tuple[str, ...]
    count: int
    why: str
    caution: str
    example: str | None = None


class _Rule(msgspec.Struct, frozen=True):
    """`least`: how often it must have been noticed of a station. `switch`: where it is set nothing is suggested."""

    quirk: str
    switch: str
    least: int
    why: str
    caution: str


RULES: Mapping[Oddity, _Rule] = {
    Oddity.TOO_LONG: _Rule(
        "lenient",
        "lenient_actions",
        20,
        "It writes texts longer than its version allows.",
        "In the messages where it was noticed it is tolerated already; the quirk extends that to all others.",
    ),
    Oddity.REFUSED: _Rule(
        "lenient",
        "lenient_actions",
        10,
        "Its messages break their schema and are answered with errors.",
        "Look at the example: a field that is missing, or of the wrong type, is refused with the quirk, too.",
    ),
    Oddity.TIME_WITHOUT_ZONE: _Rule(
        OFFSET,
        OFFSET,
        20,
        "It says times without a zone.",
        "They are taken as UTC. If its transactions are hours off, set its offset; if not, nothing is to be done.",
    ),
    Oddity.CLOCK_OFF_BY_ZONE: _Rule(
        OFFSET,
        "zulu_is_local",
        3,
        "Its clock is off by whole half hours: it calls local time UTC.",
        "A clock that is simply wrong by chance is off by other minutes too. Better: have its time zone set.",
    ),
    Oddity.TIME_UNREADABLE: _Rule(
        "european-times",
        "time_formats",
        5,
        "It writes times in a form that nobody can read.",
        "See the example: it may need a form of its own in time_formats.",
    ),
    Oddity.PONG_MISSING: _Rule(
        "no-ping",
        "ping",
        5,
        "Its connections were given up because it never answered a ping on them.",
        "Connections that die within a minute look the same. Without pings, dead ones are found by silence alone.",
    ),
    Oddity.UNKNOWN_ACTION: _Rule(
        "silent-on-unknown",
        "unknown_actions_silent",
        50,
        "It uses actions that its version does not have, again and again.",
        "Only if it restarts or hangs up after the error: else the error is right.",
    ),
    Oddity.SEQUENCE_ZERO: _Rule(
        "zero-sequence",
        "sequence_ignored",
        3,
        "Its transactions end with seqNo 0.",
        "A transaction of a single event ends with 0 rightly.",
    ),
    Oddity.METER_BACKWARDS: _Rule(
        "meter-jitter",
        "meter_jitter_wh",
        2,
        "Its meter was a few Wh lower at the end of a transaction than at its start.",
        "See the example for how many Wh; a meter that is replaced goes back, too.",
    ),
    Oddity.NEVER_BOOTED: _Rule(
        "asked-to-boot",
        "boot_trigger_after_s",
        1,
        "It connects and never boots, so nobody knows its vendor and model.",
        "It may have booted before it was moved to Narke, and will at its next restart.",
    ),
}
"""What each oddity suggests. Those that are missing (repairs, late and stray answers) need no quirk: Narke copes."""


def suggestions(
    observations: Iterable[Observation], book: QuirkBook, chosen: Mapping[str, tuple[str, ...]]
) -> list[Suggestion]:
    """What could help, by make, the most frequent first.

    Args:
        observations: What was noticed, of one or all stations.
        book: The profiles.
        chosen: By station, what its record names already.
    """
    found: dict[tuple[Oddity, str, Make], list[Observation]] = {}
    for each in observations:
        try:
            oddity = Oddity(each.oddity)
        except ValueError:
            continue
        rule = RULES.get(oddity)
        if rule is None or each.count < rule.least:
            continue
        quirks = book.effective(each.make, chosen.get(each.station, ()))
        if getattr(quirks, rule.switch) != getattr(Quirks(), rule.switch):
            continue
        found.setdefault((oddity, _quirk(rule, oddity, each), each.make), []).append(each)
    made = [_suggestion(RULES[oddity], quirk, make, of_make) for (oddity, quirk, make), of_make in found.items()]
    return sorted(made, key=lambda each: (-each.count, each.quirk, each.vendor, each.model, each.firmware))


def _quirk(rule: _Rule, oddity: Oddity, observation: Observation) -> str:
    if rule.quirk != OFFSET:
        return rule.quirk
    said = observation.example if oddity is Oddity.CLOCK_OFF_BY_ZONE else None
    minutes = int(said) if said and said.lstrip("-").isdigit() else 60
    return f"{OFFSET}={minutes}"


def _suggestion(rule: _Rule, quirk: str, make: Make, of_make: list[Observation]) -> Suggestion:
    counts = Counter({each.station: each.count for each in of_make})
    return Suggestion(
        quirk=quirk,
        vendor=make.vendor,
        model=make.model,
        firmware=make.firmware,
        stations=tuple(station for station, _ in counts.most_common()),
        count=counts.total(),
        why=rule.why,
        caution=rule.caution,
        example=next((each.example for each in of_make if each.example), None),
    )


def profile_text(suggestion: Suggestion, book: QuirkBook) -> str:
    """The suggestion as a profile for all stations of its make, for the operator's quirk file."""
    name = "-".join(filter(None, (suggestion.vendor, suggestion.model, suggestion.quirk.partition("=")[0]))).lower()
    name = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "-" for letter in name)
    lines = ["[[profile]]", f'name = "{name[:64].strip("-._") or "suggested"}"']
    for field in ("vendor", "model", "firmware"):
        text = getattr(suggestion, field)
        if text:
            lines.append(f"{field} = {_pattern(text)}")
    lines += [f"reason = {_toml(suggestion.why)}", f'source = "noticed by Narke {suggestion.count} times"']
    lines += [f"{switch} = {_toml(value)}" for switch, value in book.find(suggestion.quirk).switches.items()]
    return "\n".join(lines)


def _pattern(text: str) -> str:
    """A pattern of this very text."""
    return _toml("".join(f"[{letter}]" if letter in "*?[" else letter for letter in text))


def _toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml(key)} = {_toml(inner)}" for key, inner in value.items()) + " }"
    return msgspec.json.encode(value).decode()
