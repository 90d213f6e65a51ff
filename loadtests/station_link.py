"""A station's connection that looks at what the CSMS says: each call and each reply against the official schema.

Violations are counted as `schema violations <version> <action> <Request or Response>: <code>: <what>`. A call that
violates its schema is answered by the right CALLERROR and not obeyed; a reply that does is answered in 2.1 by a
CALLRESULTERROR. Of many messages a share is looked at, evenly.
"""

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace

import orjson
from websockets.typing import BytesLike

from loadtests.behaviour import Behaviour
from loadtests.link import Handler, Link, Observer, Patience, Peer
from loadtests.schema_check import Violation, violation
from loadtests.statistics import Statistics
from loadtests.wording import WORDING_OF_VERSION, Payload

WORDS_MAX = 120
"""Characters of a violation that are counted under."""
_WRONG_SPELLINGS = {
    "OccurrenceConstraintViolation": "OccurenceConstraintViolation",
    "OccurenceConstraintViolation": "OccurrenceConstraintViolation",
    "FormationViolation": "FormatViolation",
    "FormatViolation": "FormationViolation",
}


class StationLink(Link):
    """As `Link`, with a station's version, its quirks in framing, and eyes for the schemas.

    Args:
        peer, handler, statistics, patience, observer, behaviour: As for `Link`.
        version: 1.6, 2.0.1 or 2.1.
        chance: As for `Link`.
        check_share: Of the messages that are checked, 0 to 1.
        quirks: Names in `loadtests.quirks.QUIRKS`.
    """

    def __init__(  # noqa: PLR0913 (as its parent has)
        self,
        peer: Peer,
        version: str,
        handler: Handler,
        chance: random.Random,
        statistics: Statistics,
        patience: Patience,
        *,
        observer: Observer | None,
        behaviour: Behaviour,
        check_share: float,
        quirks: tuple[str, ...],
    ) -> None:
        subprotocol = WORDING_OF_VERSION[version].subprotocol
        super().__init__(
            peer, subprotocol, handler, chance, statistics, patience, observer=observer, behaviour=behaviour
        )
        self._version = version
        self._share = check_share
        self._due = 1.0 - check_share  # the first message is looked at, whatever the share
        self._quirks = quirks
        self._fixed_ids: Iterator[int] | None = None
        self.restart_ids()

    def restart_ids(self) -> None:
        """The station was switched on: some stacks count their message ids from the same seed then."""
        if "message_ids_repeat" in self._quirks:
            self._fixed_ids = itertools.count(1)

    def new_id(self) -> str:
        """A message id; unique but for the quirk."""
        return super().new_id() if self._fixed_ids is None else str(next(self._fixed_ids))

    def change_password(self, password: str) -> None:
        """From the next connection on (2.1 A01; 1.6 security whitepaper A01)."""
        self._peer = replace(self._peer, password=password)

    async def ask(self, action: str, payload: Payload, message_id: str | None = None) -> Payload:
        """As `Link.ask`, and looks at the reply."""
        message_id = message_id or self.new_id()
        reply = await super().ask(action, payload, message_id)
        if self._is_due():
            wrong = violation(self._version, action, "Response", reply)
            if wrong is not None:
                self._count_violation(action, "Response", wrong)
                if self._version == "2.1":
                    self._send_error(5, message_id, wrong)
        return reply

    def wire_message(self, message: BytesLike) -> None:
        """As `Link.wire_message`, and looks at calls before they are obeyed."""
        if not self._is_call(message) or not self._is_due() or not self._refuses(message):
            super().wire_message(message)

    @staticmethod
    def _is_call(message: BytesLike) -> bool:
        return bytes(message[:8]).lstrip(b"[ \t\r\n").startswith(b"2")

    def _refuses(self, message: BytesLike) -> bool:
        """Whether it is a call that violates its schema; then it was answered."""
        try:
            frame = orjson.loads(message)
        except orjson.JSONDecodeError:
            return False
        match frame:
            case [2, str(message_id), str(action), dict(payload)]:
                wrong = violation(self._version, action, "Request", payload)
            case _:
                return False
        if wrong is None:
            return False
        self._count_violation(action, "Request", wrong)
        self._send_error(4, message_id, wrong)
        return True

    def _is_due(self) -> bool:
        self._due += self._share
        if self._due < 1.0:
            return False
        self._due -= 1.0
        return True

    def _count_violation(self, action: str, kind: str, wrong: Violation) -> None:
        words = f"{wrong.code}: {wrong.description}"[:WORDS_MAX]
        self.count(f"schema violations {self._version} {action} {kind}: {words}")

    def _send_error(self, message_type: int, message_id: str, wrong: Violation) -> None:
        code: str = wrong.code
        details: object = {}
        if "error_spellings_mixed" in self._quirks:
            code = _WRONG_SPELLINGS.get(code, code)
        if "error_details_as_string" in self._quirks:
            details = "see the log"
        self.send_raw(orjson.dumps([message_type, message_id, code, wrong.description, details]).decode())
