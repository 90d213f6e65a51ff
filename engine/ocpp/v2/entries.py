"""Answers whose statuses stand in a list: one command, one outcome.

Translates; never decides, never remembers. Answers with a single status are read by `engine.ocpp.outcomes`.
"""

from collections.abc import Callable, Iterable

from engine.model.commands import Outcome
from engine.ocpp import outcomes
from engine.ocpp.translation import Payload
from engine.ocpp.versions import Version


def one_word(statuses: Iterable[str]) -> str | None:
    """The status that all entries of an answer share; None: they differ."""
    words = set(statuses)
    return words.pop() if len(words) == 1 else None


def detail_of_others(whole: int, others: list[str]) -> str | None:
    """For people: how many entries did not go well and why; None: all did. Each reason stands once."""
    if not others:
        return None
    return f"{len(others)} of {whole} not accepted: {', '.join(dict.fromkeys(others))}"


def outcome_of_entries(field: str) -> Callable[[Payload, Version], Outcome]:
    """A reader for answers with `status` in each entry of the list `field`, e.g. ClearVariableMonitoring.

    A yes only where every entry was accepted, because the whole was one command; the status is the first no.
    """

    def read(payload: Payload, _version: Version) -> Outcome:
        entries = payload[field]
        refused = [entry for entry in entries if entry["status"] != "Accepted"]
        reasons = [outcomes.detail_of(entry) or entry["status"] for entry in refused]
        status = refused[0]["status"] if refused else "Accepted"
        return outcomes.from_status(status, payload, detail_of_others(len(entries), reasons), accepted=_ACCEPTED)

    return read


_ACCEPTED = frozenset({"Accepted"})
