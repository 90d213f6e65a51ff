"""What must hold at the end of a fleet's run. Each takes the result and says whether it held and what was found."""

from collections.abc import Iterator
from dataclasses import asdict, replace

from loadtests.fleet_result import FleetResult
from loadtests.scenario import Invariant, Verdict

SHOWN_MAX = 3
"""Names of failures that are said in a verdict."""


def every_call_answered(result: FleetResult) -> Verdict:
    """No call of a blameless station got an error or nothing."""
    count = sum(result.failures.values())
    found = "none failed" if not count else f"{count} failed: {_named(result.failures)}"
    return Verdict("every call of the stations was answered", count == 0, found)


def nobody_dead(result: FleetResult) -> Verdict:
    """Every station that means to be connected is, and its boot was accepted."""
    steady = [each for each in result.behaviours.values() if each["steady"]]
    stations, connected, registered = (
        sum(each[name] for each in steady) for name in ("stations", "connected", "registered")
    )
    held = stations == connected == registered
    return Verdict("nobody is dead at the end", held, f"{connected} connected and {registered} accepted of {stations}")


def nobody_let_in_wrongly(result: FleetResult) -> Verdict:
    """Who must be turned away was."""
    count = _events(result, "let in, though it must not be")
    return Verdict("who must not come in was turned away", count == 0, f"{count} let in")


def nothing_given_up(result: FleetResult) -> Verdict:
    """No message was thrown away by a station whose queue was full, or whom the CSMS refused it for good."""
    lost = {name: _events(result, name) for name in ("queue overflows", "messages given up")}
    return Verdict("no station had to give up a message", not any(lost.values()), _named(lost) or "none")


def repeats_answered_alike(result: FleetResult) -> Verdict:
    """A start that was said again got the same transaction."""
    count = _events(result, "repeats answered differently")
    return Verdict("a repeated start is the same transaction", count == 0, f"{count} answered differently")


def everybody_back(within_s: float) -> Invariant:
    """All blameless stations of each wave but the fleet's start came, booted and reported in time."""

    def check(result: FleetResult) -> Verdict:
        late = [str(wave["name"]) for wave in result.waves[1:] if not _in_time(wave, within_s)]
        found = f"late or incomplete: {', '.join(late)}" if late else "all were"
        return Verdict(f"all stations are back within {within_s:g} s", not late, found)

    return check


def p99_below(ms_max: float) -> Invariant:
    """The blameless stations were answered quickly."""

    def check(result: FleetResult) -> Verdict:
        return Verdict(f"p99 of all calls is at most {ms_max:g} ms", result.p99_ms <= ms_max, f"{result.p99_ms:g} ms")

    return check


OF_EVERY_FLEET: tuple[Invariant, ...] = (
    every_call_answered,
    nobody_dead,
    nobody_let_in_wrongly,
    nothing_given_up,
    repeats_answered_alike,
)


def judged(result: FleetResult, invariants: tuple[Invariant, ...]) -> FleetResult:
    """The result with the verdict on each invariant."""
    return replace(result, invariants=[asdict(invariant(result)) for invariant in invariants])


def _in_time(wave: dict[str, object], within_s: float) -> bool:
    seconds = [value for key, value in wave.items() if key.startswith("all_")]
    return all(isinstance(each, float) and each <= within_s for each in seconds)


def _events(result: FleetResult, name: str) -> int:
    return sum(each["events"].get(name, 0) for each in result.behaviours.values())


def _named(counts: dict[str, int]) -> str:
    """The largest, in words."""
    return ", ".join(_largest(counts))


def _largest(counts: dict[str, int]) -> Iterator[str]:
    for name, count in sorted(counts.items(), key=lambda item: -item[1])[:SHOWN_MAX]:
        if count:
            yield f"{name} ({count})"
