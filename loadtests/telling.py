"""What a virtual station says, on its way out: quirks are added, and messages are queued until they were answered."""

from collections.abc import Callable
from datetime import datetime

import orjson

from loadtests.connector import Connector
from loadtests.outbox import ATTEMPTS_MAX, Outbox
from loadtests.quirks import Quirk, afterthoughts, spoken
from loadtests.station_link import StationLink
from loadtests.variables import Variables, measurands
from loadtests.wording import Call, Charge, Meter, Moment, Payload, Wording

Answered = Callable[[Payload], None]
Words = Callable[[Charge, Meter, Moment], Call]


class Telling:
    """The mouth of one station.

    Args:
        wording: Of its version.
        link: Its connection.
        outbox: Its queue.
        quirks: That it has.
        variables: What its meter tells depends on them.
        now: Its clock.
    """

    __slots__ = ("_link", "_now", "_outbox", "_quirks", "_variables", "_wording")

    def __init__(
        self,
        wording: Wording,
        link: StationLink,
        outbox: Outbox,
        quirks: tuple[Quirk, ...],
        variables: Variables,
        now: Callable[[], datetime],
    ) -> None:
        self._wording, self._link, self._outbox = wording, link, outbox
        self._quirks, self._variables, self._now = quirks, variables, now

    def tell(self, call: Call, answered: Answered | None = None) -> None:
        """Queues a message that a restart may lose."""
        self._queue(call, answered, vital=False, attempts_max=1)

    def spoken(self, call: Call) -> Call:
        """A message as this station says it."""
        return spoken(self._quirks, call) if self._quirks else call

    def tell_at_once(self, call: Call) -> None:
        """Says it before whatever is being answered now, and heeds no reply."""
        action, payload = spoken(self._quirks, call)
        message_id = self._link.new_id()
        self._link.send_raw(orjson.dumps([2, message_id, action, payload]).decode(), message_id)

    def meter_values(self, connector: Connector, context: str) -> None:
        """MeterValues outside of the periodic ones; a transaction's number is filled in when they go out (1.6)."""
        charge, meter, at = connector.charge, self.meter(connector), self._now()
        call = self._wording.meter_values(charge, connector.number, meter, at, context)
        if self._wording.names_transactions or charge is None:
            self.tell(call)
            return
        later = charge
        self._outbox.tell(
            lambda: spoken(self._quirks, self._wording.meter_values(later, connector.number, meter, at, context))
        )

    def of_charge(
        self,
        connector: Connector,
        words: Words,
        answered: Answered | None,
        *,
        vital: bool = True,
        at_rest: bool = False,
    ) -> None:
        """Queues a transaction message with what is true now; only 1.6's transaction number is filled in later."""
        charge, meter = connector.charge, self.meter(connector)
        assert charge is not None
        meter = meter.at_rest() if at_rest else meter
        moment = Moment(self._now(), offline=not self._link.is_up)
        if self._wording.names_transactions:
            self._queue(words(charge, meter, moment), answered, vital=vital, attempts_max=ATTEMPTS_MAX)
            return

        def now_known() -> Call:
            return words(charge, meter, moment)

        self._outbox.tell(lambda: spoken(self._quirks, now_known()), answered, vital=vital, attempts_max=ATTEMPTS_MAX)
        if self._quirks:
            for place in range(len(afterthoughts(self._quirks, now_known()))):
                self._outbox.tell(lambda place=place: afterthoughts(self._quirks, now_known())[place])  # type: ignore[misc]  # mypy cannot see the type of a bound default

    def meter(self, connector: Connector) -> Meter:
        """What the meter there shows, as much of it as is to be told."""
        return connector.meter(measurands(self._variables["measurands"]))

    def _queue(self, call: Call, answered: Answered | None, *, vital: bool, attempts_max: int) -> None:
        if not self._quirks:
            self._outbox.tell(lambda: call, answered, vital=vital, attempts_max=attempts_max)
            return
        said = spoken(self._quirks, call)
        self._outbox.tell(lambda: said, answered, vital=vital, attempts_max=attempts_max)
        for more in afterthoughts(self._quirks, said):
            self._outbox.tell(lambda more=more: more, attempts_max=attempts_max)  # type: ignore[misc]  # as above
