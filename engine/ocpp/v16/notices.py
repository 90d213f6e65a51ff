"""What 1.6 can say beyond the blocks translated: kept verbatim, answered with least commitment, sent raw.

Sections 4.4, 4.5, 5 and the security whitepaper, edition 3.
"""

from collections.abc import Callable

from engine.model.commands import Outcome
from engine.ocpp import notices, outcomes
from engine.ocpp.translation import CsmsCall, Payload
from engine.ocpp.versions import Version

_NOTED: dict[str, tuple[str, Payload]] = {
}
"""Action -> block and the answer that commits us to least."""

_RAW: dict[str, str] = {
}
"""Action -> block."""

_OUTCOMES: dict[str, Callable[[Payload, Version], Outcome]] = {}
"""Readers other than the generic one: a question answered with nothing is answered."""


FROM_STATION = tuple(notices.noted(action, block, response) for action, (block, response) in _NOTED.items())
FROM_CSMS = tuple(
    CsmsCall(action=action, block=block, outcome=_OUTCOMES.get(action, outcomes.from_status_field))
    for action, block in _RAW.items()
)
