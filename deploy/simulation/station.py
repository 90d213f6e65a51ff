"""A simulated station: it speaks raw OCPP, one call at a time, repeats what was not answered, and forgets no promise.

It is written with callbacks, not tasks: a day of it should cost next to nothing besides what it says. Its life is in
`charging`; here are its connection, its queue and its ears.
"""

from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random  # noqa: TID251 (the seed is an argument of every run)
from typing import Any, Final, Protocol

import msgspec
import orjson

from deploy.simulation.line import Line
from deploy.simulation.processes import WORLD
from deploy.simulation.virtual_time import BEGINNING, VirtualLoop
from deploy.simulation.wording import ANSWER_KEYS, ANSWER_KEYS_NEEDED, Evidence, Payload, Wording

ANSWERS_S: Final = (10.0, 30.0, 30.0, 60.0)
"""After so long without an answer a station says it again; each has its own patience."""
BACK_OFF_S: Final = (1.0, 90.0)
TRIES_BEFORE_HANGING_UP: Final = 3
NO_ANSWER: Final = 0.02
"""Part of our calls that a station never answers."""


class Said(msgspec.Struct, eq=False):
    """Something a station says until it is answered.

    `build`: action and payload, made when it is first said. `evidence`: what it must leave in the journal. `keeps`: it
    survives a loss of power (it is about a transaction). `same_id`: repeated under the same message id, because nothing
    else tells a repeat from a second message.
    """

    build: Callable[[], tuple[str, Payload]]
    evidence: tuple[Evidence, ...] = ()
    on_answer: Callable[[Payload], None] | None = None
    keeps: bool = False
    same_id: bool = True
    message_id: str = ""
    action: str = ""
    body: bytes = b""
    answered: bool = False
    tries: int = 0


class Surroundings(Protocol):
    """What a station needs of the world."""

    loop: VirtualLoop

    def connect(self, station: "Station") -> Line | None:
        """A line to an ingress that takes it; None: none does now."""

    def strikes(self, station: "Station") -> str | None:
        """A fault of the frame that is about to be said."""

    def commanded(self, station: "Station") -> None:
        """It hears a command: a fault may strike now."""

    def violated(self, who: str, what: str) -> None:
        """Something happened that must not."""

    def tell(self, who: str, what: str) -> None:
        """For the trace."""

    @property
    def traced(self) -> bool:
        """Whether somebody reads the trace."""


class Station:
    """One station.

    Args:
        identity: Of the station.
        version: 1.6, 2.0.1 or 2.1.
        world: What it lives in.
        dice: Its own.
        heartbeat_s: Between heartbeats.
    """

    def __init__(self, identity: str, version: str, world: Surroundings, dice: Random, heartbeat_s: float) -> None:
        self.identity: Final = identity
        self.wording: Final = Wording(version)
        self.dice: Final = dice
        self.world: Final = world
        self.clock_ahead_s = 0.0
        self.offline_until = 0.0
        self.line: Line | None = None
        self.obeyed: Counter[str] = Counter()
        """Commands carried out, by message id."""
        self.promised: list[Evidence] = []
        """What was answered about transactions, in the order in which it was said."""
        self.repeats = 0
        self.answers = 0
        self._heartbeat_s = heartbeat_s
        self._patience_s = dice.choice(ANSWERS_S)
        self._outbox: deque[Said] = deque()
        self._in_flight: Said | None = None
        self._waits: Any = None
        self._owed: dict[tuple[str, str], int] = {}
        self._said_ids: dict[str, Said] = {}
        self._needs_boot = True
        self._boots = 0
        self._ids = 0
        self._connecting = False

    # Its life

    def begin(self) -> None:
        """Plugged in."""
        self.world.loop.call_later(self.dice.uniform(0, 60), self._connect, context=WORLD)
        self.world.loop.call_later(self.dice.uniform(0, self._heartbeat_s), self._beat, context=WORLD)

    def say(self, said: Said) -> None:
        """Queues something behind what waits already."""
        self._outbox.append(said)
        self._next()

    def heartbeat(self) -> None:
        """Says that it lives, unless it is about to anyway."""
        if not self._outbox:
            self.say(Said(lambda: ("Heartbeat", {})))

    @property
    def idle(self) -> bool:
        """Everything is said and answered, on a connection that is open."""
        connected = self.line is not None and self.line.is_open
        return connected and not (self._outbox or self._in_flight or self._needs_boot)

    def known(self, message_id: str) -> Said | None:
        """What it said under this id; None: nothing, lately."""
        return self._said_ids.get(message_id)

    @property
    def waiting(self) -> int:
        """What is not answered yet."""
        return len(self._outbox) + (self._in_flight is not None)

    def now(self) -> datetime:
        """The time as the station has it, in whole milliseconds."""
        at = BEGINNING + timedelta(seconds=self.world.loop.time() + self.clock_ahead_s)
        return at.replace(microsecond=at.microsecond // 1000 * 1000)

    def lose_power(self, off_s: float) -> None:
        """Everything that is not about a transaction is forgotten."""
        self.offline(off_s)
        self._outbox = deque(said for said in self._outbox if said.keeps)
        self._needs_boot = True

    def offline(self, seconds: float) -> None:
        """Without network for a while."""
        self.offline_until = max(self.offline_until, self.world.loop.time() + seconds)
        self.drop()

    def network_back(self) -> None:
        """It can connect from now on, and does."""
        self.offline_until = 0.0
        if self.line is None:
            self.world.loop.call_later(self.dice.uniform(0, 60), self._connect, context=WORLD)

    def drop(self) -> None:
        """The station ends its connection."""
        if self.line is not None:
            line = self.line
            line.hang_up()
            self.lost(line)

    # Its connection

    def lost(self, line: Line) -> None:
        """See `Listener.lost`."""
        if line is not self.line:
            return
        self.line = None
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None
        said, self._in_flight = self._in_flight, None
        if said is not None and not said.action.startswith("Boot"):
            self._outbox.appendleft(said)
        self._connect_later()

    def _connect_later(self) -> None:
        if self._connecting:
            return
        self._connecting = True
        loop = self.world.loop
        wait_s = max(self.dice.uniform(*BACK_OFF_S) * self.dice.random(), self.offline_until - loop.time())
        loop.call_later(wait_s, self._connect, context=WORLD)

    def _connect(self) -> None:
        self._connecting = False
        if self.line is not None:
            return
        if self.world.loop.time() < self.offline_until:
            self._connect_later()
            return
        line = self.world.connect(self)
        if line is None:
            self._connect_later()
            return
        self.line = line
        self._next()

    # What it says

    def _beat(self) -> None:
        self.world.loop.call_later(self._heartbeat_s, self._beat, context=WORLD)
        if self.line is not None:
            self.heartbeat()

    def _next(self) -> None:
        if self._in_flight is not None or self.line is None:
            return
        if self._needs_boot:
            self._in_flight = self._boot()
        elif self._outbox:
            self._in_flight = self._outbox.popleft()
        else:
            return
        self._speak(self._in_flight)

    def _boot(self) -> Said:
        self._boots += 1
        serial = f"{self.identity}-{self._boots}"
        return Said(lambda: self.wording.boot(serial), (("boot", serial),), on_answer=self._booted)

    def _booted(self, _answer: Payload) -> None:
        self._needs_boot = False

    def _speak(self, said: Said) -> None:
        line = self.line
        assert line is not None, "a station speaks on its connection"
        if not said.body:
            said.action, payload = said.build()
            said.body = b'"%b",%b]' % (said.action.encode(), orjson.dumps(payload))
        if said.tries == 0 or (not said.same_id and self.dice.random() < 0.5):
            self._ids += 1
            said.message_id = f"{self.identity}.{self._ids}"
            self._said_ids[said.message_id] = said
            if len(self._said_ids) > 64:
                del self._said_ids[next(iter(self._said_ids))]
        said.tries += 1
        self.repeats += said.tries > 1
        text = f'[2,"{said.message_id}",' + said.body.decode()
        fault = self.world.strikes(self)
        for _ in range(2 if fault == "station.twice" else 1):
            self._owed[line.name, said.message_id] = self._owed.get((line.name, said.message_id), 0) + 1
            if self.world.traced:
                self.world.tell(self.identity, f"> {text}" + ("" if line is self.line else "  (never leaves)"))
            line.say(text)
        if line is self.line:
            self._waits = self.world.loop.call_later(self._patience_s, self._unanswered, said, context=WORLD)

    def _unanswered(self, said: Said) -> None:
        """No answer in time: again, and after some tries on a new connection."""
        self._waits = None
        if said is not self._in_flight or self.line is None:
            return
        if said.tries % TRIES_BEFORE_HANGING_UP == 0 or self.dice.random() < 0.4:
            self.drop()
        else:
            self._speak(said)

    # What it hears

    def heard(self, line: Line, text: str) -> None:
        """See `Listener.heard`."""
        if line is not self.line:
            return
        frame = orjson.loads(text)
        if self.world.traced:
            self.world.tell(self.identity, f"< {text}")
        if frame[0] == 2:
            self._obey(line, frame)
            return
        message_id = frame[1]
        left = self._owed.get((line.name, message_id), 0)
        if left < 1:
            self.world.violated(self.identity, f"an answer to nothing it asked on {line.name}: {text}")
            return
        self._owed[line.name, message_id] = left - 1
        said = self._said_ids[message_id]
        self._check_answer(said, frame)
        if said is self._in_flight:
            self._answered(said, frame)

    def _answered(self, said: Said, frame: list[Any]) -> None:
        self._in_flight = None
        said.answered = True
        self.answers += 1
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None
        if said.keeps:
            self.promised += said.evidence
        if said.on_answer is not None and frame[0] == 3:
            said.on_answer(frame[2])
        self._owed = {key: left for key, left in self._owed.items() if left} if len(self._owed) > 64 else self._owed
        self._next()

    def _check_answer(self, said: Said, frame: list[Any]) -> None:
        """No reply to the wrong call, and no refusal: stations here say nothing that is wrong."""
        if frame[0] != 3:
            self.world.violated(self.identity, f"{said.action} {said.message_id} was refused: {frame}")
            return
        keys = frame[2].keys()
        if not (ANSWER_KEYS_NEEDED.get(said.action, frozenset()) <= keys <= ANSWER_KEYS[said.action]):
            self.world.violated(self.identity, f"the answer to {said.action} {said.message_id} is of another: {frame}")

    def _obey(self, line: Line, frame: list[Any]) -> None:
        """Carries a command out, once per time it is told."""
        self.obeyed[frame[1]] += 1
        self.world.commanded(self)
        if self.dice.random() >= NO_ANSWER:
            text = orjson.dumps([3, frame[1], {"status": "Accepted"}]).decode()
            if self.world.traced:
                self.world.tell(self.identity, f"> {text}")
            line.say(text)
