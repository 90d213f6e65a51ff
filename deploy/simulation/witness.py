"""The witness: sees every claim and every entry of the journal as it happens, and says at once what must not be.

It believes nobody: who may write, it derives from the claims themselves; what was recorded, from the entries' bytes.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from deploy.simulation.wording import Evidence
from engine.model.availability import ConnectorStatusChanged
from engine.model.codec import decode_journal_entry
from engine.model.commands import CommandSettled, Outcome
from engine.model.facts import Fact
from engine.model.metering import ENERGY_REGISTER, ReadingsRecorded
from engine.model.provisioning import StationBooted
from engine.model.sessions import SessionStarted
from engine.model.transactions import TransactionEnded, TransactionOpened
from storage import keys


class Recorded(msgspec.Struct):
    """What the journal says of one station: evidence in the order in which it became true.

    `dialled_s`: when the station dialled the newest session that was its own (the world's clock).
    """

    evidence: dict[Evidence, int]
    order: list[Evidence]
    dialled_s: float = 0.0


class Witness:
    """Looks at one run.

    Args:
        violated: Told who and what, when something happened that must not.
        tell: For the trace; None: nobody reads it.
        entries_max: Bound of a stream.
    """

    def __init__(
        self, violated: Callable[[str, str], None], tell: Callable[[str, str], None] | None, entries_max: int
    ) -> None:
        self.recorded: Final[dict[str, Recorded]] = {}
        self.settled: Final[dict[str, list[Outcome]]] = {}
        """By command id, all that it came to, in order."""
        self.takeovers = 0
        """Units that got another owner."""
        self.facts = 0
        self.longest = 0
        """Most entries that waited in one stream."""
        self.of_redis: Callable[[str, str], None] = lambda _kind, _who: None
        """See `redis.Witness.of_redis`."""
        self._violated = violated
        self._tell = tell
        self._entries_max = entries_max
        self._owners: dict[str, tuple[int, str]] = {}
        self._dials: dict[str, tuple[float, float | None]] = {}
        """By session: when the station dialled, and when it was let in."""
        self._lengths: Callable[[str], int] = lambda _stream: 0

    def watch_lengths(self, lengths: Callable[[str], int]) -> None:
        """How long a stream is now."""
        self._lengths = lengths

    def dialled(self, session: str, at_s: float) -> None:
        """A station asks to come in."""
        self._dials[session] = at_s, None

    def accepted(self, session: str, at_s: float) -> None:
        """It is let in."""
        self._dials[session] = self._dials[session][0], at_s

    def claimed(self, who: str, fence: str, stored: bytes | None, ours: int) -> None:
        """Epochs only rise, and nobody takes the epoch of another."""
        epoch, owner = self._owners.get(fence, (-1, ""))
        if ours < epoch:
            self._violated(who, f"took {fence} in epoch {ours}, below the epoch {epoch} of {owner}")
        if ours == epoch and owner.partition(":")[0] != who.partition(":")[0]:
            self._violated(who, f"took {fence} in epoch {ours}, which is the epoch of {owner}")
        self.takeovers += owner not in ("", who)
        self._owners[fence] = ours, who
        if self._tell is not None:
            self._tell(who, f"claims {fence} in epoch {ours} (was {(stored or b'-').decode()})")

    def added(self, who: str, stream: str, number: int, entry: bytes, fence: str | None) -> None:
        """Only the owner writes; the stream keeps its bound."""
        if stream == keys.OPERATOR:
            return
        owner = self._owners.get(fence or "", (-1, ""))[1]
        if owner != who:
            self._violated(who, f"a zombie wrote entry {number} of {stream}: {owner or 'nobody'} owns {fence}")
        length = self._lengths(stream)
        self.longest = max(self.longest, length)
        if length > self._entries_max:
            self._violated(who, f"stream {stream} has {length} entries, its bound is {self._entries_max}")
        for record in decode_journal_entry(entry).records:
            self.facts += len(record.facts)
            recorded = self.recorded.get(record.station)
            if recorded is None:
                recorded = self.recorded[record.station] = Recorded({}, [])
            for fact in record.facts:
                self._take(record.station, recorded, fact)
            if self._tell is not None:
                names = ", ".join(type(fact).__name__ for fact in record.facts)
                self._tell(who, f"records {stream}/{number} {record.station}: {names}")

    def _take(self, station: str, recorded: Recorded, fact: Fact) -> None:
        if isinstance(fact, SessionStarted):
            self._started(station, recorded, fact.opened.session)
            return
        if isinstance(fact, CommandSettled):
            self.settled.setdefault(fact.command_id, []).append(fact.outcome)
            return
        evidence = evidence_of(fact)
        if evidence is not None:
            recorded.evidence[evidence] = recorded.evidence.get(evidence, 0) + 1
            recorded.order.append(evidence)

    def _started(self, station: str, recorded: Recorded, session: str) -> None:
        """No session takes over from one that the station dialled when this one was long open."""
        dialled_s, accepted_s = self._dials[session]
        if accepted_s is None or accepted_s < recorded.dialled_s:
            self._violated(station, f"session {session} took over from a newer one")
        recorded.dialled_s = max(recorded.dialled_s, dialled_s)


def evidence_of(fact: Fact) -> Evidence | None:
    """The trace that a message left, see `wording`; None: this fact is none."""
    match fact:
        case ReadingsRecorded():
            register = next((each.value for each in fact.readings if each.measurand == ENERGY_REGISTER), None)
            return None if register is None else ("reading", int(register))
        case TransactionOpened():
            return "open", fact.meter_start_wh
        case TransactionEnded():
            return "end", fact.meter_stop_wh
        case ConnectorStatusChanged():
            return "status", (fact.report.evse.evse, fact.report.at)
        case StationBooted():
            return "boot", fact.boot.serial_number
        case _:
            return None
