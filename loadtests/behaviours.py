"""The behaviours that a fleet can mix, by name: what stations, radio networks and attackers do in the field.

Each is a value with parameters and defaults; a mix file can set them. Times are real seconds.
Sources: docs of OCPP-J (1.6 and 2.x part 4) for what is right, and what was seen at real chargers for what is not.
"""

import asyncio
import itertools
import json
import random
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from loadtests.behaviour import Behaviour, Line

PIPELINE_MAX = 8
_WRONG_PASSWORD = "not-the-password-of-anybody"  # noqa: S105 (that it is wrong is its use)


@dataclass(frozen=True)
class Flapping(Behaviour):
    """Loses its connection again and again, without a close frame; up for `duty` (0 to 1) of each `period_s`."""

    steady: ClassVar[bool] = False
    period_s: float = 30.0
    duty: float = 0.5

    def while_running(self, line: Line, chance: random.Random) -> Coroutine[Any, Any, None]:
        """Up, away, up."""
        return self._flap(line, chance)

    async def _flap(self, line: Line, chance: random.Random) -> None:
        up_s = self.period_s * self.duty
        await line.up()
        await asyncio.sleep(chance.uniform(0.0, up_s))  # not all at once
        while True:
            line.stay_away(self.period_s - up_s)
            await line.up()
            await asyncio.sleep(up_s)


@dataclass(frozen=True)
class SlowReader(Behaviour):
    """Takes so few frames a second from its socket that TCP's window shuts, and goes on asking.

    With `frames_per_s` 0 it reads nothing once it was let in. It says `asks_per_s` heartbeats beside its other
    messages, so that answers pile up at the CSMS, which must cut it off before they fill its memory.
    """

    blameless: ClassVar[bool] = False
    steady: ClassVar[bool] = False
    frames_per_s: float = 1.0
    asks_per_s: float = 20.0

    def on_connected(self, line: Line) -> None:
        """From the first frame."""
        line.read_slowly(self.frames_per_s)

    def while_running(self, line: Line, chance: random.Random) -> Coroutine[Any, Any, None]:
        """Asks on."""
        return _now_and_then(line, chance, 1.0 / self.asks_per_s, self._ask)

    @staticmethod
    def _ask(line: Line) -> None:
        message_id = line.new_id()
        line.send_raw(_frame(2, message_id, "Heartbeat", {}), message_id)


@dataclass(frozen=True)
class Silent(Behaviour):
    """Answers no command. Its own messages are right."""

    def answer_delay_s(self, chance: random.Random) -> float | None:
        """Never."""
        del chance
        return None


@dataclass(frozen=True)
class SlowAnswerer(Behaviour):
    """Answers each command `delay_s` late: just in time, or after the CSMS gave up waiting."""

    delay_s: float = 29.0

    def answer_delay_s(self, chance: random.Random) -> float | None:
        """Up to a tenth later."""
        return self.delay_s * chance.uniform(1.0, 1.1)


@dataclass(frozen=True)
class BadRadio(Behaviour):
    """Answers each command `delay_s` late at most, and loses `share` of its answers: it obeyed, and nobody hears."""

    delay_s: float = 1.5
    share: float = 0.02

    def answer_delay_s(self, chance: random.Random) -> float | None:
        """Anything up to the most; never, for some."""
        if chance.random() < self.share:
            return None
        return max(0.001, chance.uniform(0.0, self.delay_s))


@dataclass(frozen=True)
class DuplicateSender(Behaviour):
    """Says everything three times: twice with the same message id without waiting, then with a new id once answered."""

    @property
    def repeats(self) -> bool:
        """It does."""
        return True


@dataclass(frozen=True)
class ClockSkewed(Behaviour):
    """Its clock is off by so many hours, whatever time the CSMS tells."""

    hours: float = 3.0

    def habits(self) -> Mapping[str, object]:
        """The station's clock."""
        return {"clock_skew_s": 3600.0 * self.hours}


@dataclass(frozen=True)
class Clock1970(Behaviour):
    """Its clock began at 1970-01-01 when it was switched on, and takes no time from the CSMS."""

    def habits(self) -> Mapping[str, object]:
        """The station's clock."""
        return {"clock_skew_s": -datetime.now(UTC).timestamp()}


@dataclass(frozen=True)
class ClockLocalTime(Behaviour):
    """Says local time and calls it UTC; `utc_offset_h` is its zone."""

    utc_offset_h: float = 2.0

    def habits(self) -> Mapping[str, object]:
        """The station's clock."""
        return {"clock_skew_s": 3600.0 * self.utc_offset_h}


@dataclass(frozen=True)
class OfflineThenFlood(Behaviour):
    """Works for `online_s`, is offline for `offline_s` while charging goes on, then tells all at once, in order."""

    steady: ClassVar[bool] = False
    online_s: float = 60.0
    offline_s: float = 3_600.0

    def while_running(self, line: Line, chance: random.Random) -> Coroutine[Any, Any, None]:
        """Online, offline, flood."""
        del chance
        return self._work(line)

    async def _work(self, line: Line) -> None:
        while True:
            await line.up()
            await asyncio.sleep(self.online_s)
            line.stay_away(self.offline_s)


@dataclass(frozen=True)
class WrongSubprotocol(Behaviour):
    """Offers a subprotocol that no CSMS has (TC_088); it must be turned away, again and again."""

    blameless: ClassVar[bool] = False
    steady: ClassVar[bool] = False
    admitted: ClassVar[bool] = False
    offers: str = "ocpp0.1"

    def subprotocol(self, own: str) -> str:
        """Not its own."""
        del own
        return self.offers


@dataclass(frozen=True)
class WrongPassword(Behaviour):
    """Comes with a wrong password; it must be turned away with HTTP 401, again and again."""

    blameless: ClassVar[bool] = False
    steady: ClassVar[bool] = False
    admitted: ClassVar[bool] = False

    def password(self, own: str | None) -> str | None:
        """Nobody's."""
        del own
        return _WRONG_PASSWORD


@dataclass(frozen=True)
class Malformed(Behaviour):
    """Slips a frame that is not right between its good ones each `every_s`; `kinds` in turn, see `BAD_FRAMES`.

    The CSMS must answer it with an error, ignore it or close this connection, and serve everybody else.
    """

    blameless: ClassVar[bool] = False
    steady: ClassVar[bool] = False
    every_s: float = 5.0
    kinds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        unknown = sorted(set(self.kinds) - BAD_FRAMES.keys())
        if unknown:
            raise ValueError(f"kinds are some of {', '.join(BAD_FRAMES)}, not {', '.join(unknown)}")

    def while_running(self, line: Line, chance: random.Random) -> Coroutine[Any, Any, None]:
        """One after the other, each station beginning elsewhere."""
        kinds = self.kinds or tuple(BAD_FRAMES)
        turn = itertools.islice(itertools.cycle(kinds), chance.randrange(len(kinds)), None)

        def send(line: Line) -> None:
            kind = next(turn)
            message_id = line.new_id()
            if line.send_raw(BAD_FRAMES[kind](message_id), message_id):
                line.count(f"bad frames sent: {kind}")

        return _now_and_then(line, chance, self.every_s, send)


@dataclass(frozen=True)
class IdentityWar(Behaviour):
    """A second device has the same identity: each `every_s` it throws the station out, which comes back."""

    blameless: ClassVar[bool] = False
    steady: ClassVar[bool] = False
    every_s: float = 10.0

    def while_running(self, line: Line, chance: random.Random) -> Coroutine[Any, Any, None]:
        """The other one."""
        del chance
        return self._fight(line)

    async def _fight(self, line: Line) -> None:
        while True:
            await line.up()
            await asyncio.sleep(self.every_s)
            line.count("rivals connected")
            await line.fight(self.every_s)


@dataclass(frozen=True)
class HalfOpen(Behaviour):
    """Vanishes each `every_s` without FIN: the old connection stays open and dead for `open_s` beside the new one."""

    steady: ClassVar[bool] = False
    every_s: float = 30.0
    open_s: float = 120.0

    def while_running(self, line: Line, chance: random.Random) -> Coroutine[Any, Any, None]:
        """Vanishes and comes back."""
        return _now_and_then(line, chance, self.every_s, lambda line: line.vanish(self.open_s))


@dataclass(frozen=True)
class Pipelining(Behaviour):
    """Does not wait for an answer before the next message: up to `depth` (1 to 8) calls are open at once."""

    depth: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.depth <= PIPELINE_MAX:
            raise ValueError(f"depth is 1 to {PIPELINE_MAX}, not {self.depth}")


@dataclass(frozen=True)
class NoJitter(Behaviour):
    """Comes back after exactly 1, 2, 4, 8, 16 s, as all others of its kind do, so that they come all at once."""

    first_s: float = 1.0
    most_s: float = 16.0

    def habits(self) -> Mapping[str, object]:
        """The station's patience."""
        return {"patience": {"backoff_s_min": self.first_s, "backoff_s_max": self.most_s, "jitter": False}}


BEHAVIOURS: dict[str, type[Behaviour]] = {
    "good": Behaviour,
    "flapping": Flapping,
    "slow_reader": SlowReader,
    "silent": Silent,
    "slow_answerer": SlowAnswerer,
    "bad_radio": BadRadio,
    "duplicate_sender": DuplicateSender,
    "clock_skewed": ClockSkewed,
    "clock_1970": Clock1970,
    "clock_local_time": ClockLocalTime,
    "offline_then_flood": OfflineThenFlood,
    "wrong_subprotocol": WrongSubprotocol,
    "wrong_password": WrongPassword,
    "malformed": Malformed,
    "identity_war": IdentityWar,
    "half_open": HalfOpen,
    "pipelining": Pipelining,
    "no_jitter": NoJitter,
}

DEEP = 2_000
OVERSIZED_BYTES = 2 * 2**20

BAD_FRAMES: dict[str, Callable[[str], str | bytes]] = {
    "bad_json": lambda message_id: f'[2,"{message_id}","Heartbeat",{{',
    "not_an_array": lambda message_id: json.dumps({"messageId": message_id}),
    "wrong_length": lambda message_id: _frame(2, message_id, "Heartbeat"),
    "wrong_type": lambda message_id: _frame(9, message_id, "Heartbeat", {}),
    "payload_no_object": lambda message_id: _frame(2, message_id, "Heartbeat", []),
    "binary": lambda message_id: _frame(2, message_id, "Heartbeat", {}).encode(),
    "oversized": lambda message_id: _frame(2, message_id, "DataTransfer", {"data": "x" * OVERSIZED_BYTES}),
    "unknown_action": lambda message_id: _frame(2, message_id, "MakeCoffee", {}),
    "wrong_enum": lambda message_id: _frame(
        2, message_id, "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Sleeping"}
    ),
    "missing_field": lambda message_id: _frame(2, message_id, "BootNotification", {}),
    "not_a_number": lambda message_id: f'[2,"{message_id}","DataTransfer",{{"vendorId":"V","data":NaN}}]',
    "duplicate_keys": lambda message_id: f'[2,"{message_id}","DataTransfer",{{"vendorId":"A","vendorId":"B"}}]',
    "deep_nesting": lambda message_id: (
        f'[2,"{message_id}","DataTransfer",{{"vendorId":"V","data":{"[" * DEEP}{"]" * DEEP}}}]'
    ),
    "id_too_long": lambda message_id: _frame(2, message_id * 9, "Heartbeat", {}),
    "answer_to_nothing": lambda message_id: _frame(3, message_id, {}),
}
"""Frames that are not right, each made of a message id."""


def _frame(*parts: object) -> str:
    return json.dumps(parts, separators=(",", ":"))


async def _now_and_then(line: Line, chance: random.Random, every_s: float, what: Callable[[Line], None]) -> None:
    """Does it again and again while connected; the first time anywhere within the interval."""
    await line.up()
    await asyncio.sleep(chance.uniform(0.0, every_s))
    while True:
        await line.up()
        what(line)
        await asyncio.sleep(every_s)
