"""Outcomes: what a station's answer to one of our calls means, whatever the action and the version."""

from collections.abc import Callable

import orjson

from engine.model.commands import Outcome, Result
from engine.ocpp.translation import Payload
from engine.ocpp.versions import Version

ACCEPTED_WORDS = frozenset(
    {
        "Accepted",
        "AcceptedCanceled",  # GetLog, UpdateFirmware: accepted, an older one was cancelled
        "EmptyResultSet",  # GetReport and the like: a question, answered with nothing
        "NoProfiles",  # GetChargingProfiles: the same
        "NoTariff",  # GetTariffs: the same
        "RebootRequired",
        "Scheduled",
        "Unlocked",
        "Unpublished",
    }
)
"""The stations' words for yes, or for an answered question. Every other status is a no."""


def from_status(
    status: str | None,
    payload: Payload,
    detail: str | None = None,
    *,
    accepted: frozenset[str] = ACCEPTED_WORDS,
) -> Outcome:
    """The outcome that a status word tells.

    Args:
        status: The station's word; None: the answer has none, a question was answered.
        payload: The whole answer; kept as JSON.
        detail: For people; None: what the answer's statusInfo says, if it has one.
        accepted: The words that mean yes for this action.
    """
    yes = status is None or status in accepted
    return Outcome(
        result=Result.ACCEPTED if yes else Result.REFUSED,
        status=status,
        detail=detail if detail is not None else detail_of(payload),
        payload=orjson.dumps(payload),
    )


def detail_of(payload: Payload) -> str | None:
    """2.x statusInfo as a line for people; None: there is none."""
    info = payload.get("statusInfo")
    if not isinstance(info, dict):
        return None
    words = [str(word) for word in (info.get("reasonCode"), info.get("additionalInfo")) if word]
    return ": ".join(words) or None


def from_status_field(payload: Payload, _version: Version) -> Outcome:
    """The generic reader: the field `status` decides; without one the question counts as answered."""
    status = payload.get("status")
    return from_status(status if isinstance(status, str) else None, payload)


def reader_accepting(*words: str) -> Callable[[Payload, Version], Outcome]:
    """A generic reader for an action with more words that mean yes, e.g. NotFound as an answer to a question."""
    accepted = ACCEPTED_WORDS | frozenset(words)

    def read(payload: Payload, _version: Version) -> Outcome:
        status = payload.get("status")
        return from_status(status if isinstance(status, str) else None, payload, accepted=accepted)

    return read
