"""Notices: actions whose meaning the words do not hold (yet), taken verbatim and answered with one fixed payload."""

from collections.abc import Callable

import orjson

from engine.model.envelopes import Answer, Report
from engine.model.notices import StationNotice
from engine.ocpp.translation import Payload, StationCall
from engine.ocpp.versions import Version


def report_verbatim(action: str) -> Callable[[Payload, Version], Report]:
    """A translator that keeps the payload as it is."""

    def report(payload: Payload, _version: Version) -> StationNotice:
        return StationNotice(action=action, payload=orjson.dumps(payload))

    return report


def respond_always(payload: Payload) -> Callable[[Answer, Version], Payload]:
    """A response that never varies."""
    return lambda _answer, _version: dict(payload)


def noted(action: str, block: str, response: Payload | None) -> StationCall:
    """The row of an action that is only taken note of. `response` None: a SEND, which has no answer."""
    return StationCall(
        action=action,
        block=block,
        report=report_verbatim(action),
        response=None if response is None else respond_always(response),
    )
